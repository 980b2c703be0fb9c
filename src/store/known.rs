//! Parts of what is known of a tracker, for those who do not need all of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};

use super::classes::RELATIONS;
use super::error::StoreError;
use super::trackers::pulled_tracker_number;
use super::{Store, cursor, patches, projects};
use crate::model::{EventCursor, Patch, PatchId, Project, ProjectId};

/// How and when a tracker was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullState {
    /// The address that it was read from.
    pub url: String,
    /// When the last full read ended.
    pub swept_at: Timestamp,
    /// When an incremental pull last ended, before or after that.
    pub events_at: Option<Timestamp>,
    /// When anything was last read anew since the full read.
    pub refreshed_at: Option<Timestamp>,
    /// How far its events were read; `None` where that is not known, or where it tells of none.
    pub cursor: Option<EventCursor>,
    /// How many patches the last full read found changed that no event had told of; `None` where that could not be known.
    pub missed_by_events: Option<u64>,
    /// How many patches it has.
    pub patches: u64,
    /// The projects that were read.
    pub projects: BTreeMap<ProjectId, Project>,
}

impl PullState {
    /// When the tracker was last read, whole or by its events.
    #[must_use]
    pub fn read_at(&self) -> Timestamp {
        self.events_at.map_or(self.swept_at, |events_at| events_at.max(self.swept_at))
    }
}

impl Store {
    /// How and when a tracker was last read, or `None` when it never was.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pull_state(&self, tracker: &str) -> Result<Option<PullState>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id, url, pulled_at, events_at, refreshed_at, newest_event, recent_events, missed_by_events,
                        (SELECT count(*) FROM patch WHERE patch.tracker = tracker.id)
                 FROM snapshot JOIN tracker ON tracker.id = snapshot.tracker WHERE name = ?1",
            )?;
            let state = |row: &Row<'_>| {
                Ok(PullState {
                    url: row.get(1)?,
                    swept_at: row.get(2)?,
                    events_at: row.get(3)?,
                    refreshed_at: row.get(4)?,
                    cursor: cursor::from_row(row, 5)?,
                    missed_by_events: row.get(7)?,
                    patches: row.get(8)?,
                    projects: projects::load(connection, row.get(0)?)?,
                })
            };
            Ok(select.query_row([tracker], state).optional()?)
        })
    }

    /// What is known of these patches, with their relations. Those that are not known are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn known(&self, tracker: &str, patches: &BTreeSet<PatchId>) -> Result<BTreeMap<PatchId, Patch>, StoreError> {
        self.database.read(|connection| {
            let Some(tracker) = pulled_tracker_number(connection, tracker)? else {
                return Ok(BTreeMap::new());
            };
            let mut known = BTreeMap::new();
            for &id in patches {
                if let Some(patch) = patches::find(connection, tracker, id)? {
                    let related = RELATIONS.companions(connection, tracker, id)?;
                    known.insert(id, Patch { related, ..patch });
                }
            }
            Ok(known)
        })
    }
}
