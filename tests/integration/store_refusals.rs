//! States that kinset does not work on: what it says, and that it leaves them alone.

use std::error::Error as _;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use kinset::remedy::Remedy;
use kinset::store::{Damage, Holder, Store, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

use super::store::{at, loaded, save, snapshot};

fn database(folder: &Path) -> PathBuf {
    folder.join("kinset.sqlite3")
}

/// A folder with a state that was closed well, and holds more pages than the few that every opening reads.
fn folder_with_state() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    save(&mut store, "t", &snapshot((1..8000).map(|id| (id, &[][..]))), 0).unwrap();
    folder
}

/// A folder in which this is in the place of the database.
fn folder_with_file(bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(database(folder.path()), bytes).unwrap();
    folder
}

/// The error, its remedy, both with the folder's name as `DIR`; and whoever opens the state gets the same.
fn refusal(folder: &Path) -> (String, String) {
    let name = folder.to_str().unwrap();
    let told = |error: StoreError| (error.to_string().replace(name, "DIR"), error.remedy().unwrap().replace(name, "DIR"));
    let writing = told(Store::open(folder).unwrap_err());
    assert_eq!(told(Store::open_read_only(folder).unwrap_err()), writing);
    writing
}

/// Overwrites most of a database, but not the pages at its beginning that say what it is.
fn damage(folder: &Path) {
    let mut file = File::options().write(true).open(database(folder)).unwrap();
    let length = file.metadata().unwrap().len();
    // The tables are described at the beginning, and what was stored last is at the end.
    let spared = length / 4096 * 3 / 4 * 4096;
    assert!(length - spared >= 8 * 4096, "{length}");
    file.seek(SeekFrom::Start(spared)).unwrap();
    file.write_all(&vec![0xa5; (length - spared).try_into().unwrap()]).unwrap();
}

const MEND: &str = "`kinset state check` tells what is damaged, and `kinset state repair` shows what can be saved, and builds the state anew of \
                    that when it is told to; the damaged file is kept";

const NO_DATABASE: &str = "if it was kinset's, `kinset state repair` shows what is left in it; else move DIR/kinset.sqlite3 away, or set another \
                           folder with `state_dir` in the configuration, and run `kinset pull`; kinset leaves the file alone";

const LEFT_ALONE: &str = "kinset leaves the file alone; move DIR/kinset.sqlite3 away, or set another folder with `state_dir` in the \
                          configuration, and run `kinset pull`";

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    for bytes in [&b"hello"[..], &b"state_dir = \"/var/lib/kinset\"\n".repeat(400), &[0xff; 70_000]] {
        let folder = folder_with_file(bytes);
        let expected = (
            "the state file DIR/kinset.sqlite3 is not a database".to_owned(),
            NO_DATABASE.to_owned(),
        );
        assert_eq!(refusal(folder.path()), expected);
        assert_eq!(fs::read(database(folder.path())).unwrap(), bytes);
    }
}

#[test]
fn a_database_of_another_program_is_named_and_left_alone() {
    for sql in [
        "PRAGMA application_id = 252006674",
        "CREATE TABLE cookies (id INTEGER)",
        "PRAGMA user_version = 3",
    ] {
        let folder = tempfile::tempdir().unwrap();
        Connection::open(database(folder.path())).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(database(folder.path())).unwrap();
        let (message, remedy) = refusal(folder.path());
        let application_id = if sql.contains("application_id") { "0xf055112" } else { "0x0" };
        assert_eq!(
            message,
            format!("the state file DIR/kinset.sqlite3 is a database of another program (application id {application_id})")
        );
        assert_eq!(remedy, LEFT_ALONE);
        assert_eq!(fs::read(database(folder.path())).unwrap(), before);
    }
}

#[test]
fn a_state_of_a_newer_kinset_is_not_touched() {
    let folder = folder_with_state();
    Connection::open(database(folder.path()))
        .unwrap()
        .execute_batch("PRAGMA user_version = 11")
        .unwrap();
    let before = fs::read(database(folder.path())).unwrap();
    assert_eq!(
        refusal(folder.path()),
        (
            "the state file DIR/kinset.sqlite3 is of version 11, and this kinset knows versions up to 10".to_owned(),
            "use the newer kinset that wrote it; the file was not touched".to_owned()
        )
    );
    assert_eq!(fs::read(database(folder.path())).unwrap(), before);
}

#[test]
fn a_state_that_was_cut_short_is_named_as_damaged() {
    let folder = folder_with_state();
    File::options()
        .write(true)
        .open(database(folder.path()))
        .unwrap()
        .set_len(3 * 4096)
        .unwrap();
    assert_eq!(
        refusal(folder.path()),
        ("the state file DIR/kinset.sqlite3 is damaged".to_owned(), MEND.to_owned())
    );
}

#[test]
fn damage_that_shows_only_later_is_told_by_the_statement_that_comes_upon_it() {
    let folder = folder_with_state();
    damage(folder.path());
    let store = Store::open(folder.path()).unwrap();
    let error = store.snapshot("t").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the state file {} is damaged", database(folder.path()).display())
    );
    assert_eq!(error.remedy().unwrap().replace(folder.path().to_str().unwrap(), "DIR"), MEND);
    assert!(error.source().is_some());
}

#[test]
fn after_an_unclean_end_damage_is_looked_for_when_the_state_is_opened() {
    let folder = folder_with_state();
    let mut store = Store::open(folder.path()).unwrap();
    store.journal().begin_run("t", at(1), "apply").unwrap();
    let left = tempfile::tempdir().unwrap();
    for file in ["kinset.sqlite3", "kinset.sqlite3-wal"] {
        fs::copy(folder.path().join(file), left.path().join(file)).unwrap();
    }
    damage(left.path());
    match Store::open(left.path()).unwrap_err() {
        StoreError::Corrupt {
            source: Damage::Checked(found),
            ..
        } => assert!(!found.is_empty()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_value_that_kinset_never_writes_is_damage() {
    for sql in [
        "UPDATE patch SET message_id = 'no brackets' WHERE id = 5",
        "UPDATE snapshot SET pulled_at = 'yesterday'",
        "UPDATE patch SET id = -5 WHERE id = 5",
    ] {
        let folder = folder_with_state();
        Connection::open(database(folder.path())).unwrap().execute_batch(sql).unwrap();
        let error = Store::open(folder.path()).unwrap().snapshot("t").unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{sql}: {error:?}");
    }
}

#[test]
fn an_empty_file_is_a_state_that_was_not_begun() {
    let folder = folder_with_file(b"");
    assert!(matches!(
        Store::open_read_only(folder.path()).unwrap_err(),
        StoreError::Absent { .. }
    ));
    assert_eq!(Store::open(folder.path()).unwrap().snapshot("t").unwrap(), None);
}

#[test]
fn reading_makes_no_state() {
    let folder = tempfile::tempdir().unwrap();
    let state_dir = folder.path().join("state");
    let error = Store::open_read_only(&state_dir).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("there is no state at {}/kinset.sqlite3 yet", state_dir.display())
    );
    assert_eq!(
        error.remedy().unwrap(),
        "run `kinset pull` first; the folder is set with `state_dir` in the configuration"
    );
    assert!(!state_dir.exists());
}

#[test]
fn a_state_that_cannot_be_looked_for_is_not_called_missing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open_read_only(&file).unwrap_err();
    let database = format!("{}/kinset.sqlite3", file.display());
    assert_eq!(error.to_string(), format!("cannot look for the state file {database}"));
    assert_eq!(
        error.remedy().unwrap(),
        format!("see to it that {database} and its folder can be read and written by this user, and that there is room")
    );
    assert!(error.source().is_some());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for state_dir in [file.clone(), file.join("state")] {
        let error = Store::open(&state_dir).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot make the state folder {}", state_dir.display()));
        let name = state_dir.display();
        let remedy = format!("make {name} a folder that this user may write to, or set another one with `state_dir` in the configuration");
        assert_eq!(error.remedy().unwrap(), remedy);
        assert!(error.source().is_some());
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    for name in ["kinset.lock", "kinset.sqlite3"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        fs::create_dir(&file).unwrap();
        let error = Store::open(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write the state file {}", file.display()));
        assert!(error.remedy().unwrap().starts_with("see to it that this user may write"));
        assert!(error.source().is_some());
    }
}

#[test]
fn who_finds_no_room_or_a_file_system_that_lets_nobody_write_is_told_that_and_nothing_of_rights() {
    let remedy = |kind: io::ErrorKind| {
        let error = StoreError::Unwritable {
            path: "/state/kinset.lock".into(),
            source: kind.into(),
        };
        error.remedy().unwrap()
    };
    for kind in [
        io::ErrorKind::StorageFull,
        io::ErrorKind::QuotaExceeded,
        io::ErrorKind::FileTooLarge,
    ] {
        assert_eq!(
            remedy(kind),
            "make room on the file system of /state/kinset.lock, or lift the limit on what this user may write, and run the command again; the daemon does so by itself"
        );
    }
    assert!(remedy(io::ErrorKind::ReadOnlyFilesystem).contains("mount -o remount,rw"));
    assert!(remedy(io::ErrorKind::PermissionDenied).contains("this user may write"));
}

#[test]
fn a_second_kinset_is_told_who_holds_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(folder.path()).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    let StoreError::InUse {
        holder: Holder::Process { pid, command, since: None },
        ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(*pid, std::process::id());
    assert!(command.starts_with("integration"), "{command}");
    assert_eq!(
        error.to_string(),
        format!("process {pid} ({command}) is at work on the state in {}", folder.path().display())
    );
    assert_eq!(
        error.remedy().unwrap(),
        format!(
            "wait until process {pid} ({command}) is done, or stop it: one kinset at a time works on a state; another state is set with \
             `state_dir`"
        )
    );
    drop(first);
    Store::open(folder.path()).unwrap();
}

#[test]
fn a_state_can_be_read_while_another_kinset_works_on_it() {
    let folder = folder_with_state();
    let mut writer = Store::open(folder.path()).unwrap();
    let reader = Store::open_read_only(folder.path()).unwrap();
    let new = snapshot([(1, &[2][..]), (2, &[1])]);
    save(&mut writer, "t", &new, 1).unwrap();
    assert_eq!(loaded(&reader), new);
}

#[test]
fn a_state_opened_for_reading_cannot_be_written() {
    let folder = folder_with_state();
    let mut store = Store::open_read_only(folder.path()).unwrap();
    let error = save(&mut store, "t", &snapshot([]), 1).unwrap_err();
    assert!(matches!(error, StoreError::Sqlite { .. }), "{error:?}");
}

#[test]
fn what_a_dead_process_left_in_the_lock_file_is_in_nobody_s_way() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("kinset.lock"),
        "4194304\nkinset apply --yes with a very long line\n",
    )
    .unwrap();
    let store = Store::open(folder.path()).unwrap();
    let note = fs::read_to_string(folder.path().join("kinset.lock")).unwrap();
    assert!(note.starts_with(&format!("{}\nintegration", std::process::id())), "{note}");
    assert_eq!(note.lines().count(), 2, "{note}");
    drop(store);
}

#[test]
fn a_holder_without_a_note_is_no_riddle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kinset.lock");
    for note in ["", "garbage\n", "-1"] {
        fs::write(&path, note).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        file.lock().unwrap();
        let error = Store::open(folder.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("another kinset is at work on the state in {}", folder.path().display())
        );
    }
}
