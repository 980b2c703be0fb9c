//! Which mails were exported, of patches at each of a tracker's addresses.

use rusqlite::params;

use super::error::StoreError;
use super::trackers::{address_number, pulled_from, pulled_tracker_number};
use super::{Store, patches};
use crate::model::{MessageId, PatchId};

/// A patch whose mail was not exported, of the tracker with the number `?1`.
const UNEXPORTED: &str = "FROM patch JOIN snapshot ON snapshot.tracker = patch.tracker WHERE patch.tracker = ?1 AND NOT EXISTS (
    SELECT 1 FROM exported_mail JOIN address ON address.id = exported_mail.address
    WHERE address.tracker = patch.tracker AND address.url = snapshot.url
        AND exported_mail.patch = patch.id AND exported_mail.message_id = patch.message_id)";

/// Enters the mails of patches of the tracker with the number `?1`, at the address with the number `?2`.
const ENTER: &str = "INSERT INTO exported_mail (address, patch, message_id) SELECT ?2, id, message_id FROM patch WHERE tracker = ?1";

impl Store {
    /// The patches whose mails were not [exported](Self::mark_exported) yet, those with the lowest numbers, by number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unexported(&self, tracker: &str, limit: u32) -> Result<Vec<(PatchId, MessageId)>, StoreError> {
        self.database.read(|connection| {
            let Some(tracker) = pulled_tracker_number(connection, tracker)? else {
                return Ok(Vec::new());
            };
            let mut select = connection.prepare_cached(&format!("SELECT patch.id, message_id {UNEXPORTED} ORDER BY patch.id LIMIT ?2"))?;
            let mails = select.query_map(params![tracker, limit], |row| {
                Ok((PatchId(row.get(0)?), patches::message_id(row, 1)?))
            })?;
            Ok(mails.collect::<Result<_, _>>()?)
        })
    }

    /// How many patches there are whose mails were not exported yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_unexported(&self, tracker: &str) -> Result<usize, StoreError> {
        self.database.read(|connection| {
            let Some(tracker) = pulled_tracker_number(connection, tracker)? else {
                return Ok(0);
            };
            let mut select = connection.prepare_cached(&format!("SELECT count(*) {UNEXPORTED}"))?;
            Ok(select.query_row([tracker], |row| row.get(0))?)
        })
    }

    /// Lets the mails of all patches that are known count as exported, and tells how many did not until now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn mark_all_exported(&mut self, tracker: &str) -> Result<usize, StoreError> {
        self.database.write(|transaction| {
            let Some((tracker, url)) = pulled_from(transaction, tracker)? else {
                return Ok(0);
            };
            let address = address_number(transaction, tracker, &url)?;
            let mut insert = transaction.prepare_cached(&format!("{ENTER} ON CONFLICT DO NOTHING"))?;
            Ok(insert.execute([tracker, address])?)
        })
    }

    /// Enters that the mails of these patches were exported. Patches that are not known are passed over.
    ///
    /// It holds for the mail that the patch has now, at the tracker's address of now, and also where the patch is gone for a while.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn mark_exported(&mut self, tracker: &str, patches: &[PatchId]) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let Some((tracker, url)) = pulled_from(transaction, tracker)? else {
                return Ok(());
            };
            let address = address_number(transaction, tracker, &url)?;
            let mut insert = transaction.prepare_cached(&format!("{ENTER} AND id = ?3 ON CONFLICT DO NOTHING"))?;
            for patch in patches {
                insert.execute(params![tracker, address, patch.0])?;
            }
            Ok(())
        })
    }
}
