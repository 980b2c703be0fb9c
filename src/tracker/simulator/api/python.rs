//! Python's ways with texts and numbers, where they show in what Patchwork accepts and answers.

/// `text.strip()`: four separators that are no white space to Unicode are some to Python.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '\u{1c}' | '\u{1d}' | '\u{1e}' | '\u{1f}'))
}

/// `int(text)`: surrounding space, one sign, and single underscores between digits are fine. Numbers too large for the type are its largest.
pub(super) fn int(text: &str) -> Option<i128> {
    let text = strip(text);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let groups_are_digits = digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    groups_are_digits.then(|| {
        let digits = digits.bytes().filter(u8::is_ascii_digit).map(|byte| i128::from(byte - b'0'));
        sign * digits.fold(0_i128, |number, digit| number.saturating_mul(10).saturating_add(digit))
    })
}

/// `repr(number)`: the shortest digits that mean the number, with an exponent from 10^16 up and below 10^-4.
pub(super) fn shown_float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => format!("{number:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{int, shown_float, strip};

    /// As a real server kept commits.
    #[test]
    fn a_text_is_stripped_of_what_python_takes_for_space() {
        for text in [
            "abc",
            "  abc \n",
            "\u{a0}abc\u{a0}",
            "\u{1c}\u{1d}\u{1e}\u{1f}abc\u{1f}",
            "\u{85}abc\u{2003}",
        ] {
            assert_eq!(strip(text), "abc", "{text:?}");
        }
        assert_eq!(strip("\u{1f}"), "");
        for text in ["\u{200b}abc\u{feff}", "a\u{1f}c", "\u{1b}", "\u{1}abc"] {
            assert_eq!(strip(text), text);
        }
    }

    #[test]
    fn an_int_may_have_space_a_sign_and_underscores() {
        for (text, number) in [
            ("3", 3),
            (" +3\n", 3),
            ("-0", 0),
            ("1_000", 1000),
            ("0003", 3),
            ("\u{a0}-7", -7),
            ("\u{1f}5", 5),
        ] {
            assert_eq!(int(text), Some(number), "{text:?}");
        }
        for text in ["", " ", "3.0", "0x3", "3_", "_3", "1__0", "+-3", "x"] {
            assert_eq!(int(text), None, "{text:?}");
        }
    }

    #[test]
    fn floats_show_as_in_python() {
        for (number, shown) in [
            (100.0, "100.0"),
            (-0.0, "-0.0"),
            (99.5, "99.5"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (9.3e18, "9.3e+18"),
            (1e-7, "1e-07"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e100, "1e+100"),
        ] {
            assert_eq!(shown_float(number), shown);
        }
    }
}
