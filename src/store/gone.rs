//! Patches that the tracker no longer has, as far as their history can be asked for.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Store;
use super::error::StoreError;
use super::patches;
use crate::model::{MessageId, PatchId};

impl Store {
    /// The patches of a tracker that a mail brought, ascending: those that the last pull saw, and those that are gone from this address since
    /// they were seen in a relation.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn patches_of_mail(&self, tracker: &str, url: &str, message_id: &MessageId) -> Result<Vec<PatchId>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT patch.id FROM patch JOIN tracker ON tracker.id = patch.tracker WHERE name = ?1 AND message_id = ?3
                 UNION SELECT patch FROM gone_patch JOIN address ON address.id = gone_patch.address
                     JOIN tracker ON tracker.id = address.tracker WHERE name = ?1 AND url = ?2 AND message_id = ?3
                 ORDER BY 1",
            )?;
            let patches = select.query_map(params![tracker, url, message_id.as_str()], |row| Ok(PatchId(row.get(0)?)))?;
            Ok(patches.collect::<Result<_, _>>()?)
        })
    }

    /// The mail that brought a patch which is gone from this address since it was seen in a relation.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn mail_of_gone(&self, tracker: &str, url: &str, patch: PatchId) -> Result<Option<MessageId>, StoreError> {
        self.database.read(|connection| Ok(mail(connection, tracker, url, patch)?))
    }
}

fn mail(connection: &Connection, tracker: &str, url: &str, patch: PatchId) -> rusqlite::Result<Option<MessageId>> {
    connection
        .prepare_cached(
            "SELECT message_id FROM gone_patch JOIN address ON address.id = gone_patch.address
             JOIN tracker ON tracker.id = address.tracker WHERE name = ?1 AND url = ?2 AND patch = ?3",
        )?
        .query_row(params![tracker, url, patch.0], |row| patches::message_id(row, 0))
        .optional()
}

/// Keeps the mail of a patch that is about to be deleted, if there is a history that it leads to.
pub(super) fn keep_mail(transaction: &Transaction<'_>, tracker: i64, patch: PatchId) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO gone_patch (address, patch, message_id)
             SELECT address.id, patch.id, message_id
             FROM patch JOIN snapshot ON snapshot.tracker = patch.tracker
             JOIN address ON address.tracker = patch.tracker AND address.url = snapshot.url
             WHERE patch.tracker = ?1 AND patch.id = ?2 AND EXISTS (
                 SELECT 1 FROM sighting_patch JOIN sighting ON sighting.id = sighting_patch.sighting
                 WHERE sighting_patch.patch = ?2 AND sighting.address = address.id)
             ON CONFLICT DO UPDATE SET message_id = excluded.message_id",
        )?
        .execute(params![tracker, patch.0])?;
    Ok(())
}
