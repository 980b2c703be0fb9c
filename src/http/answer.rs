//! Answers as they may be shown.

use std::fmt;

use reqwest::StatusCode;

use super::Address;

/// As much of an answer is shown.
const EXCERPT_CHARS: usize = 200;

/// What a server sent where something else was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where it came from.
    pub url: Address,
    /// Its status code.
    pub status: StatusCode,
    /// Its content type, if it told one.
    pub content_type: Option<String>,
    /// The reason that it gives in `detail`, as servers built with Django REST framework do, Patchwork among them.
    pub detail: Option<String>,
    /// The first 200 characters of its body, control characters and repeated white space left out.
    pub excerpt: String,
}

impl Answer {
    /// Whether this is a web page, as error pages of proxies are, and not an answer of an API.
    #[must_use]
    pub fn is_web_page(&self) -> bool {
        self.is_html() || self.excerpt.starts_with('<')
    }

    /// Whether this is XML by its first words, and not said to be a web page.
    pub(crate) fn is_xml(&self) -> bool {
        !self.is_html() && self.excerpt.starts_with("<?xml")
    }

    fn is_html(&self) -> bool {
        self.content_type.as_deref().is_some_and(|kind| kind.contains("html"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content_type = self.content_type.as_deref().unwrap_or("no content type");
        write!(f, "{} answered {} ({content_type})", self.url, self.status)?;
        match (&self.detail, self.excerpt.as_str()) {
            (Some(detail), _) => write!(f, ": {detail}"),
            (None, "") => write!(f, " with nothing in it"),
            (None, excerpt) => write!(f, ": {excerpt}"),
        }
    }
}

/// The first characters of a text that a terminal can show, each run of white space as one space.
pub(super) fn excerpt(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_is_one_short_line_that_a_terminal_can_show() {
        assert_eq!(excerpt("<html>\r\n\t<b>\u{1b}[31mno</b>  "), "<html> <b> [31mno</b>");
        let long = excerpt(&"é".repeat(1000));
        assert_eq!(long.chars().count(), 201);
        assert!(long.ends_with('…'));
    }
}
