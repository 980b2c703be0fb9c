//! How the daemon goes about its work.

use std::num::NonZeroU32;
use std::time::Duration;

/// How the daemon goes about its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// How much later than its rule says something may begin, in seconds; how much is drawn for each time. Default 30: much in the world happens on
    /// the full minute, and servers feel it.
    pub jitter_seconds: u32,
    /// How long is waited after a first failure, in seconds; each further one doubles it. Default 60.
    pub backoff_seconds: NonZeroU32,
    /// The longest such wait, in seconds, no less than [`Self::backoff_seconds`]. Default 3600.
    pub max_backoff_seconds: NonZeroU32,
    /// How many runs of each job are kept in the record. Default 1000: three and a half days of one every five minutes.
    pub keep_runs: NonZeroU32,
    /// Who is told what a person should know. Default: nobody.
    pub notice: Option<Notice>,
}

/// Who is told what a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The command and its arguments; at least the command. It gets what there is to tell as JSON on its standard input.
    pub command: Vec<String>,
    /// How long it may take, in seconds, at most 120: no sign of life comes of it. Default 30.
    pub seconds: NonZeroU32,
    /// How many failures in a row are worth telling. Default 3: single ones mend themselves.
    pub failures: NonZeroU32,
}

impl Notice {
    /// How long the command may take when nothing else is said, in seconds.
    pub(super) const SECONDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(29);
    /// How many failures are worth telling when nothing else is said.
    pub(super) const FAILURES: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

    /// How long the command may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.seconds.get().into())
    }
}

impl Default for Daemon {
    fn default() -> Self {
        Self {
            jitter_seconds: 30,
            backoff_seconds: NonZeroU32::MIN.saturating_add(59),
            max_backoff_seconds: NonZeroU32::MIN.saturating_add(3599),
            keep_runs: NonZeroU32::MIN.saturating_add(999),
            notice: None,
        }
    }
}
