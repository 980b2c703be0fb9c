//! New series that begin with the sets of another.

use rusqlite::params;
use serde_json::json;

use super::act::{Act, OPEN, Scope};
use super::sets::{Content, SetRow, copy_content, copy_subsets, enter, identity, link, new_set, prune};
use super::view::SeriesRow;
use super::{distributions, series};
use crate::model::packages::{PackageName, SeriesDetails, SeriesPath, SetDetails};
use crate::store::database::Fault;

/// Adds a series with the sets of another, by the rules of Launchpad's `InitializeDistroSeries`: groups are kept, direct subsets and packages
/// are taken over, permissions within one distribution only, and scores not at all. A set that comes from another distribution belongs to the
/// owner of the new series.
pub(super) fn init(act: &mut Act<'_>, path: &SeriesPath, from: &SeriesPath, details: &SeriesDetails) -> Result<(), Fault> {
    let origin = act.view.series(from)?;
    let series = series::create(act, path, details)?;
    let distribution = act.view.distribution(&path.distribution)?;
    let is_within = path.distribution == from.distribution;
    let sharing = distribution.details.sharing;
    let mut total = Content::default();
    let sets = act.view.sets(&origin)?;
    if is_within && sharing.links_new_series() {
        let insert = format!(
            "INSERT INTO series_set (collection, set_group, package_set, identity, since, score)
             SELECT ?1, set_group, package_set, identity, ?2, 0 FROM series_set WHERE collection = ?3 AND until = {OPEN}"
        );
        act.execute(&insert, params![series.id, act.log, origin.id])?;
    } else {
        for set in &sets {
            let content = if is_within {
                copy_within(act, &series, set)?
            } else {
                copy_across(act, &series, details, set)?
            };
            total = Content {
                sources: total.sources + content.sources,
                subsets: total.subsets + content.subsets,
                permissions: total.permissions + content.permissions,
            };
        }
    }
    if is_within {
        total.permissions += copy_pockets(act, &series, &origin)?;
        copy_closure(act, &series, &origin)?;
    } else {
        prune(act, &distribution)?;
        act.rebuild_closure(&distribution, &series)?;
    }
    let after = json!({ "from": from, "packagesets": sets.len(), "sources": total.sources, "subsets": total.subsets, "permissions": total.permissions });
    act.changed(Scope::Series(&series), "series-init", &path.series, None, Some(after))
}

fn copy_within(act: &Act<'_>, series: &SeriesRow, set: &SetRow) -> Result<Content, Fault> {
    let distribution = act.view.distribution(&series.path.distribution)?;
    let id = new_set(act, set.group_id)?;
    let copy = SetRow {
        id,
        identity: identity(act, &distribution, set.group_id)?.unwrap_or(id),
        score: 0,
        ..set.clone()
    };
    enter(act, &copy)?;
    let content = copy_content(act, set, &copy)?;
    link(act, series.id, &copy)?;
    Ok(content)
}

fn copy_across(act: &mut Act<'_>, series: &SeriesRow, details: &SeriesDetails, set: &SetRow) -> Result<Content, Fault> {
    let distribution = act.view.distribution(&series.path.distribution)?;
    let id = new_set(act, set.group_id)?;
    let known = identity(act, &distribution, set.group_id)?;
    let copy = SetRow {
        id,
        identity: known.unwrap_or(id),
        details: SetDetails {
            owner: details.owner.clone(),
            description: set.details.description.clone(),
        },
        score: 0,
        ..set.clone()
    };
    enter(act, &copy)?;
    let names = format!(
        "SELECT package.name FROM set_source JOIN package ON package.id = set_source.package WHERE package_set = ?1 AND until = {OPEN}"
    );
    let names = act
        .view
        .all::<PackageName, _>(&names, [set.id], |row| super::view::parsed(row, 0))?;
    distributions::add_packages(act, &distribution.name, &names)?;
    let packages = act.view.packages(&distribution, &names)?;
    for package in packages.keys() {
        let insert = "INSERT INTO set_source (package_set, package, since) VALUES (?1, ?2, ?3)";
        act.execute(insert, params![id, package, act.log])?;
    }
    let subsets = if known.is_none() { copy_subsets(act, set, &copy)? } else { 0 };
    link(act, series.id, &copy)?;
    Ok(Content {
        sources: packages.len(),
        subsets,
        permissions: 0,
    })
}

/// Launchpad's `_copy_pocket_permissions`.
fn copy_pockets(act: &Act<'_>, series: &SeriesRow, origin: &SeriesRow) -> Result<usize, Fault> {
    let insert = format!(
        "INSERT INTO permission (since, distribution, party, action, status, explicit, pocket, collection)
         SELECT ?1, distribution, party, action, status, explicit, pocket, ?2 FROM permission
         WHERE distribution = ?3 AND collection = ?4 AND pocket IS NOT NULL AND package_set IS NULL AND package IS NULL AND until = {OPEN}"
    );
    act.execute(&insert, params![act.log, series.id, series.distribution_id, origin.id])
}

fn copy_closure(act: &Act<'_>, series: &SeriesRow, origin: &SeriesRow) -> Result<(), Fault> {
    let insert = format!(
        "INSERT INTO flat_set (collection, parent, child, since)
         SELECT ?1, parent, child, ?2 FROM flat_set WHERE collection = ?3 AND until = {OPEN}"
    );
    act.execute(&insert, params![series.id, act.log, origin.id]).map(|_| ())
}
