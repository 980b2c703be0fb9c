//! From one way of tying sets to series to another. What each series answers stays as it is, or the conversion is refused.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;
use serde_json::json;

use super::act::{Act, OPEN, Scope};
use super::distributions::{self, names};
use super::sets::{SetRow, bury, link, own_copy};
use super::view::{DistributionRow, SeriesRow};
use crate::model::packages::{DistributionDetails, DistributionName, Hierarchy, PackageSetName, Refusal, SeriesName, SeriesPath, Sharing};
use crate::store::database::Fault;

/// The direct subsets of a set, in groups, each set by its group.
type Edges = BTreeMap<i64, BTreeSet<i64>>;

pub(super) fn convert(act: &mut Act<'_>, name: &DistributionName, to: Sharing, hierarchy_of: Option<&SeriesName>) -> Result<(), Fault> {
    let distribution = act.view.distribution(name)?;
    let from = distribution.details.sharing;
    if from == to {
        return Ok(());
    }
    let all = act.view.series_of(&distribution)?;
    let before = hierarchy_of.map(|_| hierarchies(act, &all)).transpose()?;
    if !to.links_new_series() {
        unshare(act, &all)?;
    }
    if from == Sharing::Tethered {
        untether(act, &all)?;
    }
    let row = DistributionRow {
        details: DistributionDetails {
            sharing: to,
            ..distribution.details
        },
        ..distribution
    };
    distributions::replace(act, &row)?;
    if to == Sharing::Tethered {
        tether(act, &row, &all, hierarchy_of)?;
    }
    if let Some(before) = before {
        enter_differences(act, &before)?;
    }
    act.changed(Scope::Distribution(&row), "sharing", name, Some(json!(from)), Some(json!(to)))
}

/// Gives each series but the first its own copy of what it shares.
fn unshare(act: &mut Act<'_>, all: &[SeriesRow]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for series in all {
        for set in act.view.sets(series)? {
            if !seen.insert(set.id) {
                let others = act.view.shared_with(series, &set)?;
                own_copy(act, series, &set, &others)?;
            }
        }
    }
    Ok(())
}

/// Gives each series' sets subsets of their own: those that the series has.
fn untether(act: &Act<'_>, all: &[SeriesRow]) -> Result<(), Fault> {
    for (series, edges) in hierarchies(act, all)? {
        for set in act.view.sets(series)? {
            let set = SetRow { identity: set.id, ..set };
            link(act, series.id, &set)?;
            set_subsets(act, set.id, edges.get(&set.group_id).unwrap_or(&BTreeSet::new()))?;
        }
    }
    Ok(())
}

/// Makes one hierarchy for all series of theirs.
fn tether(act: &Act<'_>, distribution: &DistributionRow, all: &[SeriesRow], hierarchy_of: Option<&SeriesName>) -> Result<(), Fault> {
    let hierarchies = hierarchies(act, all)?;
    let chosen = hierarchy_of.map(|name| act.view.series_in(distribution, name)).transpose()?;
    if chosen.is_none() {
        require_agreement(&hierarchies, &act.view)?;
    }
    // What the chosen series does not have is as in the newest series that has it.
    let mut edges = Edges::new();
    let chosen = chosen.as_ref().map(|series| series.id);
    for (_, own) in &hierarchies {
        for (parent, children) in own {
            match hierarchy_of {
                None => edges.entry(*parent).or_default().extend(children),
                Some(_) => _ = edges.insert(*parent, children.clone()),
            }
        }
    }
    if let Some((_, own)) = hierarchies.iter().find(|(series, _)| Some(series.id) == chosen) {
        edges.extend(own.clone());
    }
    let pairs = edges
        .iter()
        .flat_map(|(&parent, children)| children.iter().map(move |&child| (parent, child)));
    let groups: BTreeSet<i64> = edges.keys().copied().chain(edges.values().flatten().copied()).collect();
    Hierarchy::new(groups, pairs).map_err(|cycle| act.view.cycle_of_groups(&cycle))?;

    let mut identities: BTreeMap<i64, i64> = BTreeMap::new();
    for series in all {
        for set in act.view.sets(series)? {
            let identity = *identities.entry(set.group_id).or_insert(set.id);
            let tied = SetRow { identity, ..set.clone() };
            link(act, series.id, &tied)?;
            if identity != set.identity {
                bury(act, &set)?;
            }
        }
    }
    for (group, identity) in &identities {
        set_subsets(act, *identity, edges.get(group).unwrap_or(&BTreeSet::new()))?;
    }
    all.iter().try_for_each(|series| act.rebuild_closure(distribution, series))
}

/// Enters which sets of which series have other subsets than before. A series that has ended is to have none such.
fn enter_differences(act: &mut Act<'_>, before: &[(&SeriesRow, Edges)]) -> Result<(), Fault> {
    for (series, old) in before {
        let hierarchy = act.view.hierarchy(series)?;
        let sets = act.view.sets(series)?;
        let known: BTreeMap<i64, &PackageSetName> = sets.iter().map(|set| (set.group_id, &set.name)).collect();
        let names_of = |groups: &mut dyn Iterator<Item = &i64>| names(groups.filter_map(|group| known.get(group)));
        for set in &sets {
            let new: BTreeSet<i64> = hierarchy.below(&set.group_id).copied().collect();
            let none = BTreeSet::new();
            let old = old.get(&set.group_id).unwrap_or(&none);
            if *old == new {
                continue;
            }
            act.require_open(series)?;
            let (lost, gained) = (names_of(&mut old.difference(&new)), names_of(&mut new.difference(old)));
            if lost.is_some() {
                act.changed(Scope::Series(series), "subsets", &set.name, lost, None)?;
            }
            if gained.is_some() {
                act.changed(Scope::Series(series), "subsets", &set.name, None, gained)?;
            }
        }
    }
    Ok(())
}

/// The direct subsets of all sets of each series, as far as the series has them.
fn hierarchies<'s>(act: &Act<'_>, all: &'s [SeriesRow]) -> Result<Vec<(&'s SeriesRow, Edges)>, Fault> {
    let of = |series: &'s SeriesRow| {
        let hierarchy = act.view.hierarchy(series)?;
        let sets = act.view.sets(series)?;
        let edges = sets
            .iter()
            .map(|set| (set.group_id, hierarchy.below(&set.group_id).copied().collect()));
        Ok((series, edges.collect()))
    };
    all.iter().map(of).collect()
}

/// Refuses hierarchies where two series have both of two sets, and the one in the other in only one of them.
fn require_agreement(hierarchies: &[(&SeriesRow, Edges)], view: &super::View<'_>) -> Result<(), Fault> {
    let mut differing: BTreeSet<i64> = BTreeSet::new();
    for (place, (one, edges)) in hierarchies.iter().enumerate() {
        for (other, others) in &hierarchies[place + 1..] {
            let differ = edges.iter().any(|(parent, children)| {
                let Some(theirs) = others.get(parent) else { return false };
                let is_known = |child: &&i64| edges.contains_key(child) && others.contains_key(child);
                children.symmetric_difference(theirs).any(|child| is_known(&child))
            });
            if differ {
                differing.extend([one.id, other.id]);
            }
        }
    }
    if differing.is_empty() {
        return Ok(());
    }
    let paths = view.paths()?;
    Err(Refusal::Hierarchies {
        differing: differing
            .iter()
            .filter_map(|id| paths.get(id).cloned())
            .collect::<Vec<SeriesPath>>(),
    }
    .into())
}

/// Makes these the direct subsets of a set.
fn set_subsets(act: &Act<'_>, identity: i64, wanted: &BTreeSet<i64>) -> Result<(), Fault> {
    let select = format!("SELECT set_group FROM set_subset WHERE identity = ?1 AND until = {OPEN}");
    let found: BTreeSet<i64> = act.view.all(&select, [identity], |row| row.get(0))?;
    for group in found.difference(wanted) {
        act.close("set_subset", "identity = ?1 AND set_group = ?2", &[&identity, group])?;
    }
    for group in wanted.difference(&found) {
        let insert = "INSERT INTO set_subset (identity, set_group, since) VALUES (?1, ?2, ?3)";
        act.execute(insert, params![identity, group, act.log])?;
    }
    Ok(())
}
