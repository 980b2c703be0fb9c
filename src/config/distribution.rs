//! Distributions that are kept in files.

use std::path::PathBuf;

use super::Fraction;
use crate::model::packages::DistributionName;
use crate::model::packages::document::Thresholds;

/// A distribution, and the file that says what it is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// Its name, on the command line, in the file and in the state.
    pub name: DistributionName,
    /// The file.
    pub file: PathBuf,
    /// When a plan is too drastic to be carried out unasked.
    pub guard: DistributionGuard,
}

/// When the plan of a distribution is too drastic to be carried out unasked. A guard that trips changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionGuard {
    /// The share of all memberships and permissions that may be taken away by one plan. Default 0.25: more is far more often a file that was cut
    /// off than a decision.
    pub max_removed_fraction: Fraction,
    /// The number of those from which on [`Self::max_removed_fraction`] counts. Default 10.
    pub min_removed: u32,
    /// Whether the file may leave no membership and no permission at all. Default false.
    pub allow_empty: bool,
}

impl Default for DistributionGuard {
    fn default() -> Self {
        Self {
            max_removed_fraction: Fraction(0.25),
            min_removed: 10,
            allow_empty: false,
        }
    }
}

impl DistributionGuard {
    /// The same, as the guards take it.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        let Self {
            max_removed_fraction,
            min_removed,
            allow_empty,
        } = *self;
        Thresholds {
            max_removed_fraction: max_removed_fraction.get(),
            min_removed: min_removed as usize,
            allow_empty,
        }
    }
}
