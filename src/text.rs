//! Places in texts that people write, for messages about them.

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

#[cfg(test)]
mod tests {
    use super::position;

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
