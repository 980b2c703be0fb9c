//! What is built from versions of packages, and which collections have it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Row, params};
use serde_json::{Value, json};

use super::act::{Act, Scope};
use super::versions::VersionRow;
use super::view::{DistributionRow, SeriesRow, View, holds, parsed};
use crate::model::packages::{BuiltDetails, BuiltPackageName, DistributionName, ListingPath, PackageName, Refusal, Unknown, Version};
use crate::store::database::Fault;

/// A built package of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltRow {
    pub(super) id: i64,
    /// Its name.
    pub name: BuiltPackageName,
    /// The package that it is built from.
    pub package: PackageName,
    /// The version of that.
    pub version: Version,
    /// What is said of it.
    pub details: BuiltDetails,
}

pub(super) fn set(
    act: &mut Act<'_>,
    distribution: &DistributionName,
    package: &PackageName,
    version: &Version,
    built: &BuiltPackageName,
    details: &BuiltDetails,
) -> Result<(), Fault> {
    let distribution = act.view.distribution(distribution)?;
    let version = act.view.version(&distribution, package, version)?;
    let before = act.view.built_from(&version)?.into_iter().find(|row| row.name == *built);
    if before.as_ref().is_some_and(|before| before.details == *details) {
        return Ok(());
    }
    let id = match &before {
        Some(before) => {
            act.close("built_record", "built = ?1", &[&before.id])?;
            before.id
        }
        None => act.insert(
            "INSERT INTO built_package (version, name) VALUES (?1, ?2)",
            params![version.id, built.as_str()],
        )?,
    };
    let BuiltDetails { summary, description } = details;
    let insert = "INSERT INTO built_record (built, since, summary, description) VALUES (?1, ?2, ?3, ?4)";
    act.execute(insert, params![id, act.log, summary, description])?;
    act.changed(
        Scope::Distribution(&distribution),
        "built",
        &format!("{package} {} {built}", version.version),
        before.map(|before| json!(before.details)),
        Some(json!(details)),
    )
}

pub(super) fn list(act: &mut Act<'_>, path: &ListingPath, version: &Version, wanted: &BTreeSet<BuiltPackageName>) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let version = act.view.version_in(&series, &path.package, version)?;
    let known: BTreeMap<BuiltPackageName, i64> = act.view.built_from(&version)?.into_iter().map(|row| (row.name, row.id)).collect();
    require_all(wanted, &known, None)?;
    let there: BTreeSet<i64> = act.view.built_in(&series, &version)?.into_values().collect();
    let new: Vec<&BuiltPackageName> = wanted.iter().filter(|name| !there.contains(&known[*name])).collect();
    if new.is_empty() {
        return Ok(());
    }
    for name in &new {
        let insert = "INSERT INTO built_listing (collection, built, since) VALUES (?1, ?2, ?3)";
        act.execute(insert, params![series.id, known[*name], act.log])?;
    }
    act.changed(
        Scope::Series(&series),
        "built-listing",
        &path.package,
        None,
        Some(said(&version, new)),
    )
}

pub(super) fn withdraw(
    act: &mut Act<'_>,
    path: &ListingPath,
    version: &Version,
    unwanted: &BTreeSet<BuiltPackageName>,
) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let version = act.view.version_in(&series, &path.package, version)?;
    let there = act.view.built_in(&series, &version)?;
    require_all(unwanted, &there, Some(&series))?;
    let gone = there.into_iter().filter(|(name, _)| unwanted.contains(name)).collect();
    take_out(act, &series, &version, &gone)
}

/// What of a version is built.
fn said<'n>(version: &VersionRow, built: impl IntoIterator<Item = &'n BuiltPackageName>) -> Value {
    let built: Vec<&BuiltPackageName> = built.into_iter().collect();
    json!({ "version": version.version, "built": built })
}

/// Takes everything that is built from a version out of a series.
pub(super) fn take_out_all(act: &mut Act<'_>, series: &SeriesRow, version: &VersionRow) -> Result<(), Fault> {
    let there = act.view.built_in(series, version)?;
    take_out(act, series, version, &there)
}

fn take_out(act: &mut Act<'_>, series: &SeriesRow, version: &VersionRow, gone: &BTreeMap<BuiltPackageName, i64>) -> Result<(), Fault> {
    if gone.is_empty() {
        return Ok(());
    }
    for id in gone.values() {
        act.close("built_listing", "collection = ?1 AND built = ?2", &[&series.id, id])?;
    }
    act.changed(
        Scope::Series(series),
        "built-listing",
        &version.package,
        Some(said(version, gone.keys())),
        None,
    )
}

fn require_all(
    wanted: &BTreeSet<BuiltPackageName>,
    known: &BTreeMap<BuiltPackageName, i64>,
    series: Option<&SeriesRow>,
) -> Result<(), Fault> {
    let unknown = wanted.iter().filter(|name| !known.contains_key(*name));
    let names: Vec<Unknown> = unknown
        .map(|name| Unknown::new(name, known.keys().map(BuiltPackageName::as_str)))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let series = series.map(|series| series.path.clone());
    Err(Refusal::NoBuilt { names, series }.into())
}

impl View<'_> {
    /// What is known to be built from a version, by name, whichever series have it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn built_from(&self, version: &VersionRow) -> Result<Vec<BuiltRow>, Fault> {
        let select = concat!(
            "SELECT built_package.id, built_package.name, record.summary, record.description FROM built_package
             JOIN built_record AS record ON record.built = built_package.id WHERE built_package.version = ?2 AND ",
            holds!("record"),
            " ORDER BY built_package.name"
        );
        self.all(select, params![self.at, version.id], |row| {
            Ok(BuiltRow {
                id: row.get(0)?,
                name: parsed(row, 1)?,
                package: version.package.clone(),
                version: version.version.clone(),
                details: BuiltDetails {
                    summary: row.get(2)?,
                    description: row.get(3)?,
                },
            })
        })
    }

    /// All that is known to be built from versions of a distribution's packages, by name, and then by what it is built from.
    pub(super) fn all_built(&self, distribution: &DistributionRow) -> Result<Vec<BuiltRow>, Fault> {
        let select = concat!(
            "SELECT built_package.id, built_package.name, package.name, package_version.version, record.summary, record.description
             FROM built_package JOIN package_version ON package_version.id = built_package.version
             JOIN package ON package.id = package_version.package
             JOIN built_record AS record ON record.built = built_package.id WHERE package.distribution = ?2 AND ",
            holds!("record"),
            " ORDER BY built_package.name, package.name, package_version.version"
        );
        self.all(select, params![self.at, distribution.id], built_row)
    }

    /// The built packages that a series has, by name, and then by what they are built from.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn built(&self, series: &SeriesRow) -> Result<Vec<BuiltRow>, Fault> {
        let select = concat!(
            "SELECT built_package.id, built_package.name, package.name, package_version.version, record.summary, record.description
             FROM built_listing JOIN built_package ON built_package.id = built_listing.built
             JOIN package_version ON package_version.id = built_package.version JOIN package ON package.id = package_version.package
             JOIN built_record AS record ON record.built = built_package.id WHERE built_listing.collection = ?2 AND ",
            holds!("built_listing"),
            " AND ",
            holds!("record"),
            " ORDER BY built_package.name, package.name, package_version.version"
        );
        self.all(select, params![self.at, series.id], built_row)
    }

    /// What a series has of what is built from a version.
    fn built_in(&self, series: &SeriesRow, version: &VersionRow) -> Result<BTreeMap<BuiltPackageName, i64>, Fault> {
        let select = concat!(
            "SELECT built_package.name, built_package.id FROM built_package JOIN built_listing ON built_listing.built = built_package.id
             WHERE built_listing.collection = ?2 AND built_package.version = ?3 AND ",
            holds!("built_listing")
        );
        self.all(select, params![self.at, series.id, version.id], |row| {
            Ok((parsed(row, 0)?, row.get(1)?))
        })
    }

    /// Refuses names that nothing in the distribution was ever built as.
    pub(super) fn require_built<'n>(
        &self,
        distribution: &DistributionRow,
        names: impl IntoIterator<Item = &'n BuiltPackageName>,
    ) -> Result<(), Fault> {
        let select = "SELECT built_package.name FROM built_package JOIN package_version ON package_version.id = built_package.version
                      JOIN package ON package.id = package_version.package WHERE package.distribution = ?1";
        let known: BTreeSet<BuiltPackageName> = self.all(select, [distribution.id], |row| parsed(row, 0))?;
        let unknown = names.into_iter().filter(|name| !known.contains(name));
        let names: Vec<Unknown> = unknown
            .map(|name| Unknown::new(name, known.iter().map(BuiltPackageName::as_str)))
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(Refusal::NoBuilt { names, series: None }.into())
    }
}

fn built_row(row: &Row<'_>) -> rusqlite::Result<BuiltRow> {
    Ok(BuiltRow {
        id: row.get(0)?,
        name: parsed(row, 1)?,
        package: parsed(row, 2)?,
        version: parsed(row, 3)?,
        details: BuiltDetails {
            summary: row.get(4)?,
            description: row.get(5)?,
        },
    })
}
