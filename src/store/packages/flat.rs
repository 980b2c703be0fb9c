//! The hierarchy of sets, and its transitive closure as rows.

use std::collections::BTreeSet;

use rusqlite::params;

use super::act::{Act, OPEN};
use super::sets::SetRow;
use super::view::{DistributionRow, SeriesRow, View, holds};
use crate::model::packages::{Cycle, Hierarchy, PackageSetName, Pairs, Refusal};
use crate::store::database::Fault;

/// Whether answers of a set count what is in it through other sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inclusion {
    /// They do: Launchpad's default.
    #[default]
    Transitive,
    /// They do not.
    Direct,
}

impl View<'_> {
    /// The hierarchy of a series, in groups.
    pub(super) fn hierarchy(&self, series: &SeriesRow) -> Result<Hierarchy<i64>, Fault> {
        let groups = concat!(
            "SELECT set_group FROM series_set AS link WHERE collection = ?2 AND ",
            holds!("link")
        );
        let edges = concat!(
            "SELECT link.set_group, edge.set_group FROM series_set AS link JOIN set_subset AS edge ON edge.identity = link.identity
             WHERE link.collection = ?2 AND ",
            holds!("link"),
            " AND ",
            holds!("edge")
        );
        let groups: Vec<i64> = self.all(groups, params![self.at, series.id], |row| row.get(0))?;
        let edges: Vec<(i64, i64)> = self.all(edges, params![self.at, series.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Hierarchy::new(groups, edges).map_err(|cycle| self.cycle(series, &cycle))
    }

    /// The edges of the hierarchy that all series of a distribution have in common.
    pub(super) fn global_hierarchy(&self, distribution: &DistributionRow) -> Result<Hierarchy<i64>, Fault> {
        let edges = concat!(
            "SELECT DISTINCT link.set_group, edge.set_group FROM series_set AS link JOIN set_subset AS edge ON edge.identity = link.identity
             JOIN collection ON collection.id = link.collection WHERE collection.distribution = ?2 AND ",
            holds!("link"),
            " AND ",
            holds!("edge")
        );
        let edges: Vec<(i64, i64)> = self.all(edges, params![self.at, distribution.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let groups: BTreeSet<i64> = edges.iter().flat_map(|&(parent, child)| [parent, child]).collect();
        Hierarchy::new(groups, edges).map_err(|cycle| self.cycle_of_groups(&cycle))
    }

    /// A cycle, told in the names of a series.
    pub(super) fn cycle(&self, series: &SeriesRow, cycle: &Cycle<i64>) -> Fault {
        let sets = match self.sets(series) {
            Ok(sets) => sets,
            Err(fault) => return fault,
        };
        let name = |group: &i64| sets.iter().find(|set| set.group_id == *group).map(|set| set.name.clone());
        refuse(cycle.path.iter().filter_map(name).collect())
    }

    /// A cycle, told in the newest names that sets of the groups have.
    pub(super) fn cycle_of_groups(&self, cycle: &Cycle<i64>) -> Fault {
        let select = "SELECT record.name FROM package_set JOIN set_record AS record ON record.package_set = package_set.id
                      WHERE set_group = ?1 ORDER BY record.since DESC LIMIT 1";
        let names = cycle
            .path
            .iter()
            .map(|group| self.one(select, [group], |row| super::view::parsed(row, 0)));
        match names.collect::<Result<Vec<_>, Fault>>() {
            Ok(names) => refuse(names.into_iter().flatten().collect()),
            Err(fault) => fault,
        }
    }

    /// The sets that are in a set of the same series; not itself.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn subsets(&self, series: &SeriesRow, set: &SetRow, inclusion: Inclusion) -> Result<Vec<SetRow>, Fault> {
        let groups: BTreeSet<i64> = match inclusion {
            Inclusion::Transitive => {
                let select = concat!(
                    "SELECT child FROM flat_set WHERE collection = ?2 AND parent = ?3 AND ",
                    holds!("flat_set")
                );
                self.all(select, params![self.at, series.id, set.group_id], |row| row.get(0))?
            }
            Inclusion::Direct => {
                let select = concat!("SELECT set_group FROM set_subset WHERE identity = ?2 AND ", holds!("set_subset"));
                self.all(select, params![self.at, set.identity], |row| row.get(0))?
            }
        };
        self.others(series, set, &groups)
    }

    /// The sets of the same series that a set is in; not itself.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn supersets(&self, series: &SeriesRow, set: &SetRow, inclusion: Inclusion) -> Result<Vec<SetRow>, Fault> {
        match inclusion {
            Inclusion::Direct => self.direct_supersets(series, set),
            Inclusion::Transitive => {
                let select = concat!(
                    "SELECT parent FROM flat_set WHERE collection = ?2 AND child = ?3 AND ",
                    holds!("flat_set")
                );
                let groups = self.all(select, params![self.at, series.id, set.group_id], |row| row.get(0))?;
                self.others(series, set, &groups)
            }
        }
    }

    pub(super) fn direct_supersets(&self, series: &SeriesRow, set: &SetRow) -> Result<Vec<SetRow>, Fault> {
        let select = concat!(
            "SELECT link.set_group FROM series_set AS link JOIN set_subset AS edge ON edge.identity = link.identity
             WHERE link.collection = ?2 AND edge.set_group = ?3 AND ",
            holds!("link"),
            " AND ",
            holds!("edge")
        );
        let groups = self.all(select, params![self.at, series.id, set.group_id], |row| row.get(0))?;
        self.others(series, set, &groups)
    }

    fn others(&self, series: &SeriesRow, set: &SetRow, groups: &BTreeSet<i64>) -> Result<Vec<SetRow>, Fault> {
        let mut rows = self.sets(series)?;
        rows.retain(|row| row.id != set.id && groups.contains(&row.group_id));
        Ok(rows)
    }
}

fn refuse(path: Vec<PackageSetName>) -> Fault {
    match path.as_slice() {
        [parent, child, ..] => Refusal::Cycle {
            child: child.clone(),
            parent: parent.clone(),
            cycle: Cycle { path },
        }
        .into(),
        // No set of the way has a name, so the rows contradict each other.
        _ => rusqlite::Error::QueryReturnedNoRows.into(),
    }
}

impl Act<'_> {
    /// Adds pairs to the closure of a series.
    pub(super) fn add_to_closure(&self, collection: i64, pairs: &Pairs<i64>) -> Result<(), Fault> {
        for (parent, child) in pairs {
            let insert = "INSERT INTO flat_set (collection, parent, child, since) VALUES (?1, ?2, ?3, ?4)";
            self.execute(insert, params![collection, parent, child, self.log])?;
        }
        Ok(())
    }

    /// Adds to the closure of a series what comes of putting a set directly into another. That takes as long as the pairs of sets above the one and below
    /// the other, and not as all that there are.
    ///
    /// # Errors
    /// When the one is in the other already, and when the database cannot be written.
    pub(super) fn include_in_closure(&self, series: &SeriesRow, parent: i64, child: i64) -> Result<(), Fault> {
        let back = format!("SELECT 1 FROM flat_set WHERE collection = ?1 AND parent = ?2 AND child = ?3 AND until = {OPEN}");
        if self.view.one(&back, [series.id, child, parent], |_| Ok(()))?.is_some() {
            // Only who is refused is told the way.
            let pairs = self.view.hierarchy(series)?.include(&parent, &child);
            return self.add_to_closure(series.id, &pairs.map_err(|cycle| self.view.cycle(series, &cycle))?);
        }
        let select = format!(
            "SELECT above.parent, below.child FROM flat_set AS above JOIN flat_set AS below
             WHERE above.collection = ?1 AND above.child = ?2 AND above.until = {OPEN}
               AND below.collection = ?1 AND below.parent = ?3 AND below.until = {OPEN}
               AND NOT EXISTS (SELECT 1 FROM flat_set AS known WHERE known.collection = ?1 AND known.parent = above.parent
                               AND known.child = below.child AND known.until = {OPEN})"
        );
        let pairs: Pairs<i64> = self
            .view
            .all(&select, [series.id, parent, child], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.add_to_closure(series.id, &pairs)
    }

    /// Takes pairs out of the closure of a series.
    pub(super) fn take_from_closure(&self, collection: i64, pairs: &Pairs<i64>) -> Result<(), Fault> {
        for (parent, child) in pairs {
            self.close(
                "flat_set",
                "collection = ?1 AND parent = ?2 AND child = ?3",
                &[&collection, parent, child],
            )?;
        }
        Ok(())
    }

    /// Makes the closure of a series what its sets and their subsets make it, where more than one edge changed.
    pub(super) fn rebuild_closure(&self, distribution: &DistributionRow, series: &SeriesRow) -> Result<(), Fault> {
        if distribution.details.sharing == crate::model::packages::Sharing::Tethered {
            self.view.global_hierarchy(distribution)?;
        }
        let wanted = self.view.hierarchy(series)?.pairs();
        let select = format!("SELECT parent, child FROM flat_set WHERE collection = ?1 AND until = {OPEN}");
        let found: Pairs<i64> = self.view.all(&select, [series.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.take_from_closure(series.id, &(&found - &wanted))?;
        self.add_to_closure(series.id, &(&wanted - &found))
    }
}
