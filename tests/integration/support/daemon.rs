//! The daemon as a process: what it tells its supervisor, what it logs, what it tells whoever asks.

use std::fmt::Debug;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::cli_support::{Place, Tracker};

/// Nobody waits for so long unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

/// A sync is due all the time, and failures are soon over.
pub(crate) const EACH_SECOND: &str = "[tracker.schedule]\nsync = \"* * * * * *\"\n[daemon]\nlisten = \"off\"\njitter_seconds = 0\nbackoff_seconds = 1\nmax_backoff_seconds = 1\n";

/// The same, told over HTTP on a port that is free.
pub(crate) fn told_each_second() -> String {
    EACH_SECOND.replace("\"off\"", "\"127.0.0.1:0\"")
}

/// A folder with the configuration of a tracker and its daemon.
pub(crate) fn place(tracker: &Tracker, sync: &str, tables: &str, groups: &str) -> Place {
    let config = tracker.config().replace("policy =", &format!("sync = \"{sync}\"\npolicy ="));
    Place::configured(&format!("{config}{tables}"), groups)
}

/// A daemon, and what it tells its supervisor.
pub(crate) struct Daemon {
    child: Child,
    told: mpsc::Receiver<String>,
    path: PathBuf,
    log: Arc<Mutex<String>>,
    logged: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Starts the daemon of a place.
    pub(crate) fn of(place: &Place) -> Self {
        Self::start(&mut place.command("daemon"), &place.path(""))
    }

    /// Starts a command as a service manager does. Signs of life are due four times as often as every 400 ms.
    pub(crate) fn start(command: &mut Command, folder: &Path) -> Self {
        Self::watched(command, folder, Duration::from_millis(400))
    }

    /// The same, for a supervisor of this patience.
    pub(crate) fn watched(command: &mut Command, folder: &Path, patience: Duration) -> Self {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let mut daemon = Self::unheard(command, path, patience);
        daemon.listen(socket);
        daemon
    }

    /// The same, for a supervisor that has a socket there and does not read from it yet.
    pub(crate) fn unheard(command: &mut Command, path: PathBuf, patience: Duration) -> Self {
        let mut child = command
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", patience.as_micros().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::<Mutex<String>>::default();
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        let logged = thread::spawn(move || {
            for line in lines {
                *kept.lock().unwrap() += &(line.unwrap() + "\n");
            }
        });
        let (_, told) = mpsc::channel();
        Self {
            child,
            told,
            path,
            log,
            logged: Some(logged),
        }
    }

    /// Reads from now on what the supervisor is told.
    pub(crate) fn listen(&mut self, socket: UnixDatagram) {
        self.told = listen(socket);
    }

    /// Waits until it is told something that begins like this, and returns the line.
    pub(crate) fn hears(&self, wanted: &str) -> String {
        let mut last = String::new();
        loop {
            last = self
                .told
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|error| panic!("no {wanted} but {last}: {error}: {}", self.log()));
            if let Some(line) = last.lines().find(|line| line.starts_with(wanted)) {
                return line.to_owned();
            }
        }
    }

    /// Waits for so many runs to begin.
    pub(crate) fn runs(&self, count: usize) {
        for _ in 0..count {
            self.hears("STATUS=run ");
        }
    }

    /// Whether it gives signs of life from now on, for as long as it could give several.
    pub(crate) fn is_alive(&self) -> bool {
        while self.told.try_recv().is_ok() {}
        let told = std::iter::from_fn(|| self.told.recv_timeout(Duration::from_secs(1)).ok());
        told.into_iter().any(|told| told.starts_with("WATCHDOG=1"))
    }

    /// What it logged until now.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until it has logged this.
    pub(crate) fn logs(&self, wanted: &str) {
        self.logs_what(|log| log.contains(wanted), wanted);
    }

    fn logs_what(&self, is_wanted: impl Fn(&str) -> bool, wanted: &str) -> String {
        let ended = || self.logged.as_ref().is_none_or(JoinHandle::is_finished);
        let look = || (ended(), self.log());
        let (_, log) = until(look, |(ended, log)| *ended || is_wanted(log), wanted);
        assert!(is_wanted(&log), "it ended before {wanted}: {log}");
        log
    }

    /// Where it tells how things stand.
    pub(crate) fn address(&self) -> SocketAddr {
        let found = |log: &str| Some(log.split_once("told at http://")?.1.split_once('/')?.0.parse().unwrap());
        let log = self.logs_what(|log| found(log).is_some(), "an address");
        found(&log).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Lets no file that it writes be larger than so many bytes: none at all is what a full disk looks like.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Some(self.pid()), Resource::Fsize, limit).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Ends it as systemd would, and returns what it logged.
    pub(crate) fn stop(self) -> String {
        self.signal(Signal::TERM);
        self.hears("STOPPING=1");
        self.end()
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn end(mut self) -> String {
        let status = self.child.wait().unwrap();
        self.logged.take().unwrap().join().unwrap();
        let log = self.log();
        assert!(status.success(), "{status}: {log}");
        log
    }

    /// Ends it as nobody should.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Passes on what comes through a socket: whoever sends waits for whoever reads. Ends with a message that only [`Daemon::drop`] sends.
fn listen(socket: UnixDatagram) -> mpsc::Receiver<String> {
    let (send, told) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        loop {
            let length = socket.recv(&mut bytes).unwrap();
            let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if message == END || send.send(message).is_err() {
                return;
            }
        }
    });
    told
}

const END: &str = "the test is over";

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may be gone, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = UnixDatagram::unbound().and_then(|socket| socket.send_to(END.as_bytes(), &self.path));
        let _ = fs::remove_file(&self.path);
    }
}

/// What is told at an address of the daemon's.
pub(crate) fn told(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Asks until that is told. Who asks in the middle of a change, or when the machine is busy, has to ask again.
pub(crate) fn is_told(address: SocketAddr, path: &str, wanted: &str) {
    until(|| told(address, path), |last| last.contains(wanted), wanted);
}

/// Asks until a number is as wanted, and returns it.
pub(crate) fn is_number(address: SocketAddr, name: &str, wanted: impl Fn(f64) -> bool) -> f64 {
    let number = |numbers: &str| {
        let mut lines = numbers.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    };
    let numbers = until(|| told(address, "/metrics"), |last| number(last).is_some_and(&wanted), name);
    number(&numbers).unwrap()
}

fn until<T: Debug>(look: impl Fn() -> T, is_wanted: impl Fn(&T) -> bool, wanted: &str) -> T {
    let began = Instant::now();
    loop {
        let last = look();
        if is_wanted(&last) {
            return last;
        }
        assert!(began.elapsed() < PATIENCE, "never {wanted}: {last:?}");
        thread::sleep(Duration::from_millis(50));
    }
}
