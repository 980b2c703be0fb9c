//! Who watches over the process.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::Requests;
use super::notify_socket::NotifySocket;

/// Whoever watches over the process, and what it is told.
pub trait Supervisor: fmt::Debug + Send + Sync {
    /// Work has begun.
    fn ready(&self);
    /// The configuration is being read again; what comes of it is told by [`Self::reloaded`].
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

/// systemd, by the protocol of `sd_notify(3)`; nobody where the environment names no socket. Nobody waits for it. But for signs of life,
/// all that it is told arrives as long as the process lives.
#[derive(Debug)]
pub struct Systemd {
    socket: Option<NotifySocket>,
    patience: Option<Duration>,
    last_beat: Mutex<Option<Instant>>,
    is_ready: AtomicBool,
    is_refused: AtomicBool,
}

impl Default for Systemd {
    fn default() -> Self {
        let socket = env::var_os("NOTIFY_SOCKET").map(PathBuf::from);
        Self::new(socket, sd_notify::watchdog_enabled())
    }
}

impl Systemd {
    fn new(socket: Option<PathBuf>, patience: Option<Duration>) -> Self {
        Self {
            socket: socket.map(NotifySocket::at),
            patience,
            last_beat: Mutex::new(None),
            is_ready: AtomicBool::new(false),
            is_refused: AtomicBool::new(false),
        }
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        if let Some(socket) = &self.socket {
            socket.tell(message(states));
        }
    }
}

impl Supervisor for Systemd {
    fn ready(&self) {
        self.is_ready.store(true, Ordering::Relaxed);
        self.tell(&[NotifyState::Ready]);
    }

    /// A configuration may be read again while the state is still being brought up to date: the end of that reading is not when work begins.
    fn reloading(&self) {
        self.is_refused.store(false, Ordering::Relaxed);
        if !self.is_ready.load(Ordering::Relaxed) {
            return;
        }
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!(%error, "the service manager cannot be told that the configuration is read again"),
        }
    }

    fn stopping(&self) {
        self.tell(&[NotifyState::Stopping]);
    }

    fn status(&self, status: &str) {
        let mut status = status.replace('\n', " ");
        if self.is_refused.load(Ordering::Relaxed) {
            status.push_str("; the configuration that was read last is refused, the log says why");
        }
        self.tell(&[NotifyState::Status(&status)]);
    }

    fn reloaded(&self, refused: Option<&str>) {
        self.is_refused.store(refused.is_some(), Ordering::Relaxed);
        if self.is_ready.load(Ordering::Relaxed) {
            self.tell(&[NotifyState::Ready]);
        }
    }

    /// Passed on no oftener than four times as often as it has to be. One for which there is no room is not kept, lest it be told when there is no life any
    /// more; the next takes its place at once.
    fn beat(&self) {
        let (Some(patience), Some(socket)) = (self.patience, &self.socket) else {
            return;
        };
        let mut last = self.last_beat.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= patience / 4) && socket.try_tell(&message(&[NotifyState::Watchdog])) {
            *last = Some(Instant::now());
        }
    }

    fn patience(&self) -> Option<Duration> {
        self.patience
    }
}

fn message(states: &[NotifyState<'_>]) -> String {
    states.iter().map(|state| format!("{state}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn a_sign_of_life_that_finds_no_room_is_told_with_the_next_one_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let filler = UnixDatagram::unbound().unwrap();
        filler.set_nonblocking(true).unwrap();
        while filler.send_to(b"full", &path).is_ok() {}
        let systemd = Systemd::new(Some(path), Some(Duration::from_secs(3600)));
        systemd.beat();
        manager.set_nonblocking(true).unwrap();
        let mut bytes = [0; 64];
        let error = loop {
            match manager.recv(&mut bytes) {
                Ok(length) => assert_eq!(&bytes[..length], b"full"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        systemd.beat();
        let length = manager.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"WATCHDOG=1\n");
        systemd.beat();
        assert!(manager.recv(&mut bytes).is_err(), "it is told no oftener than it has to be");
    }

    #[test]
    fn a_configuration_that_is_read_again_before_work_has_begun_does_not_pass_for_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        manager.set_nonblocking(true).unwrap();
        let told = || {
            let mut bytes = [0; 256];
            let length = manager.recv(&mut bytes).ok()?;
            String::from_utf8_lossy(&bytes[..length]).lines().next().map(str::to_owned)
        };
        let systemd = Systemd::new(Some(path), None);
        systemd.reloading();
        systemd.reloaded(None);
        assert_eq!(told(), None);
        systemd.ready();
        assert_eq!(told().unwrap(), "READY=1");
        systemd.reloading();
        assert_eq!(told().unwrap(), "RELOADING=1");
        systemd.reloaded(None);
        assert_eq!(told().unwrap(), "READY=1");
    }
}
