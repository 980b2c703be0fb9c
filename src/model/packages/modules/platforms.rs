//! For which releases a stream is wanted.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::packages::{NameError, PlatformName};
use crate::remedy::Remedy;

/// For which releases a stream is wanted, as modulemd says it of the module `platform`: nothing for all of them, names, or names with a `-` in front
/// for all but those.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub enum Platforms {
    /// For all, and those to come.
    #[default]
    All,
    /// For these; at least one.
    Listed(BTreeSet<PlatformName>),
    /// For all but these, and those to come; at least one.
    Excluded(BTreeSet<PlatformName>),
}

/// Why words say of no releases that a stream is wanted for them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlatformsError {
    /// One of them is no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Some are listed and others excluded.
    #[error("expected either platforms or platforms with a `-` in front; found {listed} and -{excluded}")]
    Mixed {
        /// One that is listed.
        listed: PlatformName,
        /// One that is excluded.
        excluded: PlatformName,
    },
}

impl Remedy for PlatformsError {}

impl Platforms {
    /// Reads modulemd's words.
    ///
    /// # Errors
    /// When one is no name, and when some have a `-` in front and others do not.
    pub fn from_words<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Self, PlatformsError> {
        let (mut listed, mut excluded) = (BTreeSet::new(), BTreeSet::new());
        for word in words {
            match word.strip_prefix('-') {
                Some(word) => excluded.insert(word.parse()?),
                None => listed.insert(word.parse()?),
            };
        }
        match (listed.first().cloned(), excluded.first().cloned()) {
            (Some(listed), Some(excluded)) => Err(PlatformsError::Mixed { listed, excluded }),
            (Some(_), None) => Ok(Self::Listed(listed)),
            (None, Some(_)) => Ok(Self::Excluded(excluded)),
            (None, None) => Ok(Self::All),
        }
    }

    /// modulemd's words for it.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::All => Vec::new(),
            Self::Listed(listed) => listed.iter().map(ToString::to_string).collect(),
            Self::Excluded(excluded) => excluded.iter().map(|platform| format!("-{platform}")).collect(),
        }
    }

    /// For whatever one of the two is wanted: modulemd lists alternatives.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let excluding = |excluded: BTreeSet<PlatformName>| match excluded.is_empty() {
            true => Self::All,
            false => Self::Excluded(excluded),
        };
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Listed(left), Self::Listed(right)) => Self::Listed(left.union(&right).cloned().collect()),
            (Self::Excluded(left), Self::Excluded(right)) => excluding(left.intersection(&right).cloned().collect()),
            (Self::Excluded(excluded), Self::Listed(listed)) | (Self::Listed(listed), Self::Excluded(excluded)) => {
                excluding(excluded.difference(&listed).cloned().collect())
            }
        }
    }

    /// Whether releases are meant that nobody knows yet.
    #[must_use]
    pub const fn is_open_ended(&self) -> bool {
        matches!(self, Self::All | Self::Excluded(_))
    }
}

impl fmt::Display for Platforms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Listed(_) | Self::Excluded(_) => f.write_str(&self.words().join(" ")),
        }
    }
}

impl TryFrom<Vec<String>> for Platforms {
    type Error = PlatformsError;

    fn try_from(words: Vec<String>) -> Result<Self, PlatformsError> {
        Self::from_words(words.iter().map(String::as_str))
    }
}

impl From<Platforms> for Vec<String> {
    fn from(platforms: Platforms) -> Self {
        platforms.words()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platforms(words: &str) -> Platforms {
        Platforms::from_words(words.split_whitespace()).unwrap()
    }

    #[test]
    fn platforms_read_back_as_they_were_said() {
        for words in ["", "f28 f29", "-epel7 -f27"] {
            assert_eq!(platforms(words).words().join(" "), words);
        }
        assert_eq!(platforms(""), Platforms::All);
        assert_eq!(
            Platforms::from_words(["f28", "-f27"]).unwrap_err().to_string(),
            "expected either platforms or platforms with a `-` in front; found f28 and -f27"
        );
        assert!(Platforms::from_words(["f 28"]).is_err());
    }

    #[test]
    fn alternatives_add_up() {
        let both = |left: &str, right: &str| platforms(left).or(platforms(right)).to_string();
        assert_eq!(both("f27", "f28"), "f27 f28");
        assert_eq!(both("-f27 -f28", "f27"), "-f28");
        assert_eq!(both("f27", "-f27"), "all");
        assert_eq!(both("-f27 -f28", "-f28 -f29"), "-f28");
        assert_eq!(both("-f27", "-f28"), "all");
        assert_eq!(both("", "f28"), "all");
    }
}
