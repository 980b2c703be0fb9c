//! What happens on a day in the life of a collection.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::remedy::Remedy;

/// Longer words are refused: no source has any.
const MOST_LETTERS: usize = 60;

/// What a date of a collection is about. It is an open word: distro-info's tables get a column for each new kind of support, and what it says has to
/// be kept before kinset knows of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Milestone(Cow<'static, str>);

impl Milestone {
    /// Work on it began: distro-info's `created`.
    pub const CREATED: Self = Self(Cow::Borrowed("created"));
    /// It was, or is to be, generally available: distro-info's `release`, Bodhi's `released_on`.
    pub const RELEASED: Self = Self(Cow::Borrowed("released"));
    /// It is no longer looked after: distro-info's `eol`.
    pub const EOL: Self = Self(Cow::Borrowed("eol"));
    /// The end for servers, of Ubuntu's older series: `eol-server`.
    pub const EOL_SERVER: Self = Self(Cow::Borrowed("eol-server"));
    /// The end of Ubuntu's Expanded Security Maintenance: `eol-esm`.
    pub const EOL_ESM: Self = Self(Cow::Borrowed("eol-esm"));
    /// The end of Ubuntu's legacy support: `eol-legacy`.
    pub const EOL_LEGACY: Self = Self(Cow::Borrowed("eol-legacy"));
    /// The end of Debian's long-term support: `eol-lts`.
    pub const EOL_LTS: Self = Self(Cow::Borrowed("eol-lts"));
    /// The end of Debian's extended long-term support: `eol-elts`.
    pub const EOL_ELTS: Self = Self(Cow::Borrowed("eol-elts"));

    /// Those that kinset knows, in the order in which they come as a rule.
    pub const KNOWN: [Self; 8] = [
        Self::CREATED,
        Self::RELEASED,
        Self::EOL,
        Self::EOL_SERVER,
        Self::EOL_ESM,
        Self::EOL_LEGACY,
        Self::EOL_LTS,
        Self::EOL_ELTS,
    ];

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its place among those that kinset knows; the others come behind them.
    #[must_use]
    pub fn place(&self) -> usize {
        Self::KNOWN.iter().position(|known| known == self).unwrap_or(Self::KNOWN.len())
    }

    /// Whether it is an end, of whatever kind of support: `eol`, or a word that begins with `eol-`.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.0
            .strip_prefix(Self::EOL.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

/// Why a text is no milestone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a milestone such as `released` or `eol`: a lower-case letter, then lower-case letters, digits and `-`; found {found:?}")]
pub struct MilestoneError {
    found: String,
}

impl Remedy for MilestoneError {}

impl FromStr for Milestone {
    type Err = MilestoneError;

    fn from_str(text: &str) -> Result<Self, MilestoneError> {
        let is_valid = text.len() <= MOST_LETTERS
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text
                .bytes()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-');
        if is_valid {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(MilestoneError {
                found: text.chars().take(80).collect(),
            })
        }
    }
}

impl TryFrom<String> for Milestone {
    type Error = MilestoneError;

    fn try_from(text: String) -> Result<Self, MilestoneError> {
        text.parse()
    }
}

impl From<Milestone> for String {
    fn from(milestone: Milestone) -> Self {
        milestone.0.into_owned()
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_milestone_that_is_known_is_the_one_that_is_read() {
        for known in Milestone::KNOWN {
            assert_eq!(known.as_str().parse(), Ok(known.clone()));
        }
    }

    #[test]
    fn a_word_that_no_source_has_yet_is_a_milestone_and_a_text_is_none() {
        assert_eq!("eol-2038".parse::<Milestone>().unwrap().as_str(), "eol-2038");
        for text in ["", "Released", "-eol", "eol server", "1st", "eol_esm", &"x".repeat(61)] {
            assert!(text.parse::<Milestone>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_kind_of_eol_is_an_end() {
        let ends = |text: &str| text.parse::<Milestone>().unwrap().is_end();
        assert!(ends("eol") && ends("eol-esm") && ends("eol-new"));
        assert!(!ends("released") && !ends("eolian"));
    }
}
