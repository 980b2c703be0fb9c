//! Who said what holds.

use std::collections::BTreeSet;

use rusqlite::{Row, params};

use super::view::{DistributionRow, View, holds, optional, parsed};
use crate::model::packages::modules::{Obsoletes, StreamPath};
use crate::model::packages::snapshot::ByHand;
use crate::store::database::{Fault, unreadable};

/// A question about who entered rows of a table that hold, the first of its answers.
macro_rules! entered {
    ($columns:literal, $table:literal, $joins:literal, $condition:literal) => {
        concat!(
            "SELECT log.actor, ",
            $columns,
            " FROM ",
            $table,
            " JOIN log ON log.id = ",
            $table,
            ".since ",
            $joins,
            " WHERE ",
            $condition,
            " AND ",
            holds!($table)
        )
    };
}

impl View<'_> {
    /// What of a distribution holds because somebody said so who is none of `sources`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn by_hand(&self, distribution: &DistributionRow, sources: &BTreeSet<String>) -> Result<ByHand, Fault> {
        let milestones = entered!(
            "collection.name, milestone.name",
            "milestone",
            "JOIN collection ON collection.id = milestone.collection",
            "collection.distribution = ?2"
        );
        let contexts = entered!(
            "module_stream.module, module_stream.name, stream_context.context",
            "stream_context",
            "JOIN module_stream ON module_stream.id = stream_context.stream",
            "module_stream.distribution = ?2"
        );
        let obsoletes = entered!(
            "module_stream.module, module_stream.name, stream_obsoletes.said",
            "stream_obsoletes",
            "JOIN module_stream ON module_stream.id = stream_obsoletes.stream",
            "module_stream.distribution = ?2"
        );
        let defaults = entered!(
            "module_default.module, collection.name",
            "module_default",
            "LEFT JOIN collection ON collection.id = module_default.collection",
            "module_default.distribution = ?2"
        );
        Ok(ByHand {
            dates: self.of_others(milestones, distribution, sources, |row| Ok((parsed(row, 1)?, parsed(row, 2)?)))?,
            contexts: self.of_others(contexts, distribution, sources, |row| Ok((stream(row)?, parsed(row, 3)?)))?,
            obsoletes: self.of_others(obsoletes, distribution, sources, |row| {
                let said: String = row.get(3)?;
                let said: Obsoletes = serde_json::from_str(&said).map_err(|error| unreadable(3, error))?;
                Ok((stream(row)?, said.context))
            })?,
            defaults: self.of_others(defaults, distribution, sources, |row| Ok((parsed(row, 1)?, optional(row, 2)?)))?,
        })
    }

    /// What others than sources entered.
    fn of_others<T: Ord>(
        &self,
        select: &str,
        distribution: &DistributionRow,
        sources: &BTreeSet<String>,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<BTreeSet<T>, Fault> {
        let rows = self.all(select, params![self.at, distribution.id], |row| {
            let actor: String = row.get(0)?;
            if sources.contains(&actor) { Ok(None) } else { read(row).map(Some) }
        })?;
        let rows: Vec<Option<T>> = rows;
        Ok(rows.into_iter().flatten().collect())
    }
}

fn stream(row: &Row<'_>) -> rusqlite::Result<StreamPath> {
    Ok(StreamPath {
        module: parsed(row, 1)?,
        stream: parsed(row, 2)?,
    })
}
