//! States of older versions.

use std::collections::BTreeSet;
use std::fs;

use rusqlite::Connection;
use tempfile::TempDir;

use super::told::holding;
use super::{assert_honest, file, overwrite, pages_of, repaired, rows, state};
use crate::store::Store;

/// A state of version 9, with pages that became free.
fn older_state() -> TempDir {
    let folder = state();
    let older = Connection::open(file(folder.path())).unwrap();
    older
        .execute_batch(
            "DROP TABLE exported_mail; ALTER TABLE patch ADD COLUMN exported INTEGER NOT NULL DEFAULT 0 CHECK (exported IN (0, 1));
             UPDATE patch SET exported = id % 2; PRAGMA user_version = 9; PRAGMA wal_checkpoint(TRUNCATE)",
        )
        .unwrap();
    older.close().unwrap();
    folder
}

#[test]
fn in_an_older_state_damage_in_the_patches_costs_what_is_known_of_their_mails() {
    let folder = older_state();
    overwrite(folder.path(), pages_of(folder.path(), "patch")[1], b"\xa5");
    let report = repaired(folder.path());
    assert_eq!((report.version, report.losses().count()), (9, 0));
    assert!(report.export_marks_lost > 300 && report.loses(), "{}", report.export_marks_lost);
    // Nobody knows of those on the page that is gone.
    assert_eq!(report.patches_unread, None);
}

/// Tables that came with a later version stand where there was room, and not in the order in which they were made.
#[test]
fn in_a_state_that_was_brought_up_to_date_no_table_is_taken_for_another() {
    let folder = older_state();
    drop(Store::open(folder.path()).unwrap());
    let connection = Connection::open(file(folder.path())).unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    connection.close().unwrap();
    let before = rows(&file(folder.path()));
    let bytes = fs::read(file(folder.path())).unwrap();
    for page in pages_of(folder.path(), "sqlite_schema") {
        let folder = holding(&bytes);
        overwrite(folder.path(), page, b"\0");
        let report = repaired(folder.path());
        let after = rows(&file(folder.path()));
        assert_honest(&report, &before, &after);
        let [kept, all] = [&after, &before].map(|rows| rows.values().map(BTreeSet::len).sum::<usize>());
        assert!(kept * 2 > all, "page {page}: {kept} of {all}");
    }
}
