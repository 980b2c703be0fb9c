//! Trackers, as the database numbers them.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::error::StoreError;

/// A tracker's number in the database; it gets one when it has none.
pub(super) fn tracker_number(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached("INSERT INTO tracker (name) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([name])?;
    transaction
        .prepare_cached("SELECT id FROM tracker WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
}

/// The number of a tracker that there is a snapshot of.
pub(super) fn pulled_tracker_number(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    Ok(pulled_from(connection, name)?.map(|(tracker, _)| tracker))
}

/// The number of a tracker that there is a snapshot of, and the address that this is of.
pub(super) fn pulled_from(connection: &Connection, name: &str) -> rusqlite::Result<Option<(i64, String)>> {
    connection
        .prepare_cached("SELECT id, url FROM tracker JOIN snapshot ON snapshot.tracker = tracker.id WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// The number of one of a tracker's addresses; it gets one when it has none.
pub(super) fn address_number(transaction: &Transaction<'_>, tracker: i64, url: &str) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached("INSERT INTO address (tracker, url) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![tracker, url])?;
    transaction
        .prepare_cached("SELECT id FROM address WHERE tracker = ?1 AND url = ?2")?
        .query_row(params![tracker, url], |row| row.get(0))
}

/// What to say of a tracker that there is no snapshot of, where one is needed.
pub(super) fn never_pulled(name: &str) -> StoreError {
    StoreError::NeverPulled { tracker: name.to_owned() }
}
