//! The relations that patches were in over time.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::Store;
use super::database::unknown_word;
use super::error::StoreError;
use super::journal::RunId;
use crate::model::{PatchId, UserName};

/// Who brought about that patches are related as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// Nobody knows: it was so when the tracker was first looked at.
    Found,
    /// Kinset, in a run if that is known.
    Kinset(Option<RunId>),
    /// Somebody else, whose name may be known.
    Other(Option<UserName>),
}

/// A relation that was seen for the first time; of one patch, that it was seen in none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The members.
    pub patches: BTreeSet<PatchId>,
    /// Who brought it about.
    pub writer: Author,
}

/// A [`Sighting`], and when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighted {
    /// When it was made.
    pub seen_at: Timestamp,
    /// What was seen.
    pub sighting: Sighting,
}

impl Store {
    /// The relations that a patch was seen in, oldest first, at an address of its tracker.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn history(&self, tracker: &str, url: &str, patch: PatchId) -> Result<Vec<Sighted>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT sighting.id, seen_at, writer, who, run
                 FROM sighting_patch JOIN sighting ON sighting.id = sighting_patch.sighting
                 JOIN address ON address.id = sighting.address JOIN tracker ON tracker.id = address.tracker
                 WHERE sighting_patch.patch = ?3 AND name = ?1 AND url = ?2 ORDER BY sighting.id",
            )?;
            let history = select.query_map(params![tracker, url, patch.0], |row| sighted(connection, row))?;
            Ok(history.collect::<Result<_, _>>()?)
        })
    }
}

/// Enters what was seen at an address.
pub(super) fn insert(transaction: &Transaction<'_>, address: i64, sighting: &Sighting, seen_at: Timestamp) -> rusqlite::Result<()> {
    let Sighting { patches, writer } = sighting;
    let (writer, who, run) = match writer {
        Author::Found => ("found", None, None),
        Author::Kinset(run) => ("kinset", None, run.map(|run| run.0)),
        Author::Other(who) => ("other", who.as_ref().map(|who| &who.0), None),
    };
    let sighting: i64 = transaction
        .prepare_cached("INSERT INTO sighting (address, seen_at, writer, who, run) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id")?
        .query_row(params![address, seen_at, writer, who, run], |row| row.get(0))?;
    let mut insert = transaction.prepare_cached("INSERT INTO sighting_patch (sighting, patch) VALUES (?1, ?2)")?;
    for patch in patches {
        insert.execute(params![sighting, patch.0])?;
    }
    Ok(())
}

fn sighted(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Sighted> {
    let writer = match row.get_ref(2)?.as_str()? {
        "found" => Author::Found,
        "kinset" => Author::Kinset(row.get::<_, Option<u64>>(4)?.map(RunId)),
        "other" => Author::Other(row.get::<_, Option<String>>(3)?.map(UserName)),
        other => return Err(unknown_word(2, other)),
    };
    let mut select = connection.prepare_cached("SELECT patch FROM sighting_patch WHERE sighting = ?1")?;
    let patches = select.query_map([row.get::<_, i64>(0)?], |row| Ok(PatchId(row.get(0)?)))?;
    Ok(Sighted {
        seen_at: row.get(1)?,
        sighting: Sighting {
            patches: patches.collect::<Result<_, _>>()?,
            writer,
        },
    })
}
