//! New series that begin with the sets of another.

use rusqlite::params;
use serde_json::json;

use super::act::{Act, OPEN, Scope};
use super::sets::{Content, SetRow, copy_content, copy_subsets, enter, identity, link, new_set, prune};
use super::view::SeriesRow;
use super::{distributions, listings, series};
use crate::model::packages::{PackageName, Refusal, SeriesDetails, SeriesPath, SetDetails};
use crate::store::database::Fault;

/// Adds a series with the sets of another, by the rules of Launchpad's `InitializeDistroSeries`: groups are kept, direct subsets and packages
/// are taken over, permissions within one distribution only, and scores not at all. A set that comes from another distribution belongs to the
/// owner of the new series.
///
/// With `listings`, and within one distribution, those come along with the permissions on them, as PackageDB branches a collection
/// (`PackageListing.branch()`). They do not otherwise, so that the rows of a series that shares its sets do not depend on the number of packages.
pub(super) fn init(act: &mut Act<'_>, path: &SeriesPath, from: &SeriesPath, listings: bool, details: &SeriesDetails) -> Result<(), Fault> {
    let origin = act.view.series(from)?;
    let series = series::create(act, path, details)?;
    let distribution = act.view.distribution(&path.distribution)?;
    let is_within = path.distribution == from.distribution;
    if listings && !is_within {
        let (from, series) = (from.clone(), path.clone());
        return Err(Refusal::ListingsElsewhere { from, series }.into());
    }
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
    let mut after = json!({ "from": from, "packagesets": sets.len(), "sources": total.sources, "subsets": total.subsets });
    if listings {
        let (listings, permissions) = listings::copy(act, &origin, &series)?;
        total.permissions += permissions;
        after["listings"] = json!(listings);
    }
    after["permissions"] = json!(total.permissions);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::packages::Sharing;
    use crate::store::Store;
    use crate::store::packages::statements::{perform, statements};

    fn rows(store: &Store) -> u64 {
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let count = |connection: &rusqlite::Connection| {
            let mut tables = connection.prepare(tables)?;
            let tables = tables.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            let counts = tables.iter().map(|table| {
                let count = format!("SELECT count(*) FROM {table}");
                connection.query_row(&count, [], |row| row.get::<_, u64>(0))
            });
            Ok(counts.sum::<rusqlite::Result<u64>>()?)
        };
        store.database.read(count).unwrap()
    }

    /// How many rows a new series adds to two sets with so many sources, and with how many statements.
    fn cost(sharing: Sharing, sources: usize) -> (u64, usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let names: Vec<String> = (0..sources).map(|number| format!("source-{number}")).collect();
        let said = json!({ "version": "1", "status": "development", "owner": "ann" });
        let series = |mut operation: serde_json::Value| {
            operation.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
            operation
        };
        perform(
            &mut store,
            vec![
                json!({ "op": "create-distribution", "distribution": "d", "sharing": sharing, "versions": "debian" }),
                json!({ "op": "add-packages", "distribution": "d", "packages": names }),
                series(json!({ "op": "create-series", "in": "d/s0" })),
                json!({ "op": "create-set", "in": "d/s0", "set": "a", "owner": "ann" }),
                json!({ "op": "create-set", "in": "d/s0", "set": "b", "owner": "ann" }),
                json!({ "op": "add-sources", "in": "d/s0", "set": "a", "sources": names }),
                json!({ "op": "add-sources", "in": "d/s0", "set": "b", "sources": names[..sources / 2] }),
                json!({ "op": "add-subsets", "in": "d/s0", "set": "a", "subsets": ["b"] }),
            ],
        )
        .unwrap();
        let before = rows(&store);
        let init = json!({ "op": "init-series", "in": "d/s1", "from": "d/s0" });
        let statements = statements(&mut store, vec![series(init)]);
        (rows(&store) - before, statements)
    }

    #[test]
    fn sets_that_are_shared_are_taken_over_in_rows_and_statements_that_do_not_depend_on_what_is_in_them() {
        for sharing in [Sharing::CopyOnWrite, Sharing::ManualClone] {
            let (rows, statements) = cost(sharing, 10);
            // The entry in the log, what it changed, the series, what is said of it, two sets, and three pairs of sets.
            assert_eq!(rows, 1 + 2 + 1 + 1 + 2 + 3);
            assert!(statements > 0);
            assert_eq!(cost(sharing, 10_000), (rows, statements));
        }
    }

    #[test]
    fn sets_that_are_copied_are_taken_over_in_rows_of_which_there_are_as_many_as_in_them() {
        for sharing in [Sharing::SharedNothing, Sharing::Tethered] {
            let ((few, statements), (many, as_many)) = (cost(sharing, 10), cost(sharing, 1000));
            assert_eq!(many - few, 1500 - 15);
            assert_eq!(statements, as_many);
        }
    }
}
