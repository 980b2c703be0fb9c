//! Groups of built packages and categories of groups, in collections.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;
use serde_json::json;

use super::act::{Act, OPEN, Scope};
use super::view::{SeriesRow, View, holds, parsed};
use crate::model::packages::{BuiltPackageName, CategoryDetails, CompsName, GroupDetails, Refusal, Requirement, SeriesPath, Unknown};
use crate::store::database::{Fault, unknown_word};

/// Which of the two it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Group,
    Category,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Category => "category",
        }
    }
}

/// What holds of a group or a category at a moment, by its id.
type Records = BTreeMap<CompsName, (i64, String, Option<String>)>;

pub(super) fn set_group(act: &mut Act<'_>, path: &SeriesPath, name: &CompsName, details: &GroupDetails) -> Result<(), Fault> {
    let series = act.open_series(path)?;
    let before = act.view.groups(&series)?.remove(name);
    if before.as_ref() == Some(details) {
        return Ok(());
    }
    let old = before.as_ref().map(|before| &before.members);
    let is_new = |(built, requirement): &(&BuiltPackageName, &Requirement)| old.and_then(|old| old.get(*built)) != Some(requirement);
    let new: BTreeMap<&BuiltPackageName, &Requirement> = details.members.iter().filter(is_new).collect();
    let distribution = act.view.distribution(&path.distribution)?;
    act.view.require_built(&distribution, new.keys().copied())?;
    let id = enter(act, &series, Kind::Group, name, &details.title, details.summary.as_ref())?;
    let is_gone = |(built, requirement): &(&BuiltPackageName, &Requirement)| details.members.get(*built) != Some(requirement);
    for (built, _) in old.into_iter().flatten().filter(is_gone) {
        act.close("group_member", "comps = ?1 AND built = ?2", &[&id, &built.as_str()])?;
    }
    for (built, requirement) in new {
        let requires = match requirement {
            Requirement::Conditional { requires } => Some(requires.as_str()),
            Requirement::Mandatory | Requirement::Default | Requirement::Optional => None,
        };
        let insert = "INSERT INTO group_member (comps, built, since, requirement, requires) VALUES (?1, ?2, ?3, ?4, ?5)";
        act.execute(insert, params![id, built.as_str(), act.log, requirement.word(), requires])?;
    }
    let before = before.map(|before| json!(before));
    act.changed(Scope::Series(&series), "group", name, before, Some(json!(details)))
}

pub(super) fn remove_group(act: &mut Act<'_>, path: &SeriesPath, name: &CompsName) -> Result<(), Fault> {
    let series = act.open_series(path)?;
    let id = act.view.comps_of(&series, Kind::Group, name)?;
    for (category, before) in act.view.categories(&series)? {
        if before.groups.contains(name) {
            let mut after = before;
            after.groups.remove(name);
            set_category(act, path, &category, &after)?;
        }
    }
    let before = act.view.groups(&series)?.remove(name);
    act.close("group_member", "comps = ?1", &[&id])?;
    act.close("comps_record", "comps = ?1", &[&id])?;
    act.changed(Scope::Series(&series), "group", name, before.map(|before| json!(before)), None)
}

pub(super) fn set_category(act: &mut Act<'_>, path: &SeriesPath, name: &CompsName, details: &CategoryDetails) -> Result<(), Fault> {
    let series = act.open_series(path)?;
    let before = act.view.categories(&series)?.remove(name);
    if before.as_ref() == Some(details) {
        return Ok(());
    }
    let groups = details.groups.iter();
    let groups: BTreeMap<&CompsName, i64> = groups
        .map(|group| Ok((group, act.view.comps_of(&series, Kind::Group, group)?)))
        .collect::<Result<_, Fault>>()?;
    let id = enter(act, &series, Kind::Category, name, &details.title, details.summary.as_ref())?;
    let select = format!("SELECT member FROM category_group WHERE comps = ?1 AND until = {OPEN}");
    let found: BTreeSet<i64> = act.view.all(&select, [id], |row| row.get(0))?;
    let wanted: BTreeSet<i64> = groups.into_values().collect();
    for group in found.difference(&wanted) {
        act.close("category_group", "comps = ?1 AND member = ?2", &[&id, group])?;
    }
    for group in wanted.difference(&found) {
        let insert = "INSERT INTO category_group (comps, member, since) VALUES (?1, ?2, ?3)";
        act.execute(insert, params![id, group, act.log])?;
    }
    let before = before.map(|before| json!(before));
    act.changed(Scope::Series(&series), "category", name, before, Some(json!(details)))
}

pub(super) fn remove_category(act: &mut Act<'_>, path: &SeriesPath, name: &CompsName) -> Result<(), Fault> {
    let series = act.open_series(path)?;
    let id = act.view.comps_of(&series, Kind::Category, name)?;
    let before = act.view.categories(&series)?.remove(name);
    act.close("category_group", "comps = ?1", &[&id])?;
    act.close("comps_record", "comps = ?1", &[&id])?;
    let before = before.map(|before| json!(before));
    act.changed(Scope::Series(&series), "category", name, before, None)
}

/// Enters what is said of a group or category. Returns its number.
fn enter(act: &Act<'_>, series: &SeriesRow, kind: Kind, name: &CompsName, title: &str, summary: Option<&String>) -> Result<i64, Fault> {
    let known = "SELECT id FROM comps WHERE collection = ?1 AND kind = ?2 AND name = ?3";
    let id = match act
        .view
        .one(known, params![series.id, kind.word(), name.as_str()], |row| row.get(0))?
    {
        Some(id) => id,
        None => act.insert(
            "INSERT INTO comps (collection, kind, name) VALUES (?1, ?2, ?3)",
            params![series.id, kind.word(), name.as_str()],
        )?,
    };
    act.close("comps_record", "comps = ?1", &[&id])?;
    let insert = "INSERT INTO comps_record (comps, since, title, summary) VALUES (?1, ?2, ?3, ?4)";
    act.execute(insert, params![id, act.log, title, summary])?;
    Ok(id)
}

impl View<'_> {
    /// The groups of built packages that a series has, by their ids.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn groups(&self, series: &SeriesRow) -> Result<BTreeMap<CompsName, GroupDetails>, Fault> {
        let select = concat!(
            "SELECT comps.name, group_member.built, group_member.requirement, group_member.requires
             FROM comps JOIN group_member ON group_member.comps = comps.id WHERE comps.collection = ?2 AND ",
            holds!("group_member")
        );
        let rows: Vec<(CompsName, BuiltPackageName, Requirement)> = self.all(select, params![self.at, series.id], |row| {
            let word: String = row.get(2)?;
            let requirement = match word.as_str() {
                "mandatory" => Requirement::Mandatory,
                "default" => Requirement::Default,
                "optional" => Requirement::Optional,
                "conditional" => Requirement::Conditional { requires: parsed(row, 3)? },
                _ => return Err(unknown_word(2, &word)),
            };
            Ok((parsed(row, 0)?, parsed(row, 1)?, requirement))
        })?;
        let mut members: BTreeMap<CompsName, BTreeMap<BuiltPackageName, Requirement>> = BTreeMap::new();
        for (group, built, requirement) in rows {
            members.entry(group).or_default().insert(built, requirement);
        }
        let group = |(name, (_, title, summary))| {
            let members = members.remove(&name).unwrap_or_default();
            (name, GroupDetails { title, summary, members })
        };
        Ok(self.comps(series, Kind::Group)?.into_iter().map(group).collect())
    }

    /// A group of built packages of a series.
    ///
    /// # Errors
    /// When there is none of that id, and when the database cannot be read.
    pub fn group(&self, series: &SeriesRow, name: &CompsName) -> Result<GroupDetails, Fault> {
        let mut groups = self.groups(series)?;
        match groups.remove(name) {
            Some(group) => Ok(group),
            None => Err(no_comps(series, Kind::Group, name, groups.keys())),
        }
    }

    /// The categories of groups that a series has, by their ids.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn categories(&self, series: &SeriesRow) -> Result<BTreeMap<CompsName, CategoryDetails>, Fault> {
        let select = concat!(
            "SELECT comps.name, member.name FROM comps JOIN category_group ON category_group.comps = comps.id
             JOIN comps AS member ON member.id = category_group.member WHERE comps.collection = ?2 AND ",
            holds!("category_group")
        );
        let rows: Vec<(CompsName, CompsName)> =
            self.all(select, params![self.at, series.id], |row| Ok((parsed(row, 0)?, parsed(row, 1)?)))?;
        let mut groups: BTreeMap<CompsName, BTreeSet<CompsName>> = BTreeMap::new();
        for (category, group) in rows {
            groups.entry(category).or_default().insert(group);
        }
        let category = |(name, (_, title, summary))| {
            let groups = groups.remove(&name).unwrap_or_default();
            (name, CategoryDetails { title, summary, groups })
        };
        Ok(self.comps(series, Kind::Category)?.into_iter().map(category).collect())
    }

    fn comps(&self, series: &SeriesRow, kind: Kind) -> Result<Records, Fault> {
        let select = concat!(
            "SELECT comps.name, comps.id, record.title, record.summary FROM comps JOIN comps_record AS record ON record.comps = comps.id
             WHERE comps.collection = ?2 AND comps.kind = ?3 AND ",
            holds!("record")
        );
        self.all(select, params![self.at, series.id, kind.word()], |row| {
            Ok((parsed(row, 0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
        })
    }

    fn comps_of(&self, series: &SeriesRow, kind: Kind, name: &CompsName) -> Result<i64, Fault> {
        let known = self.comps(series, kind)?;
        match known.get(name) {
            Some((id, ..)) => Ok(*id),
            None => Err(no_comps(series, kind, name, known.keys())),
        }
    }
}

fn no_comps<'n>(series: &SeriesRow, kind: Kind, name: &CompsName, known: impl IntoIterator<Item = &'n CompsName>) -> Fault {
    let refusal = Refusal::NoComps {
        series: series.path.clone(),
        kind: kind.word(),
        name: Unknown::new(name, known.into_iter().map(CompsName::as_str)),
    };
    refusal.into()
}
