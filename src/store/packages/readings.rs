//! What the sources of distributions said when they were last read.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::{Hand, Performed, perform_all};
use crate::model::packages::snapshot::SourceSnapshot;
use crate::model::packages::{DistributionName, Operation};
use crate::store::Store;
use crate::store::database::Fault;
use crate::store::error::StoreError;

/// What a source said when it was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReading {
    /// The source's name in the configuration.
    pub source: String,
    /// When it was read.
    pub read_at: Timestamp,
    /// What it knows.
    pub snapshot: SourceSnapshot,
    /// What tells whether that still holds, as a JSON object in the words of the source.
    pub validators: String,
}

impl Store {
    /// What the sources of a distribution said when each was last read, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn readings(&self, distribution: &DistributionName) -> Result<Vec<StoredReading>, StoreError> {
        self.database.read(|connection| Ok(readings(connection, distribution)?))
    }

    /// Carries out what a reading comes to and keeps the reading, both or neither.
    ///
    /// # Errors
    /// As for [`Self::perform`].
    pub fn take_in(
        &mut self,
        hand: &Hand,
        operations: &[Operation],
        distribution: &DistributionName,
        reading: &StoredReading,
    ) -> Result<Vec<Performed>, StoreError> {
        self.database.write(|transaction| {
            let performed = perform_all(transaction, hand, operations)?;
            keep(transaction, distribution, reading)?;
            Ok(performed)
        })
    }
}

fn readings(connection: &Connection, distribution: &DistributionName) -> rusqlite::Result<Vec<StoredReading>> {
    let mut select =
        connection.prepare_cached("SELECT source, read_at, snapshot, validators FROM reading WHERE distribution = ?1 ORDER BY source")?;
    select.query_map([distribution.as_str()], reading)?.collect()
}

fn reading(row: &Row<'_>) -> rusqlite::Result<StoredReading> {
    let snapshot = row.get_ref(2)?.as_str()?;
    let as_damage = |error| rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error));
    Ok(StoredReading {
        source: row.get(0)?,
        read_at: row.get(1)?,
        snapshot: serde_json::from_str(snapshot).map_err(as_damage)?,
        validators: row.get(3)?,
    })
}

fn keep(transaction: &Transaction<'_>, distribution: &DistributionName, reading: &StoredReading) -> Result<(), Fault> {
    let StoredReading {
        source,
        read_at,
        snapshot,
        validators,
    } = reading;
    let snapshot = serde_json::to_string(snapshot).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    transaction
        .prepare_cached(
            "INSERT INTO reading (distribution, source, read_at, snapshot, validators) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET read_at = excluded.read_at, snapshot = excluded.snapshot, validators = excluded.validators",
        )?
        .execute(params![distribution.as_str(), source, read_at, snapshot, validators])?;
    Ok(())
}
