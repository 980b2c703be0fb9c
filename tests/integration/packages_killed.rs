//! The program itself, killed while it changes the package model: all of a change is there afterwards, with its entry in the log, or nothing.
//!
//! Each run may write its files only up to a size, and the kernel kills it at the write that would exceed that (`SIGXFSZ`): at that very byte, and
//! with no more say than `SIGKILL` gives. So the places are the same in each run: on the way to the commit, pages and half pages, and after it,
//! while the pages move from the log of SQLite's writes to where they belong.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::Timestamp;
use kinset::model::packages::{DistributionDetails, Operation, SeriesDetails, SetDetails, Sharing, VersionScheme};
use kinset::store::Store;
use kinset::store::packages::{Force, Hand};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rustix::process::Signal;
use serde_json::json;

use crate::cli_support::{Place, config_for};

/// How many of the places are on the way to the commit, and how many after it.
const BEFORE: u64 = 14;
const AFTER: u64 = 6;

/// What `ulimit -f` counts in, as POSIX has it.
const BLOCK: u64 = 512;

const DATABASE: &str = "state/kinset.sqlite3";
const WRITES: &str = "state/kinset.sqlite3-wal";

/// All rows of all tables, but for the time that the log gives.
type Rows = BTreeMap<String, Vec<Vec<Value>>>;

fn perform(store: &mut Store, operations: &[Operation]) {
    let hand = Hand {
        actor: "ann".to_owned(),
        at: "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
        force: Force::Not,
    };
    store.perform(&hand, operations).unwrap();
}

fn operation(json: serde_json::Value) -> Operation {
    serde_json::from_value(json).unwrap()
}

fn packages(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| format!("package-{number:03}")).collect()
}

/// Two series that share their sets, and a set with a long description.
fn beginning() -> Vec<Operation> {
    let distribution = |name: &str| Operation::CreateDistribution {
        distribution: name.parse().unwrap(),
        details: DistributionDetails {
            sharing: Sharing::CopyOnWrite,
            versions: VersionScheme::Debian,
            series: None,
            permit_obsolete_uploads: false,
        },
    };
    let details = SeriesDetails::owned_by("ann".parse().unwrap());
    let series = |path: &str| Operation::CreateSeries {
        series: path.parse().unwrap(),
        details: details.clone(),
    };
    let set = |series: &str, name: &str, description: String| Operation::CreateSet {
        path: serde_json::from_value(json!({ "in": series, "set": name })).unwrap(),
        details: SetDetails {
            owner: "ann".parse().unwrap(),
            description,
        },
        related: None,
        group: None,
    };
    let mut operations = vec![
        distribution("other"),
        series("other/s0"),
        // It makes the database longer than all that is written later on, so that what comes at its end exceeds the limit.
        set("other/s0", "long", "long ".repeat(100_000)),
        distribution("d"),
        series("d/s0"),
        operation(json!({ "op": "add-packages", "distribution": "d", "packages": packages(0..300) })),
    ];
    for name in ["a", "b", "c"] {
        operations.push(set("d/s0", name, format!("set {name}")));
        operations.push(operation(
            json!({ "op": "add-sources", "in": "d/s0", "set": name, "sources": packages(0..200) }),
        ));
    }
    operations.push(operation(
        json!({ "op": "add-subsets", "in": "d/s0", "set": "a", "subsets": ["b"] }),
    ));
    operations.push(operation(json!({
        "op": "grant", "distribution": "d", "party": "bob", "action": "upload", "on": "package-set", "series": "s0", "set": "b", "status": "approved",
    })));
    operations.push(Operation::InitSeries {
        series: "d/s1".parse().unwrap(),
        from: "d/s0".parse().unwrap(),
        listings: false,
        details,
    });
    operations
}

/// A state whose last writes have not been moved to their places yet. They are at the end of the database.
fn unfinished_state(folder: &Path) {
    perform(&mut Store::open(&folder.join("state")).unwrap(), &beginning());
    let other = Connection::open(folder.join(DATABASE)).unwrap();
    other.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    other.query_row("SELECT count(*) FROM log", [], |_| Ok(())).unwrap();
    let late = operation(json!({ "op": "add-packages", "distribution": "d", "packages": packages(300..900) }));
    perform(&mut Store::open(&folder.join("state")).unwrap(), &[late]);
}

/// A folder with a configuration and a copy of a state.
fn copy_of(state: &Place) -> Place {
    let place = Place::configured(&config_for("https://patchwork.example.org/"), "");
    fs::create_dir(place.path("state")).unwrap();
    for file in [DATABASE, WRITES] {
        if state.path(file).exists() {
            fs::copy(state.path(file), place.path(file)).unwrap();
        }
    }
    place
}

fn size(path: PathBuf) -> u64 {
    fs::metadata(path).unwrap().len()
}

/// All that the database of a folder holds, once it is found to be sound.
fn rows(folder: &Place) -> Rows {
    let place = copy_of(folder);
    let connection = Connection::open(place.path(DATABASE)).unwrap();
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let rows_of = |table: &String| {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<usize> = (0..select.column_count())
            .filter(|&column| (table.as_str(), select.column_name(column).unwrap()) != ("log", "at"))
            .collect();
        let rows = select.query_map([], |row| {
            columns
                .iter()
                .map(|&column| row.get(column))
                .collect::<rusqlite::Result<Vec<Value>>>()
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    tables.iter().map(|table| (table.clone(), rows_of(table))).collect()
}

/// Runs the program with files of so many bytes at most.
fn run_up_to(place: &Place, arguments: &str, bytes: u64) -> Output {
    let script = r#"ulimit -c 0 && ulimit -f "$0" && exec "$@""#;
    let program = place.command(arguments);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, &bytes.div_ceil(BLOCK).to_string()]);
    command.arg(program.get_program()).args(program.get_args());
    command.current_dir(place.path("")).env_clear().env("KINSET_CONFIG", "kinset.toml");
    command.output().unwrap()
}

/// Kills a command that makes one entry in the log at twenty places.
fn killed_anywhere(arguments: &str) {
    let state = Place::new();
    unfinished_state(&state.path(""));
    killed_at_each_place(&state, &format!("{arguments} --distribution d --actor ann"), 1, |_| ());
}

/// Kills a command at twenty places, each time in a folder that was prepared. Each time all of what it does is there or nothing, and run again it is
/// done or refuses to do it twice.
fn killed_at_each_place(state: &Place, arguments: &str, entries: usize, prepare: impl Fn(&Place)) {
    let copy_of = |state: &Place| {
        let place = copy_of(state);
        prepare(&place);
        place
    };
    let before = rows(state);
    let begun = size(state.path(WRITES));
    let reference = copy_of(state);
    // As long as somebody else has the database open, what the program writes stays apart from it.
    let other = Connection::open(reference.path(DATABASE)).unwrap();
    other.query_row("SELECT count(*) FROM log", [], |_| Ok(())).unwrap();
    reference.data(arguments);
    let committed = size(reference.path(WRITES));
    drop(other);
    let moved = size(reference.path(DATABASE));
    let after = rows(&reference);
    assert_eq!(after["log"].len(), before["log"].len() + entries);
    // The index of the writes takes 32 KiB, which is a file too.
    assert!(32 * 1024 < begun && begun + BEFORE * BLOCK < committed && committed + 8 * BLOCK < moved);

    let on_the_way = (0..BEFORE).map(|place| (begun + (committed - begun - BLOCK) * place / BEFORE, &before));
    let done = (0..AFTER).map(|place| (committed + (moved - committed - 8 * BLOCK) * place / AFTER, &after));
    for (bytes, expected) in on_the_way.chain(done) {
        let place = copy_of(state);
        let output = run_up_to(&place, arguments, bytes);
        assert_eq!(
            output.status.signal(),
            Some(Signal::XFSZ.as_raw()),
            "{bytes}: {}",
            place.tell(&output)
        );
        assert!(rows(&place) == *expected, "killed at {bytes} of {begun}, {committed}, {moved}");

        let again = place.command(arguments).output().unwrap();
        assert!(again.status.success() || expected == &after, "{}", place.tell(&again));
        assert!(rows(&place) == after, "killed at {bytes} and run again");
    }
}

#[test]
fn a_set_that_is_copied_because_it_is_written_is_copied_and_written_or_neither() {
    killed_anywhere("packageset add a package-300 package-301 --series s1");
}

#[test]
fn a_series_begins_with_all_its_sets_or_does_not_begin() {
    killed_anywhere("series init s2 --from s1");
}

#[test]
fn a_clone_is_whole_or_not_there() {
    killed_anywhere("packageset clone b --series s1");
}

#[test]
fn a_deleted_set_is_gone_from_all_sets_or_from_none() {
    killed_anywhere("packageset delete b --series s1");
}

#[test]
fn a_distribution_is_converted_in_whole_or_not_at_all() {
    killed_anywhere("series convert --yes --to tethered");
}

#[test]
fn a_permission_is_given_with_its_entry_in_the_log_or_not_at_all() {
    killed_anywhere("acl grant carl upload --set c --series s1");
}

#[test]
fn all_of_a_file_comes_true_or_nothing() {
    let state = Place::new();
    unfinished_state(&state.path(""));
    let config = "state_dir = \"state\"\n[[distribution]]\nname = \"d\"\nfile = \"d.toml\"\n";
    // In three sets of two series, ten packages go and ten come.
    let file = copy_of(&state)
        .data("distribution export d")
        .replace("    \"package-19", "    \"package-89");
    killed_at_each_place(&state, "apply --yes --actor ann", 12, |place| {
        place.write("kinset.toml", config);
        place.write("d.toml", &file);
    });
}
