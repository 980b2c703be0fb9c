//! The package model at one moment.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::act::OPEN;
use crate::model::packages::{
    DistributionDetails, DistributionName, Refusal, SeriesDetails, SeriesName, SeriesPath, Sharing, Unknown, VersionScheme, current_series,
};
use crate::store::database::{Fault, unknown_word, unreadable};

/// What holds at a moment, as a condition on a table of that name; the moment is the first parameter.
macro_rules! holds {
    ($table:literal) => {
        concat!($table, ".since <= ?1 AND ", $table, ".until > ?1")
    };
}
pub(super) use holds;

/// The package model at one moment: now, or at some time in the past.
#[derive(Debug)]
pub struct View<'c> {
    pub(super) connection: &'c Connection,
    /// The last entry of the log that counts.
    pub(super) at: i64,
}

/// A distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributionRow {
    pub(super) id: i64,
    /// Its name.
    pub name: DistributionName,
    /// What is said of it.
    pub details: DistributionDetails,
}

/// A series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesRow {
    pub(super) id: i64,
    pub(super) distribution_id: i64,
    /// Its distribution and its name.
    pub path: SeriesPath,
    /// What is said of it.
    pub details: SeriesDetails,
}

impl<'c> View<'c> {
    pub(super) fn new(connection: &'c Connection, as_of: Option<Timestamp>) -> Result<Self, Fault> {
        let Some(as_of) = as_of else {
            return Ok(Self::now(connection));
        };
        let at = "SELECT coalesce(max(id), 0) FROM log WHERE at <= ?1";
        let at = connection
            .prepare_cached(at)?
            .query_row([as_of.as_microsecond()], |row| row.get(0))?;
        Ok(Self { connection, at })
    }

    pub(super) const fn now(connection: &'c Connection) -> Self {
        Self { connection, at: OPEN - 1 }
    }

    /// The first row that a query gives.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.connection.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    /// All rows that a query gives.
    pub(super) fn all<T, B: FromIterator<T>>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<B, Fault> {
        let mut select = self.connection.prepare_cached(sql)?;
        let rows = select.query_map(params, read)?;
        Ok(rows.collect::<rusqlite::Result<B>>()?)
    }

    /// The distributions, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn distributions(&self) -> Result<Vec<DistributionRow>, Fault> {
        let select = concat!(
            "SELECT distribution.id, distribution.name, record.sharing, record.versions, collection.name, record.obsolete_upload
             FROM distribution JOIN distribution_record AS record ON record.distribution = distribution.id
             LEFT JOIN collection ON collection.id = record.series WHERE ",
            holds!("record"),
            " ORDER BY distribution.name"
        );
        self.all(select, [self.at], |row| {
            Ok(DistributionRow {
                id: row.get(0)?,
                name: parsed(row, 1)?,
                details: DistributionDetails {
                    sharing: word(row, 2, &Sharing::ALL, Sharing::word)?,
                    versions: word(row, 3, &VersionScheme::ALL, VersionScheme::word)?,
                    series: row.get::<_, Option<String>>(4)?.map(|_| parsed(row, 4)).transpose()?,
                    permit_obsolete_uploads: row.get(5)?,
                },
            })
        })
    }

    /// A distribution.
    ///
    /// # Errors
    /// When there is none of that name, and when the database cannot be read.
    pub fn distribution(&self, name: &DistributionName) -> Result<DistributionRow, Fault> {
        let mut rows = self.distributions()?;
        match rows.iter().position(|row| row.name == *name) {
            Some(place) => Ok(rows.swap_remove(place)),
            None => Err(Refusal::NoDistribution(Unknown::new(name, rows.iter().map(|row| row.name.as_str()))).into()),
        }
    }

    /// The series of a distribution, in the order in which they were added.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn series_of(&self, distribution: &DistributionRow) -> Result<Vec<SeriesRow>, Fault> {
        let select = concat!(
            "SELECT collection.id, collection.name, record.version, record.status, record.owner
             FROM collection JOIN collection_record AS record ON record.collection = collection.id
             WHERE collection.distribution = ?2 AND ",
            holds!("record"),
            " ORDER BY collection.id"
        );
        self.all(select, params![self.at, distribution.id], |row| {
            Ok(SeriesRow {
                id: row.get(0)?,
                distribution_id: distribution.id,
                path: SeriesPath {
                    distribution: distribution.name.clone(),
                    series: parsed(row, 1)?,
                },
                details: SeriesDetails {
                    version: parsed(row, 2)?,
                    status: parsed(row, 3)?,
                    owner: parsed(row, 4)?,
                },
            })
        })
    }

    /// A series.
    ///
    /// # Errors
    /// When there is none of that name, and when the database cannot be read.
    pub fn series(&self, path: &SeriesPath) -> Result<SeriesRow, Fault> {
        let distribution = self.distribution(&path.distribution)?;
        self.series_in(&distribution, &path.series)
    }

    pub(super) fn series_in(&self, distribution: &DistributionRow, name: &SeriesName) -> Result<SeriesRow, Fault> {
        let mut rows = self.series_of(distribution)?;
        match rows.iter().position(|row| row.path.series == *name) {
            Some(place) => Ok(rows.swap_remove(place)),
            None => Err(Refusal::NoSeries {
                distribution: distribution.name.clone(),
                name: Unknown::new(name, rows.iter().map(|row| row.path.series.as_str())),
            }
            .into()),
        }
    }

    /// The distribution that is meant: the one that is named, else the only one that there is.
    ///
    /// # Errors
    /// When there is none of that name, or none is named and there is not exactly one; and when the database cannot be read.
    pub fn distribution_meant(&self, name: Option<&DistributionName>) -> Result<DistributionRow, Fault> {
        if let Some(name) = name {
            return self.distribution(name);
        }
        let mut rows = self.distributions()?;
        match rows.pop() {
            Some(row) if rows.is_empty() => Ok(row),
            last => {
                let known = rows.into_iter().chain(last).map(|row| row.name);
                Err(Refusal::WhichDistribution { known: known.collect() }.into())
            }
        }
    }

    /// The series that is meant: the one that is named, else the one that the distribution is told to take, else its current one.
    ///
    /// # Errors
    /// When there is none of that name, or none is named and there is none at all; and when the database cannot be read.
    pub fn series_meant(&self, distribution: Option<&DistributionName>, name: Option<&SeriesName>) -> Result<SeriesRow, Fault> {
        let distribution = self.distribution_meant(distribution)?;
        if let Some(name) = name.or(distribution.details.series.as_ref()) {
            return self.series_in(&distribution, name);
        }
        let mut rows = self.series_of(&distribution)?;
        let known = rows.iter().map(|row| (&row.path.series, &row.details.version, row.details.status));
        let current = current_series(known).and_then(|current| rows.iter().position(|row| row.path.series == *current));
        match current {
            Some(place) => Ok(rows.swap_remove(place)),
            None => Err(Refusal::NoSeriesYet {
                distribution: distribution.name,
            }
            .into()),
        }
    }

    /// The paths of collections by their numbers, whatever became of them.
    pub(super) fn paths(&self) -> Result<BTreeMap<i64, SeriesPath>, Fault> {
        let select = "SELECT collection.id, distribution.name, collection.name
                      FROM collection JOIN distribution ON distribution.id = collection.distribution";
        self.all(select, [], |row| {
            let path = SeriesPath {
                distribution: parsed(row, 1)?,
                series: parsed(row, 2)?,
            };
            Ok((row.get(0)?, path))
        })
    }
}

/// A column that holds something with a text of its own.
pub(super) fn parsed<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| unreadable(column, error))
}

/// A column that holds one of some words.
pub(super) fn word<T: Copy>(row: &Row<'_>, column: usize, all: &[T], word: impl Fn(T) -> &'static str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    let found = all.iter().copied().find(|&one| word(one) == text);
    found.ok_or_else(|| unknown_word(column, &text))
}
