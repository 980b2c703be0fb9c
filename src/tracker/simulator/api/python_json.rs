//! JSON as Patchwork reads it: what is accepted, and the words of every error, are those of Python's `json` module, which Patchwork hands
//! on to its clients. Numbers keep their digits and objects their order, both of which show in later errors.

use super::python::shown_float;

/// Python stops at about a thousand; the server then fails.
const DEEPEST: usize = 900;

/// A value as Python sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// Digits, perhaps with a minus.
    Int(String),
    Float(f64),
    /// Lone surrogates, which Python keeps, have become U+FFFD.
    Str(String),
    List(Vec<Self>),
    /// In the order of first mention; of several values for one key the last counts.
    Dict(Vec<(String, Self)>),
}

impl Json {
    /// The name of Python's type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Dict(_) => "dict",
        }
    }

    /// `str(value)`, for values that hold no others.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null => "None".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(text) | Self::Str(text) => text.clone(),
            Self::Float(number) => shown_float(*number),
            Self::List(_) | Self::Dict(_) => String::new(),
        }
    }
}

/// Why a text is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum JsonError {
    /// What Python says.
    Refused(String),
    /// Python fails in a way that Patchwork does not expect.
    Crash,
}

/// Reads a whole body.
pub(super) fn read(body: &[u8]) -> Result<Json, JsonError> {
    let text = decode(body)?;
    let mut reader = Reader {
        chars: text.chars().collect(),
        at: 0,
        depth: 0,
    };
    if reader.peek() == Some('\u{feff}') {
        return Err(reader.error("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0));
    }
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    if reader.at < reader.chars.len() {
        return Err(reader.error("Extra data", reader.at));
    }
    Ok(value)
}

/// Bytes that are missing at the end are passed over, as Python's stream reader does.
fn decode(body: &[u8]) -> Result<&str, JsonError> {
    std::str::from_utf8(body).or_else(|error| {
        let (valid, rest) = body.split_at(error.valid_up_to());
        let (Some(&byte), Some(_)) = (rest.first(), error.error_len()) else {
            return std::str::from_utf8(valid).map_err(|_| JsonError::Crash);
        };
        let reason = if matches!(byte, 0x80..=0xc1 | 0xf5..) {
            "invalid start byte"
        } else {
            "invalid continuation byte"
        };
        let position = valid.len();
        Err(JsonError::Refused(format!(
            "'utf-8' codec can't decode byte 0x{byte:02x} in position {position}: {reason}"
        )))
    })
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.chars[self.at..].iter().copied().take(word.len()).eq(word.chars());
        if found {
            self.at += word.len();
        }
        found
    }

    fn error(&self, what: &str, at: usize) -> JsonError {
        let before = &self.chars[..at];
        let line = before.iter().filter(|&&c| c == '\n').count() + 1;
        let column = before.iter().rev().take_while(|&&c| c != '\n').count() + 1;
        JsonError::Refused(format!("{what}: line {line} column {column} (char {at})"))
    }

    fn value(&mut self) -> Result<Json, JsonError> {
        match self.peek() {
            Some('"') => self.string().map(Json::Str),
            Some('{') => self.nested(Self::dict),
            Some('[') => self.nested(Self::list),
            _ => self.word_or_number(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json, JsonError>) -> Result<Json, JsonError> {
        if self.depth == DEEPEST {
            return Err(JsonError::Crash);
        }
        self.at += 1;
        self.depth += 1;
        self.skip_space();
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn word_or_number(&mut self) -> Result<Json, JsonError> {
        for (word, value) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))] {
            if self.take(word) {
                return Ok(value);
            }
        }
        for word in ["NaN", "Infinity", "-Infinity"] {
            if self.take(word) {
                return Err(JsonError::Refused(format!(
                    "Out of range float values are not JSON compliant: '{word}'"
                )));
            }
        }
        self.number().ok_or_else(|| self.error("Expecting value", self.at))
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        let mut end = start + usize::from(self.peek() == Some('-'));
        end = match self.chars.get(end)? {
            '0' => end + 1,
            '1'..='9' => self.digits_from(end),
            _ => return None,
        };
        let integer_end = end;
        if self.chars.get(end) == Some(&'.') && self.digits_from(end + 1) > end + 1 {
            end = self.digits_from(end + 1);
        }
        if matches!(self.chars.get(end), Some('e' | 'E')) {
            let digits = end + 1 + usize::from(matches!(self.chars.get(end + 1), Some('+' | '-')));
            if self.digits_from(digits) > digits {
                end = self.digits_from(digits);
            }
        }
        let text: String = self.chars[start..end].iter().collect();
        self.at = end;
        if end > integer_end {
            return text.parse().ok().map(Json::Float);
        }
        Some(Json::Int(if text == "-0" { "0".to_owned() } else { text }))
    }

    fn digits_from(&self, at: usize) -> usize {
        at + self.chars.iter().skip(at).take_while(|c| c.is_ascii_digit()).count()
    }

    fn list(&mut self) -> Result<Json, JsonError> {
        let mut items = Vec::new();
        if self.take("]") {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            if self.take("]") {
                return Ok(Json::List(items));
            }
            self.expect(",")?;
            self.skip_space();
        }
    }

    fn dict(&mut self) -> Result<Json, JsonError> {
        let mut entries = Vec::new();
        if self.take("}") {
            return Ok(Json::Dict(entries));
        }
        loop {
            if self.peek() != Some('"') {
                return Err(self.error("Expecting property name enclosed in double quotes", self.at));
            }
            let key = self.string()?;
            self.skip_space();
            self.expect(":")?;
            self.skip_space();
            let value = self.value()?;
            put(&mut entries, key, value);
            self.skip_space();
            if self.take("}") {
                return Ok(Json::Dict(entries));
            }
            self.expect(",")?;
            self.skip_space();
        }
    }

    fn expect(&mut self, delimiter: &str) -> Result<(), JsonError> {
        if self.take(delimiter) {
            Ok(())
        } else {
            Err(self.error(&format!("Expecting '{delimiter}' delimiter"), self.at))
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        let mut text = String::new();
        loop {
            self.at += 1;
            match self.peek() {
                None => return Err(self.error("Unterminated string starting at", start)),
                Some('"') => break,
                Some('\\') => text.push(self.escape(start)?),
                Some(c) if c <= '\u{1f}' => return Err(self.error("Invalid control character at", self.at)),
                Some(c) => text.push(c),
            }
        }
        self.at += 1;
        Ok(text)
    }

    /// From a backslash to the last character of what it escapes.
    fn escape(&mut self, string_start: usize) -> Result<char, JsonError> {
        let backslash = self.at;
        self.at += 1;
        match self.peek() {
            None => Err(self.error("Unterminated string starting at", string_start)),
            Some(c @ ('"' | '\\' | '/')) => Ok(c),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => self.code_point(),
            Some(_) => Err(self.error("Invalid \\escape", backslash)),
        }
    }

    fn code_point(&mut self) -> Result<char, JsonError> {
        let first = self.hex(self.at + 1).ok_or_else(|| self.error("Invalid \\uXXXX escape", self.at))?;
        self.at += 4;
        let has_second = (0xd800..0xdc00).contains(&first) && self.chars[self.at + 1..].starts_with(&['\\', 'u']);
        let second = has_second
            .then(|| self.hex(self.at + 3))
            .flatten()
            .filter(|second| (0xdc00..0xe000).contains(second));
        let Some(second) = second else {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        };
        self.at += 6;
        let both = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        Ok(char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// Four hexadecimal digits, and at least one character after them.
    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.chars.get(at..at + 4).filter(|_| at + 4 < self.chars.len())?;
        digits
            .iter()
            .try_fold(0, |number, digit| digit.to_digit(16).map(|digit| number * 16 + digit))
    }
}

fn put(entries: &mut Vec<(String, Json)>, key: String, value: Json) {
    match entries.iter_mut().find(|(other, _)| *other == key) {
        Some((_, old)) => *old = value,
        None => entries.push((key, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, JsonError, read};

    #[test]
    fn numbers_keep_their_digits_and_objects_their_order() {
        let value = read(br#" {"b": [99999999999999999999, -0, 1.50, 1e2], "a": "\u00e9\ud83d\ude00\n", "b": null} "#).unwrap();
        let entries = vec![("b".to_owned(), Json::Null), ("a".to_owned(), Json::Str("é😀\n".to_owned()))];
        assert_eq!(value, Json::Dict(entries));
        let numbers = ["99999999999999999999", "0"].map(|digits| Json::Int(digits.to_owned()));
        assert_eq!(read(b"[99999999999999999999, -0]").unwrap(), Json::List(numbers.into()));
        assert_eq!(
            read(b"[1.50, 1e2]").unwrap(),
            Json::List(vec![Json::Float(1.5), Json::Float(100.0)])
        );
    }

    // The words of the errors were printed by Patchwork on CPython 3.12.1; more of them are in the recorded traces.
    #[test]
    fn errors_speak_pythons_words() {
        for (body, words) in [
            (&b"{\n \"a\":\n  x}"[..], "Expecting value: line 3 column 3 (char 10)"),
            (
                b"{\"a\":1,}",
                "Expecting property name enclosed in double quotes: line 1 column 8 (char 7)",
            ),
            (b"[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"),
            (b"01", "Extra data: line 1 column 2 (char 1)"),
            (b"\"a\\u12\"", "Invalid \\uXXXX escape: line 1 column 4 (char 3)"),
            (b"\"a\\x\"", "Invalid \\escape: line 1 column 3 (char 2)"),
            (
                b"{\"a\":\"\xe9\"}",
                "'utf-8' codec can't decode byte 0xe9 in position 6: invalid continuation byte",
            ),
            (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
            (b"{\"a\":\"\xc3", "Unterminated string starting at: line 1 column 6 (char 5)"),
        ] {
            assert_eq!(
                read(body),
                Err(JsonError::Refused(words.to_owned())),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }

    #[test]
    fn a_deep_nest_is_a_crash_there_and_none_here() {
        assert_eq!(read("[".repeat(100_000).as_bytes()), Err(JsonError::Crash));
    }
}
