//! The log: who changed what, when, from what to what.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::view::{View, optional, parsed};
use crate::model::packages::{DistributionName, Operation, Refusal, SeriesName, Unknown};
use crate::store::database::{Fault, unreadable};

/// The number of an entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogId(pub i64);

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The distribution.
    pub distribution: DistributionName,
    /// The series; `None` if it is about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesName>,
    /// What kind of thing.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What it was; `None` if there was nothing.
    pub before: Option<Value>,
    /// What it is from then on; `None` if there is nothing.
    pub after: Option<Value>,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogEntry {
    /// Its number.
    pub id: LogId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What was asked for.
    pub operation: Operation,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// Which entries of the log are meant; all that is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Those that changed something in this distribution.
    pub distribution: Option<DistributionName>,
    /// Those that changed something in this series.
    pub series: Option<SeriesName>,
    /// Those that changed something of this name, or of one that begins with it and a space: with a package's name, its versions too.
    pub name: Option<String>,
    /// Those of this actor.
    pub actor: Option<String>,
    /// Those not before.
    pub since: Option<Timestamp>,
    /// No more than the newest so many.
    pub most: Option<u32>,
}

impl View<'_> {
    /// Refuses an actor who never changed anything up to the moment of the view.
    ///
    /// # Errors
    /// When there is none of that name in the log, and when the database cannot be read.
    pub fn require_actor(&self, actor: &str) -> Result<(), Fault> {
        let known: Vec<String> = self.all("SELECT DISTINCT actor FROM log WHERE id <= ?1", [self.at], |row| row.get(0))?;
        if known.iter().any(|known| known == actor) {
            return Ok(());
        }
        let known = known.iter().map(String::as_str);
        Err(Refusal::NoActor(Unknown::new(actor, known)).into())
    }

    /// Entries of the log, oldest first, up to the moment of the view.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn log(&self, filter: &LogFilter) -> Result<Vec<LogEntry>, Fault> {
        let LogFilter {
            distribution,
            series,
            name,
            actor,
            since,
            most,
        } = filter;
        let select = "SELECT id, at, actor, operation FROM log
                      WHERE id <= ?1 AND (?2 IS NULL OR actor = ?2) AND (?3 IS NULL OR at >= ?3)
                        AND ((?4 IS NULL AND ?5 IS NULL AND ?6 IS NULL) OR id IN (
                            SELECT change.log FROM change
                            LEFT JOIN distribution ON distribution.id = change.distribution
                            LEFT JOIN collection ON collection.id = change.collection
                            WHERE (?4 IS NULL OR distribution.name = ?4) AND (?5 IS NULL OR collection.name = ?5) AND (?6 IS NULL OR change.name = ?6 OR substr(change.name, 1, length(?6) + 1) = ?6 || ' ')))
                      ORDER BY id DESC LIMIT ?7";
        let distribution = distribution.as_ref().map(DistributionName::as_str);
        let series = series.as_ref().map(SeriesName::as_str);
        let since = since.map(Timestamp::as_microsecond);
        let most = most.map_or(-1, i64::from);
        let mut entries: Vec<LogEntry> = self.all(select, params![self.at, actor, since, distribution, series, name, most], |row| {
            let operation: String = row.get(3)?;
            Ok(LogEntry {
                id: LogId(row.get(0)?),
                at: Timestamp::from_microsecond(row.get(1)?).map_err(|error| unreadable(1, error))?,
                actor: row.get(2)?,
                operation: serde_json::from_str(&operation).map_err(|error| unreadable(3, error))?,
                changes: Vec::new(),
            })
        })?;
        entries.reverse();
        for entry in &mut entries {
            entry.changes = self.changes(entry.id)?;
        }
        Ok(entries)
    }

    fn changes(&self, entry: LogId) -> Result<Vec<Change>, Fault> {
        let select = "SELECT distribution.name, collection.name, kind, change.name, before, after FROM change
                      JOIN distribution ON distribution.id = change.distribution
                      LEFT JOIN collection ON collection.id = change.collection WHERE log = ?1 ORDER BY place";
        self.all(select, [entry.0], change)
    }
}

/// A change in the first columns of a row: distribution, series, kind, name, before and after.
pub(super) fn change(row: &Row<'_>) -> rusqlite::Result<Change> {
    let json = |column| {
        let text: Option<String> = row.get(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| unreadable(column, error)))
            .transpose()
    };
    Ok(Change {
        distribution: parsed(row, 0)?,
        series: optional(row, 1)?,
        kind: row.get(2)?,
        name: row.get(3)?,
        before: json(4)?,
        after: json(5)?,
    })
}
