//! How the package sets of a distribution are tied to its series: the four ways that were weighed for Launchpad.
//!
//! In all of them each series has its own answers: changing a set in one series changes what no other series answers. The hierarchy of
//! [`Sharing::Tethered`] is the one exception.

use super::word::words;

words! {
    /// How the package sets of a distribution are tied to its series, in the order of the seed that weighed the ways.
    Sharing, "way of sharing package sets" {
        /// Each series has sets of its own. A new series begins with copies of them all.
        SharedNothing = "shared-nothing",
        /// Series have sets in common until one of them changes a set: then it gets its own copy first, in the same transaction.
        CopyOnWrite = "copy-on-write",
        /// Series have sets in common until somebody clones one. Changing a set that is shared is refused.
        ManualClone = "manual-clone",
        /// Sets are there for all series, and so is their hierarchy; what is in a set and who may upload it is each series' own.
        Tethered = "tethered",
    }
}

/// What has to happen before a set may be changed for one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeforeChange {
    /// Nothing: the set is that series' own.
    Nothing,
    /// The series gets its own copy.
    Clone,
    /// The change is refused.
    Refuse,
}

impl Sharing {
    /// Whether a new series of the distribution begins with the very sets of the one before it, and not with copies.
    #[must_use]
    pub const fn links_new_series(self) -> bool {
        matches!(self, Self::CopyOnWrite | Self::ManualClone)
    }

    /// What has to happen before a set is changed for one series, where `others` more series have the same set.
    ///
    /// The ways without sharing never have others; if there were any, from the time before a conversion, a copy is made, so that no series
    /// changes another.
    #[must_use]
    pub const fn before_change(self, others: usize) -> BeforeChange {
        match self {
            _ if others == 0 => BeforeChange::Nothing,
            Self::ManualClone => BeforeChange::Refuse,
            Self::SharedNothing | Self::CopyOnWrite | Self::Tethered => BeforeChange::Clone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sets_with_others_are_copied_or_refused() {
        for sharing in Sharing::ALL {
            assert_eq!(sharing.before_change(0), BeforeChange::Nothing);
        }
        assert_eq!(Sharing::CopyOnWrite.before_change(1), BeforeChange::Clone);
        assert_eq!(Sharing::ManualClone.before_change(44), BeforeChange::Refuse);
    }

    #[test]
    fn the_word_in_files_is_the_word_on_the_command_line() {
        for sharing in Sharing::ALL {
            assert_eq!(serde_json::to_value(sharing).unwrap(), sharing.word());
        }
    }
}
