//! `kinset state`, as somebody types it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use jiff::Timestamp;
use kinset::store::{RunOutcome, Store};
use rusqlite::Connection;

use super::cli_support::{Place, Tracker, world};

/// A place with a state that a pull filled.
fn pulled() -> (Tracker, Place) {
    let tracker = Tracker::serving(world(&[&[1, 2], &[3, 4, 5]]));
    let place = tracker.place("1 2\n3 4 5\n");
    place.data("apply --yes");
    (tracker, place)
}

fn names(place: &Place, folder: &str) -> Vec<String> {
    let names = fs::read_dir(place.path(folder)).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// Overwrites a page of a table.
fn damage(place: &Place, table: &str) {
    let path = place.path("state/kinset.sqlite3");
    let connection = Connection::open(&path).unwrap();
    let select = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: usize = connection.query_row(select, [table], |row| row.get(0)).unwrap();
    connection.close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[(page - 1) * 4096..page * 4096].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_backup_tells_what_it_holds_and_is_for_its_owner_alone() {
    let (_tracker, place) = pulled();
    let told = place.run("state backup copy.sqlite3");
    insta::assert_snapshot!(told, @r"
    exit 0
    --- stdout
    copy.sqlite3: version 10, 434176 bytes, as of TIME
      trackers   kernel
      decisions  0 standing
      journal    0 open
      log        0 entries
    ");
    let mode = fs::metadata(place.path("copy.sqlite3")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let json: serde_json::Value = serde_json::from_str(&place.data("state backup --format json other.sqlite3")).unwrap();
    assert_eq!(json["trackers"], serde_json::json!(["kernel"]));
    assert_eq!(json["bytes"], fs::metadata(place.path("other.sqlite3")).unwrap().len());
}

#[test]
fn a_backup_in_the_place_of_the_state_is_the_state() {
    let (_tracker, place) = pulled();
    let before = place.data("status --format json");
    place.data("state backup copy.sqlite3");
    fs::remove_dir_all(place.path("state")).unwrap();
    fs::create_dir(place.path("state")).unwrap();
    fs::rename(place.path("copy.sqlite3"), place.path("state/kinset.sqlite3")).unwrap();
    assert_eq!(place.data("status --format json"), before);
    assert!(place.run("plan").contains("nothing to do"), "{}", place.run("plan"));
}

#[test]
fn a_backup_is_made_only_where_nothing_is_lost_by_it() {
    let (_tracker, place) = pulled();
    place.write("there", "precious");
    fs::create_dir(place.path("folder")).unwrap();
    fs::create_dir(place.path("closed")).unwrap();
    let made = Command::new("mkfifo").arg(place.path("pipe")).status().unwrap();
    assert!(made.success());
    let told = [
        "state backup there",
        "state backup folder",
        "state backup --force folder",
        "state backup --force pipe",
        "state backup missing/copy",
        "state backup --force state/kinset.sqlite3",
    ]
    .map(|arguments| format!("$ kinset {arguments}\n{}", place.run(arguments)));
    insta::assert_snapshot!(told.join("\n"), @r"
    $ kinset state backup there
    exit 1
    --- stderr
    error: there exists already
      help: choose another name, or let the backup take its place with --force

    $ kinset state backup folder
    exit 1
    --- stderr
    error: folder is not a file
      help: name a file of its own for the backup

    $ kinset state backup --force folder
    exit 1
    --- stderr
    error: folder is not a file
      help: name a file of its own for the backup

    $ kinset state backup --force pipe
    exit 1
    --- stderr
    error: pipe is not a file
      help: name a file of its own for the backup

    $ kinset state backup missing/copy
    exit 1
    --- stderr
    error: cannot write the backup missing/copy
      because: No such file or directory (os error 2)
      help: see to it that its folder exists and that this user may write there

    $ kinset state backup --force state/kinset.sqlite3
    exit 1
    --- stderr
    error: state/kinset.sqlite3 belongs to the state that is to be backed up
      help: name a file of its own for the backup
    ");
    assert_eq!(place.read("there"), "precious");
    assert_eq!(names(&place, "folder"), Vec::<String>::new());
    assert!(names(&place, ".").iter().all(|name| !name.contains("partial")));
    place.data("state backup --force there");
    assert!(place.read_bytes("there").starts_with(b"SQLite format 3"));
}

#[test]
fn a_damaged_state_is_not_backed_up() {
    let (_tracker, place) = pulled();
    damage(&place, "run");
    place.write("there", "precious");
    let told = place.run("state backup --force there");
    insta::assert_snapshot!(told, @r"
    exit 1
    --- stderr
    error: the state file DIR/state/kinset.sqlite3 is damaged
      because: Error code 11: database disk image is malformed
      help: `kinset state check` tells what is damaged, and `kinset state repair` shows what can be saved, and builds the state anew of that when it is told to; the damaged file is kept
    ");
    assert_eq!(place.read("there"), "precious");
    assert!(names(&place, ".").iter().all(|name| !name.contains("partial")));
}

#[test]
fn a_backup_for_which_there_is_no_room_leaves_nothing_behind() {
    let (_tracker, place) = pulled();
    let mut command = Command::new("sh");
    // The signal is ignored, so that a write past the limit fails as on a full disk.
    command.args([
        "-c",
        r#"trap '' XFSZ; ulimit -f 200; exec "$0" state backup copy"#,
        env!("CARGO_BIN_EXE_kinset"),
    ]);
    command
        .current_dir(place.path(""))
        .env_clear()
        .env("KINSET_CONFIG", "kinset.toml")
        .env("PATH", "/usr/bin:/bin");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", place.tell(&output));
    insta::assert_snapshot!(place.tell(&output), @r"
    exit 1
    --- stderr
    error: cannot make the backup copy
      because: Error code 778: disk I/O error
      help: see to it that there is room where the backup goes, and that its disk is sound; `kinset state check` tells whether the state is
    ");
    assert!(
        names(&place, ".").iter().all(|name| !name.contains("copy")),
        "{:?}",
        names(&place, ".")
    );
}

#[test]
fn backups_are_whole_while_somebody_writes_and_nobody_waits() {
    let (_tracker, place) = pulled();
    let done = AtomicBool::new(false);
    let backups = 5;
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut store = Store::open(&place.path("state")).unwrap();
            let mut runs = 0_u64;
            while !done.load(Ordering::Relaxed) {
                let at = Timestamp::UNIX_EPOCH;
                let run = store.journal().begin_run("kernel", at, "apply").unwrap();
                store.journal().end_run(run, at, &RunOutcome::Completed).unwrap();
                runs += 1;
            }
            runs
        });
        let counts: Vec<u64> = (0..backups)
            .map(|number| {
                place.data(&format!("state backup copy-{number}"));
                let connection = Connection::open(place.path(&format!("copy-{number}"))).unwrap();
                connection.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).unwrap()
            })
            .collect();
        place.data("state check");
        done.store(true, Ordering::Relaxed);
        let runs = writer.join().unwrap();
        assert!(counts.is_sorted(), "{counts:?}");
        assert!(counts.last() <= Some(&(runs + 1)), "{counts:?} of {runs}");
    });
}

#[test]
fn a_check_names_the_tables_that_are_damaged_and_what_that_costs() {
    let (_tracker, place) = pulled();
    insta::assert_snapshot!(place.run("state check"), @r"
    exit 0
    --- stdout
    DIR/state/kinset.sqlite3, version 10: nothing is wrong
    ");
    for table in ["patch", "decision", "journal_by_run"] {
        damage(&place, table);
    }
    insta::assert_snapshot!(place.run("state check"), @r"
    exit 1
    --- stdout
    DIR/state/kinset.sqlite3, version 10: damaged
      patch (a copy, can be pulled again): database disk image is malformed
      journal (all rows can be read): Tree 13 page 13: btreeInitPage() returns error code 11
      decision (no copy of anything): database disk image is malformed
    --- stderr
    `kinset state repair` shows what can be saved
    ");
    insta::assert_snapshot!(place.run("status"), @r"
    exit 1
    --- stderr
    error: the local state cannot be used
      because: the state file DIR/state/kinset.sqlite3 is damaged
      because: Error code 11: database disk image is malformed
      help: `kinset state check` tells what is damaged, and `kinset state repair` shows what can be saved, and builds the state anew of that when it is told to; the damaged file is kept
    ");
    let output = place.command("state check --format json").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let tables: Vec<&str> = json["damage"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["table"].as_str())
        .collect();
    for table in ["patch", "decision", "journal"] {
        assert!(tables.contains(&table), "{tables:?}");
    }
}

#[test]
fn a_check_finds_what_does_not_fit_together() {
    let (_tracker, place) = pulled();
    let connection = Connection::open(place.path("state/kinset.sqlite3")).unwrap();
    connection
        .execute_batch(
            "DELETE FROM relation_member WHERE patch = 1;
             UPDATE base SET journal = 99;
             UPDATE snapshot SET pulled_at = 'yesterday';
             INSERT INTO log VALUES (1, 5, 'ann', '{}'), (2, 4, 'ann', '{\"op\": \"add-packages\", \"distribution\": \"d\", \"packages\": []}');
             INSERT INTO distribution VALUES (1, 'd');
             INSERT INTO team_member VALUES (1, '@t', 2, 'ann', 1), (1, '@t', 9223372036854775807, 'ann', 1);",
        )
        .unwrap();
    connection.close().unwrap();
    insta::assert_snapshot!(place.run("state check"), @r"
    exit 1
    --- stdout
    DIR/state/kinset.sqlite3, version 10: the file is whole, and what is in it does not fit together
      relation_member: a relation has two members or more; not so once
      base: the base ends at an entry of the journal; not so once
      log: no entry of the log is older than the one before; not so once
      snapshot: pulled_at is a time; not so once
      team_member: at no time two rows say different things of the same; not so once
      log: an operation is one that kinset knows; not so once
    --- stderr
    no repair mends this: put a backup in its place if there is one that is sound, and report it as a bug
    ");
}

#[test]
fn a_repair_shows_what_can_be_saved_and_asks() {
    let (_tracker, place) = pulled();
    insta::assert_snapshot!(place.run("state repair"), @r"
    exit 0
    --- stderr
    DIR/state/kinset.sqlite3: nothing is damaged, so nothing was done
    ");
    damage(&place, "patch");
    insta::assert_snapshot!(place.run("state repair"), @r"
    exit 1
    --- stdout
    DIR/state/kinset.sqlite3, version 10, is damaged; it would be kept as DIR/state/kinset.sqlite3.damaged-1
      patch (a copy, can be pulled again): database disk image is malformed
    saved: 24 rows that are nowhere else, 0 rows of copies
    left to the next pull: snapshot, 1 row
    left to the next pull: project, 1 row
    left to the next pull: maintainer, 2 rows
    left to the next pull: patch, an unknown number of rows
    left to the next pull: relation_member, 5 rows
    --- stderr
    error: nothing was written: there is no terminal to ask on
      help: read first what would be done, as it was printed; then run the command again with --yes
    ");
    insta::assert_snapshot!(place.run("state repair --yes"), @r"
    exit 0
    --- stdout
    DIR/state/kinset.sqlite3, version 10, is damaged; it would be kept as DIR/state/kinset.sqlite3.damaged-1
      patch (a copy, can be pulled again): database disk image is malformed
    saved: 24 rows that are nowhere else, 0 rows of copies
    left to the next pull: snapshot, 1 row
    left to the next pull: project, 1 row
    left to the next pull: maintainer, 2 rows
    left to the next pull: patch, an unknown number of rows
    left to the next pull: relation_member, 5 rows
    --- stderr
    DIR/state/kinset.sqlite3 is repaired; the damaged file is DIR/state/kinset.sqlite3.damaged-1. Run `kinset pull`, then `kinset plan`
    ");
    assert!(place.run("plan").contains("nothing to do"), "{}", place.run("plan"));
    damage(&place, "decision");
    insta::assert_snapshot!(place.run("state repair --yes"), @r"
    exit 1
    --- stdout
    DIR/state/kinset.sqlite3, version 10, is damaged; it would be kept as DIR/state/kinset.sqlite3.damaged-2
      decision (no copy of anything): database disk image is malformed
    saved: 18 rows that are nowhere else, 21 rows of copies
    lost: decision, 2 rows
    lost: decision_patch, 5 rows
    --- stderr
    error: the state file was not repaired: what is lost is nowhere else
      help: put a backup in its place if there is a better one (docs/state.md says how), or accept the loss with --accept-loss
    ");
    insta::assert_snapshot!(place.run("state repair --yes --accept-loss"), @r"
    exit 0
    --- stdout
    DIR/state/kinset.sqlite3, version 10, is damaged; it would be kept as DIR/state/kinset.sqlite3.damaged-2
      decision (no copy of anything): database disk image is malformed
    saved: 18 rows that are nowhere else, 21 rows of copies
    lost: decision, 2 rows
    lost: decision_patch, 5 rows
    --- stderr
    DIR/state/kinset.sqlite3 is repaired; the damaged file is DIR/state/kinset.sqlite3.damaged-2. Run `kinset pull`, then `kinset plan`
    ");
    assert!(place.run("plan").contains("nothing to do"), "{}", place.run("plan"));
    assert!(names(&place, "state").contains(&"kinset.sqlite3.damaged-2".to_owned()));
}

#[test]
fn there_is_nothing_to_look_after_where_there_is_no_state() {
    let place = Place::configured(&super::cli_support::config_for("http://127.0.0.1:1/"), "1 2\n");
    for arguments in ["state backup copy", "state check", "state repair"] {
        let told = place.run(arguments);
        assert!(
            told.starts_with("exit 1\n") && told.contains("there is no state at DIR/state/kinset.sqlite3 yet"),
            "{told}"
        );
    }
    assert!(!place.path("state").exists());
}

#[test]
fn bringing_a_state_up_to_date_keeps_a_copy_that_can_be_put_back() {
    let place = Place::configured(&super::cli_support::config_for("http://127.0.0.1:1/"), "1 2\n");
    fs::create_dir(place.path("state")).unwrap();
    let first = include_str!("../../src/store/schema/v1.sql");
    let old = Connection::open(place.path("state/kinset.sqlite3")).unwrap();
    old.execute_batch(first).unwrap();
    old.execute_batch("PRAGMA user_version = 1; INSERT INTO tracker VALUES (1, 'kernel')")
        .unwrap();
    old.close().unwrap();
    assert!(place.run("state check").contains("version 1: nothing is wrong"));
    assert!(place.data("state backup before").contains("version 1"));
    // The tracker cannot be reached, but the state is opened first.
    assert!(place.run("pull").starts_with("exit 1"));
    assert_eq!(
        place
            .run("state check")
            .lines()
            .nth(2)
            .map(|line| line.contains("nothing is wrong")),
        Some(true)
    );
    fs::rename(place.path("state/kinset.sqlite3.v1.bak"), place.path("state/kinset.sqlite3")).unwrap();
    assert!(place.run("state check").contains("version 1: nothing is wrong"));
}
