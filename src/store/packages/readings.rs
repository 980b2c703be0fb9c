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
    /// What it was asked and by whom, as a JSON object: what another was asked says nothing of what this one would find.
    pub asked: String,
    /// When it was read.
    pub read_at: Timestamp,
    /// What it knows.
    pub snapshot: SourceSnapshot,
    /// What tells whether that still holds, as a JSON object in the words of the source.
    pub validators: String,
}

impl Store {
    /// What sources of a distribution said when each was last read, by name, if it was asked the same then. `asked` is what each is asked now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn readings(&self, distribution: &DistributionName, asked: &BTreeMap<String, String>) -> Result<Vec<StoredReading>, StoreError> {
        self.database.read(|connection| Ok(readings(connection, distribution, asked)?))
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
    let mut select = connection.prepare_cached(
        "SELECT source, asked, read_at, snapshot, validators FROM reading WHERE distribution = ?1 AND source = ?2 AND asked = ?3",
    )?;
    let mut found = Vec::new();
    for (source, asked) in asked {
        found.extend(select.query_row([distribution.as_str(), source, asked], reading).optional()?);
    }
    Ok(found)
}

fn reading(row: &Row<'_>) -> rusqlite::Result<StoredReading> {
    let snapshot = row.get_ref(3)?.as_str()?;
    let as_damage = |error| rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, Box::new(error));
    Ok(StoredReading {
        source: row.get(0)?,
        asked: row.get(1)?,
        read_at: row.get(2)?,
        snapshot: serde_json::from_str(snapshot).map_err(as_damage)?,
        validators: row.get(4)?,
    })
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
