//! States of older versions.

use rusqlite::Connection;

use super::{file, overwrite, pages_of, repaired, state};

#[test]
fn in_an_older_state_damage_in_the_patches_costs_what_is_known_of_their_mails() {
    let folder = state();
    let older = Connection::open(file(folder.path())).unwrap();
    older
        .execute_batch(
            "DROP TABLE exported_mail; ALTER TABLE patch ADD COLUMN exported INTEGER NOT NULL DEFAULT 0 CHECK (exported IN (0, 1));
             UPDATE patch SET exported = id % 2; PRAGMA user_version = 9; PRAGMA wal_checkpoint(TRUNCATE)",
        )
        .unwrap();
    older.close().unwrap();
    overwrite(folder.path(), pages_of(folder.path(), "patch")[1], b"\xa5");
    let report = repaired(folder.path());
    assert_eq!((report.version, report.losses().count()), (9, 0));
    assert!(report.export_marks_lost > 300 && report.loses(), "{}", report.export_marks_lost);
    // Nobody knows of those on the page that is gone.
    assert_eq!(report.patches_unread, None);
}
