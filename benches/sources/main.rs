//! What it takes to follow services at their real size: Ubuntu's 45 series from Launchpad, Fedora's 40,000 packages with their owners. First pull,
//! a pull of nothing new, a plan of a few changes; and the rows of the first pull as the `sqlite3` shell imports them.
//!
//! `cargo bench --bench sources`; `docs/performance.md` says what the figures mean. CPU time is that of the whole process, the services included, which
//! run in it.

#![expect(clippy::print_stdout, reason = "the figures are what is wanted")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot be set up has nothing to say"
)]

#[path = "../shared/chance.rs"]
mod chance;
mod services;

use std::collections::BTreeSet;
use std::fs;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kinset::http::{RetryPolicy, Settings as HttpSettings};
use kinset::model::packages::document::Thresholds;
use kinset::model::packages::{DistributionDetails, Operation, Sharing, VersionScheme};
use kinset::reconcile::{Keeper, SourceSettings, SourcesOrder, Taking, follow};
use kinset::source::{bodhi, distgit, launchpad};
use kinset::store::Store;
use kinset::store::packages::{Force, Hand};
use rusqlite::Connection;
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use url::Url;
use wait4::Wait4 as _;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Respond};

use services::{Fedora, Launchpad, PACKAGES, SERIES, Traffic};

/// How often kinset and the `sqlite3` shell take turns.
const ROUNDS: usize = 5;

fn main() {
    let runtime = Runtime::new().unwrap();
    ubuntu(&runtime);
    let operations = fedora(&runtime);
    beside_the_shell(&operations);
}

fn ubuntu(runtime: &Runtime) {
    println!("## Ubuntu: {SERIES} series");
    let service: &'static Launchpad = Box::leak(Box::new(Launchpad::new()));
    let (server, url) = serve(runtime, service);
    let settings = launchpad::Settings {
        name: "launchpad".to_owned(),
        url: url.join("devel/").unwrap(),
        distribution: "ubuntu".parse().unwrap(),
        series: None,
        reread: launchpad::Reread::Unreleased,
        rows_per_page: NonZeroU32::new(300).unwrap(),
        http: http(),
    };
    let rig = Rig::new(order("ubuntu", VersionScheme::Debian, vec![SourceSettings::Launchpad(settings)]));
    rig.take(runtime, "first pull", Taking::Everything, &service.traffic);
    rig.take(runtime, "pull of nothing new", Taking::Everything, &service.traffic);
    service
        .newest
        .lock()
        .unwrap()
        .extend((0..100).map(|number| format!("new-{number}")));
    rig.take(runtime, "plan of 100 new members", Taking::Nothing, &service.traffic);
    drop(server);
}

fn fedora(runtime: &Runtime) -> Vec<Operation> {
    println!("## Fedora: {PACKAGES} packages");
    let service: &'static Fedora = Box::leak(Box::new(Fedora::new()));
    let (server, url) = serve(runtime, service);
    let releases = bodhi::Settings {
        name: "bodhi".to_owned(),
        url: url.clone(),
        id_prefixes: ["FEDORA".to_owned()].into(),
        http: http(),
    };
    let branches = [("rawhide", "f45"), ("f44", "f44"), ("f43", "f43"), ("f42", "f42")];
    let packages = distgit::Settings {
        name: "distgit".to_owned(),
        url,
        forge: distgit::ForgeKind::Pagure,
        namespace: "rpms".to_owned(),
        branches: branches
            .map(|(branch, series)| (branch.parse().unwrap(), series.parse().unwrap()))
            .into(),
        http: http(),
    };
    let sources = vec![SourceSettings::Bodhi(releases), SourceSettings::Distgit(packages)];
    let rig = Rig::new(order("fedora", VersionScheme::Rpm, sources));
    let operations = rig.take(runtime, "first pull", Taking::Everything, &service.traffic);
    rig.take(runtime, "pull of nothing new", Taking::Everything, &service.traffic);
    service.change();
    rig.take(runtime, "plan of 400 new owners", Taking::Nothing, &service.traffic);
    drop(server);
    operations
}

/// What of a first pull is the database's part, and the rows that come of it as the `sqlite3` shell imports them, in turn.
fn beside_the_shell(operations: &[Operation]) {
    println!("## Fedora's first pull to an empty state, and its rows to the sqlite3 shell");
    let (folder, _) = ingest(operations);
    let export = Export::of(folder.path());
    let (mut own, mut shells) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        own.push(ingest(operations).1);
        shells.push(export.import());
    }
    let (own, shell) = (Took::median(&own), Took::median(&shells));
    println!("{:<26}{:>9.2} s{:>9.2} s CPU", "all in one transaction", own.wall, own.cpu);
    println!(
        "{:<26}{:>9.2} s{:>9.2} s CPU{:>8} rows",
        "the shell's .import", shell.wall, shell.cpu, export.rows
    );
    println!(
        "{:<26}{:>9.2}  {:>9.2}",
        "so many times as long",
        own.wall / shell.wall,
        own.cpu / shell.cpu
    );
}

/// What something took, in seconds.
#[derive(Clone, Copy)]
struct Took {
    wall: f64,
    cpu: f64,
}

impl Took {
    fn median(all: &[Self]) -> Self {
        let of = |one: fn(&Self) -> f64| {
            let mut seconds: Vec<f64> = all.iter().map(one).collect();
            seconds.sort_by(f64::total_cmp);
            seconds[seconds.len() / 2]
        };
        Self {
            wall: of(|took| took.wall),
            cpu: of(|took| took.cpu),
        }
    }
}

/// All changes in one transaction, in an empty state. Returns that, and what they took.
fn ingest(operations: &[Operation]) -> (TempDir, Took) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let hand = Hand {
        actor: "bench".to_owned(),
        at: Timestamp::now(),
        force: Force::Insisted,
    };
    let (start, cpu) = (Instant::now(), cpu());
    store.perform(&hand, operations).unwrap();
    let took = Took {
        wall: start.elapsed().as_secs_f64(),
        cpu: (self::cpu() - cpu).as_secs_f64(),
    };
    drop(store);
    (folder, took)
}

fn serve(runtime: &Runtime, service: impl Respond + 'static) -> (MockServer, Url) {
    runtime.block_on(async {
        let server = MockServer::builder().disable_request_recording().start().await;
        Mock::given(any()).respond_with(service).mount(&server).await;
        let url = Url::parse(&server.uri()).unwrap();
        (server, url)
    })
}

fn http() -> HttpSettings {
    HttpSettings {
        contact: None,
        requests_per_second: NonZeroU32::MAX,
        concurrent_requests: NonZeroUsize::new(8).unwrap(),
        timeout: Duration::from_secs(60),
        retry: RetryPolicy::default(),
    }
}

fn order(name: &str, versions: VersionScheme, sources: Vec<SourceSettings>) -> SourcesOrder {
    SourcesOrder {
        name: name.parse().unwrap(),
        founding: DistributionDetails {
            sharing: Sharing::CopyOnWrite,
            versions,
            series: None,
            permit_obsolete_uploads: false,
        },
        sources,
        listed: BTreeSet::from(["f45".parse().unwrap()]),
        thresholds: Thresholds {
            max_removed_fraction: 0.25,
            min_removed: 10,
            allow_empty: false,
        },
        reread: false,
    }
}

struct Rig {
    keeper: Keeper,
    /// Goes with the rig.
    _folder: TempDir,
    order: SourcesOrder,
}

impl Rig {
    fn new(order: SourcesOrder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            keeper: Keeper::new(Store::open(folder.path()).unwrap(), Timestamp::now),
            _folder: folder,
            order,
        }
    }

    fn take(&self, runtime: &Runtime, what: &str, taking: Taking, traffic: &Traffic) -> Vec<Operation> {
        let (start, cpu) = (Instant::now(), cpu());
        let mut operations = Vec::new();
        let each = |source: &str, result: kinset::reconcile::SourceResult| match result {
            Ok(draft) => {
                assert!(draft.tripped.is_none(), "{source}: {:?}", draft.tripped);
                operations.extend(draft.operations);
            }
            Err(error) => panic!("{source}: {error}"),
        };
        runtime.block_on(follow(&self.keeper, &self.order, taking, each)).unwrap();
        let (requests, bytes) = traffic.take();
        println!(
            "{what:<26}{:>9.2} s{:>9.2} s CPU{requests:>8} requests{:>9.2} MB{:>9} changes",
            start.elapsed().as_secs_f64(),
            (self::cpu() - cpu).as_secs_f64(),
            bytes as f64 / 1e6,
            operations.len()
        );
        operations
    }
}

fn cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

/// The rows of all tables of a state, as files that the `sqlite3` shell imports into the same tables with the same indexes. It takes a missing value for
/// an empty text, so types and checks, which that would fail, are left out of the copy.
struct Export {
    folder: TempDir,
    schema: String,
    script: String,
    rows: u64,
}

impl Export {
    fn of(state: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = state.join("kinset.sqlite3");
        let connection = Connection::open(&database).unwrap();
        let schema: String = connection
            .query_row(
                "SELECT group_concat(sql, ';' || char(10)) || ';' FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        let tables: Vec<String> = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let (mut rows, mut script) = (
            0,
            String::from("PRAGMA journal_mode = WAL;\nPRAGMA foreign_keys = OFF;\nPRAGMA ignore_check_constraints = ON;\nBEGIN;\n"),
        );
        for table in &tables {
            let file = folder.path().join(format!("{table}.csv"));
            shell(
                &database,
                &format!(".mode csv\n.nullvalue NULL\n.output {}\nSELECT * FROM {table};", file.display()),
            );
            let count: u64 = connection
                .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
                .unwrap();
            if count > 0 {
                rows += count;
                script.push_str(&format!(".import --csv {} {table}\n", file.display()));
            }
        }
        script.push_str("COMMIT;");
        Self {
            folder,
            schema: schema.replace(" STRICT, WITHOUT ROWID", " WITHOUT ROWID").replace(" STRICT", ""),
            script,
            rows,
        }
    }

    /// Imports everything into a database of its own.
    fn import(&self) -> Took {
        let copy = self.folder.path().join("copy.sqlite3");
        Connection::open(&copy).unwrap().execute_batch(&self.schema).unwrap();
        let took = shell(&copy, &self.script);
        fs::remove_file(&copy).unwrap();
        took
    }
}

fn shell(database: &Path, script: &str) -> Took {
    let mut command = Command::new("sqlite3");
    command.arg("-batch").arg(database).args(script.lines()).stdout(Stdio::null());
    let start = Instant::now();
    let used = match command.spawn() {
        Ok(shell) => shell.wait4().unwrap(),
        Err(error) => panic!("the sqlite3 shell is needed: {error}"),
    };
    assert!(used.status.success(), "{}", used.status);
    Took {
        wall: start.elapsed().as_secs_f64(),
        cpu: (used.rusage.utime + used.rusage.stime).as_secs_f64(),
    }
}
