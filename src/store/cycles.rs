//! What the last cycles came to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::Store;
use super::database::unreadable;
use super::error::StoreError;
use super::trackers::tracker_number;
use crate::model::ProjectName;

/// How many cycles of a tracker are kept: a month of one every five minutes.
const KEPT: u32 = 10_000;

/// What a plan came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cycle {
    /// How many patches it takes out of relations.
    pub clears: u64,
    /// How many writes it makes to relate patches.
    pub relates: u64,
    /// How many commits it writes down.
    pub commit_refs: u64,
    /// How much of what is wanted it leaves undone, of relations and of commits.
    pub undone: u64,
    /// How many changes by others were found.
    pub foreign_changes: u64,
    /// Whether a guard held it back.
    pub guarded: bool,
    /// The projects that may not be written to.
    pub blocked: BTreeSet<ProjectName>,
}

impl Cycle {
    /// How far the tracker is from what is wanted and may be written, in writes: those that the plan takes, of relations and of commits.
    #[must_use]
    pub const fn drift(&self) -> u64 {
        self.clears + self.relates + self.commit_refs
    }
}

impl Store {
    /// Enters what a cycle's plan came to, at the address that the tracker was last read from. The last ten thousand of each tracker are kept.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn record_cycle(&mut self, tracker: &str, cycle: &Cycle, planned_at: Timestamp) -> Result<(), StoreError> {
        let Cycle {
            clears,
            relates,
            commit_refs,
            undone,
            foreign_changes,
            guarded,
            blocked,
        } = cycle;
        let blocked = serde_json::json!(blocked).to_string();
        self.database.write(|transaction| {
            let tracker = tracker_number(transaction, tracker)?;
            transaction
                .prepare_cached(
                    "INSERT INTO cycle (tracker, planned_at, clears, relates, commit_refs, undone, foreign_changes, guarded, blocked, url)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, (SELECT url FROM snapshot WHERE tracker = ?1))",
                )?
                .execute(params![
                    tracker,
                    planned_at,
                    clears,
                    relates,
                    commit_refs,
                    undone,
                    foreign_changes,
                    guarded,
                    blocked
                ])?;
            transaction
                .prepare_cached(
                    "DELETE FROM cycle WHERE tracker = ?1
                     AND id <= (SELECT id FROM cycle WHERE tracker = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                )?
                .execute(params![tracker, KEPT])?;
            Ok(())
        })
    }

    /// What the last cycles of a tracker at an address came to and when they were planned, latest first. Those of which no address is known
    /// count for each.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn cycles(&self, tracker: &str, url: &str, limit: u32) -> Result<Vec<(Timestamp, Cycle)>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT planned_at, clears, relates, commit_refs, undone, foreign_changes, guarded, blocked
                 FROM cycle JOIN tracker ON tracker.id = cycle.tracker WHERE name = ?1 AND coalesce(url, ?2) = ?2
                 ORDER BY cycle.id DESC LIMIT ?3",
            )?;
            let cycles = select.query_map(params![tracker, url, limit], cycle)?;
            Ok(cycles.collect::<Result<_, _>>()?)
        })
    }
}

fn cycle(row: &Row<'_>) -> rusqlite::Result<(Timestamp, Cycle)> {
    let cycle = Cycle {
        clears: row.get(1)?,
        relates: row.get(2)?,
        commit_refs: row.get(3)?,
        undone: row.get(4)?,
        foreign_changes: row.get(5)?,
        guarded: row.get(6)?,
        blocked: serde_json::from_str(row.get_ref(7)?.as_str()?).map_err(|error| unreadable(7, error))?,
    };
    Ok((row.get(0)?, cycle))
}
