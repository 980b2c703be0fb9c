//! Who watches over the process.

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::Requests;

/// Whoever watches over the process, and what it is told.
pub trait Supervisor: fmt::Debug + Send + Sync {
    /// Work has begun.
    fn ready(&self);
    /// The configuration is being read again; what comes of it is told by [`Self::ready`].
    fn reloading(&self);
    /// The end has begun.
    fn stopping(&self);
    /// What is being done, for people.
    fn status(&self, status: &str);
    /// The configuration was read again, and why it was refused if it was.
    fn reloaded(&self, refused: Option<&str>) {
        // Whoever has no use for it hears of it by [`Self::status`].
        let _untold = refused;
    }
    /// A request was sent, and something came of it.
    fn requested(&self, requests: Requests) {
        // Whoever counts none has no use for it.
        let _uncounted = requests;
    }
    /// A sign of life. Work gives them, as does a worker that waits for work; there is no other source of them.
    fn beat(&self);
    /// How much time there may be between two signs of life, if somebody looks.
    fn patience(&self) -> Option<Duration>;
}

/// Nobody.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Supervisor for Unwatched {
    fn ready(&self) {}
    fn reloading(&self) {}
    fn stopping(&self) {}
    fn status(&self, _: &str) {}
    fn beat(&self) {}
    fn patience(&self) -> Option<Duration> {
        None
    }
}

/// systemd, by the protocol of `sd_notify(3)`; nobody where the environment names no socket.
#[derive(Debug)]
pub struct Systemd {
    patience: Option<Duration>,
    last_beat: Mutex<Option<Instant>>,
}

impl Default for Systemd {
    fn default() -> Self {
        Self {
            patience: sd_notify::watchdog_enabled(),
            last_beat: Mutex::new(None),
        }
    }
}

impl Supervisor for Systemd {
    fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(error) => missed(&error),
        }
    }

    fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    fn status(&self, status: &str) {
        tell(&[NotifyState::Status(&status.replace('\n', " "))]);
    }

    /// Passed on no oftener than four times as often as it has to be.
    fn beat(&self) {
        let Some(patience) = self.patience else { return };
        let mut last = self.last_beat.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= patience / 4) {
            *last = Some(Instant::now());
            tell(&[NotifyState::Watchdog]);
        }
    }

    fn patience(&self) -> Option<Duration> {
        self.patience
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        missed(&error);
    }
}

fn missed(error: &io::Error) {
    tracing::warn!(%error, "the service manager could not be told");
}
