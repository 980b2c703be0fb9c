//! Whether the worker goes on, for whoever asks over HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Supervisor;
use crate::http::RequestOutcome;
use crate::model::Job;

/// How long there may be no sign of life where nobody says how long: half as long again as a request may take at most, and a notice.
const PATIENCE: Duration = Duration::from_secs(180);

/// Passes on what the worker tells whoever watches over the process, and remembers when it last gave a sign of life, and what changes in the middle of runs.
#[derive(Debug)]
pub struct Heart {
    supervisor: Arc<dyn Supervisor>,
    last: Mutex<Instant>,
    reloads: Mutex<ReloadTally>,
    requests: Mutex<BTreeMap<Requests, u64>>,
}

/// Requests that are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requests {
    /// The job in whose runs they were made.
    pub job: Job,
    /// The source that was read, by its name in the configuration; none where the job is a tracker's.
    pub source: Option<String>,
    /// What came of them.
    pub outcome: RequestOutcome,
}

/// What came of reading the configuration again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadTally {
    /// How often another was taken.
    pub taken: u64,
    /// How often it was refused.
    pub refused: u64,
    /// Why the one that was read last was refused, if it was: then an older one is in effect.
    pub reason: Option<String>,
}

impl Heart {
    /// Listens between the worker and this supervisor.
    #[must_use]
    pub fn new(supervisor: Arc<dyn Supervisor>) -> Self {
        Self {
            supervisor,
            last: Mutex::new(Instant::now()),
            reloads: Mutex::new(ReloadTally::default()),
            requests: Mutex::default(),
        }
    }

    /// What came of reading the configuration again.
    #[must_use]
    pub fn reloads(&self) -> ReloadTally {
        self.reloads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests were made since the process began.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<Requests, u64> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long ago the last sign of life was.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Whether the worker gives signs of life as often as it has to.
    #[must_use]
    pub fn is_beating(&self) -> bool {
        self.silence() <= self.supervisor.patience().unwrap_or(PATIENCE)
    }
}

impl Supervisor for Heart {
    fn ready(&self) {
        self.supervisor.ready();
    }

    fn reloading(&self) {
        self.supervisor.reloading();
    }

    fn stopping(&self) {
        self.supervisor.stopping();
    }

    fn status(&self, status: &str) {
        self.supervisor.status(status);
    }

    fn reloaded(&self, refused: Option<&str>) {
        let mut reloads = self.reloads.lock().unwrap_or_else(PoisonError::into_inner);
        match refused {
            None => reloads.taken += 1,
            Some(_) => reloads.refused += 1,
        }
        reloads.reason = refused.map(str::to_owned);
        drop(reloads);
        self.supervisor.reloaded(refused);
    }

    fn requested(&self, requests: Requests) {
        *self
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(requests.clone())
            .or_default() += 1;
        self.supervisor.requested(requests);
    }

    fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.supervisor.beat();
    }

    fn patience(&self) -> Option<Duration> {
        self.supervisor.patience()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::Unwatched;

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_gives_no_sign_of_life_for_long_is_taken_for_stuck_until_the_next() {
        let heart = Heart::new(Arc::new(Unwatched));
        assert!(heart.is_beating());
        tokio::time::advance(PATIENCE + Duration::from_secs(1)).await;
        assert!(!heart.is_beating());
        heart.beat();
        assert!(heart.is_beating());
    }
}
