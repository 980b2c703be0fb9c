//! What it costs that somebody asks: a thousand questions a second, to pages and numbers in turn, for half a minute, while `kinset daemon` writes ten
//! thousand relations to a tracker; and for another half a minute, while it finds each second that there is nothing to do.
//!
//! `cargo bench --bench status`; `docs/performance.md` says what the figures mean. The tracker is the simulator, in this process with those who ask;
//! the daemon is a process of its own. Whatever is answered otherwise than it should be, and any write that is lost, ends it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot be set up has nothing to say, and this one is its own harness"
)]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kinset::model::{MessageId, PatchId};
use kinset::tracker::simulator::{Simulator, World, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// Each relates two patches.
const WRITES: u64 = 10_000;
/// Connections that ask side by side.
const CONNECTIONS: u32 = 20;
/// Questions a second, of all together.
const PACE: u32 = 1000;
/// How long they ask, and then once more.
const FOR: Duration = Duration::from_secs(30);
/// Requests a second that the daemon may send. Each relation takes some five, the reads before and after it included: it writes for about as long as the
/// first questions take.
const REQUESTS_A_SECOND: u64 = 1600;
/// How often the daemon's memory is looked at meanwhile.
const LOOKS: Duration = Duration::from_secs(1);

const ASKED: [&str; 4] = ["/", "/metrics", "/trackers/t", "/metrics"];

fn main() {
    let runtime = Runtime::new().unwrap();
    let (world, groups) = world();
    let simulator = Arc::new(Simulator::new(&world).unwrap());
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let tracker = listener.local_addr().unwrap();
    runtime.spawn(serve(listener, Arc::clone(&simulator), std::future::pending()));
    let folder = tempfile::tempdir().unwrap();
    let page = runtime.block_on(async { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap() });
    configure(folder.path(), tracker, page, &groups);
    let mut daemon = Daemon::start(folder.path());
    runtime.block_on(until_it_writes(page, &simulator));

    let began = Instant::now();
    runtime.block_on(ask(page, &mut daemon)).tell("While it writes");
    println!(
        "{} of {WRITES} relations were there when these questions ended",
        related(&simulator)
    );
    while related(&simulator) < WRITES {
        assert!(
            began.elapsed() < Duration::from_secs(600),
            "writes were lost: {} of {WRITES}",
            related(&simulator)
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    println!(
        "all {WRITES} relations were there {:.1} s after the first question",
        began.elapsed().as_secs_f64()
    );
    runtime.block_on(ask(page, &mut daemon)).tell("With nothing to write");
}

/// Patches that nobody has related, and groups of two.
fn world() -> (World, String) {
    let mut world = World::default().with_project("alpha").with_user("bot", "t-bot", &["alpha"]);
    let mut groups = String::new();
    for pair in 0..WRITES {
        for id in [2 * pair + 1, 2 * pair + 2] {
            world = world.with_patch(PatchId(id), "alpha", MessageId::parse(&format!("<{id}@example.org>")).unwrap());
        }
        groups.push_str(&format!("{} {}\n", 2 * pair + 1, 2 * pair + 2));
    }
    (world, groups)
}

fn related(simulator: &Simulator) -> u64 {
    simulator.with_rules(|rules| rules.relations().len() as u64)
}

fn configure(folder: &Path, tracker: SocketAddr, page: SocketAddr, groups: &str) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("token", "t-bot");
    fs::set_permissions(folder.join("token"), fs::Permissions::from_mode(0o600)).unwrap();
    write("groups", groups);
    let config = format!(
        "state_dir = \"state\"\n[daemon]\nlisten = \"{page}\"\njitter_seconds = 0\n[[tracker]]\nname = \"t\"\nurl = \"http://{tracker}/\"\n\
         projects = [\"alpha\"]\npolicy = \"preserve\"\nsync = \"apply\"\ntoken_file = \"token\"\n[tracker.desired]\npath = \"groups\"\n\
         format = \"ids\"\n[tracker.limits]\nrequests_per_second = {REQUESTS_A_SECOND}\n[tracker.schedule]\nsync = \"* * * * * *\"\n"
    );
    write("kinset.toml", &config);
}

struct Daemon(Child);

impl Daemon {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinset"));
        // As the unit has it.
        command.env("MALLOC_ARENA_MAX", "1");
        command.arg("--config").arg(folder.join("kinset.toml")).arg("daemon");
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn resident_kib(&mut self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

async fn until_it_writes(page: SocketAddr, simulator: &Simulator) {
    while related(simulator) < 10 || TcpStream::connect(page).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What came of the questions.
struct Asked {
    /// Shortest first.
    took: Vec<Duration>,
    resident_kib: Vec<u64>,
}

impl Asked {
    fn tell(&self, when: &str) {
        let share = |share: usize| self.took[(self.took.len() * share / 1000).min(self.took.len() - 1)];
        println!(
            "{when}: {} questions, none answered otherwise than with 200: median {:?}, 99 % within {:?}, 99.9 % within {:?}, longest {:?}",
            self.took.len(),
            share(500),
            share(990),
            share(999),
            share(1000)
        );
        let every_fifth: Vec<_> = self.resident_kib.iter().step_by(5).map(|kib| (kib >> 10).to_string()).collect();
        println!("resident memory of the daemon in MiB, every 5 s: {}", every_fifth.join(" "));
    }
}

async fn ask(page: SocketAddr, daemon: &mut Daemon) -> Asked {
    let took = Arc::new(Mutex::new(Vec::new()));
    let began = tokio::time::Instant::now();
    let mut asking = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        asking.spawn(converse(page, connection, began, Arc::clone(&took)));
    }
    let mut resident_kib = Vec::new();
    while began.elapsed() < FOR {
        resident_kib.push(daemon.resident_kib());
        tokio::time::sleep(LOOKS).await;
    }
    resident_kib.push(daemon.resident_kib());
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
    let mut took = std::mem::take(&mut *took.lock().unwrap());
    took.sort_unstable();
    Asked { took, resident_kib }
}

/// Asks as often as its share of the pace is, however long the answers take: who has to wait makes up for it.
async fn converse(page: SocketAddr, connection: u32, began: tokio::time::Instant, took: Arc<Mutex<Vec<Duration>>>) {
    let mut stream = TcpStream::connect(page).await.unwrap();
    let step = Duration::from_secs(1) * CONNECTIONS / PACE;
    let mut due = began + step * connection / CONNECTIONS;
    let mut number = connection as usize;
    let mut own = Vec::new();
    while due < began + FOR {
        tokio::time::sleep_until(due).await;
        let path = ASKED[number % ASKED.len()];
        let question = format!("GET {path} HTTP/1.1\r\nHost: {page}\r\n\r\n");
        stream.write_all(question.as_bytes()).await.unwrap();
        read_answer(&mut stream, path).await;
        own.push(due.elapsed());
        due += step;
        number += 1;
    }
    took.lock().unwrap().extend(own);
}

async fn read_answer(stream: &mut TcpStream, path: &str) {
    let mut answer = Vec::new();
    let mut part = vec![0; 64 << 10];
    loop {
        let length = stream.read(&mut part).await.unwrap();
        assert!(length > 0, "{path}: the connection was closed");
        answer.extend_from_slice(&part[..length]);
        let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 200 "), "{path}: {text}");
        let body = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if answer.len() >= head + 4 + body.parse::<usize>().unwrap() {
            return;
        }
    }
}
