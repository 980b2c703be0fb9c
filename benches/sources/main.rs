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
use std::process::Command;
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
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Respond};

use services::{Fedora, Launchpad, PACKAGES, SERIES, Traffic};

fn main() {
    let runtime = Runtime::new().unwrap();
    ubuntu(&runtime);
    let (folder, operations) = fedora(&runtime);
    ingest(&operations);
    import(folder.path());
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

fn fedora(runtime: &Runtime) -> (TempDir, Vec<Operation>) {
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
    (rig.folder, operations)
}

/// What of a first pull is the database's part: all changes in one transaction, in an empty state.
fn ingest(operations: &[Operation]) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let hand = Hand {
        actor: "bench".to_owned(),
        at: Timestamp::now(),
        force: Force::Insisted,
    };
    let (start, cpu) = (Instant::now(), cpu());
    store.perform(&hand, operations).unwrap();
    let (wall, cpu) = (start.elapsed().as_secs_f64(), (self::cpu() - cpu).as_secs_f64());
    println!("the same changes to an empty state: {wall:.2} s, {cpu:.2} s CPU");
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
    folder: TempDir,
    order: SourcesOrder,
}

impl Rig {
    fn new(order: SourcesOrder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            keeper: Keeper::new(Store::open(folder.path()).unwrap(), Timestamp::now),
            folder,
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

/// The rows of all tables, as the `sqlite3` shell imports them into the same tables with the same indexes. It takes a missing value for an empty text, so
/// types and checks, which that would fail, are left out of the copy.
fn import(state: &Path) {
    println!("## the rows of Fedora's first pull, imported by the sqlite3 shell");
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
    drop(connection);
    let shell = |database: &Path, script: &str| {
        let mut command = Command::new("sqlite3");
        command.arg("-batch").arg(database).args(script.lines());
        match command.output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => panic!("the sqlite3 shell is needed: {error}"),
        }
    };
    let mut import =
        String::from("PRAGMA journal_mode = WAL;\nPRAGMA foreign_keys = OFF;\nPRAGMA ignore_check_constraints = ON;\nBEGIN;\n");
    for table in &tables {
        let file = folder.path().join(format!("{table}.csv"));
        shell(
            &database,
            &format!(".mode csv\n.nullvalue NULL\n.output {}\nSELECT * FROM {table};", file.display()),
        );
        if fs::metadata(&file).is_ok_and(|file| file.len() > 0) {
            import.push_str(&format!(".import --csv {} {table}\n", file.display()));
        }
    }
    import.push_str("COMMIT;");
    let copy = folder.path().join("copy.sqlite3");
    let schema = schema.replace(" STRICT, WITHOUT ROWID", " WITHOUT ROWID").replace(" STRICT", "");
    Connection::open(&copy).unwrap().execute_batch(&schema).unwrap();
    let start = Instant::now();
    shell(&copy, &import);
    let took = start.elapsed();
    let rows: u64 = tables
        .iter()
        .map(|table| {
            Connection::open(&copy)
                .unwrap()
                .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u64>(0))
                .unwrap()
        })
        .sum();
    println!("{rows} rows in {:.2} s", took.as_secs_f64());
}
