//! URLs of packages, as templates: PackageDB's `publishURLTemplate` and `pendingURLTemplate`.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::model::packages::{ArchName, PackageName};

const ARCH: &str = "[ARCH]";
const PACKAGE: &str = "[PACKAGE]";

/// What a name keeps anywhere in a URL: the unreserved letters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a name keeps in a path: `+` too. In a query, `+` would be read as a space.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'+');

/// A URL in which `[ARCH]` and `[PACKAGE]` stand for an architecture and a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UrlTemplate(Box<str>);

/// Why a text is no template. Places count letters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlTemplateError {
    /// It does not begin as a URL does.
    #[error("expected a URL with `://`, found {found:?}")]
    NoUrl {
        /// Its beginning.
        found: String,
    },
    /// Something other than the two symbols stands in brackets.
    #[error("`{symbol}` at letter {place} is no symbol; the symbols are `{ARCH}` and `{PACKAGE}`")]
    UnknownSymbol {
        /// What stands there, with its brackets.
        symbol: String,
        /// Where its bracket is.
        place: usize,
    },
    /// A bracket that begins or ends no symbol.
    #[error("the `{bracket}` at letter {place} has no other that belongs to it")]
    LoneBracket {
        /// The bracket.
        bracket: char,
        /// Where it is.
        place: usize,
    },
    /// Something that stands in no URL.
    #[error("{letter:?} at letter {place} cannot stand in a URL")]
    Letter {
        /// What it is.
        letter: char,
        /// Where it is.
        place: usize,
    },
}

impl UrlTemplate {
    /// The template as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL for one package on one architecture. What the names have that means something else where they stand is percent-encoded.
    #[must_use]
    pub fn fill(&self, arch: &ArchName, package: &PackageName) -> String {
        let fill = |part: &str, reserved: &'static AsciiSet| {
            // No symbol comes out of the first replacement: the brackets are encoded.
            let with_arch = part.replace(ARCH, &utf8_percent_encode(arch.as_str(), reserved).to_string());
            with_arch.replace(PACKAGE, &utf8_percent_encode(package.as_str(), reserved).to_string())
        };
        let (url, fragment) = self.0.split_at(self.0.find('#').unwrap_or(self.0.len()));
        let (path, query) = url.split_at(url.find('?').unwrap_or(url.len()));
        fill(path, RESERVED_IN_PATH) + &fill(query, RESERVED) + &fill(fragment, RESERVED_IN_PATH)
    }
}

impl FromStr for UrlTemplate {
    type Err = UrlTemplateError;

    fn from_str(text: &str) -> Result<Self, UrlTemplateError> {
        let is_url = text.split_once("://").is_some_and(|(scheme, rest)| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|letter| letter.is_ascii_alphanumeric() || b"+-.".contains(&letter))
                && !rest.is_empty()
                && !rest.starts_with(['/', '?', '#'])
        });
        if !is_url {
            return Err(UrlTemplateError::NoUrl {
                found: text.chars().take(80).collect(),
            });
        }
        let mut letters = text.char_indices().zip(1..);
        while let Some(((at, letter), place)) = letters.next() {
            match letter {
                '[' => {
                    let rest = &text[at..];
                    let Some(symbol) = rest.find(']').map(|end| &rest[..=end]) else {
                        return Err(UrlTemplateError::LoneBracket { bracket: '[', place });
                    };
                    if symbol != ARCH && symbol != PACKAGE {
                        return Err(UrlTemplateError::UnknownSymbol {
                            symbol: symbol.chars().take(80).collect(),
                            place,
                        });
                    }
                    // The first letter of the symbol is taken already.
                    letters.nth(symbol.len() - 2);
                }
                ']' => return Err(UrlTemplateError::LoneBracket { bracket: ']', place }),
                '!'..='~' if !"\"<>\\^`{|}".contains(letter) => {}
                _ => return Err(UrlTemplateError::Letter { letter, place }),
            }
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for UrlTemplate {
    type Error = UrlTemplateError;

    fn try_from(text: String) -> Result<Self, UrlTemplateError> {
        text.parse()
    }
}

impl From<UrlTemplate> for String {
    fn from(template: UrlTemplate) -> Self {
        template.0.into()
    }
}

impl fmt::Display for UrlTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, package: &str) -> String {
        let template: UrlTemplate = template.parse().unwrap();
        template.fill(&"x86_64".parse().unwrap(), &package.parse().unwrap())
    }

    #[test]
    fn symbols_are_replaced_wherever_they_stand() {
        assert_eq!(
            fill("https://example.org/[ARCH]/os/[PACKAGE]/[PACKAGE].[ARCH].rpm", "bash"),
            "https://example.org/x86_64/os/bash/bash.x86_64.rpm"
        );
        assert_eq!(
            fill("https://example.org/[PACKAGE][ARCH]", "bash"),
            "https://example.org/bashx86_64"
        );
        assert_eq!(fill("ftp://example.org/all/", "bash"), "ftp://example.org/all/");
    }

    #[test]
    fn a_plus_stays_in_a_path_and_is_encoded_in_a_query() {
        assert_eq!(
            fill("https://example.org/[PACKAGE]?name=[PACKAGE]&arch=[ARCH]#[PACKAGE]", "gtk+2.0"),
            "https://example.org/gtk+2.0?name=gtk%2B2.0&arch=x86_64#gtk+2.0"
        );
        assert_eq!(
            fill("https://example.org/#[PACKAGE]?[PACKAGE]", "gtk+2.0"),
            "https://example.org/#gtk+2.0?gtk+2.0"
        );
    }

    #[test]
    fn what_is_no_symbol_is_refused_with_its_place() {
        let refused = |text: &str| text.parse::<UrlTemplate>().unwrap_err().to_string();
        insta::assert_snapshot!(refused("https://example.org/[ARCH]/[RELEASE]/"), @"`[RELEASE]` at letter 28 is no symbol; the symbols are `[ARCH]` and `[PACKAGE]`");
        insta::assert_snapshot!(refused("https://example.org/[arch]/"), @"`[arch]` at letter 21 is no symbol; the symbols are `[ARCH]` and `[PACKAGE]`");
        insta::assert_snapshot!(refused("https://example.org/[ARCH]/[PACKAGE"), @"the `[` at letter 28 has no other that belongs to it");
        insta::assert_snapshot!(refused("https://example.org/ARCH]"), @"the `]` at letter 25 has no other that belongs to it");
        insta::assert_snapshot!(refused("https://example.org/a b"), @"' ' at letter 22 cannot stand in a URL");
        insta::assert_snapshot!(refused("https://example.org/ä"), @"'ä' at letter 21 cannot stand in a URL");
        insta::assert_snapshot!(refused("example.org/[ARCH]"), @r#"expected a URL with `://`, found "example.org/[ARCH]""#);
        for text in [
            "",
            "://x",
            "https://",
            "https:///x",
            "[ARCH]://x",
            "https://example.org/[[ARCH]]",
            "https://example.org/\u{1b}[ARCH]",
        ] {
            assert!(text.parse::<UrlTemplate>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_template_is_written_as_it_was_read() {
        let text = "https://example.org/[ARCH]/[PACKAGE]";
        let template: UrlTemplate = serde_json::from_value(text.into()).unwrap();
        assert_eq!(serde_json::to_value(&template).unwrap(), text);
        assert_eq!(template.to_string(), template.as_str());
    }
}
