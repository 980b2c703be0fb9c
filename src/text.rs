//! Words for messages: places in texts that people write, what is wrong there, and numbers with their nouns.

use std::fmt;
use std::path::Path;

/// Line and column, both from 1, of an offset in bytes; the column in characters, of which a byte order mark is none.
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before[..line_start].matches('\n').count() + 1;
    let column = before[line_start..].trim_start_matches('\u{feff}').chars().count() + 1;
    (line, column)
}

/// The key that a line which is not TOML seems to be about; empty where none can be made out.
pub fn key_on_line(text: &str, offset: usize) -> String {
    let (before, after) = text.split_at_checked(offset).unwrap_or((text, ""));
    let line_start = before.rsplit('\n').next().unwrap_or_default();
    let line = format!("{line_start}{}", after.lines().next().unwrap_or_default());
    let key = line.split_once('=').map_or("", |(key, _)| key.trim());
    let bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if key.chars().all(bare) { key.to_owned() } else { String::new() }
}

/// Which key somebody may have meant by one that is unknown.
pub fn key_meant(nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("the keys here are {}", known.join(", ")),
    }
}

/// The problems of a file, which say where in it they are: a line each, after how many there are. Those behind the first `most` are only counted.
pub fn problems_in(path: &Path, problems: &[impl fmt::Display], most: usize) -> String {
    let mut text = match problems.len() {
        1 => "a problem:".to_owned(),
        number => format!("{}:", count(number, "problem")),
    };
    for problem in problems.iter().take(most) {
        text.push_str(&format!("\n  {}:{problem}", path.display()));
    }
    if problems.len() > most {
        text.push_str(&format!("\n  and {} more", problems.len() - most));
    }
    text
}

/// A number with its noun, which is in the plural unless that is 1.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    // No number of anything is larger.
    let number = number.try_into().unwrap_or(u64::MAX);
    match (number, noun.strip_suffix("ry")) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ries"),
        (_, None) if noun.ends_with("ch") => format!("{number} {noun}es"),
        (_, None) => format!("{number} {noun}s"),
    }
}

/// The same as the subject of a clause, with its verb for one and for several.
pub fn count_doing(number: impl TryInto<u64> + Copy, noun: &str, [one, several]: [&str; 2]) -> String {
    let verb = if matches!(number.try_into(), Ok(1)) { one } else { several };
    format!("{} {verb}", count(number, noun))
}

#[cfg(test)]
mod tests {
    use super::{count, count_doing, position};

    #[test]
    fn a_noun_is_in_the_plural_unless_there_is_one() {
        let words = ["write", "patch", "entry", "package set"];
        assert_eq!(
            words.map(|noun| count(1_usize, noun)),
            ["1 write", "1 patch", "1 entry", "1 package set"]
        );
        assert_eq!(
            words.map(|noun| count(0_u64, noun)),
            ["0 writes", "0 patches", "0 entries", "0 package sets"]
        );
        assert_eq!(
            words.map(|noun| count(2_u32, noun)),
            ["2 writes", "2 patches", "2 entries", "2 package sets"]
        );
    }

    #[test]
    fn a_verb_goes_with_its_noun() {
        let verb = ["becomes", "become"];
        assert_eq!(count_doing(1_usize, "relation", verb), "1 relation becomes");
        assert_eq!(count_doing(0_usize, "relation", verb), "0 relations become");
    }

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("ab\r\ncd", 5), (2, 2));
        assert_eq!(position("é = 1\nü = x", "é = 1\nü = ".len()), (2, 5));
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        assert_eq!(position("\u{feff}a = 1", '\u{feff}'.len_utf8()), (1, 1));
    }
}
