//! What was last read of each tracker, in full.
//!
//! Relations are kept as classes, each once, and not as every patch tells them: a snapshot in which two patches tell different tales has no
//! such form and is refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::classes::{Class, RELATIONS};
use super::error::{Inconsistency, StoreError};
use super::trackers::tracker_number;
use super::{Store, cursor, patches, projects, sweep};
use crate::model::{EventCursor, Patch, PatchId, Snapshot};

/// A snapshot, and where and when it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// What was read.
    pub snapshot: Snapshot,
    /// The address that it was read from. Where the configuration now names another, the snapshot says nothing about that one.
    pub url: String,
    /// When the last full read ended.
    pub pulled_at: Timestamp,
    /// When what the tracker's events told of was last taken in, before or after that.
    pub events_at: Option<Timestamp>,
    /// When single patches were last read anew since.
    pub refreshed_at: Option<Timestamp>,
}

impl StoredSnapshot {
    /// When the tracker was last read, whole or by its events.
    #[must_use]
    pub fn read_at(&self) -> Timestamp {
        self.events_at.map_or(self.pulled_at, |events_at| events_at.max(self.pulled_at))
    }
}

/// What a full read tells besides what it read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// How far the tracker's events are covered by it; `None` where the tracker has none to tell.
    pub cursor: Option<EventCursor>,
    /// How many patches it found changed that no event had told of; `None` where that cannot be known.
    pub missed_by_events: Option<u64>,
}

impl Store {
    /// Keeps what a full read of a tracker saw, in place of everything that was known of it. All or nothing is stored.
    ///
    /// Only what differs is written. What is known of the tracker at another address is forgotten. A full read that was
    /// [begun](Self::begin_sweep) is over by this.
    ///
    /// # Errors
    /// When the snapshot contradicts itself, or the database cannot be written.
    pub fn save_snapshot(
        &mut self,
        tracker: &str,
        url: &str,
        snapshot: &Snapshot,
        sweep: &Sweep,
        pulled_at: Timestamp,
    ) -> Result<(), StoreError> {
        let relations = relations_of(snapshot).map_err(|source| StoreError::Inconsistent {
            tracker: tracker.to_owned(),
            source,
        })?;
        self.database.write(|transaction| {
            let tracker = tracker_number(transaction, tracker)?;
            forget_other_address(transaction, tracker, url)?;
            upsert_snapshot(transaction, tracker, url, sweep, pulled_at)?;
            let gone = projects::replace(transaction, tracker, &snapshot.projects)?;
            patches::replace(transaction, tracker, &snapshot.patches)?;
            // A project can go only when its patches are gone.
            projects::delete(transaction, tracker, &gone)?;
            RELATIONS.replace(transaction, tracker, relations)?;
            sweep::drop_staged(transaction, tracker)?;
            Ok(())
        })
    }

    /// What was last read of a tracker, or `None` when nothing ever was. It equals what was saved, but for later
    /// [reads](Self::record_reads) and [pulls](Self::record_pull).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn snapshot(&self, tracker: &str) -> Result<Option<StoredSnapshot>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id, url, pulled_at, events_at, refreshed_at FROM snapshot JOIN tracker ON tracker.id = snapshot.tracker WHERE name = ?1",
            )?;
            let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
            let Some((tracker, url, pulled_at, events_at, refreshed_at)) = select.query_row([tracker], row).optional()? else {
                return Ok(None);
            };
            Ok(Some(StoredSnapshot {
                snapshot: load(connection, tracker)?,
                url,
                pulled_at,
                events_at,
                refreshed_at,
            }))
        })
    }
}

fn load(connection: &Connection, tracker: i64) -> rusqlite::Result<Snapshot> {
    let mut patches = patches::load(connection, tracker)?;
    for members in RELATIONS.load(connection, tracker)? {
        for member in &members {
            if let Some(patch) = patches.get_mut(member) {
                patch.related.clone_from(&members);
                patch.related.remove(member);
            }
        }
    }
    Ok(Snapshot {
        projects: projects::load(connection, tracker)?,
        patches,
    })
}

fn forget_other_address(transaction: &Transaction<'_>, tracker: i64, url: &str) -> rusqlite::Result<()> {
    let elsewhere = "SELECT 1 FROM snapshot WHERE tracker = ?1 AND url <> ?2";
    if transaction.prepare_cached(elsewhere)?.exists(params![tracker, url])? {
        for table in ["relation_member", "patch", "maintainer", "project", "snapshot"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE tracker = ?1"), [tracker])?;
        }
    }
    Ok(())
}

fn upsert_snapshot(transaction: &Transaction<'_>, tracker: i64, url: &str, sweep: &Sweep, pulled_at: Timestamp) -> rusqlite::Result<()> {
    let Sweep { cursor, missed_by_events } = sweep;
    let (newest, recent) = cursor::columns(cursor.as_ref());
    transaction
        .prepare_cached(
            "INSERT INTO snapshot (tracker, url, pulled_at, newest_event, recent_events, missed_by_events)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET pulled_at = excluded.pulled_at, refreshed_at = NULL, newest_event = excluded.newest_event,
                 recent_events = excluded.recent_events, missed_by_events = excluded.missed_by_events",
        )?
        .execute(params![tracker, url, pulled_at, newest, recent, missed_by_events])?;
    Ok(())
}

/// The relation that a patch tells of, itself included.
pub(super) fn class_of(patch: &Patch) -> Class {
    let mut class = patch.related.clone();
    class.insert(patch.id);
    class
}

/// The relations that the patches of a snapshot tell of, each once.
fn relations_of(snapshot: &Snapshot) -> Result<BTreeSet<Class>, Inconsistency> {
    let mut relations = BTreeSet::new();
    // For each patch that is related and was not read, who told of it.
    let mut unread: BTreeMap<PatchId, PatchId> = BTreeMap::new();
    for patch in snapshot.patches.values() {
        if !snapshot.projects.contains_key(&patch.project) {
            return Err(Inconsistency::StrayPatch {
                patch: patch.id,
                project: patch.project,
            });
        }
        let mut read = patch.related.iter().filter_map(|member| snapshot.patches.get(member));
        match read.next() {
            // The first that was read tells for all; what it does not tell of is another tale.
            Some(first) if first.id < patch.id && first.related.contains(&patch.id) => continue,
            Some(first) if first.id < patch.id => return Err(torn(first.id, patch.id)),
            None if patch.related.is_empty() => continue,
            _ => {}
        }
        let class = class_of(patch);
        for member in &patch.related {
            match snapshot.patches.get(member) {
                Some(other) if class_of(other) != class => return Err(torn(patch.id, other.id)),
                Some(_) => {}
                None => {
                    if let Some(first) = unread.insert(*member, patch.id) {
                        return Err(torn(first, patch.id));
                    }
                }
            }
        }
        relations.insert(class);
    }
    Ok(relations)
}

const fn torn(patch: PatchId, other: PatchId) -> Inconsistency {
    Inconsistency::Torn { patch, other }
}
