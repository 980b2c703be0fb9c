//! The package model at one moment.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::act::OPEN;
use super::names::Names;
use crate::model::packages::{
    Base, Branch, DistributionDetails, DistributionName, Milestone, Overlays, Refusal, SeriesDetails, SeriesName, SeriesPath, Sharing,
    Unknown, VersionScheme, current_series,
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
    /// What names stand for, as far as that is known already and stays as it is.
    pub(super) names: Option<&'c Names>,
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
        // Times never go back, so the last entry by time is the last one.
        let at = "SELECT id FROM log WHERE at <= ?1 ORDER BY at DESC, id DESC LIMIT 1";
        let at = connection
            .prepare_cached(at)?
            .query_row([as_of.as_microsecond()], |row| row.get(0))
            .optional()?
            .unwrap_or(0);
        let names = None;
        Ok(Self { connection, at, names })
    }

    pub(super) const fn now(connection: &'c Connection) -> Self {
        Self::while_changing(connection, None)
    }

    /// The package model as it is, to an operation that may take some names from memory.
    pub(super) const fn while_changing(connection: &'c Connection, names: Option<&'c Names>) -> Self {
        let at = OPEN - 1;
        Self { connection, at, names }
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
                    series: optional(row, 4)?,
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
        if let Some(row) = self.names.and_then(|names| names.distribution(name)) {
            return Ok(row);
        }
        let mut rows = self.distributions()?;
        match rows.iter().position(|row| row.name == *name) {
            Some(place) => {
                let row = rows.swap_remove(place);
                if let Some(names) = self.names {
                    names.enter_distribution(&row);
                }
                Ok(row)
            }
            None => Err(Refusal::NoDistribution(Unknown::new(name, rows.iter().map(|row| row.name.as_str()))).into()),
        }
    }

    /// The series of a distribution, in the order in which they were added.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn series_of(&self, distribution: &DistributionRow) -> Result<Vec<SeriesRow>, Fault> {
        self.select_series(distribution, None)
    }

    /// All series of a distribution, or only the one of that name.
    fn select_series(&self, distribution: &DistributionRow, only: Option<&SeriesName>) -> Result<Vec<SeriesRow>, Fault> {
        let mut bases = self.bases(distribution)?;
        let mut dates = self.dates(distribution.id, only)?;
        let only = only.map(SeriesName::as_str);
        let select = concat!(
            "SELECT collection.id, collection.name, record.title, record.version, record.status, record.owner, record.summary, record.description,
                    record.branch, record.dist_tag, parent.name, record.publish_template, record.pending_template
             FROM collection JOIN collection_record AS record ON record.collection = collection.id
             LEFT JOIN collection AS parent ON parent.id = record.parent
             WHERE collection.distribution = ?2 AND (?3 IS NULL OR collection.name = ?3) AND ",
            holds!("record"),
            " ORDER BY collection.id"
        );
        self.all(select, params![self.at, distribution.id, only], |row| {
            let name: SeriesName = parsed(row, 1)?;
            let branch = optional(row, 8)?.map(|name| {
                let branch = Branch {
                    name,
                    dist_tag: parsed(row, 9)?,
                    parent: optional(row, 10)?,
                };
                Ok::<_, rusqlite::Error>(branch)
            });
            let bases = bases.remove(&name).unwrap_or_default();
            let dates = dates.remove(&name).unwrap_or_default();
            Ok(SeriesRow {
                id: row.get(0)?,
                distribution_id: distribution.id,
                path: SeriesPath {
                    distribution: distribution.name.clone(),
                    series: name,
                },
                details: SeriesDetails {
                    title: row.get(2)?,
                    version: parsed(row, 3)?,
                    status: parsed(row, 4)?,
                    owner: parsed(row, 5)?,
                    summary: row.get(6)?,
                    description: row.get(7)?,
                    branch: branch.transpose()?,
                    publish_url: optional(row, 11)?,
                    pending_url: optional(row, 12)?,
                    bases,
                    dates,
                },
            })
        })
    }

    /// What the collections of a distribution lie over, in the order in which that is asked.
    fn bases(&self, distribution: &DistributionRow) -> Result<BTreeMap<SeriesName, Vec<Base>>, Fault> {
        let select = concat!(
            "SELECT collection.name, base.name, overlay.priority
             FROM collection JOIN overlay ON overlay.collection = collection.id JOIN collection AS base ON base.id = overlay.base
             WHERE collection.distribution = ?2 AND ",
            holds!("overlay"),
            " ORDER BY overlay.priority, base.name"
        );
        let rows: Vec<(SeriesName, Base)> = self.all(select, params![self.at, distribution.id], |row| {
            let base = Base {
                base: parsed(row, 1)?,
                priority: row.get(2)?,
            };
            Ok((parsed(row, 0)?, base))
        })?;
        let mut bases: BTreeMap<SeriesName, Vec<Base>> = BTreeMap::new();
        for (overlay, base) in rows {
            bases.entry(overlay).or_default().push(base);
        }
        Ok(bases)
    }

    /// The dates of the collections of a distribution, or of the one of that name.
    pub(super) fn dates(
        &self,
        distribution: i64,
        only: Option<&SeriesName>,
    ) -> Result<BTreeMap<SeriesName, BTreeMap<Milestone, Date>>, Fault> {
        let select = concat!(
            "SELECT collection.name, milestone.name, milestone.date FROM collection JOIN milestone ON milestone.collection = collection.id
             WHERE collection.distribution = ?2 AND (?3 IS NULL OR collection.name = ?3) AND ",
            holds!("milestone")
        );
        let only = only.map(SeriesName::as_str);
        let rows: Vec<(SeriesName, Milestone, Date)> = self.all(select, params![self.at, distribution, only], |row| {
            Ok((parsed(row, 0)?, parsed(row, 1)?, parsed(row, 2)?))
        })?;
        let mut dates: BTreeMap<SeriesName, BTreeMap<Milestone, Date>> = BTreeMap::new();
        for (series, milestone, date) in rows {
            dates.entry(series).or_default().insert(milestone, date);
        }
        Ok(dates)
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
        if let Some(row) = self.names.and_then(|names| names.series(distribution, name)) {
            return Ok(row);
        }
        if let Some(row) = self.select_series(distribution, Some(name))?.pop() {
            if let Some(names) = self.names {
                names.enter_series(&row);
            }
            return Ok(row);
        }
        let known = self.series_of(distribution)?;
        Err(Refusal::NoSeries {
            distribution: distribution.name.clone(),
            name: Unknown::new(name, known.iter().map(|row| row.path.series.as_str())),
        }
        .into())
    }

    /// Which collections of a distribution lie over which.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn overlays(&self, distribution: &DistributionRow) -> Result<Overlays, Fault> {
        let bases = self.bases(distribution)?;
        let overlays = Overlays::of(bases.iter().map(|(name, bases)| (name, bases.as_slice())));
        Ok(overlays.map_err(Refusal::Overlay)?)
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

/// A column that may hold something with a text of its own.
pub(super) fn optional<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|error| unreadable(column, error))).transpose()
}

/// A column that holds one of some words.
pub(super) fn word<T: Copy>(row: &Row<'_>, column: usize, all: &[T], word: impl Fn(T) -> &'static str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    let found = all.iter().copied().find(|&one| word(one) == text);
    found.ok_or_else(|| unknown_word(column, &text))
}
