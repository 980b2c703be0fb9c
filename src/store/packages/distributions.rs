//! Distributions, and the names of their packages.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;
use serde_json::{Value, json};

use super::act::{Act, Scope};
use super::convert;
use super::view::{DistributionRow, View};
use crate::model::packages::{DistributionDetails, DistributionName, PackageName, Refusal, Unknown};
use crate::store::database::Fault;

pub(super) fn create(act: &mut Act<'_>, name: &DistributionName, details: &DistributionDetails) -> Result<(), Fault> {
    let known = act.view.distributions()?;
    if known.iter().any(|row| row.name == *name) {
        return Err(exists(format!("a distribution {name}")));
    }
    let id = act.insert("INSERT INTO distribution (name) VALUES (?1)", [name.as_str()])?;
    let row = DistributionRow {
        id,
        name: name.clone(),
        details: details.clone(),
    };
    enter(act, &row)?;
    act.changed(Scope::Distribution(&row), "distribution", name, None, Some(json!(details)))
}

pub(super) fn change(act: &mut Act<'_>, name: &DistributionName, details: &DistributionDetails) -> Result<(), Fault> {
    let row = act.view.distribution(name)?;
    if row.details == *details {
        return Ok(());
    }
    if row.details.sharing != details.sharing {
        let series = act.view.series_of(&row)?.len();
        if series > 1 {
            return Err(Refusal::Tied {
                distribution: name.clone(),
                series,
                sharing: row.details.sharing,
            }
            .into());
        }
        convert::convert(act, name, details.sharing, None)?;
    }
    let before = act.view.distribution(name)?;
    if before.details == *details {
        return Ok(());
    }
    let row = DistributionRow {
        details: details.clone(),
        ..row
    };
    replace(act, &row)?;
    act.changed(
        Scope::Distribution(&row),
        "distribution",
        name,
        Some(json!(before.details)),
        Some(json!(details)),
    )
}

/// Replaces what is said of a distribution.
pub(super) fn replace(act: &Act<'_>, row: &DistributionRow) -> Result<(), Fault> {
    act.close("distribution_record", "distribution = ?1", &[&row.id])?;
    enter(act, row)
}

fn enter(act: &Act<'_>, row: &DistributionRow) -> Result<(), Fault> {
    let DistributionDetails {
        sharing,
        versions,
        series,
        permit_obsolete_uploads,
    } = &row.details;
    let series = series.as_ref().map(|series| act.view.series_in(row, series)).transpose()?;
    act.execute(
        "INSERT INTO distribution_record (distribution, since, sharing, versions, series, obsolete_upload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            row.id,
            act.log,
            sharing.word(),
            versions.word(),
            series.map(|series| series.id),
            permit_obsolete_uploads
        ],
    )
    .map(|_| ())
}

pub(super) fn add_packages(act: &mut Act<'_>, name: &DistributionName, packages: &BTreeSet<PackageName>) -> Result<(), Fault> {
    let row = act.view.distribution(name)?;
    let mut added: Vec<&PackageName> = Vec::new();
    for package in packages {
        if act.view.package_id(row.id, package)?.is_some() {
            continue;
        }
        let insert = "INSERT INTO package (distribution, name, since) VALUES (?1, ?2, ?3)";
        let id = act.insert(insert, params![row.id, package.as_str(), act.log])?;
        if let Some(names) = act.view.names {
            names.enter_package(row.id, package, id);
        }
        added.push(package);
    }
    if added.is_empty() {
        return Ok(());
    }
    act.changed(Scope::Distribution(&row), "packages", name, None, Some(json!(added)))
}

impl View<'_> {
    /// The numbers of packages.
    ///
    /// # Errors
    /// When one of them is none of the distribution's.
    pub(super) fn packages<'n>(
        &self,
        distribution: &DistributionRow,
        names: impl IntoIterator<Item = &'n PackageName>,
    ) -> Result<BTreeMap<i64, &'n PackageName>, Fault> {
        let mut found = BTreeMap::new();
        let mut unknown = Vec::new();
        for name in names {
            match self.package_id(distribution.id, name)? {
                Some(id) => {
                    found.insert(id, name);
                }
                None => unknown.push(name),
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        Err(self.no_packages(distribution, unknown)?.into())
    }

    /// The number of a package, if there is one of that name.
    pub(super) fn package_id(&self, distribution: i64, name: &PackageName) -> Result<Option<i64>, Fault> {
        if let Some(id) = self.names.and_then(|names| names.package(distribution, name)) {
            return Ok(Some(id));
        }
        let select = "SELECT id FROM package WHERE distribution = ?2 AND name = ?3 AND since <= ?1";
        let found = self.one(select, params![self.at, distribution, name.as_str()], |row| row.get(0))?;
        if let (Some(names), Some(id)) = (self.names, found) {
            names.enter_package(distribution, name, id);
        }
        Ok(found)
    }

    /// What is to be said of names that are no package's.
    pub(super) fn no_packages<'n>(
        &self,
        distribution: &DistributionRow,
        unknown: impl IntoIterator<Item = &'n PackageName>,
    ) -> Result<Refusal, Fault> {
        let select = "SELECT name FROM package WHERE distribution = ?2 AND since <= ?1";
        let known: Vec<String> = self.all(select, [self.at, distribution.id], |row| row.get(0))?;
        let names = unknown.into_iter().map(|name| Unknown::new(name, known.iter().map(String::as_str)));
        Ok(Refusal::NoPackages {
            distribution: distribution.name.clone(),
            names: names.collect(),
        })
    }
}

pub(super) fn exists(what: String) -> Fault {
    Refusal::Exists { what }.into()
}

/// A list of names as a value, or nothing where there are none.
pub(super) fn names<T: ToString>(names: impl IntoIterator<Item = T>) -> Option<Value> {
    let mut names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    names.sort_unstable();
    (!names.is_empty()).then(|| json!(names))
}
