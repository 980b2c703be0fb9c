//! What depends on the list of migrations, or on how long a lock is waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite_migration::M;
use tempfile::TempDir;

use super::database::Opening;
use super::schema::MIGRATIONS;
use super::{Store, StoreError};
use crate::model::{MessageId, Patch, PatchId, Project, ProjectId, ProjectName, Snapshot, UserName};
use crate::remedy::Remedy;

const V1: &str = include_str!("schema/v1.sql");
static TO_V2: [M<'static>; 2] = [M::up(V1), M::up("ALTER TABLE snapshot ADD COLUMN note TEXT DEFAULT 'new'")];
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

fn pair() -> Snapshot {
    let project = ProjectId(7);
    let patch = |id: u64, other: u64| Patch {
        id: PatchId(id),
        project,
        message_id: MessageId::parse(&format!("<{id}@example.org>")).unwrap(),
        date: None,
        commit_ref: None,
        related: BTreeSet::from([PatchId(other)]),
    };
    Snapshot {
        projects: BTreeMap::from([(
            project,
            Project {
                id: project,
                name: ProjectName("alpha".into()),
                maintainers: BTreeSet::from([UserName("bot".into())]),
            },
        )]),
        patches: BTreeMap::from([(PatchId(1), patch(1, 2)), (PatchId(2), patch(2, 1))]),
    }
}

/// A folder with a state of version 1 that holds [`pair`].
fn folder_with_pair() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), MIGRATIONS).unwrap();
    store
        .save_snapshot("t", "https://example.org/", &pair(), "2026-06-10T12:00:00Z".parse().unwrap())
        .unwrap();
    folder
}

fn stored_pair(store: &Store) -> Snapshot {
    store.snapshot("t").unwrap().unwrap().snapshot
}

/// A folder in which the copy that an update keeps is the state.
fn folder_with_copy_from(folder: &Path) -> TempDir {
    let other = tempfile::tempdir().unwrap();
    fs::copy(folder.join("kinset.sqlite3.v1.bak"), other.path().join("kinset.sqlite3")).unwrap();
    other
}

#[test]
fn an_older_state_is_brought_up_to_date_and_a_copy_of_it_kept() {
    let folder = folder_with_pair();
    let store = open(folder.path(), &TO_V2).unwrap();
    assert_eq!(stored_pair(&store), pair());
    drop(store);
    let connection = Connection::open(folder.path().join("kinset.sqlite3")).unwrap();
    assert_eq!(
        connection
            .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
            .unwrap(),
        2
    );
    assert_eq!(
        connection
            .query_row("SELECT note FROM snapshot", [], |row| row.get::<_, String>(0))
            .unwrap(),
        "new"
    );
    assert_eq!(
        fs::metadata(folder.path().join("kinset.sqlite3.v1.bak"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let copy = folder_with_copy_from(folder.path());
    assert_eq!(stored_pair(&open(copy.path(), MIGRATIONS).unwrap()), pair());
}

#[test]
fn a_copy_that_was_cut_short_is_made_again() {
    let folder = folder_with_pair();
    fs::write(folder.path().join("kinset.sqlite3.v1.bak.partial"), "SQLite form").unwrap();
    open(folder.path(), &TO_V2).unwrap();
    assert!(!folder.path().join("kinset.sqlite3.v1.bak.partial").exists());
    let copy = folder_with_copy_from(folder.path());
    assert_eq!(stored_pair(&open(copy.path(), MIGRATIONS).unwrap()), pair());
}

#[test]
fn an_update_that_fails_leaves_the_state_as_it_was() {
    let folder = folder_with_pair();
    let error = open(folder.path(), &TO_BROKEN_V2).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot bring the state file {}/kinset.sqlite3 up to date", folder.path().display())
    );
    assert!(error.remedy().unwrap().starts_with("the file is as it was"));
    assert_eq!(stored_pair(&open(folder.path(), MIGRATIONS).unwrap()), pair());
}

#[test]
fn an_up_to_date_state_is_not_copied() {
    let folder = folder_with_pair();
    open(folder.path(), MIGRATIONS).unwrap();
    assert!(!folder.path().join("kinset.sqlite3.v1.bak").exists());
}

#[test]
fn an_older_state_is_not_read_without_being_brought_up_to_date() {
    let folder = folder_with_pair();
    let error = opening(&TO_V2).open_read_only(folder.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the state file {}/kinset.sqlite3 is of version 1, and must be brought up to version 2 before it can be read",
            folder.path().display()
        )
    );
    assert!(error.remedy().unwrap().starts_with("run `kinset pull` once"));
}

#[test]
fn a_state_that_another_program_has_locked_says_so() {
    let folder = folder_with_pair();
    let mut store = open(folder.path(), MIGRATIONS).unwrap();
    let other = Connection::open(folder.path().join("kinset.sqlite3")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store
        .save_snapshot("t", "https://example.org/", &pair(), "2026-06-10T12:00:00Z".parse().unwrap())
        .unwrap_err();
    let file = format!("{}/kinset.sqlite3", folder.path().display());
    assert_eq!(error.to_string(), format!("the state file {file} is locked by another program"));
    assert_eq!(
        error.remedy().unwrap(),
        format!("close the program that has {file} open (`fuser {file}` names it), and run the command again")
    );
    assert_eq!(stored_pair(&store), pair());
}

#[test]
fn a_state_that_another_program_keeps_to_itself_says_so_when_it_is_opened() {
    let folder = folder_with_pair();
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
    let folder = folder_with_pair();
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
