//! What stage a collection is at.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The stage of a collection: Launchpad's status of a series, Bodhi's state of a release and PackageDB's status of a collection in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CollectionStatus {
    /// Not begun yet.
    Future,
    /// Tried out, with no release in sight.
    Experimental,
    /// Worked on: PackageDB's `development`, Launchpad's "Active Development".
    Development,
    /// About to be released: Launchpad's "Pre-release Freeze".
    Frozen,
    /// Released, and the newest: PackageDB's `active`, Launchpad's "Current Stable Release".
    Active,
    /// Released and still looked after: PackageDB's `maintenance`, Launchpad's "Supported".
    Maintenance,
    /// No longer looked after: PackageDB's `EOL`, Launchpad's "Obsolete".
    Eol,
    /// Given up before it was released.
    Rejected,
}

/// Why a text is no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no status of a collection; expected one of {}", CollectionStatus::words())]
pub struct UnknownStatus {
    found: String,
}

impl CollectionStatus {
    /// All of them, as a collection goes through them.
    pub const ALL: [Self; 8] = [
        Self::Future,
        Self::Experimental,
        Self::Development,
        Self::Frozen,
        Self::Active,
        Self::Maintenance,
        Self::Eol,
        Self::Rejected,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Future => "future",
            Self::Experimental => "experimental",
            Self::Development => "development",
            Self::Frozen => "frozen",
            Self::Active => "active",
            Self::Maintenance => "maintenance",
            Self::Eol => "eol",
            Self::Rejected => "rejected",
        }
    }

    fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }

    /// Whether nothing is to change in the collection any more.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Eol | Self::Rejected)
    }
}

impl fmt::Display for CollectionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for CollectionStatus {
    type Err = UnknownStatus;

    /// Reads kinset's own words, Launchpad's, and PackageDB's with the spelling of its schema.
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "future" => Self::Future,
            "experimental" => Self::Experimental,
            "development" | "active development" | "under development" => Self::Development,
            "frozen" | "pre-release freeze" => Self::Frozen,
            "active" | "current stable release" => Self::Active,
            "maintenance" | "maintanence" | "supported" => Self::Maintenance,
            "eol" | "obsolete" => Self::Eol,
            "rejected" => Self::Rejected,
            _ => {
                return Err(UnknownStatus {
                    found: text.chars().take(80).collect(),
                });
            }
        })
    }
}

impl TryFrom<String> for CollectionStatus {
    type Error = UnknownStatus;

    fn try_from(text: String) -> Result<Self, UnknownStatus> {
        text.parse()
    }
}

impl From<CollectionStatus> for String {
    fn from(status: CollectionStatus) -> Self {
        status.word().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_and_so_do_the_words_of_others() {
        for status in CollectionStatus::ALL {
            assert_eq!(status.word().parse(), Ok(status));
        }
        for (text, status) in [
            ("Pre-release Freeze", CollectionStatus::Frozen),
            ("maintanence", CollectionStatus::Maintenance),
            ("EOL", CollectionStatus::Eol),
        ] {
            assert_eq!(text.parse(), Ok(status));
        }
        assert!("maintained".parse::<CollectionStatus>().is_err());
    }
}
