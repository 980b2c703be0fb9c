//! What became of one package set, under all names that it had.

use jiff::Timestamp;
use rusqlite::params;

use super::log::{Change, LogEntry, LogId, change};
use super::view::{DistributionRow, SeriesRow, View};
use crate::model::packages::PackageSetName;
use crate::store::database::{Fault, unreadable};

/// A set by what ties its incarnations to each other, whether there is one now or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetGroup(i64);

impl View<'_> {
    /// The set that goes by a name in a series, else the last one that did: there, and unless this series alone is meant, in another of its distribution.
    ///
    /// # Errors
    /// When none ever did, and when the database cannot be read.
    pub fn set_ever(&self, series: &SeriesRow, name: &PackageSetName, is_alone: bool) -> Result<SetGroup, Fault> {
        let refused = match self.set(series, name) {
            Ok(set) => return Ok(SetGroup(set.group_id)),
            Err(refused) => refused,
        };
        let select = "SELECT link.set_group FROM set_record AS record JOIN series_set AS link ON link.package_set = record.package_set
                      JOIN collection ON collection.id = link.collection
                      WHERE record.name = ?4 AND collection.distribution = ?3 AND (link.collection = ?2 OR NOT ?5)
                        AND max(link.since, record.since) < min(link.until, record.until) AND max(link.since, record.since) <= ?1
                      ORDER BY link.collection = ?2 DESC, min(link.until, record.until) DESC, link.set_group DESC LIMIT 1";
        let params = params![self.at, series.id, series.distribution_id, name.as_str(), is_alone];
        let found = self.one(select, params, |row| row.get(0))?;
        found.map(SetGroup).ok_or(refused)
    }

    /// The entries of the log that tell of the incarnations of a set in a distribution, or in one of its series, with no other changes than those: from
    /// when a name was its own, until it was another's or nobody's, both of which are told.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn history(&self, distribution: &DistributionRow, series: Option<&SeriesRow>, set: SetGroup) -> Result<Vec<LogEntry>, Fault> {
        let select = "WITH held AS MATERIALIZED (
                          SELECT link.collection, record.name, max(link.since, record.since) AS first, min(link.until, record.until) AS last
                          FROM series_set AS link JOIN set_record AS record ON record.package_set = link.package_set
                          JOIN collection ON collection.id = link.collection
                          WHERE link.set_group = ?3 AND collection.distribution = ?2 AND (?4 IS NULL OR link.collection = ?4)
                            AND max(link.since, record.since) < min(link.until, record.until))
                      SELECT distribution.name, collection.name, change.kind, change.name, change.before, change.after,
                             log.id, log.at, log.actor, log.operation
                      FROM change JOIN log ON log.id = change.log JOIN distribution ON distribution.id = change.distribution
                      JOIN collection ON collection.id = change.collection
                      WHERE change.log <= ?1 AND EXISTS (
                          SELECT 1 FROM held WHERE held.collection = change.collection AND change.log BETWEEN held.first AND held.last AND CASE change.kind
                              WHEN 'permission' THEN coalesce(change.before, change.after) ->> '$.on' = 'package-set'
                                                 AND coalesce(change.before, change.after) ->> '$.set' = held.name
                              WHEN 'series-init' THEN change.log = held.first
                              ELSE change.kind IN ('packageset', 'packageset-copy', 'sources', 'subsets', 'score') AND change.name = held.name
                          END)
                      ORDER BY change.log, change.place";
        let params = params![self.at, distribution.id, set.0, series.map(|series| series.id)];
        let rows: Vec<(LogEntry, Change)> = self.all(select, params, |row| {
            let operation: String = row.get(9)?;
            let entry = LogEntry {
                id: LogId(row.get(6)?),
                at: Timestamp::from_microsecond(row.get(7)?).map_err(|error| unreadable(7, error))?,
                actor: row.get(8)?,
                operation: serde_json::from_str(&operation).map_err(|error| unreadable(9, error))?,
                changes: Vec::new(),
            };
            Ok((entry, change(row)?))
        })?;
        let mut entries: Vec<LogEntry> = Vec::new();
        for (entry, change) in rows {
            if entries.last().is_none_or(|last| last.id != entry.id) {
                entries.push(entry);
            }
            if let Some(last) = entries.last_mut() {
                last.changes.push(change);
            }
        }
        Ok(entries)
    }
}
