//! What the sources of distributions said when they were last read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::{Hand, Performed, View, perform_all};
use crate::model::packages::snapshot::SourceSnapshot;
use crate::model::packages::{DistributionName, Operation};
use crate::store::Store;
use crate::store::database::{Ending, Fault};
use crate::store::error::StoreError;

/// What a source said when it was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReading {
    /// The source's name in the configuration.
    pub source: String,
    /// What it was asked and by whom, as a JSON object: how much that says of what is asked now is for whoever asks to tell.
    pub asked: String,
    /// When it was read.
    pub read_at: Timestamp,
    /// What it knows.
    pub snapshot: SourceSnapshot,
    /// What tells whether that still holds, as a JSON object in the words of the source.
    pub validators: String,
}

impl Store {
    /// What sources of a distribution said when each was last read, by name. `asked` is what each is asked now: what another kinset kept, or what came of
    /// another question, is left out if it cannot be understood any more.
    ///
    /// # Errors
    /// When the database cannot be read, or what was asked the same is damaged.
    pub fn readings(&self, distribution: &DistributionName, asked: &BTreeMap<String, String>) -> Result<Vec<StoredReading>, StoreError> {
        self.database.read(|connection| Ok(readings(connection, distribution, asked)?))
    }

    /// When what each source of a distribution said was last taken in, whatever it was asked then.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn read_at(&self, distribution: &DistributionName) -> Result<BTreeMap<String, Timestamp>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached("SELECT source, read_at FROM reading WHERE distribution = ?1")?;
            let rows = select.query_map([distribution.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Carries out what a reading comes to and keeps the reading, both or neither: `judge` asks the package model as it would be, and says which.
    ///
    /// # Errors
    /// As for [`Self::perform`] and [`Self::ask`].
    pub fn take_in<T>(
        &mut self,
        hand: &Hand,
        operations: &[Operation],
        distribution: &DistributionName,
        reading: &StoredReading,
        judge: impl FnOnce(&View<'_>) -> Result<(T, Ending), Fault>,
    ) -> Result<(Vec<Performed>, T), StoreError> {
        self.database.write_or_rehearse(|transaction| {
            let performed = perform_all(transaction, hand, operations)?;
            keep(transaction, distribution, reading)?;
            let (judged, ending) = judge(&View::now(transaction))?;
            Ok(((performed, judged), ending))
        })
    }
}

fn readings(
    connection: &Connection,
    distribution: &DistributionName,
    asked: &BTreeMap<String, String>,
) -> rusqlite::Result<Vec<StoredReading>> {
    let mut select = connection
        .prepare_cached("SELECT source, asked, read_at, snapshot, validators FROM reading WHERE distribution = ?1 AND source = ?2")?;
    let mut found = Vec::new();
    for (source, asked) in asked {
        let kept = select.query_row([distribution.as_str(), source], |row| reading(row, asked));
        found.extend(kept.optional()?.flatten());
    }
    Ok(found)
}

/// A reading, unless it is of another question and cannot be understood.
fn reading(row: &Row<'_>, asked_now: &str) -> rusqlite::Result<Option<StoredReading>> {
    let asked: String = row.get(1)?;
    let snapshot = match serde_json::from_str(row.get_ref(3)?.as_str()?) {
        Ok(snapshot) => snapshot,
        Err(_) if asked != asked_now => return Ok(None),
        Err(error) => {
            let kind = rusqlite::types::Type::Text;
            return Err(rusqlite::Error::FromSqlConversionFailure(3, kind, Box::new(error)));
        }
    };
    Ok(Some(StoredReading {
        source: row.get(0)?,
        asked,
        read_at: row.get(2)?,
        snapshot,
        validators: row.get(4)?,
    }))
}

fn keep(transaction: &Transaction<'_>, distribution: &DistributionName, reading: &StoredReading) -> Result<(), Fault> {
    let StoredReading {
        source,
        asked,
        read_at,
        snapshot,
        validators,
    } = reading;
    let snapshot = serde_json::to_string(snapshot).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    transaction
        .prepare_cached(
            "INSERT INTO reading (distribution, source, asked, read_at, snapshot, validators) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET asked = excluded.asked, read_at = excluded.read_at, snapshot = excluded.snapshot,
             validators = excluded.validators",
        )?
        .execute(params![distribution.as_str(), source, asked, read_at, snapshot, validators])?;
    Ok(())
}
