//! The socket of a service manager. Whoever tells it something never waits for it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What begins a text for people, which a later one makes useless.
const STATUS: &str = "STATUS=";

/// The way to the service manager.
///
/// It may be slow to read, and then its socket has no room. What has to arrive waits for room on a thread of its own, which ends when all has arrived.
#[derive(Clone, Debug)]
pub(super) struct NotifySocket(Arc<Outbox>);

#[derive(Debug)]
struct Outbox {
    path: PathBuf,
    waiting: Mutex<Waiting>,
}

/// What is to arrive and did not yet.
#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<String>,
    /// Whether a thread sends them.
    is_sent: bool,
}

impl NotifySocket {
    pub(super) fn at(path: PathBuf) -> Self {
        let waiting = Mutex::default();
        Self(Arc::new(Outbox { path, waiting }))
    }

    /// Tells this now, or not at all. Whether there was room for it.
    pub(super) fn try_tell(&self, message: &str) -> bool {
        match self.0.send_now(message) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            sent => {
                missed_if(sent);
                true
            }
        }
    }

    /// Tells this, as soon as there is room for it and what was told before has arrived. Of several texts for people in a row, the last one arrives.
    pub(super) fn tell(&self, message: String) {
        let mut waiting = self.0.waiting();
        if waiting.messages.is_empty() && !waiting.is_sent {
            match self.0.send_now(&message) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                sent => return missed_if(sent),
            }
        }
        if message.starts_with(STATUS) && waiting.messages.back().is_some_and(|last| last.starts_with(STATUS)) {
            waiting.messages.pop_back();
        }
        waiting.messages.push_back(message);
        if !waiting.is_sent {
            let outbox = Arc::clone(&self.0);
            let sender = thread::Builder::new().name("notify".to_owned()).spawn(move || outbox.send_all());
            waiting.is_sent = sender.is_ok();
            missed_if(sender.map(drop));
        }
    }
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send_now(&self, message: &str) -> io::Result<()> {
        let socket = connected(&self.path)?;
        socket.set_nonblocking(true)?;
        send(&socket, message)
    }

    /// Sends what waits, and waits for room.
    fn send_all(&self) {
        while let Some(message) = self.next() {
            missed_if(connected(&self.path).and_then(|socket| send(&socket, &message)));
        }
    }

    fn next(&self) -> Option<String> {
        let mut waiting = self.waiting();
        let next = waiting.messages.pop_front();
        waiting.is_sent = next.is_some();
        next
    }
}

fn connected(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    Ok(socket)
}

/// A datagram is sent as a whole or not at all.
fn send(socket: &UnixDatagram, message: &str) -> io::Result<()> {
    socket.send(message.as_bytes()).map(drop)
}

fn missed_if(sent: io::Result<()>) {
    if let Err(error) = sent {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service manager that does not read, and whose socket has no room left.
    fn full() -> (tempfile::TempDir, UnixDatagram, NotifySocket) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let socket = NotifySocket::at(path);
        while socket.try_tell("full") {}
        (folder, manager, socket)
    }

    /// The next that a service manager reads but for what filled its socket.
    fn read(manager: &UnixDatagram) -> String {
        let mut bytes = [0; 256];
        loop {
            let length = manager.recv(&mut bytes).unwrap();
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if text != "full" {
                return text;
            }
        }
    }

    #[test]
    fn nobody_waits_for_a_manager_that_does_not_read_and_all_that_has_to_arrives_in_order() {
        let (_folder, manager, socket) = full();
        socket.tell("RELOADING=1\nMONOTONIC_USEC=7\n".to_owned());
        for status in ["one", "two", "three"] {
            socket.tell(format!("STATUS={status}\n"));
        }
        socket.tell("READY=1\n".to_owned());
        assert!(!socket.try_tell("WATCHDOG=1\n"));
        let told = [read(&manager), read(&manager), read(&manager)];
        assert_eq!(told, ["RELOADING=1\nMONOTONIC_USEC=7\n", "STATUS=three\n", "READY=1\n"]);
        assert!(socket.try_tell("WATCHDOG=1\n"));
        socket.tell("STOPPING=1\n".to_owned());
        assert_eq!([read(&manager), read(&manager)], ["WATCHDOG=1\n", "STOPPING=1\n"]);
    }

    #[test]
    fn a_manager_that_is_gone_is_no_reason_to_try_again() {
        let (folder, manager, socket) = full();
        drop((folder, manager));
        assert!(socket.try_tell("WATCHDOG=1\n"));
        socket.tell("READY=1\n".to_owned());
        assert!(!socket.0.waiting().is_sent);
    }
}
