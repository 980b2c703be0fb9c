//! Package sets, and how series come by copies of their own.

use rusqlite::{Row, params};
use serde_json::{Value, json};

use super::act::{Act, OPEN, Scope};
use super::distributions::exists;
use super::flat::Inclusion;
use super::permissions::{self, Which};
use super::view::{DistributionRow, SeriesRow, View, holds, parsed};
use crate::model::packages::{BeforeChange, GroupName, PackageSetName, Refusal, SeriesPath, SetDetails, SetPath, Sharing, Unknown};
use crate::store::database::Fault;

/// A package set of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRow {
    pub(super) id: i64,
    pub(super) group_id: i64,
    pub(super) identity: i64,
    /// What ties it to its incarnations in other series.
    pub group: GroupName,
    /// Its name.
    pub name: PackageSetName,
    /// What is said of it.
    pub details: SetDetails,
    /// By how much builds of its packages come before others.
    pub score: i64,
}

/// How much is in a set: what a copy of it costs, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Content {
    /// Packages that are directly in it.
    pub sources: usize,
    /// Sets that are directly in it.
    pub subsets: usize,
    /// Permissions on it.
    pub permissions: usize,
}

impl View<'_> {
    /// The sets of a series, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sets(&self, series: &SeriesRow) -> Result<Vec<SetRow>, Fault> {
        let select = concat!(
            "SELECT record.package_set, link.set_group, link.identity, set_group.name, record.name, record.owner, record.description, link.score
             FROM series_set AS link JOIN set_record AS record ON record.package_set = link.package_set
             JOIN set_group ON set_group.id = link.set_group
             WHERE link.collection = ?2 AND ",
            holds!("link"),
            " AND ",
            holds!("record"),
            " ORDER BY record.name"
        );
        self.all(select, params![self.at, series.id], set_row)
    }

    /// A set of a series.
    ///
    /// # Errors
    /// When there is none of that name, and when the database cannot be read.
    pub fn set(&self, series: &SeriesRow, name: &PackageSetName) -> Result<SetRow, Fault> {
        let mut rows = self.sets(series)?;
        match rows.iter().position(|row| row.name == *name) {
            Some(place) => Ok(rows.swap_remove(place)),
            None => Err(Refusal::NoSet {
                series: series.path.clone(),
                name: Unknown::new(name, rows.iter().map(|row| row.name.as_str())),
            }
            .into()),
        }
    }

    /// The other series that have the very same set.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn shared_with(&self, series: &SeriesRow, set: &SetRow) -> Result<Vec<SeriesPath>, Fault> {
        let select = concat!(
            "SELECT collection.name FROM series_set AS link JOIN collection ON collection.id = link.collection
             WHERE link.package_set = ?2 AND link.collection <> ?3 AND ",
            holds!("link"),
            " ORDER BY collection.id"
        );
        self.all(select, params![self.at, set.id, series.id], |row| {
            Ok(SeriesPath {
                distribution: series.path.distribution.clone(),
                series: parsed(row, 0)?,
            })
        })
    }

    /// How much is in a set.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn content(&self, set: &SetRow) -> Result<Content, Fault> {
        let select = concat!(
            "SELECT (SELECT count(*) FROM set_source AS t WHERE package_set = ?2 AND ",
            holds!("t"),
            "), (SELECT count(*) FROM set_subset AS t WHERE identity = ?3 AND ",
            holds!("t"),
            "), (SELECT count(*) FROM permission AS t WHERE package_set = ?2 AND ",
            holds!("t"),
            ")"
        );
        let content = self.one(select, params![self.at, set.id, set.identity], |row| {
            Ok(Content {
                sources: row.get(0)?,
                subsets: row.get(1)?,
                permissions: row.get(2)?,
            })
        })?;
        Ok(content.unwrap_or_default())
    }

    /// The incarnations of a set in other series, those of other distributions too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn incarnations(&self, series: &SeriesRow, set: &SetRow) -> Result<Vec<SetPath>, Fault> {
        let select = concat!(
            "SELECT distribution.name || '/' || collection.name, record.name FROM series_set AS link
             JOIN set_record AS record ON record.package_set = link.package_set
             JOIN collection ON collection.id = link.collection JOIN distribution ON distribution.id = collection.distribution
             WHERE link.set_group = ?2 AND link.collection <> ?3 AND ",
            holds!("link"),
            " AND ",
            holds!("record"),
            " ORDER BY collection.id"
        );
        self.all(select, params![self.at, set.group_id, series.id], |row| {
            Ok(SetPath {
                series: parsed(row, 0)?,
                set: parsed(row, 1)?,
            })
        })
    }
}

fn set_row(row: &Row<'_>) -> rusqlite::Result<SetRow> {
    Ok(SetRow {
        id: row.get(0)?,
        group_id: row.get(1)?,
        identity: row.get(2)?,
        group: parsed(row, 3)?,
        name: parsed(row, 4)?,
        details: SetDetails {
            owner: parsed(row, 5)?,
            description: row.get(6)?,
        },
        score: row.get(7)?,
    })
}

pub(super) fn create(
    act: &mut Act<'_>,
    path: &SetPath,
    details: &SetDetails,
    related: Option<&SetPath>,
    group: Option<&GroupName>,
) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let distribution = act.view.distribution(&path.series.distribution)?;
    let known = act.view.sets(&series)?;
    require_free(&series, &known, &path.set)?;
    let (group_id, group) = group_of_new(act, path, related, group)?;
    if let Some(known) = known.iter().find(|known| known.group_id == group_id) {
        return Err(Refusal::Incarnation {
            series: path.series.clone(),
            group,
            set: known.name.clone(),
        }
        .into());
    }
    let id = new_set(act, group_id)?;
    let row = SetRow {
        id,
        group_id,
        identity: identity(act, &distribution, group_id)?.unwrap_or(id),
        group,
        name: path.set.clone(),
        details: details.clone(),
        score: 0,
    };
    enter(act, &row)?;
    link(act, series.id, &row)?;
    let after = json!({ "group": row.group, "owner": details.owner, "description": details.description });
    act.changed(Scope::Series(&series), "packageset", &path.set, None, Some(after))?;
    if row.identity == id {
        act.add_to_closure(series.id, &[(group_id, group_id)].into())
    } else {
        act.rebuild_closure(&distribution, &series)
    }
}

/// Where the hierarchy is one for all series: the set that has the subsets of the group.
pub(super) fn identity(act: &Act<'_>, distribution: &DistributionRow, group: i64) -> Result<Option<i64>, Fault> {
    if distribution.details.sharing != Sharing::Tethered {
        return Ok(None);
    }
    let select = concat!(
        "SELECT link.identity FROM series_set AS link JOIN collection ON collection.id = link.collection
         WHERE link.set_group = ?2 AND collection.distribution = ?3 AND ",
        holds!("link"),
        " LIMIT 1"
    );
    act.view.one(select, params![act.view.at, group, distribution.id], |row| row.get(0))
}

fn require_free(series: &SeriesRow, known: &[SetRow], name: &PackageSetName) -> Result<(), Fault> {
    match known.iter().any(|row| row.name == *name) {
        true => Err(exists(format!("a package set {name} in {}", series.path))),
        false => Ok(()),
    }
}

/// The group that a new set is of.
fn group_of_new(act: &Act<'_>, path: &SetPath, related: Option<&SetPath>, group: Option<&GroupName>) -> Result<(i64, GroupName), Fault> {
    match (related, group) {
        (None, None) => new_group(act, path),
        (None, Some(group)) => Ok((group_named(act, group)?, group.clone())),
        (Some(related), group) => {
            let there = act.view.series(&related.series)?;
            let set = act.view.set(&there, &related.set)?;
            match group {
                Some(group) if *group != set.group => Err(Refusal::OtherGroup {
                    path: related.clone(),
                    group: set.group,
                    asked: group.clone(),
                }
                .into()),
                _ => Ok((set.group_id, set.group)),
            }
        }
    }
}

/// The group of a name, whether there was one before or not.
fn group_named(act: &Act<'_>, name: &GroupName) -> Result<i64, Fault> {
    let select = "SELECT id FROM set_group WHERE name = ?1";
    match act.view.one(select, [name.as_str()], |row| row.get(0))? {
        Some(id) => Ok(id),
        None => act.insert("INSERT INTO set_group (name) VALUES (?1)", [name.as_str()]),
    }
}

/// A new group, named after the first of its sets.
fn new_group(act: &Act<'_>, path: &SetPath) -> Result<(i64, GroupName), Fault> {
    let base = format!("{}/{}", path.series.distribution, path.set);
    let mut number = 1;
    loop {
        let name = if number == 1 { base.clone() } else { format!("{base}~{number}") };
        let insert = "INSERT INTO set_group (name) VALUES (?1) ON CONFLICT DO NOTHING RETURNING id, name";
        if let Some(group) = act.view.one(insert, [name], |row| Ok((row.get(0)?, parsed(row, 1)?)))? {
            return Ok(group);
        }
        number += 1;
    }
}

pub(super) fn new_set(act: &Act<'_>, group: i64) -> Result<i64, Fault> {
    act.insert("INSERT INTO package_set (set_group) VALUES (?1)", [group])
}

pub(super) fn enter(act: &Act<'_>, set: &SetRow) -> Result<(), Fault> {
    act.execute(
        "INSERT INTO set_record (package_set, since, name, owner, description) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            set.id,
            act.log,
            set.name.as_str(),
            set.details.owner.to_string(),
            set.details.description
        ],
    )
    .map(|_| ())
}

/// Ties a set to a series, in place of the incarnation that it has.
pub(super) fn link(act: &Act<'_>, series: i64, set: &SetRow) -> Result<(), Fault> {
    unlink(act, series, set)?;
    act.execute(
        "INSERT INTO series_set (collection, set_group, package_set, identity, since, score) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![series, set.group_id, set.id, set.identity, act.log, set.score],
    )
    .map(|_| ())
}

fn unlink(act: &Act<'_>, series: i64, set: &SetRow) -> Result<(), Fault> {
    act.close("series_set", "collection = ?1 AND set_group = ?2", &[&series, &set.group_id])
        .map(|_| ())
}

/// The set as it may be changed for this series alone: a copy of its own if it shares it and the distribution copies on write.
pub(super) fn writable(act: &mut Act<'_>, series: &SeriesRow, set: SetRow) -> Result<SetRow, Fault> {
    let others = act.view.shared_with(series, &set)?;
    let sharing = act.view.distribution(&series.path.distribution)?.details.sharing;
    match sharing.before_change(others.len()) {
        BeforeChange::Nothing => Ok(set),
        BeforeChange::Clone => own_copy(act, series, &set, &others),
        BeforeChange::Refuse => Err(Refusal::Shared {
            path: SetPath {
                series: series.path.clone(),
                set: set.name,
            },
            others,
        }
        .into()),
    }
}

pub(super) fn own_copy(act: &mut Act<'_>, series: &SeriesRow, set: &SetRow, others: &[SeriesPath]) -> Result<SetRow, Fault> {
    let id = new_set(act, set.group_id)?;
    let copy = SetRow {
        id,
        identity: id,
        ..set.clone()
    };
    enter(act, &copy)?;
    let content = copy_content(act, set, &copy)?;
    link(act, series.id, &copy)?;
    let Content {
        sources,
        subsets,
        permissions,
    } = content;
    let after = json!({ "sources": sources, "subsets": subsets, "permissions": permissions, "no longer shared with": others });
    act.changed(Scope::Series(series), "packageset-copy", &set.name, None, Some(after))?;
    Ok(copy)
}

/// Copies what is in a set into another of the same distribution. Returns how many rows that took.
pub(super) fn copy_content(act: &Act<'_>, from: &SetRow, to: &SetRow) -> Result<Content, Fault> {
    let sources = format!(
        "INSERT INTO set_source (package_set, package, since) SELECT ?1, package, ?2 FROM set_source WHERE package_set = ?3 AND until = {OPEN}"
    );
    let permissions = format!(
        "INSERT INTO permission (since, distribution, party, action, status, explicit, package_set)
         SELECT ?2, distribution, party, action, status, explicit, ?1 FROM permission WHERE package_set = ?3 AND until = {OPEN}"
    );
    Ok(Content {
        sources: act.execute(&sources, params![to.id, act.log, from.id])?,
        subsets: copy_subsets(act, from, to)?,
        permissions: act.execute(&permissions, params![to.id, act.log, from.id])?,
    })
}

pub(super) fn copy_subsets(act: &Act<'_>, from: &SetRow, to: &SetRow) -> Result<usize, Fault> {
    if from.identity == to.identity {
        return Ok(0);
    }
    let subsets = format!(
        "INSERT INTO set_subset (identity, set_group, since) SELECT ?1, set_group, ?2 FROM set_subset WHERE identity = ?3 AND until = {OPEN}"
    );
    act.execute(&subsets, params![to.identity, act.log, from.identity])
}

pub(super) fn clone(act: &mut Act<'_>, path: &SetPath) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let set = act.view.set(&series, &path.set)?;
    let others = act.view.shared_with(&series, &set)?;
    if others.is_empty() {
        return Ok(());
    }
    own_copy(act, &series, &set, &others).map(|_| ())
}

pub(super) fn change(act: &mut Act<'_>, path: &SetPath, details: &SetDetails) -> Result<(), Fault> {
    change_record(act, path, |row| SetRow {
        details: details.clone(),
        ..row
    })
}

pub(super) fn rename(act: &mut Act<'_>, path: &SetPath, to: &PackageSetName) -> Result<(), Fault> {
    if path.set != *to {
        let series = act.view.series(&path.series)?;
        let known = act.view.sets(&series)?;
        require_free(&series, &known, to)?;
    }
    change_record(act, path, |row| SetRow { name: to.clone(), ..row })
}

fn change_record(act: &mut Act<'_>, path: &SetPath, change: impl Fn(SetRow) -> SetRow) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let set = act.view.set(&series, &path.set)?;
    if change(set.clone()) == set {
        return Ok(());
    }
    let before = said(&set);
    let set = change(writable(act, &series, set)?);
    act.close("set_record", "package_set = ?1", &[&set.id])?;
    enter(act, &set)?;
    act.changed(Scope::Series(&series), "packageset", &path.set, Some(before), Some(said(&set)))
}

/// What the log keeps of what is said of a set.
fn said(set: &SetRow) -> Value {
    json!({ "name": set.name, "owner": set.details.owner, "description": set.details.description })
}

pub(super) fn score(act: &mut Act<'_>, path: &SetPath, score: i64) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let before = act.view.set(&series, &path.set)?;
    if before.score == score {
        return Ok(());
    }
    // Launchpad copies no scores into new series, so a score is the series' own and no part of what is shared.
    let set = SetRow { score, ..before.clone() };
    link(act, series.id, &set)?;
    act.changed(
        Scope::Series(&series),
        "score",
        &path.set,
        Some(json!(before.score)),
        Some(json!(score)),
    )
}

pub(super) fn remove(act: &mut Act<'_>, path: &SetPath) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let distribution = act.view.distribution(&path.series.distribution)?;
    let set = act.view.set(&series, &path.set)?;
    for mut parent in act.view.direct_supersets(&series, &set)? {
        if distribution.details.sharing != Sharing::Tethered {
            parent = writable(act, &series, parent)?;
            act.close("set_subset", "identity = ?1 AND set_group = ?2", &[&parent.identity, &set.group_id])?;
        }
        act.changed(Scope::Series(&series), "subsets", &parent.name, Some(json!([set.name])), None)?;
    }
    let sources = act.view.sources(&series, &set, Inclusion::Direct)?;
    let subsets = act.view.subsets(&series, &set, Inclusion::Direct)?;
    let permissions = Which::Sets(Box::new(series.clone()), [set.name.clone()].into());
    let permissions = act.view.permissions_of(&distribution, &permissions)?;
    unlink(act, series.id, &set)?;
    bury(act, &set)?;
    prune(act, &distribution)?;
    act.rebuild_closure(&distribution, &series)?;
    for permission in permissions {
        permissions::enter(act, &distribution, Some(&series), Some(permission), None)?;
    }
    let mut before = said(&set);
    before["group"] = json!(set.group);
    before["score"] = json!(set.score);
    before["sources"] = json!(sources);
    before["subsets"] = json!(subsets.iter().map(|subset| &subset.name).collect::<Vec<_>>());
    act.changed(Scope::Series(&series), "packageset", &path.set, Some(before), None)
}

/// Closes what is in a set that no series has any more.
pub(super) fn bury(act: &Act<'_>, set: &SetRow) -> Result<(), Fault> {
    let is_linked = |column: &str, id: i64| {
        let select = format!("SELECT 1 FROM series_set WHERE {column} = ?1 AND until = {OPEN} LIMIT 1");
        Ok::<_, Fault>(act.view.one(&select, [id], |_| Ok(()))?.is_some())
    };
    if !is_linked("package_set", set.id)? {
        for table in ["set_record", "set_source", "permission"] {
            act.close(table, "package_set = ?1", &[&set.id])?;
        }
    }
    if !is_linked("identity", set.identity)? {
        act.close("set_subset", "identity = ?1", &[&set.identity])?;
    }
    Ok(())
}

/// Closes the edges between sets of which no series of the distribution has both. Only a hierarchy that is one for all series comes to have such,
/// and nobody could see them: a set that comes back later must not bring them along.
pub(super) fn prune(act: &Act<'_>, distribution: &DistributionRow) -> Result<(), Fault> {
    let unseen = format!(
        "identity IN (SELECT link.identity FROM series_set AS link JOIN collection ON collection.id = link.collection
                      WHERE collection.distribution = ?1 AND link.until = {OPEN})
         AND NOT EXISTS (SELECT 1 FROM series_set AS superset JOIN series_set AS subset ON subset.collection = superset.collection
                         WHERE superset.identity = set_subset.identity AND superset.until = {OPEN}
                           AND subset.set_group = set_subset.set_group AND subset.until = {OPEN})"
    );
    act.close("set_subset", &unseen, &[&distribution.id]).map(|_| ())
}
