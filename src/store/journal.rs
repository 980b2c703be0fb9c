//! What was written to the trackers, and what was meant to be when a process ended too early.
//!
//! A write is entered before its request leaves, and settled when its outcome is known. So after a crash every write whose outcome nobody
//! knows is an open entry, to be settled by reading the tracker before anything is written again.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::Store;
use super::database::{Database, unknown_word, unreadable};
use super::error::StoreError;
use super::sweep::drop_staged;
use super::trackers::tracker_number;
use crate::model::PatchId;

/// The number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of an entry of the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalId(pub u64);

impl fmt::Display for JournalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One write, as it stands in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalStep {
    /// The component of the plan that the step belongs to; components do not touch each other's patches.
    pub component: u64,
    /// The patch at the address of the request.
    pub patch: PatchId,
    /// What is done to it.
    pub operation: JournalOperation,
}

/// What a write does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalOperation {
    /// Takes the patch out of its relation.
    Clear,
    /// Relates the patch to these, in the order of the request.
    Relate(Vec<PatchId>),
    /// Names the commit that the patch became.
    CommitRef(String),
}

/// How a write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect.
    Done,
    /// It had no effect: it never left, or never reached the tracker.
    NotDone,
    /// The tracker refused it, with these words.
    Refused(String),
    /// Whether it took effect cannot be told any more, for this reason; somebody else wrote to the same patches, for example.
    Unclear(String),
}

/// A write whose outcome is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its number.
    pub id: JournalId,
    /// The run that it belongs to.
    pub run: RunId,
    /// The write.
    pub step: JournalStep,
    /// When it was about to be made.
    pub intended_at: Timestamp,
}

/// A write whose outcome is known, as far as it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledEntry {
    /// Its number.
    pub id: JournalId,
    /// The run that it belongs to.
    pub run: RunId,
    /// The write.
    pub step: JournalStep,
    /// How it ended.
    pub outcome: Outcome,
    /// When that was known.
    pub settled_at: Timestamp,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// All that was planned was tried.
    Completed,
    /// Somebody stopped it.
    Interrupted,
    /// It was given up, for this reason.
    Failed(String),
}

/// One attempt to write to a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// What it was meant to do, in words.
    pub what: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When and how it ended; `None` while it is under way, and for one that was cut short.
    pub ended: Option<(Timestamp, RunOutcome)>,
    /// How many writes it entered.
    pub intended: u64,
    /// How many of them took effect.
    pub done: u64,
}

impl Store {
    /// The journal of writes.
    pub const fn journal(&mut self) -> Journal<'_> {
        Journal {
            database: &mut self.database,
        }
    }
}

/// The journal of writes. What one of its methods has entered outlasts a crash and a power failure.
#[derive(Debug)]
pub struct Journal<'s> {
    database: &'s mut Database,
}

impl Journal<'_> {
    /// Enters the beginning of a run, at the address that the tracker was last read from. What a [full read](Store::begin_sweep) of the tracker came to so far is dropped: writes would make it
    /// stale.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin_run(&mut self, tracker: &str, at: Timestamp, what: &str) -> Result<RunId, StoreError> {
        self.database.write(|transaction| {
            let tracker = tracker_number(transaction, tracker)?;
            drop_staged(transaction, tracker)?;
            let insert = "INSERT INTO run (tracker, what, began_at, url)
                          VALUES (?1, ?2, ?3, (SELECT url FROM snapshot WHERE tracker = ?1)) RETURNING id";
            Ok(transaction
                .prepare_cached(insert)?
                .query_row(params![tracker, what, at], |row| Ok(RunId(row.get(0)?)))?)
        })
    }

    /// Enters a write that is about to be made.
    ///
    /// # Errors
    /// When the run is not under way, or the database cannot be written: then the write must not be made.
    pub fn intend(&mut self, run: RunId, step: &JournalStep, at: Timestamp) -> Result<JournalId, StoreError> {
        let JournalStep {
            component,
            patch,
            operation,
        } = step;
        let (related, commit_ref) = match operation {
            JournalOperation::Clear => (None, None),
            JournalOperation::Relate(related) => (Some(serde_json::json!(related).to_string()), None),
            JournalOperation::CommitRef(commit) => (None, Some(commit)),
        };
        self.database.write(|transaction| {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO journal (run, component, patch, related, commit_ref, intended_at)
                 SELECT id, ?2, ?3, ?4, ?5, ?6 FROM run WHERE id = ?1 AND ended_at IS NULL RETURNING id",
            )?;
            let entry = insert
                .query_row(params![run.0, component, patch.0, related, commit_ref, at], |row| {
                    Ok(JournalId(row.get(0)?))
                })
                .optional()?;
            Ok(entry.ok_or(StoreError::RunNotOpen { run })?)
        })
    }

    /// Enters how a write ended.
    ///
    /// # Errors
    /// When the entry is not open, or the database cannot be written.
    pub fn settle(&mut self, entry: JournalId, outcome: &Outcome, at: Timestamp) -> Result<(), StoreError> {
        let (word, reason) = match outcome {
            Outcome::Done => ("done", None),
            Outcome::NotDone => ("not-done", None),
            Outcome::Refused(reason) => ("refused", Some(reason)),
            Outcome::Unclear(reason) => ("unclear", Some(reason)),
        };
        self.database.write(|transaction| {
            let mut update = transaction
                .prepare_cached("UPDATE journal SET settled_at = ?2, outcome = ?3, reason = ?4 WHERE id = ?1 AND settled_at IS NULL")?;
            match update.execute(params![entry.0, at, word, reason])? {
                0 => Err(StoreError::EntryNotOpen { entry }.into()),
                _ => Ok(()),
            }
        })
    }

    /// The writes to a tracker whose outcome is not known, oldest first: what a crash left behind.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_entries(&self, tracker: &str) -> Result<Vec<JournalEntry>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT journal.id, run, component, patch, related, commit_ref, intended_at
                 FROM journal JOIN run ON run.id = journal.run JOIN tracker ON tracker.id = run.tracker
                 WHERE settled_at IS NULL AND tracker.name = ?1 ORDER BY journal.id",
            )?;
            let entries = select.query_map([tracker], entry)?;
            Ok(entries.collect::<Result<_, _>>()?)
        })
    }

    /// How many writes to a tracker at an address there are whose outcome is not known. Those of which no address is known count for each.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_open(&self, tracker: &str, url: &str) -> Result<usize, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT count(*) FROM journal JOIN run ON run.id = journal.run JOIN tracker ON tracker.id = run.tracker
                 WHERE settled_at IS NULL AND name = ?1 AND coalesce(url, ?2) = ?2",
            )?;
            Ok(select.query_row([tracker, url], |row| row.get(0))?)
        })
    }

    /// The writes to a tracker that were entered after an entry and whose outcome is known, in the order in which they were entered. Those
    /// after entry 0 are all there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn settled_after(&self, tracker: &str, entry: JournalId) -> Result<Vec<SettledEntry>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT journal.id, run, component, patch, related, commit_ref, settled_at, journal.outcome, journal.reason
                 FROM journal JOIN run ON run.id = journal.run JOIN tracker ON tracker.id = run.tracker
                 WHERE settled_at IS NOT NULL AND tracker.name = ?1 AND journal.id > ?2 ORDER BY journal.id",
            )?;
            let entries = select.query_map(params![tracker, entry.0], settled)?;
            Ok(entries.collect::<Result<_, _>>()?)
        })
    }

    /// Enters the end of a run.
    ///
    /// # Errors
    /// When the run is not under way, or the database cannot be written.
    pub fn end_run(&mut self, run: RunId, at: Timestamp, outcome: &RunOutcome) -> Result<(), StoreError> {
        let (word, reason) = match outcome {
            RunOutcome::Completed => ("completed", None),
            RunOutcome::Interrupted => ("interrupted", None),
            RunOutcome::Failed(reason) => ("failed", Some(reason)),
        };
        self.database.write(|transaction| {
            let mut update =
                transaction.prepare_cached("UPDATE run SET ended_at = ?2, outcome = ?3, reason = ?4 WHERE id = ?1 AND ended_at IS NULL")?;
            match update.execute(params![run.0, at, word, reason])? {
                0 => Err(StoreError::RunNotOpen { run }.into()),
                _ => Ok(()),
            }
        })
    }

    /// The last runs on a tracker at an address, latest first. Those of which no address is known count for each.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn runs(&self, tracker: &str, url: &str, limit: u32) -> Result<Vec<Run>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT run.id, what, began_at, ended_at, run.outcome, run.reason,
                        (SELECT count(*) FROM journal WHERE run = run.id),
                        (SELECT count(*) FROM journal WHERE run = run.id AND outcome = 'done')
                 FROM run JOIN tracker ON tracker.id = run.tracker WHERE name = ?1 AND coalesce(url, ?2) = ?2
                 ORDER BY run.id DESC LIMIT ?3",
            )?;
            let runs = select.query_map(params![tracker, url, limit], run)?;
            Ok(runs.collect::<Result<_, _>>()?)
        })
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<JournalEntry> {
    Ok(JournalEntry {
        id: JournalId(row.get(0)?),
        run: RunId(row.get(1)?),
        step: step(row)?,
        intended_at: row.get(6)?,
    })
}

fn settled(row: &Row<'_>) -> rusqlite::Result<SettledEntry> {
    let outcome = match row.get_ref(7)?.as_str()? {
        "done" => Outcome::Done,
        "not-done" => Outcome::NotDone,
        "refused" => Outcome::Refused(row.get(8)?),
        "unclear" => Outcome::Unclear(row.get(8)?),
        other => return Err(unknown_word(7, other)),
    };
    Ok(SettledEntry {
        id: JournalId(row.get(0)?),
        run: RunId(row.get(1)?),
        step: step(row)?,
        outcome,
        settled_at: row.get(6)?,
    })
}

/// The write that a row tells of after its number and its run.
fn step(row: &Row<'_>) -> rusqlite::Result<JournalStep> {
    let operation = match (row.get_ref(4)?.as_str_or_null()?, row.get(5)?) {
        (None, None) => JournalOperation::Clear,
        (Some(related), _) => JournalOperation::Relate(serde_json::from_str(related).map_err(|error| unreadable(4, error))?),
        (None, Some(commit)) => JournalOperation::CommitRef(commit),
    };
    Ok(JournalStep {
        component: row.get(2)?,
        patch: PatchId(row.get(3)?),
        operation,
    })
}

fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    let ended = match (row.get(3)?, row.get_ref(4)?.as_str_or_null()?) {
        (Some(at), Some("completed")) => Some((at, RunOutcome::Completed)),
        (Some(at), Some("interrupted")) => Some((at, RunOutcome::Interrupted)),
        (Some(at), _) => Some((at, RunOutcome::Failed(row.get(5)?))),
        (None, _) => None,
    };
    Ok(Run {
        id: RunId(row.get(0)?),
        what: row.get(1)?,
        began_at: row.get(2)?,
        ended,
        intended: row.get(6)?,
        done: row.get(7)?,
    })
}
