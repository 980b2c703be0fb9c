//! JSON with the places of its values, which the JSON library does not tell.

use serde::de::IgnoredAny;

use super::error::{ProblemKind, Problems};
use super::tree::{Entry, Node, Value};

/// Reads JSON. `None` where it is none; then there is a problem.
pub(super) fn tree(text: &str, problems: &mut Problems<'_>) -> Option<Node> {
    // The library judges whether it is JSON. What comes after it need not.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let offset = offset_of(text, error.line(), error.column());
        problems.push(offset, String::new(), ProblemKind::Syntax("JSON", message.to_owned()));
        return None;
    }
    Scanner { text, at: 0 }.node()
}

/// The byte at a line and a column, which the library counts in bytes.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut offset = (before + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Goes through JSON that is known to be some.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn node(&mut self) -> Option<Node> {
        let first = self.peek()?;
        let offset = self.at;
        let value = match first {
            b'{' => self.table()?,
            b'[' => self.list()?,
            b'"' => Value::Text(self.string()?),
            _ => self.word()?,
        };
        Some(Node { offset, value })
    }

    fn table(&mut self) -> Option<Value> {
        let mut entries = Vec::new();
        self.skip(b'{');
        while !self.skip(b'}') {
            self.peek();
            let offset = self.at;
            let key = self.string()?;
            self.skip(b':');
            let node = self.node()?;
            entries.push(Entry { key, offset, node });
            self.skip(b',');
        }
        Some(Value::Table(entries))
    }

    fn list(&mut self) -> Option<Value> {
        let mut nodes = Vec::new();
        self.skip(b'[');
        while !self.skip(b']') {
            nodes.push(self.node()?);
            self.skip(b',');
        }
        Some(Value::List(nodes))
    }

    fn string(&mut self) -> Option<String> {
        let rest = self.text.get(self.at..)?;
        let mut is_escaped = false;
        let mut letters = rest.bytes().enumerate().skip(1);
        let (end, _) = letters.find(|(_, letter)| {
            let is_end = *letter == b'"' && !is_escaped;
            is_escaped = *letter == b'\\' && !is_escaped;
            is_end
        })?;
        let string = rest.get(..=end)?;
        self.at += end + 1;
        serde_json::from_str(string).ok()
    }

    fn word(&mut self) -> Option<Value> {
        let rest = self.text.get(self.at..)?;
        let end = rest
            .find(|letter: char| letter.is_ascii_whitespace() || matches!(letter, ',' | ']' | '}'))
            .unwrap_or(rest.len());
        let word = rest.get(..end)?;
        self.at += end;
        Some(match word {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            "null" => Value::Other("null"),
            number => number
                .parse()
                .map_or(Value::Other("a number that is not whole, or too large"), Value::Integer),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_where_it_stands() {
        let text = "{ \"a\\\"é\": [1, true,\n  {\"b\": \"x\\\\\"}, null, 1.5, [], {}] }";
        let mut problems = Problems::new(text);
        let tree = tree(text, &mut problems).unwrap();
        let Value::Table(entries) = &tree.value else { panic!() };
        assert_eq!((entries[0].key.as_str(), entries[0].offset), ("a\"é", 2));
        let Value::List(nodes) = &entries[0].node.value else { panic!() };
        let found: Vec<&str> = nodes.iter().map(|node| &text[node.offset..=node.offset]).collect();
        assert_eq!(found, ["1", "t", "{", "n", "1", "[", "{"]);
        let b = nodes[2].entry("b").unwrap();
        assert!(matches!(&b.node.value, Value::Text(text) if text == "x\\"));
        assert!(matches!(nodes[4].value, Value::Other(_)));
    }

    #[test]
    fn what_is_cut_in_the_middle_is_told_with_its_end() {
        let text = "{\n\"a\": [1,";
        let mut problems = Problems::new(text);
        assert!(tree(text, &mut problems).is_none());
        let problems = problems.into_sorted();
        assert_eq!(problems[0].line, 2);
    }
}
