//! What people decided by changing relations by hand.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::Store;
use super::database::unknown_word;
use super::error::StoreError;
use super::patches;
use super::trackers::tracker_number;
use crate::model::{MessageId, PatchId, ProjectId, UserName};

/// The number of a decision. None is given twice, so that people may note it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId(pub u64);

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecisionKind {
    /// The patches, two or more, belong together.
    Joined,
    /// The two patches do not belong together.
    Parted,
}

/// What was known of a patch when a decision about it was seen, as it may be gone when the decision is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Its project; `None` for a patch of a project that is not read.
    pub project: Option<ProjectId>,
    /// The mail that brought it; `None` for a patch of a project that is not read.
    pub message_id: Option<MessageId>,
}

/// Why a decision no longer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// The analysis has come to see it the same way.
    Agreed,
    /// A later one says otherwise.
    Superseded,
    /// Its patches are gone, or the tracker is now read at another address.
    Vanished,
    /// An operator dropped it.
    Dropped,
}

/// A decision that is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDecision {
    /// What was decided.
    pub kind: DecisionKind,
    /// About which patches.
    pub patches: BTreeMap<PatchId, Decided>,
    /// When it was seen, where that was not only now: what is left of an older one is as old as that.
    pub seen_at: Option<Timestamp>,
    /// By whom, where the tracker tells.
    pub who: Option<UserName>,
}

/// A decision that was seen once, whether it still holds or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its number.
    pub id: DecisionId,
    /// The tracker's address: at another one the same numbers are other patches.
    pub url: String,
    /// What was decided.
    pub kind: DecisionKind,
    /// About which patches.
    pub patches: BTreeMap<PatchId, Decided>,
    /// When it was seen.
    pub seen_at: Timestamp,
    /// By whom, where the tracker tells.
    pub who: Option<UserName>,
    /// Whether kinset told the analysis so, and is the only one that did.
    pub fed_back: bool,
    /// When and why it ended; `None` while it holds.
    pub ended: Option<(Timestamp, Ended)>,
}

/// Which decisions are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionFilter {
    /// Those that hold.
    Open,
    /// Those that ended, too.
    All,
}

impl Store {
    /// Decisions about a tracker's patches, at all its addresses, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn decisions(&self, tracker: &str, which: DecisionFilter) -> Result<Vec<Decision>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT decision.id, kind, seen_at, who, fed_back, ended_at, ended, url
                 FROM decision JOIN address ON address.id = decision.address JOIN tracker ON tracker.id = address.tracker
                 WHERE name = ?1 AND (?2 OR ended_at IS NULL) ORDER BY decision.id",
            )?;
            let decisions = select.query_map(params![tracker, which == DecisionFilter::All], |row| decision(connection, row))?;
            Ok(decisions.collect::<Result<_, _>>()?)
        })
    }

    /// Ends decisions about a tracker's patches, and tells how many held until now. One that has ended before stays as it is.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_decisions(
        &mut self,
        tracker: &str,
        decisions: &[DecisionId],
        reason: Ended,
        ended_at: Timestamp,
    ) -> Result<usize, StoreError> {
        self.database.write(|transaction| {
            let tracker = tracker_number(transaction, tracker)?;
            let mut ended = 0;
            for id in decisions {
                ended += end(transaction, tracker, *id, reason, ended_at)?;
            }
            Ok(ended)
        })
    }

    /// Enters of decisions whether it is kinset, and nobody else, that told the analysis of them.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn mark_fed_back(&mut self, decisions: &[DecisionId], fed_back: bool) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let mut update = transaction.prepare_cached("UPDATE decision SET fed_back = ?2 WHERE id = ?1")?;
            for id in decisions {
                update.execute(params![id.0, fed_back])?;
            }
            Ok(())
        })
    }
}

/// The decisions that hold at an address, oldest first.
pub(super) fn open_at(connection: &Connection, address: i64) -> rusqlite::Result<Vec<Decision>> {
    let mut select = connection.prepare_cached(
        "SELECT decision.id, kind, seen_at, who, fed_back, ended_at, ended, url FROM decision JOIN address ON address.id = decision.address
         WHERE address.id = ?1 AND ended_at IS NULL ORDER BY decision.id",
    )?;
    let decisions = select.query_map([address], |row| decision(connection, row))?;
    decisions.collect()
}

/// Enters a new decision.
pub(super) fn insert(transaction: &Transaction<'_>, address: i64, decision: &NewDecision, now: Timestamp) -> rusqlite::Result<()> {
    let NewDecision {
        kind,
        patches,
        seen_at,
        who,
    } = decision;
    let kind = match kind {
        DecisionKind::Joined => "joined",
        DecisionKind::Parted => "parted",
    };
    let who = who.as_ref().map(|who| &who.0);
    let id: i64 = transaction
        .prepare_cached("INSERT INTO decision (address, kind, seen_at, who) VALUES (?1, ?2, ?3, ?4) RETURNING id")?
        .query_row(params![address, kind, seen_at.unwrap_or(now), who], |row| row.get(0))?;
    let mut insert =
        transaction.prepare_cached("INSERT INTO decision_patch (decision, patch, project, message_id) VALUES (?1, ?2, ?3, ?4)")?;
    for (patch, Decided { project, message_id }) in patches {
        let project = project.map(|project| project.0);
        let message_id = message_id.as_ref().map(MessageId::as_str);
        insert.execute(params![id, patch.0, project, message_id])?;
    }
    Ok(())
}

/// Ends a decision about a tracker's patches, if it holds, and tells how many that were.
pub(super) fn end(transaction: &Transaction<'_>, tracker: i64, id: DecisionId, reason: Ended, at: Timestamp) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached(
            "UPDATE decision SET ended_at = ?3, ended = ?4
             WHERE id = ?2 AND ended_at IS NULL AND address IN (SELECT id FROM address WHERE tracker = ?1)",
        )?
        .execute(params![tracker, id.0, at, word(reason)])
}

/// Ends all decisions about a tracker at other addresses than this, where the same numbers are other patches.
pub(super) fn end_elsewhere(transaction: &Transaction<'_>, tracker: i64, address: i64, at: Timestamp) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE decision SET ended_at = ?3, ended = ?4
             WHERE ended_at IS NULL AND address IN (SELECT id FROM address WHERE tracker = ?1 AND id <> ?2)",
        )?
        .execute(params![tracker, address, at, word(Ended::Vanished)])?;
    Ok(())
}

const fn word(ended: Ended) -> &'static str {
    match ended {
        Ended::Agreed => "agreed",
        Ended::Superseded => "superseded",
        Ended::Vanished => "vanished",
        Ended::Dropped => "dropped",
    }
}

fn decision(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Decision> {
    let id = DecisionId(row.get(0)?);
    let kind = match row.get_ref(1)?.as_str()? {
        "joined" => DecisionKind::Joined,
        "parted" => DecisionKind::Parted,
        other => return Err(unknown_word(1, other)),
    };
    Ok(Decision {
        id,
        url: row.get(7)?,
        kind,
        patches: decided_patches(connection, id)?,
        seen_at: row.get(2)?,
        who: row.get::<_, Option<String>>(3)?.map(UserName),
        fed_back: row.get(4)?,
        ended: ended(row)?,
    })
}

fn ended(row: &Row<'_>) -> rusqlite::Result<Option<(Timestamp, Ended)>> {
    let ended = match row.get_ref(6)?.as_str_or_null()? {
        None => return Ok(None),
        Some("agreed") => Ended::Agreed,
        Some("superseded") => Ended::Superseded,
        Some("vanished") => Ended::Vanished,
        Some("dropped") => Ended::Dropped,
        Some(other) => return Err(unknown_word(6, other)),
    };
    Ok(Some((row.get(5)?, ended)))
}

fn decided_patches(connection: &Connection, decision: DecisionId) -> rusqlite::Result<BTreeMap<PatchId, Decided>> {
    let mut select = connection.prepare_cached("SELECT patch, project, message_id FROM decision_patch WHERE decision = ?1")?;
    let patches = select.query_map([decision.0], |row| {
        let message_id = match row.get_ref(2)?.as_str_or_null()? {
            Some(_) => Some(patches::message_id(row, 2)?),
            None => None,
        };
        let project = row.get::<_, Option<u64>>(1)?.map(ProjectId);
        Ok((PatchId(row.get(0)?), Decided { project, message_id }))
    })?;
    patches.collect()
}
