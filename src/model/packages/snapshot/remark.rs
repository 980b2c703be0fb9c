//! What could not be read of a source.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::packages::{PackageSetName, SeriesName};

/// Something that a service did not tell, or told in a way that kinset cannot take: it is left out of the snapshot, and nothing is put in its
/// place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "remark", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Remark {
    /// The service hides it from whoever asks.
    Hidden {
        /// What is hidden.
        what: String,
    },
    /// A list shows fewer rows than the service counts: those that whoever asks may not see are left out without a word.
    Fewer {
        /// The list.
        what: String,
        /// How many rows it shows.
        shown: u64,
        /// How many it counts.
        total: u64,
    },
    /// What stands where a name or another value is due is none that kinset knows.
    Unknown {
        /// What it is of.
        what: String,
        /// What stands there.
        found: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The source says two things of what only one can hold, and neither is newer.
    Contradicted {
        /// What it says them of.
        what: String,
    },
    /// The service has two of what there is one of.
    Twice {
        /// What there is one of.
        what: String,
        /// The one that was taken.
        taken: String,
        /// The one that was not.
        left: String,
    },
    /// It is an older build than one that is known and that no source has.
    Outdated {
        /// What it is of.
        what: String,
        /// Its version.
        version: u64,
        /// The newer one.
        known: u64,
    },
    /// It is in a series that is not there, and no source says what that is.
    NoSeries {
        /// What is in it.
        what: String,
        /// The series.
        series: SeriesName,
    },
    /// It says something of a set that is not there, and no source says what is in that.
    NoSet {
        /// The series.
        series: SeriesName,
        /// The set.
        set: PackageSetName,
    },
}

impl Remark {
    /// The most of what was found that is kept.
    const MOST_LETTERS: usize = 80;

    /// That `what` is hidden.
    #[must_use]
    pub fn hidden(what: impl Into<String>) -> Self {
        Self::Hidden { what: what.into() }
    }

    /// That `found` cannot be taken for `what`.
    #[must_use]
    pub fn unknown(what: impl Into<String>, found: &str, reason: impl fmt::Display) -> Self {
        Self::Unknown {
            what: what.into(),
            found: found.chars().take(Self::MOST_LETTERS).collect(),
            reason: reason.to_string(),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden { what } => write!(f, "{what} is hidden: what was known of it stays"),
            Self::Fewer { what, shown, total } => write!(f, "{what} shows {shown} of {total}: what was known and is not shown stays"),
            Self::Unknown { what, found, reason } => write!(f, "{what} is {found:?}: {reason}"),
            Self::Contradicted { what } => write!(f, "{what} is said in two ways that are equally new: neither was taken"),
            Self::Twice { what, taken, left } => write!(f, "{what} is there twice: {taken} was taken, {left} was not"),
            Self::Outdated { what, version, known } => write!(
                f,
                "{what} is there in version {version}, older than version {known}, which is known and stays; take the stream away to begin anew"
            ),
            Self::NoSeries { what, series } => write!(
                f,
                "nothing is taken in of {what} in {series}: there is no such series, and no source says what it is; create it, or mend its name in the configuration"
            ),
            Self::NoSet { series, set } => write!(
                f,
                "nothing is taken in of the package set {set} in {series}: there is no such set, and no source says what is in it; say its `owner` where it is named, or mend its name"
            ),
        }
    }
}
