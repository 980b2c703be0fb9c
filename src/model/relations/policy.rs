//! How far a plan may go against what the tracker already has.

use std::fmt;

/// What happens where the tracker and the analysis disagree. There is no default: whoever lets kinset write has to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Only relate, never clear.
    Additive,
    /// What people did to relations by hand wins, then the analysis; a patch that neither speaks of is on its own.
    Preserve,
    /// The analysis wins within the tracker's projects; a patch that it does not name is on its own.
    Authoritative,
}

impl Policy {
    /// The word that stands for it in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Additive => "additive",
            Self::Preserve => "preserve",
            Self::Authoritative => "authoritative",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
