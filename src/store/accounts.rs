//! What is owed to whom: what tracker and kinset last agreed on, and what people decided since.
//!
//! None of this is a copy of what the tracker holds, so it outlasts the snapshots. All of it is told apart by the tracker's address, because
//! the same numbers are other patches at another one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Store;
use super::classes::BASE;
use super::decisions::{self, Decision, DecisionId, Ended, NewDecision};
use super::error::StoreError;
use super::history::{self, Sighting};
use super::journal::JournalId;
use super::trackers::{address_number, tracker_number};
use crate::model::PatchId;

/// What is known of a tracker's patches besides what the tracker holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// What tracker and kinset last agreed on; `None` when they never did at this address.
    pub base: Option<Base>,
    /// The entry of the journal after which kinset's own writes at this address begin that are not part of the base.
    pub journal: JournalId,
    /// The decisions that hold, oldest first.
    pub decisions: Vec<Decision>,
}

/// What tracker and kinset last agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// When that was.
    pub agreed_at: Timestamp,
    /// The relations. A patch that is in none of them was in no relation.
    pub classes: Vec<BTreeSet<PatchId>>,
}

/// A new agreement, as what differs from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The entry of the journal up to which kinset's own writes are part of it; 0 when there is none.
    pub journal: JournalId,
    /// The classes that are new in the base, with those of one patch: their patches leave the classes that they were in.
    pub regrouped: Vec<BTreeSet<PatchId>>,
    /// The decisions that no longer hold. One that has ended before stays as it is.
    pub ended: Vec<(DecisionId, Ended)>,
    /// The decisions that are new.
    pub made: Vec<NewDecision>,
    /// The relations that were seen for the first time, and patches seen in none.
    pub sightings: Vec<Sighting>,
}

impl Store {
    /// What is known of the patches of a tracker at an address besides what the tracker holds.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn accounts(&self, tracker: &str, url: &str) -> Result<Accounts, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT base.tracker, address.id, agreed_at, journal
                 FROM base JOIN address ON address.id = base.address JOIN tracker ON tracker.id = base.tracker
                 WHERE name = ?1 AND url = ?2",
            )?;
            let accounts = |row: &Row<'_>| {
                Ok(Accounts {
                    base: Some(Base {
                        agreed_at: row.get(2)?,
                        classes: BASE.load(connection, row.get(0)?)?,
                    }),
                    journal: JournalId(row.get(3)?),
                    decisions: decisions::open_at(connection, row.get(1)?)?,
                })
            };
            if let Some(accounts) = select.query_row([tracker, url], accounts).optional()? {
                return Ok(accounts);
            }
            Ok(Accounts {
                journal: written_elsewhere(connection, tracker)?,
                ..Accounts::default()
            })
        })
    }

    /// Enters what tracker and kinset agree on now. All or nothing is stored.
    ///
    /// A base for another address gives way to this one, and the decisions that held there end as [vanished](Ended::Vanished).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn settle_accounts(&mut self, tracker: &str, url: &str, settlement: &Settlement, agreed_at: Timestamp) -> Result<(), StoreError> {
        let Settlement {
            journal,
            regrouped,
            ended,
            made,
            sightings,
        } = settlement;
        self.database.write(|transaction| {
            let tracker = tracker_number(transaction, tracker)?;
            let address = address_number(transaction, tracker, url)?;
            if base_address(transaction, tracker)? != Some(address) {
                BASE.clear(transaction, tracker)?;
                decisions::end_elsewhere(transaction, tracker, address, agreed_at)?;
            }
            transaction
                .prepare_cached(
                    "INSERT INTO base (tracker, address, agreed_at, journal) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET address = excluded.address, agreed_at = excluded.agreed_at, journal = excluded.journal",
                )?
                .execute(params![tracker, address, agreed_at, journal.0])?;
            for class in regrouped {
                BASE.regroup(transaction, tracker, class)?;
            }
            for (id, reason) in ended {
                decisions::end(transaction, tracker, *id, *reason, agreed_at)?;
            }
            for decision in made {
                decisions::insert(transaction, address, decision, agreed_at)?;
            }
            for sighting in sightings {
                history::insert(transaction, address, sighting, agreed_at)?;
            }
            Ok(())
        })
    }
}

/// The number of the address that a tracker's base is of.
fn base_address(connection: &Connection, tracker: i64) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT address FROM base WHERE tracker = ?1")?
        .query_row([tracker], |row| row.get(0))
        .optional()
}

/// The last entry of the journal if it is about another address, where the base is: writes made there say nothing of this one.
fn written_elsewhere(connection: &Connection, tracker: &str) -> rusqlite::Result<JournalId> {
    let last = "SELECT coalesce(max(journal.id), 0) FROM journal JOIN run ON run.id = journal.run
                JOIN tracker ON tracker.id = run.tracker JOIN base ON base.tracker = tracker.id WHERE name = ?1";
    connection
        .prepare_cached(last)?
        .query_row([tracker], |row| Ok(JournalId(row.get(0)?)))
}
