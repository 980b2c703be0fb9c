//! States as an older kinset left them.

use std::path::Path;

use rusqlite::Connection;

/// Takes from a state what its last versions added.
pub(crate) fn put_back_to_version_8(state_dir: &Path) {
    let database = Connection::open(state_dir.join("kinset.sqlite3")).unwrap();
    database
        .execute_batch(
            "DROP TABLE exported_mail; ALTER TABLE patch ADD COLUMN exported INTEGER NOT NULL DEFAULT 0 CHECK (exported IN (0, 1));
             DROP TABLE daemon_run; DROP TABLE daemon_job; DROP TABLE waiting_plan; PRAGMA user_version = 8",
        )
        .unwrap();
}
