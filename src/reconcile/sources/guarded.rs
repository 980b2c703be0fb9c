//! Sources that tripped a guard.

use crate::model::packages::DistributionName;
use crate::model::packages::document::Tripped;
use crate::model::packages::snapshot::Shrunk;
use crate::remedy::Remedy;

/// A source that tripped a guard: nothing of it is taken in, and what it said before still counts.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("source {distribution}/{source_name} at {place}: {because}")]
pub struct GuardedSource {
    /// The distribution.
    pub distribution: DistributionName,
    /// The source.
    pub source_name: String,
    /// Its address, or its file.
    pub place: String,
    /// The guard.
    pub because: SourceGuard,
}

/// A guard against a source, with the numbers that tripped it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SourceGuard {
    /// It tells of too little.
    #[error(transparent)]
    Reading(Shrunk),
    /// What it tells would take too much away.
    #[error(transparent)]
    Plan(Tripped),
}

impl GuardedSource {
    /// The key under `[distribution.guard]` that moves this guard's limit.
    #[must_use]
    pub const fn option(&self) -> &'static str {
        match &self.because {
            SourceGuard::Reading(shrunk) => shrunk.option(),
            SourceGuard::Plan(tripped) => tripped.option(),
        }
    }
}

impl Remedy for GuardedSource {
    fn remedy(&self) -> Option<String> {
        let Self { distribution, .. } = self;
        let option = self.option();
        let flag = match option {
            "allow_empty" => "--allow-empty",
            _ => "--max-removed-fraction 1",
        };
        Some(format!(
            "nothing of it was taken in, and what was known of it before still holds; look at what it has now, and at `kinset plan {distribution}`; if this \
             is meant, set `{option}` under [distribution.guard], or let it pass once with `kinset pull {distribution} {flag}`"
        ))
    }
}
