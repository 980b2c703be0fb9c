//! What the daemon has to do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// What changed is read.
    Pull,
    /// Everything is read.
    Sweep,
    /// A plan is made, and carried out where that is allowed.
    Sync,
}

impl JobKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Sweep => "sweep",
            Self::Sync => "sync",
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that stands for no kind of job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of job")]
pub struct NoJob;

impl FromStr for JobKind {
    type Err = NoJob;

    fn from_str(word: &str) -> Result<Self, NoJob> {
        let kinds = [Self::Pull, Self::Sweep, Self::Sync];
        kinds.into_iter().find(|kind| kind.as_str() == word).ok_or(NoJob)
    }
}

/// What something is done with, by its name in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobSubject {
    /// A tracker.
    Tracker(String),
    /// A distribution.
    Distribution(String),
}

impl JobSubject {
    /// What it is, in a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Tracker(_) => "tracker",
            Self::Distribution(_) => "distribution",
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Tracker(name) | Self::Distribution(name) => name,
        }
    }
}

impl fmt::Display for JobSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.word(), self.name())
    }
}

/// Something that the daemon does again and again. There is nothing more to say about it: what is to be done is found out when it is done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Job {
    /// With what.
    #[serde(flatten)]
    pub subject: JobSubject,
    /// What.
    #[serde(rename = "job")]
    pub kind: JobKind,
}

impl Job {
    /// Something that is done with a tracker.
    #[must_use]
    pub fn of_tracker(name: impl fmt::Display, kind: JobKind) -> Self {
        Self {
            subject: JobSubject::Tracker(name.to_string()),
            kind,
        }
    }

    /// The reading of a distribution's services.
    #[must_use]
    pub fn of_distribution(name: impl fmt::Display) -> Self {
        Self {
            subject: JobSubject::Distribution(name.to_string()),
            kind: JobKind::Pull,
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind, self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::{Job, JobKind};

    #[test]
    fn a_job_is_told_by_what_it_is_done_with_and_by_a_word() {
        let job = Job::of_tracker("kernel", JobKind::Sync);
        assert_eq!(job.to_string(), "sync of tracker kernel");
        let json = serde_json::json!({"tracker": "kernel", "job": "sync"});
        assert_eq!(serde_json::to_value(&job).unwrap(), json);
        assert_eq!(serde_json::from_value::<Job>(json).unwrap(), job);
    }
}
