//! What it costs that somebody asks: a thousand questions a second, to pages and numbers in turn, for half a minute, while `kinset daemon` writes ten
//! thousand relations to a tracker.
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
/// How long they ask.
const FOR: Duration = Duration::from_secs(30);

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

    let before = daemon.resident_kib();
    let began = Instant::now();
    let asked = runtime.block_on(ask(page, &mut daemon));
    let mut took = asked.took;
    took.sort_unstable();
    let share = |share: usize| took[(took.len() * share / 1000).min(took.len() - 1)];
    let written_meanwhile = related(&simulator);
    println!(
        "{} questions in {:.1} s, none answered otherwise than with 200: median {:?}, 99 % within {:?}, 99.9 % within {:?}, longest {:?}",
        took.len(),
        began.elapsed().as_secs_f64(),
        share(500),
        share(990),
        share(999),
        took[took.len() - 1]
    );
    println!(
        "resident memory of the daemon: {before} KiB at the beginning, {} KiB at most, {} KiB at the end",
        asked.most_kib,
        daemon.resident_kib()
    );
    println!("{written_meanwhile} of {WRITES} relations were there when the questions ended");
    let waited = Instant::now();
    while related(&simulator) < WRITES {
        assert!(
            waited.elapsed() < Duration::from_secs(600),
            "writes were lost: {} of {WRITES}",
            related(&simulator)
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    println!(
        "all {WRITES} relations were there {:.1} s after the first question",
        began.elapsed().as_secs_f64()
    );
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
         format = \"ids\"\n[tracker.limits]\nrequests_per_second = 1000000\n[tracker.schedule]\nsync = \"* * * * * *\"\n"
    );
    write("kinset.toml", &config);
}

struct Daemon(Child);

impl Daemon {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinset"));
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
    took: Vec<Duration>,
    most_kib: u64,
}

async fn ask(page: SocketAddr, daemon: &mut Daemon) -> Asked {
    let took = Arc::new(Mutex::new(Vec::new()));
    let began = tokio::time::Instant::now();
    let mut asking = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        asking.spawn(converse(page, connection, began, Arc::clone(&took)));
    }
    let mut most_kib = 0;
    while began.elapsed() < FOR {
        most_kib = most_kib.max(daemon.resident_kib());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
    let took = std::mem::take(&mut *took.lock().unwrap());
    Asked { took, most_kib }
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
