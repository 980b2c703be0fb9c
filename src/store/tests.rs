//! What depends on the list of migrations, on how long a lock is waited for, or on what is written behind what is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;
use rusqlite_migration::M;
use tempfile::TempDir;

use super::database::Opening;
use super::packages::{Force, Hand, LogFilter};
use super::schema::MIGRATIONS;
use super::{
    Accounts, DaemonEnd, DaemonOutcome, DecisionFilter, JournalEntry, JournalId, JournalOperation, JournalStep, Outcome, Run, RunId,
    RunOutcome, SettledEntry, Store, StoreError, Sweep,
};
use crate::model::packages::Operation;
use crate::model::{EventCursor, EventId, Job, JobKind, MessageId, Patch, PatchId, Project, ProjectId, ProjectName, Snapshot, UserName};
use crate::remedy::Remedy;

const V1: &str = include_str!("schema/v1.sql");

/// Rows as kinset of version 1 left them: one patch is of a project that was not read, one run was cut short.
const ROWS_OF_V1: &str = "
    INSERT INTO tracker VALUES (1, 't'), (2, 'never-pulled');
    INSERT INTO snapshot VALUES (1, 'https://example.org/', '2026-06-10T12:00:00Z', '2026-06-10T13:00:00.5Z');
    INSERT INTO project VALUES (1, 7, 'alpha'), (1, 8, 'beta');
    INSERT INTO maintainer VALUES (1, 7, 'bot'), (1, 7, 'maya');
    INSERT INTO patch VALUES (1, 1, 7, '<1@example.org>'), (1, 2, 7, '<2@example.org>'), (1, 3, 8, '<2@example.org>');
    INSERT INTO relation_member VALUES (1, 1, 4), (1, 2, 4), (1, 99, 4);
    INSERT INTO run VALUES
        (1, 1, 'apply', '2026-06-10T12:10:00Z', '2026-06-10T12:11:00Z', 'failed', 'the tracker is down'),
        (2, 1, 'apply', '2026-06-10T12:20:00Z', NULL, NULL, NULL),
        (3, 2, 'apply', '2026-06-10T12:30:00Z', '2026-06-10T12:31:00Z', 'completed', NULL);
    INSERT INTO journal VALUES
        (1, 1, 0, 1, NULL, '2026-06-10T12:10:01Z', '2026-06-10T12:10:02Z', 'done', NULL),
        (2, 1, 0, 1, '[99,2]', '2026-06-10T12:10:03Z', '2026-06-10T12:10:04Z', 'refused', '409'),
        (3, 2, 5, 1, '[99,2]', '2026-06-10T12:20:01Z', NULL, NULL, NULL);
";

static ONLY_V1: [M<'static>; 1] = [M::up(V1)];
static TO_BROKEN_V2: [M<'static>; 2] = [
    M::up(V1),
    M::up("CREATE TABLE fine (id INTEGER) STRICT; CREATE TABLE tracker (id INTEGER) STRICT"),
];

fn opening(migrations: &'static [M<'static>]) -> Opening {
    Opening {
        migrations,
        busy_timeout: Duration::ZERO,
    }
}

fn open(folder: &Path, migrations: &'static [M<'static>]) -> Result<Store, StoreError> {
    Store::open_as(folder, opening(migrations))
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn patch(id: u64, project: u64, mail: u64, related: &[u64]) -> Patch {
    Patch {
        id: PatchId(id),
        project: ProjectId(project),
        message_id: MessageId::parse(&format!("<{mail}@example.org>")).unwrap(),
        date: None,
        commit_ref: None,
        related: related.iter().copied().map(PatchId).collect(),
    }
}

fn project(id: u64, name: &str, maintainers: &[&str]) -> Project {
    Project {
        id: ProjectId(id),
        name: ProjectName(name.into()),
        maintainers: maintainers.iter().map(|&user| UserName(user.into())).collect(),
    }
}

fn snapshot(projects: impl IntoIterator<Item = Project>, patches: impl IntoIterator<Item = Patch>) -> Snapshot {
    Snapshot {
        projects: projects.into_iter().map(|project| (project.id, project)).collect(),
        patches: patches.into_iter().map(|patch| (patch.id, patch)).collect(),
    }
}

/// What [`ROWS_OF_V1`] say of the tracker's patches.
fn snapshot_of_v1() -> Snapshot {
    snapshot(
        [project(7, "alpha", &["bot", "maya"]), project(8, "beta", &[])],
        [patch(1, 7, 1, &[2, 99]), patch(2, 7, 2, &[1, 99]), patch(3, 8, 2, &[])],
    )
}

/// A folder with a state of version 1 that holds [`ROWS_OF_V1`].
fn folder_of_v1() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), &ONLY_V1).unwrap());
    Connection::open(folder.path().join("kinset.sqlite3"))
        .unwrap()
        .execute_batch(ROWS_OF_V1)
        .unwrap();
    folder
}

/// A folder with a state of the newest version that holds [`snapshot_of_v1`].
fn folder_up_to_date() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    save(&mut open(folder.path(), MIGRATIONS).unwrap(), &snapshot_of_v1()).unwrap();
    folder
}

fn save(store: &mut Store, snapshot: &Snapshot) -> Result<(), StoreError> {
    store.save_snapshot(
        "t",
        "https://example.org/",
        snapshot,
        &Sweep::default(),
        moment("2026-06-10T12:00:00Z"),
    )
}

fn stored(store: &Store) -> Snapshot {
    store.snapshot("t").unwrap().unwrap().snapshot
}

/// A folder in which the copy that an update keeps is the state.
fn folder_with_copy_from(folder: &Path) -> TempDir {
    let other = tempfile::tempdir().unwrap();
    fs::copy(folder.join("kinset.sqlite3.v1.bak"), other.path().join("kinset.sqlite3")).unwrap();
    other
}

/// The version of a state and all rows of its tables.
fn content(folder: &Path) -> (i64, BTreeMap<String, Vec<Vec<Value>>>) {
    let connection = Connection::open(folder.join("kinset.sqlite3")).unwrap();
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables = tables.query_map([], |row| row.get(0)).unwrap();
    let rows = tables.map(|table| {
        let table: String = table.unwrap();
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = select.column_count();
        let rows = select
            .query_map([], |row| (0..columns).map(|column| row.get(column)).collect())
            .unwrap();
        let rows = rows.collect::<Result<_, _>>().unwrap();
        (table, rows)
    });
    (version, rows.collect())
}

#[test]
fn a_state_of_version_1_keeps_its_values_when_it_is_brought_up_to_date() {
    let folder = folder_of_v1();
    let mut store = open(folder.path(), MIGRATIONS).unwrap();
    let known = store.snapshot("t").unwrap().unwrap();
    assert_eq!((known.snapshot, known.url.as_str()), (snapshot_of_v1(), "https://example.org/"));
    assert_eq!(known.pulled_at, moment("2026-06-10T12:00:00Z"));
    assert_eq!(known.refreshed_at, Some(moment("2026-06-10T13:00:00.5Z")));

    let again = JournalStep {
        component: 5,
        patch: PatchId(1),
        operation: JournalOperation::Relate(vec![PatchId(99), PatchId(2)]),
    };
    let left_open = JournalEntry {
        id: JournalId(3),
        run: RunId(2),
        step: again.clone(),
        intended_at: moment("2026-06-10T12:20:01Z"),
    };
    assert_eq!(store.journal().open_entries("t").unwrap(), [left_open]);
    let settled = |id, operation, outcome, second| SettledEntry {
        id: JournalId(id),
        run: RunId(1),
        step: JournalStep {
            component: 0,
            operation,
            ..again.clone()
        },
        outcome,
        settled_at: moment(&format!("2026-06-10T12:10:0{second}Z")),
    };
    assert_eq!(
        store.journal().settled_after("t", JournalId(0)).unwrap(),
        [
            settled(1, JournalOperation::Clear, Outcome::Done, 2),
            settled(2, again.operation.clone(), Outcome::Refused("409".into()), 4)
        ]
    );
    let run = |id, minute, ended, intended, done| Run {
        id: RunId(id),
        what: "apply".into(),
        began_at: moment(&format!("2026-06-10T12:{minute}:00Z")),
        ended,
        intended,
        done,
    };
    let failed = RunOutcome::Failed("the tracker is down".into());
    assert_eq!(
        store.journal().runs("t", "https://example.org/", 9).unwrap(),
        [
            run(2, 20, None, 1, 0),
            run(1, 10, Some((moment("2026-06-10T12:11:00Z"), failed)), 2, 1)
        ]
    );
    assert_eq!(
        store.journal().runs("never-pulled", "https://example.org/", 9).unwrap(),
        [run(3, 30, Some((moment("2026-06-10T12:31:00Z"), RunOutcome::Completed)), 0, 0)]
    );
    assert_eq!(
        store.journal().runs("t", "https://elsewhere.example/", 9).unwrap(),
        [],
        "they were where the tracker was last read"
    );
}

#[test]
fn a_state_of_version_1_has_nothing_of_what_came_later() {
    let folder = folder_of_v1();
    let store = open(folder.path(), MIGRATIONS).unwrap();
    let state = store.pull_state("t").unwrap().unwrap();
    assert_eq!((state.cursor, state.events_at, state.missed_by_events), (None, None, None));
    assert_eq!(state.swept_at, moment("2026-06-10T12:00:00Z"));
    assert_eq!((state.patches, state.projects), (3, snapshot_of_v1().projects));
    let unexported: Vec<PatchId> = store.unexported("t", 9).unwrap().into_iter().map(|(patch, _)| patch).collect();
    assert_eq!(unexported, [1, 2, 3].map(PatchId));
    assert_eq!(store.staged("t").unwrap(), None);
    assert_eq!(store.accounts("t", "https://example.org/").unwrap(), Accounts::default());
    assert_eq!(store.decisions("t", DecisionFilter::All).unwrap(), []);
    assert_eq!(store.cycles("t", "https://example.org/", 9).unwrap(), []);
}

#[test]
fn what_was_exported_before_version_10_is_known_of_the_address_of_then() {
    let folder = folder_of_v1();
    drop(open(folder.path(), &MIGRATIONS[..9]).unwrap());
    Connection::open(folder.path().join("kinset.sqlite3"))
        .unwrap()
        .execute_batch("UPDATE patch SET exported = 1 WHERE id <> 2")
        .unwrap();
    let unexported = |store: &Store| {
        store
            .unexported("t", 9)
            .unwrap()
            .into_iter()
            .map(|(patch, _)| patch.0)
            .collect::<Vec<_>>()
    };
    let mut store = open(folder.path(), MIGRATIONS).unwrap();
    assert_eq!(unexported(&store), [2]);
    let moved = "https://elsewhere.example/";
    store
        .save_snapshot("t", moved, &snapshot_of_v1(), &Sweep::default(), moment("2026-06-10T14:00:00Z"))
        .unwrap();
    assert_eq!(unexported(&store), [1, 2, 3]);
    save(&mut store, &snapshot_of_v1()).unwrap();
    assert_eq!(unexported(&store), [2]);
}

#[test]
fn a_state_of_version_1_goes_on_as_one_of_the_newest() {
    let folder = folder_of_v1();
    let mut store = open(folder.path(), MIGRATIONS).unwrap();
    let dated = Patch {
        date: Some("2026-06-09".parse().unwrap()),
        commit_ref: Some("abcdef".into()),
        ..patch(3, 8, 2, &[1])
    };
    let cursor = EventCursor {
        newest: Some(EventId(5)),
        recent: BTreeSet::from([EventId(5)]),
    };
    store
        .record_pull("t", &[dated], &[], &cursor, moment("2026-06-11T12:00:00Z"))
        .unwrap();
    let mut expected = snapshot_of_v1();
    expected.patches.insert(PatchId(1), patch(1, 7, 1, &[3]));
    expected.patches.insert(PatchId(2), patch(2, 7, 2, &[99]));
    expected.patches.get_mut(&PatchId(3)).unwrap().related.insert(PatchId(1));
    expected.patches.get_mut(&PatchId(3)).unwrap().commit_ref = Some("abcdef".into());
    expected.patches.get_mut(&PatchId(3)).unwrap().date = Some("2026-06-09".parse().unwrap());
    assert_eq!(stored(&store), expected);
    save(&mut store, &snapshot_of_v1()).unwrap();
    assert_eq!(stored(&store), snapshot_of_v1());
}

#[test]
fn a_copy_of_an_older_state_is_kept_when_it_is_brought_up_to_date() {
    let folder = folder_of_v1();
    let before = content(folder.path());
    drop(open(folder.path(), MIGRATIONS).unwrap());
    assert_eq!(content(folder.path()).0 as usize, MIGRATIONS.len());
    let copy = folder.path().join("kinset.sqlite3.v1.bak");
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(content(folder_with_copy_from(folder.path()).path()), before);
}

#[test]
fn a_copy_that_was_cut_short_is_made_again() {
    let folder = folder_of_v1();
    let before = content(folder.path());
    fs::write(folder.path().join("kinset.sqlite3.v1.bak.partial"), "SQLite form").unwrap();
    drop(open(folder.path(), MIGRATIONS).unwrap());
    assert!(!folder.path().join("kinset.sqlite3.v1.bak.partial").exists());
    assert_eq!(content(folder_with_copy_from(folder.path()).path()), before);
}

#[test]
fn an_update_that_fails_leaves_the_state_as_it_was() {
    let folder = folder_of_v1();
    let before = content(folder.path());
    let error = open(folder.path(), &TO_BROKEN_V2).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot bring the state file {}/kinset.sqlite3 up to date", folder.path().display())
    );
    assert!(error.remedy().unwrap().starts_with("the file is as it was"));
    assert_eq!(content(folder.path()), before);
    assert_eq!(stored(&open(folder.path(), MIGRATIONS).unwrap()), snapshot_of_v1());
}

#[test]
fn an_up_to_date_state_is_not_copied() {
    let folder = folder_up_to_date();
    open(folder.path(), MIGRATIONS).unwrap();
    let copies = fs::read_dir(folder.path()).unwrap();
    let copies = copies.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".bak"));
    assert_eq!(copies.count(), 0);
}

#[test]
fn an_older_state_is_not_read_without_being_brought_up_to_date() {
    let folder = folder_of_v1();
    let error = opening(MIGRATIONS).open_read_only(folder.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the state file {}/kinset.sqlite3 is of version 1, and must be brought up to version {} before it can be read",
            folder.path().display(),
            MIGRATIONS.len()
        )
    );
    assert!(error.remedy().unwrap().starts_with("run `kinset pull` once"));
}

#[test]
fn a_state_that_another_program_has_locked_says_so() {
    let folder = folder_up_to_date();
    let mut store = open(folder.path(), MIGRATIONS).unwrap();
    let other = Connection::open(folder.path().join("kinset.sqlite3")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = save(&mut store, &Snapshot::default()).unwrap_err();
    let file = format!("{}/kinset.sqlite3", folder.path().display());
    assert_eq!(error.to_string(), format!("the state file {file} is locked by another program"));
    assert_eq!(
        error.remedy().unwrap(),
        format!("close the program that has {file} open (`fuser {file}` names it), and run the command again")
    );
    assert_eq!(stored(&store), snapshot_of_v1());
}

#[test]
fn a_state_that_another_program_keeps_to_itself_says_so_when_it_is_opened() {
    let folder = folder_up_to_date();
    let other = Connection::open(folder.path().join("kinset.sqlite3")).unwrap();
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
        .unwrap();
    assert!(matches!(open(folder.path(), MIGRATIONS).unwrap_err(), StoreError::Busy { .. }));
    assert!(matches!(
        opening(MIGRATIONS).open_read_only(folder.path()).unwrap_err(),
        StoreError::Busy { .. }
    ));
}

#[test]
fn what_is_written_outlasts_a_power_failure_and_keeps_its_references() {
    let folder = folder_up_to_date();
    let store = open(folder.path(), MIGRATIONS).unwrap();
    let pragma = |name: &str| {
        store.database.read(|connection| {
            Ok(
                connection.query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| {
                    row.get::<_, String>(0)
                })?,
            )
        })
    };
    assert_eq!(pragma("journal_mode").unwrap(), "wal");
    assert_eq!(pragma("synchronous").unwrap(), "2", "FULL");
    assert_eq!(pragma("foreign_keys").unwrap(), "1");
}

/// How many rows were inserted, updated or deleted by this.
fn rows_written(store: &mut Store, work: impl FnOnce(&mut Store)) -> u64 {
    let total = |store: &Store| {
        let count = |connection: &Connection| connection.query_row("SELECT total_changes()", [], |row| row.get::<_, u64>(0));
        store.database.read(|connection| Ok(count(connection)?)).unwrap()
    };
    let before = total(store);
    work(store);
    total(store) - before
}

#[test]
fn a_snapshot_is_saved_by_what_differs() {
    let folder = folder_up_to_date();
    let mut store = open(folder.path(), MIGRATIONS).unwrap();
    let old = snapshot_of_v1();
    let written = |store: &mut Store, snapshot: &Snapshot| rows_written(store, |store| save(store, snapshot).unwrap());
    assert_eq!(written(&mut store, &old), 1, "only that there was a read");

    let mut new = old.clone();
    new.patches.insert(PatchId(4), patch(4, 7, 4, &[]));
    assert_eq!(written(&mut store, &new), 1 + 1);
    new.patches.insert(PatchId(3), patch(3, 8, 2, &[4]));
    new.patches.insert(PatchId(4), patch(4, 7, 4, &[3]));
    assert_eq!(written(&mut store, &new), 1 + 2, "one new relation of two");
    assert_eq!(written(&mut store, &old), 1 + 3);
    assert_eq!(stored(&store), old);
}

#[test]
fn a_daemon_begins_on_an_older_state_and_what_was_written_before_is_not_its_own() {
    let folder = folder_of_v1();
    let mut store = open(folder.path(), MIGRATIONS).unwrap();
    assert_eq!(store.daemon_runs(None, 10).unwrap(), []);
    assert_eq!(store.daemon_jobs().unwrap(), []);
    let job = Job::of_tracker("t", JobKind::Sync);
    let run = store.begin_daemon_run(&job, moment("2026-06-11T12:00:00Z")).unwrap();
    let end = DaemonEnd {
        outcome: DaemonOutcome::NothingToDo,
        message: None,
        remedy: None,
        guards: "[]".to_owned(),
        changes: 0,
    };
    let ended = store.end_daemon_run(run, &end, moment("2026-06-11T12:01:00Z"), 10).unwrap();
    assert_eq!((ended.journal_run, ended.clears, ended.drift), (None, 0, None));
}

#[test]
fn a_state_of_version_7_tells_the_same_of_packages_when_it_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let operations: Vec<Operation> = serde_json::from_str(
        r#"[{"op":"create-distribution","distribution":"fedora","sharing":"copy-on-write","versions":"rpm"},
            {"op":"add-packages","distribution":"fedora","packages":["bash","dash"]},
            {"op":"create-series","in":"fedora/f42","version":"42","status":"development","owner":"@releng"},
            {"op":"add-listing","in":"fedora/f42","package":"bash","owner":"ann","status":"approved"},
            {"op":"change-listing","in":"fedora/f42","package":"bash","owner":"bob","status":"approved"}]"#,
    )
    .unwrap();
    let hand = Hand {
        actor: "ann".to_owned(),
        at: moment("2026-06-10T12:00:00Z"),
        force: Force::Not,
    };
    let of_bash = LogFilter {
        name: Some("bash".to_owned()),
        ..LogFilter::default()
    };
    let log = |store: &Store| store.ask(None, |view| view.log(&of_bash)).unwrap();
    let mut store = open(folder.path(), &MIGRATIONS[..7]).unwrap();
    store.perform(&hand, &operations).unwrap();
    let before = log(&store);
    assert_eq!(before.len(), 2);
    drop(store);
    assert_eq!(log(&open(folder.path(), MIGRATIONS).unwrap()), before);
}
