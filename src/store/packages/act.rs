//! One operation at work: its transaction, its entry in the log, and what it changed.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Params, Transaction, params};
use serde_json::Value;

use super::log::{Change, LogId};
use super::names::Names;
use super::view::{DistributionRow, SeriesRow, View};
use super::{Force, Hand, Performed};
use crate::model::packages::{Operation, Refusal, SeriesPath, TransitionError};
use crate::store::database::{Fault, unreadable};

/// The end of whatever holds now.
pub(super) const OPEN: i64 = i64::MAX;

/// By how much the newest entry of the log may be ahead of the clock: clocks that are set by the network differ by less.
const MOST_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// An operation under way.
pub(super) struct Act<'t> {
    pub(super) view: View<'t>,
    /// The entry of the log.
    pub(super) log: i64,
    force: Force,
    changes: Vec<Change>,
}

/// What a change is about.
#[derive(Clone, Copy)]
pub(super) enum Scope<'r> {
    Distribution(&'r DistributionRow),
    Series(&'r SeriesRow),
}

impl<'t> Act<'t> {
    /// Makes the entry in the log. Its time is never before that of the entry above: a clock that goes back must not change what was.
    pub(super) fn begin(transaction: &'t Transaction<'_>, hand: &Hand, operation: &Operation, names: &'t Names) -> Result<Self, Fault> {
        let insert = "INSERT INTO log (at, actor, operation)
                      VALUES (max(?1, coalesce((SELECT max(at) FROM log), ?1)), ?2, ?3)";
        let asked = serde_json::to_string(operation).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let log = transaction
            .prepare_cached(insert)?
            .insert(params![hand.at.as_microsecond(), hand.actor, asked])?;
        Ok(Self {
            view: View::while_changing(transaction, names.during(operation)),
            log,
            force: hand.force,
            changes: Vec::new(),
        })
    }

    /// Ends the operation. The entry in the log goes again if nothing changed.
    pub(super) fn end(self) -> Result<Performed, Fault> {
        if self.changes.is_empty() {
            self.execute("DELETE FROM log WHERE id = ?1", [self.log])?;
            return Ok(Performed {
                log: None,
                changes: Vec::new(),
            });
        }
        Ok(Performed {
            log: Some(LogId(self.log)),
            changes: self.changes,
        })
    }

    /// Runs a statement that changes rows. Returns how many.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Fault> {
        Ok(self.view.connection.prepare_cached(sql)?.execute(params)?)
    }

    /// Inserts a row. Returns its id.
    pub(super) fn insert(&self, sql: &str, params: impl Params) -> Result<i64, Fault> {
        Ok(self.view.connection.prepare_cached(sql)?.insert(params)?)
    }

    /// Closes the rows of a table that hold now and meet a condition, whose parameters come first. Those that this operation itself opened
    /// never held, and go.
    pub(super) fn close(&self, table: &str, condition: &str, params: &[&dyn rusqlite::ToSql]) -> Result<usize, Fault> {
        let log = params.len() + 1;
        let mut params = params.to_vec();
        params.push(&self.log);
        let gone = format!("DELETE FROM {table} WHERE {condition} AND until = {OPEN} AND since = ?{log}");
        let closed = format!("UPDATE {table} SET until = ?{log} WHERE {condition} AND until = {OPEN}");
        Ok(self.execute(&gone, params.as_slice())? + self.execute(&closed, params.as_slice())?)
    }

    /// Enters what became of what.
    pub(super) fn changed(
        &mut self,
        scope: Scope<'_>,
        kind: &'static str,
        name: &impl ToString,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<(), Fault> {
        let (distribution, collection) = match scope {
            Scope::Distribution(row) => (row.id, None),
            Scope::Series(row) => (row.distribution_id, Some(row.id)),
        };
        let insert =
            "INSERT INTO change (log, place, distribution, collection, kind, name, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let name = name.to_string();
        let place = self.changes.len();
        self.execute(
            insert,
            params![
                self.log,
                place,
                distribution,
                collection,
                kind,
                name,
                before.as_ref().map(Value::to_string),
                after.as_ref().map(Value::to_string)
            ],
        )?;
        let (distribution, series) = match scope {
            Scope::Distribution(row) => (row.name.clone(), None),
            Scope::Series(row) => (row.path.distribution.clone(), Some(row.path.series.clone())),
        };
        self.changes.push(Change {
            distribution,
            series,
            kind: kind.to_owned(),
            name,
            before,
            after,
        });
        Ok(())
    }

    /// A series whose record is open to changes.
    pub(super) fn open_series(&self, path: &SeriesPath) -> Result<SeriesRow, Fault> {
        let series = self.view.series(path)?;
        self.require_open(&series)?;
        Ok(series)
    }

    /// Refuses to change what a series answers that has ended, unless somebody insists.
    pub(super) fn require_open(&self, series: &SeriesRow) -> Result<(), Fault> {
        let SeriesRow { path, details, .. } = series;
        if details.status.is_ended() && self.force == Force::Not {
            return Err(Refusal::Ended {
                series: path.clone(),
                status: details.status,
            }
            .into());
        }
        Ok(())
    }

    /// Refuses a status that may not follow, unless somebody insists.
    pub(super) fn require_may_follow(&self, what: impl FnOnce() -> String, follows: Result<(), TransitionError>) -> Result<(), Fault> {
        match follows {
            Err(source) if self.force == Force::Not => Err(Refusal::Status { what: what(), source }.into()),
            _ => Ok(()),
        }
    }
}

/// Refuses a log whose newest entry is of a time to come, unless somebody insists: a clock that was far ahead once would give its time to all that comes
/// after. Asked once for all operations of a hand, as its own entries are of no later time.
pub(super) fn require_clock(transaction: &Transaction<'_>, hand: &Hand) -> Result<(), Fault> {
    if hand.force == Force::Insisted {
        return Ok(());
    }
    let now = hand.at;
    // The last one is the newest.
    let newest: Option<i64> = transaction
        .prepare_cached("SELECT at FROM log ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let newest = newest
        .map(Timestamp::from_microsecond)
        .transpose()
        .map_err(|error| unreadable(0, error))?;
    match newest {
        Some(newest) if newest.duration_since(now) > MOST_AHEAD => Err(Refusal::Ahead { newest, now }.into()),
        _ => Ok(()),
    }
}
