//! A full read that did not come to its end, so that the next one can go on with it.
//!
//! What was read stays apart from what is known until the read has come to its end: half a tracker is no basis for anything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::database::unreadable;
use super::error::StoreError;
use super::trackers::tracker_number;
use super::{Store, cursor, patches};
use crate::model::{EventCursor, Patch, PatchId, ProjectId};

/// How far a full read got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedSweep {
    /// The address that it reads from.
    pub url: String,
    /// When it began.
    pub began_at: Timestamp,
    /// How far the tracker's events had been read when it began.
    pub cursor: Option<EventCursor>,
    /// The projects whose patches were all read.
    pub finished: BTreeSet<ProjectId>,
    /// For each project of which patches were read, finished or not, how many there are and which has the highest number.
    pub progress: BTreeMap<ProjectId, (u64, PatchId)>,
}

impl Store {
    /// Begins a full read of a tracker, and drops one that was begun before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin_sweep(&mut self, tracker: &str, url: &str, cursor: Option<&EventCursor>, began_at: Timestamp) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let tracker = tracker_number(transaction, tracker)?;
            drop_staged(transaction, tracker)?;
            let (newest, recent) = cursor::columns(cursor);
            transaction
                .prepare_cached("INSERT INTO sweep (tracker, url, began_at, newest_event, recent_events) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![tracker, url, began_at, newest, recent])?;
            Ok(())
        })
    }

    /// Keeps patches that a full read has come to. What was kept of the same patches before is replaced.
    ///
    /// # Errors
    /// When no full read of the tracker is under way, or the database cannot be written.
    pub fn stage(&mut self, tracker: &str, rows: &[Patch]) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let tracker = swept_tracker_number(transaction, tracker)?.ok_or_else(|| not_sweeping(tracker))?;
            let mut upsert = transaction.prepare_cached(
                "INSERT OR REPLACE INTO sweep_patch (tracker, id, project, message_id, date, commit_ref, related)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for row in rows {
                let Patch {
                    id,
                    project,
                    message_id,
                    date,
                    commit_ref,
                    related,
                } = row;
                let related = serde_json::json!(related).to_string();
                upsert.execute(params![tracker, id.0, project.0, message_id.as_str(), date, commit_ref, related])?;
            }
            Ok(())
        })
    }

    /// Enters that a full read has come to the last patch of a project.
    ///
    /// # Errors
    /// When no full read of the tracker is under way, or the database cannot be written.
    pub fn finish_project(&mut self, tracker: &str, project: ProjectId) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let tracker = swept_tracker_number(transaction, tracker)?.ok_or_else(|| not_sweeping(tracker))?;
            transaction
                .prepare_cached("INSERT INTO sweep_project (tracker, project) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute(params![tracker, project.0])?;
            Ok(())
        })
    }

    /// How far a full read of a tracker got that did not come to its end; `None` when there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn staged(&self, tracker: &str) -> Result<Option<StagedSweep>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id, url, began_at, newest_event, recent_events FROM sweep JOIN tracker ON tracker.id = sweep.tracker
                 WHERE name = ?1",
            )?;
            let staged = |row: &Row<'_>| {
                let tracker = row.get(0)?;
                Ok(StagedSweep {
                    url: row.get(1)?,
                    began_at: row.get(2)?,
                    cursor: cursor::from_row(row, 3)?,
                    finished: finished(connection, tracker)?,
                    progress: progress(connection, tracker)?,
                })
            };
            Ok(select.query_row([tracker], staged).optional()?)
        })
    }

    /// The patches that a full read of a tracker came to before it was cut short.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn staged_patches(&self, tracker: &str) -> Result<BTreeMap<PatchId, Patch>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT sweep_patch.id, project, message_id, date, commit_ref, related
                 FROM sweep_patch JOIN tracker ON tracker.id = sweep_patch.tracker WHERE name = ?1 ORDER BY sweep_patch.id",
            )?;
            let patches = select.query_map([tracker], |row| {
                let related = serde_json::from_str(row.get_ref(5)?.as_str()?).map_err(|error| unreadable(5, error))?;
                let patch = patches::from_row(row)?;
                Ok((patch.id, Patch { related, ..patch }))
            })?;
            Ok(patches.collect::<Result<_, _>>()?)
        })
    }

    /// Drops a full read of a tracker that did not come to its end, if there is one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn drop_sweep(&mut self, tracker: &str) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            if let Some(tracker) = swept_tracker_number(transaction, tracker)? {
                drop_staged(transaction, tracker)?;
            }
            Ok(())
        })
    }
}

/// Drops what a full read came to, if there is anything.
pub(super) fn drop_staged(transaction: &Transaction<'_>, tracker: i64) -> rusqlite::Result<()> {
    for table in ["sweep_patch", "sweep_project", "sweep"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE tracker = ?1"), [tracker])?;
    }
    Ok(())
}

/// The number of a tracker of which a full read is under way.
fn swept_tracker_number(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM tracker JOIN sweep ON sweep.tracker = tracker.id WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

fn not_sweeping(name: &str) -> StoreError {
    StoreError::NotSweeping { tracker: name.to_owned() }
}

fn finished(connection: &Connection, tracker: i64) -> rusqlite::Result<BTreeSet<ProjectId>> {
    let mut select = connection.prepare_cached("SELECT project FROM sweep_project WHERE tracker = ?1")?;
    let projects = select.query_map([tracker], |row| Ok(ProjectId(row.get(0)?)))?;
    projects.collect()
}

fn progress(connection: &Connection, tracker: i64) -> rusqlite::Result<BTreeMap<ProjectId, (u64, PatchId)>> {
    let mut select = connection.prepare_cached("SELECT project, count(*), max(id) FROM sweep_patch WHERE tracker = ?1 GROUP BY project")?;
    let projects = select.query_map([tracker], |row| Ok((ProjectId(row.get(0)?), (row.get(1)?, PatchId(row.get(2)?)))))?;
    projects.collect()
}
