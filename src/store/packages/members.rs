//! What is in package sets: packages and other sets.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::act::{Act, OPEN, Scope};
use super::distributions::names;
use super::flat::Inclusion;
use super::sets::{SetRow, writable};
use super::view::{SeriesRow, View, holds, parsed};
use crate::model::packages::{PackageName, PackageSetName, Refusal, SetPath, Sharing};
use crate::store::database::Fault;

impl View<'_> {
    /// The packages in a set.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sources(&self, series: &SeriesRow, set: &SetRow, inclusion: Inclusion) -> Result<BTreeSet<PackageName>, Fault> {
        match inclusion {
            Inclusion::Direct => {
                let select = concat!(
                    "SELECT package.name FROM set_source JOIN package ON package.id = set_source.package WHERE package_set = ?2 AND ",
                    holds!("set_source")
                );
                self.all(select, params![self.at, set.id], |row| parsed(row, 0))
            }
            Inclusion::Transitive => {
                let select = concat!(
                    "SELECT name FROM package WHERE id IN (
                         SELECT set_source.package FROM flat_set
                         JOIN series_set AS link ON link.collection = flat_set.collection AND link.set_group = flat_set.child
                         JOIN set_source ON set_source.package_set = link.package_set
                         WHERE flat_set.collection = ?2 AND flat_set.parent = ?3 AND ",
                    holds!("flat_set"),
                    " AND ",
                    holds!("link"),
                    " AND ",
                    holds!("set_source"),
                    ")"
                );
                self.all(select, params![self.at, series.id, set.group_id], |row| parsed(row, 0))
            }
        }
    }

    /// The sets of a series that a package is in, by name.
    ///
    /// # Errors
    /// When the distribution has no such package, and when the database cannot be read.
    pub fn containing(&self, series: &SeriesRow, package: &PackageName, inclusion: Inclusion) -> Result<Vec<SetRow>, Fault> {
        let distribution = self.distribution(&series.path.distribution)?;
        let packages = self.packages(&distribution, [package])?;
        let Some(package) = packages.keys().next() else {
            return Ok(Vec::new());
        };
        let select = match inclusion {
            Inclusion::Direct => concat!(
                "SELECT link.set_group FROM series_set AS link JOIN set_source ON set_source.package_set = link.package_set
                 WHERE set_source.package = ?3 AND link.collection = ?2 AND ",
                holds!("set_source"),
                " AND ",
                holds!("link")
            ),
            Inclusion::Transitive => concat!(
                "SELECT flat_set.parent FROM series_set AS link JOIN set_source ON set_source.package_set = link.package_set
                 JOIN flat_set ON flat_set.collection = link.collection AND flat_set.child = link.set_group
                 WHERE set_source.package = ?3 AND link.collection = ?2 AND ",
                holds!("set_source"),
                " AND ",
                holds!("link"),
                " AND ",
                holds!("flat_set")
            ),
        };
        let groups: BTreeSet<i64> = self.all(select, params![self.at, series.id, package], |row| row.get(0))?;
        let mut rows = self.sets(series)?;
        rows.retain(|row| groups.contains(&row.group_id));
        Ok(rows)
    }
}

pub(super) fn add_sources(act: &mut Act<'_>, path: &SetPath, sources: &BTreeSet<PackageName>) -> Result<(), Fault> {
    let (series, set, mut packages) = sources_of(act, path, sources)?;
    let present = direct(act, &set, packages.keys())?;
    packages.retain(|id, _| !present.contains(id));
    if packages.is_empty() {
        return Ok(());
    }
    let set = writable(act, &series, set)?;
    for package in packages.keys() {
        let insert = "INSERT INTO set_source (package_set, package, since) VALUES (?1, ?2, ?3)";
        act.execute(insert, params![set.id, package, act.log])?;
    }
    act.changed(Scope::Series(&series), "sources", &path.set, None, names(packages.into_values()))
}

pub(super) fn remove_sources(act: &mut Act<'_>, path: &SetPath, sources: &BTreeSet<PackageName>) -> Result<(), Fault> {
    let (series, set, packages) = sources_of(act, path, sources)?;
    let present = direct(act, &set, packages.keys())?;
    let absent: Vec<&PackageName> = packages
        .iter()
        .filter(|(id, _)| !present.contains(id))
        .map(|(_, name)| *name)
        .collect();
    if let Some(first) = absent.first() {
        let through = way_to_package(&act.view, &series, &set, first)?;
        return Err(not_in(path, absent, through));
    }
    let set = writable(act, &series, set)?;
    for package in packages.keys() {
        act.close("set_source", "package_set = ?1 AND package = ?2", &[&set.id, package])?;
    }
    act.changed(Scope::Series(&series), "sources", &path.set, names(packages.into_values()), None)
}

fn sources_of<'n>(
    act: &Act<'_>,
    path: &SetPath,
    sources: &'n BTreeSet<PackageName>,
) -> Result<(SeriesRow, SetRow, BTreeMap<i64, &'n PackageName>), Fault> {
    let series = act.open_series(&path.series)?;
    let distribution = act.view.distribution(&path.series.distribution)?;
    let set = act.view.set(&series, &path.set)?;
    let packages = act.view.packages(&distribution, sources)?;
    Ok((series, set, packages))
}

/// Those of some packages that are directly in a set. They are looked up one by one: mostly there are few, and many in the set.
fn direct<'p>(act: &Act<'_>, set: &SetRow, packages: impl IntoIterator<Item = &'p i64>) -> Result<BTreeSet<i64>, Fault> {
    let select = format!("SELECT 1 FROM set_source WHERE package_set = ?1 AND until = {OPEN} AND package = ?2");
    let mut present = BTreeSet::new();
    for package in packages {
        if act.view.one(&select, [set.id, *package], |_| Ok(()))?.is_some() {
            present.insert(*package);
        }
    }
    Ok(present)
}

fn not_in(path: &SetPath, names: Vec<impl ToString>, through: Option<Vec<PackageSetName>>) -> Fault {
    Refusal::NotIn {
        path: path.clone(),
        names: names.into_iter().map(|name| name.to_string()).collect(),
        through,
    }
    .into()
}

/// The sets by which a package is in a set, if it is.
fn way_to_package(view: &View<'_>, series: &SeriesRow, set: &SetRow, package: &PackageName) -> Result<Option<Vec<PackageSetName>>, Fault> {
    let hierarchy = view.hierarchy(series)?;
    let ways = view.containing(series, package, Inclusion::Direct)?;
    let ways = ways.iter().filter_map(|direct| hierarchy.path(&set.group_id, &direct.group_id));
    let Some(way) = ways.min_by_key(|way| (way.len(), way.clone())) else {
        return Ok(None);
    };
    names_of(view, series, &way).map(Some)
}

fn names_of(view: &View<'_>, series: &SeriesRow, groups: &[i64]) -> Result<Vec<PackageSetName>, Fault> {
    let names: BTreeMap<i64, PackageSetName> = view.sets(series)?.into_iter().map(|set| (set.group_id, set.name)).collect();
    Ok(groups.iter().filter_map(|group| names.get(group).cloned()).collect())
}

pub(super) fn add_subsets(act: &mut Act<'_>, path: &SetPath, subsets: &BTreeSet<PackageSetName>) -> Result<(), Fault> {
    let (series, set, mut new) = subsets_of(act, path, subsets)?;
    let direct = act.view.subsets(&series, &set, Inclusion::Direct)?;
    new.retain(|child| direct.iter().all(|known| known.group_id != child.group_id));
    if new.is_empty() {
        return Ok(());
    }
    let set = writable(act, &series, set)?;
    let touched = touched(act, &series, &set, &new)?;
    for Touched { series, children, .. } in &touched {
        for child in children {
            act.include_in_closure(series, set.group_id, child.group_id)?;
        }
    }
    for child in &new {
        let insert = "INSERT INTO set_subset (identity, set_group, since) VALUES (?1, ?2, ?3)";
        act.execute(insert, params![set.identity, child.group_id, act.log])?;
    }
    let distribution = act.view.distribution(&series.path.distribution)?;
    if distribution.details.sharing == Sharing::Tethered {
        act.view.global_hierarchy(&distribution)?;
    }
    for Touched { series, set, children } in touched {
        let names = names(children.iter().map(|child| &child.name));
        act.changed(Scope::Series(&series), "subsets", &set, None, names)?;
    }
    Ok(())
}

pub(super) fn remove_subsets(act: &mut Act<'_>, path: &SetPath, subsets: &BTreeSet<PackageSetName>) -> Result<(), Fault> {
    let (series, set, children) = subsets_of(act, path, subsets)?;
    let hierarchy = act.view.hierarchy(&series)?;
    let direct: BTreeSet<i64> = hierarchy.below(&set.group_id).copied().collect();
    let absent: Vec<&SetRow> = children.iter().filter(|child| !direct.contains(&child.group_id)).collect();
    if let Some(first) = absent.first() {
        let way = hierarchy.path(&set.group_id, &first.group_id);
        let through = way.map(|way| names_of(&act.view, &series, &way)).transpose()?;
        return Err(not_in(path, absent.iter().map(|child| &child.name).collect(), through));
    }
    let set = writable(act, &series, set)?;
    let touched = touched(act, &series, &set, &children)?;
    for Touched { series, children, .. } in &touched {
        let mut hierarchy = act.view.hierarchy(series)?;
        for child in children {
            let gone = hierarchy.exclude(&set.group_id, &child.group_id);
            act.take_from_closure(series.id, &gone)?;
        }
    }
    for child in &children {
        act.close("set_subset", "identity = ?1 AND set_group = ?2", &[&set.identity, &child.group_id])?;
    }
    for Touched { series, set, children } in touched {
        let names = names(children.iter().map(|child| &child.name));
        act.changed(Scope::Series(&series), "subsets", &set, names, None)?;
    }
    Ok(())
}

/// A series in which a set gets subsets, or loses them.
struct Touched {
    series: SeriesRow,
    /// The set's name there.
    set: PackageSetName,
    /// Those of the subsets that the series has.
    children: Vec<SetRow>,
}

/// The series that show a set with some of these in it: one, unless the hierarchy is one for all; then it comes first. One that has ended is in the way.
fn touched(act: &Act<'_>, series: &SeriesRow, set: &SetRow, children: &[SetRow]) -> Result<Vec<Touched>, Fault> {
    let first = Touched {
        series: series.clone(),
        set: set.name.clone(),
        children: children.to_vec(),
    };
    let mut touched = vec![first];
    let select = format!("SELECT collection FROM series_set WHERE identity = ?1 AND collection <> ?2 AND until = {OPEN}");
    let others: BTreeSet<i64> = act.view.all(&select, [set.identity, series.id], |row| row.get(0))?;
    if others.is_empty() {
        return Ok(touched);
    }
    let distribution = act.view.distribution(&series.path.distribution)?;
    let groups: BTreeSet<i64> = children.iter().map(|child| child.group_id).collect();
    for other in act.view.series_of(&distribution)? {
        if !others.contains(&other.id) {
            continue;
        }
        let mut sets = act.view.sets(&other)?;
        let name = sets
            .iter()
            .find(|there| there.group_id == set.group_id)
            .map(|there| there.name.clone());
        sets.retain(|there| groups.contains(&there.group_id));
        if let (Some(name), false) = (name, sets.is_empty()) {
            act.require_open(&other)?;
            touched.push(Touched {
                series: other,
                set: name,
                children: sets,
            });
        }
    }
    Ok(touched)
}

fn subsets_of(act: &Act<'_>, path: &SetPath, subsets: &BTreeSet<PackageSetName>) -> Result<(SeriesRow, SetRow, Vec<SetRow>), Fault> {
    let series = act.open_series(&path.series)?;
    let set = act.view.set(&series, &path.set)?;
    let children: Result<Vec<SetRow>, Fault> = subsets
        .iter()
        .map(|name| {
            act.view
                .set(&series, name)
                .map_err(|fault| elsewhere(&act.view, &series, name, fault))
        })
        .collect();
    Ok((series, set, children?))
}

/// Where a set is not in the series but in others of the distribution, that is what there is to say.
fn elsewhere(view: &View<'_>, series: &SeriesRow, name: &PackageSetName, fault: Fault) -> Fault {
    let select = concat!(
        "SELECT DISTINCT link.collection FROM set_record AS record JOIN series_set AS link ON link.package_set = record.package_set
         WHERE record.name = ?2 AND link.collection <> ?3 AND ",
        holds!("record"),
        " AND ",
        holds!("link")
    );
    let having = view.all::<i64, BTreeSet<i64>>(select, params![view.at, name.as_str(), series.id], |row| row.get(0));
    match having.and_then(|having| Ok((having, view.paths()?))) {
        Ok((having, _)) if having.is_empty() => fault,
        Ok((having, paths)) => Refusal::OtherSeries {
            set: name.clone(),
            series: series.path.clone(),
            elsewhere: having.iter().filter_map(|id| paths.get(id).cloned()).collect(),
        }
        .into(),
        Err(fault) => fault,
    }
}
