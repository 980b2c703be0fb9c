//! What single patches and projects turned out to be since the last full read.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::classes::{Class, RELATIONS};
use super::error::StoreError;
use super::snapshot::class_of;
use super::trackers::{never_pulled, pulled_tracker_number};
use super::{Store, cursor, patches, projects};
use crate::model::{EventCursor, Patch, PatchId, Project};

impl Store {
    /// Takes in what single patches turned out to be when they were read anew, in this order.
    ///
    /// Each row speaks for all patches that it names: they form one relation, and leave those that they were in. `absent` are patches that the
    /// tracker no longer has. A relation of which one member is left is none. Rows of projects that are not in the snapshot count for their
    /// relation only, and a patch that was moved to such a project is not known any more.
    ///
    /// # Errors
    /// When the tracker was never pulled, or the database cannot be written.
    pub fn record_reads(&mut self, tracker: &str, fresh: &[Patch], absent: &[PatchId], read_at: Timestamp) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let tracker = pulled_tracker_number(transaction, tracker)?.ok_or_else(|| never_pulled(tracker))?;
            take_in(transaction, tracker, fresh, absent)?;
            transaction
                .prepare_cached("UPDATE snapshot SET refreshed_at = ?2 WHERE tracker = ?1")?
                .execute(params![tracker, read_at])?;
            Ok(())
        })
    }

    /// Takes in who maintains projects, as their own addresses tell. Projects that are not in the snapshot are passed over.
    ///
    /// # Errors
    /// When the tracker was never pulled, or the database cannot be written.
    pub fn record_maintainers<'a>(&mut self, tracker: &str, fresh: impl IntoIterator<Item = &'a Project>) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let tracker = pulled_tracker_number(transaction, tracker)?.ok_or_else(|| never_pulled(tracker))?;
            let known = projects::load(transaction, tracker)?;
            for project in fresh.into_iter().filter(|project| known.contains_key(&project.id)) {
                projects::upsert(transaction, tracker, project)?;
            }
            Ok(())
        })
    }

    /// Takes in what an incremental pull found, as [`Self::record_reads`] does, and how far it read the tracker's events. Both or neither are
    /// stored.
    ///
    /// A patch of which only its arrival is known is a row like any other, with nobody related: such rows belong before all that were read
    /// later, as those may tell of its relation.
    ///
    /// # Errors
    /// When the tracker was never pulled, or the database cannot be written.
    pub fn record_pull(
        &mut self,
        tracker: &str,
        fresh: &[Patch],
        absent: &[PatchId],
        cursor: &EventCursor,
        pulled_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let tracker = pulled_tracker_number(transaction, tracker)?.ok_or_else(|| never_pulled(tracker))?;
            take_in(transaction, tracker, fresh, absent)?;
            let (newest, recent) = cursor::columns(Some(cursor));
            transaction
                .prepare_cached(
                    "UPDATE snapshot SET refreshed_at = ?2, events_at = ?2, newest_event = ?3, recent_events = ?4 WHERE tracker = ?1",
                )?
                .execute(params![tracker, pulled_at, newest, recent])?;
            Ok(())
        })
    }
}

fn take_in(transaction: &Transaction<'_>, tracker: i64, fresh: &[Patch], absent: &[PatchId]) -> rusqlite::Result<()> {
    let projects = projects::load(transaction, tracker)?;
    for patch in fresh {
        if projects.contains_key(&patch.project) {
            patches::upsert(transaction, tracker, patch)?;
        } else {
            patches::delete(transaction, tracker, patch.id)?;
        }
        RELATIONS.regroup(transaction, tracker, &class_of(patch))?;
    }
    for patch in absent {
        RELATIONS.regroup(transaction, tracker, &Class::from([*patch]))?;
        patches::delete(transaction, tracker, *patch)?;
    }
    Ok(())
}
