//! Versions of packages, and which collections have them.

use rusqlite::params;
use serde_json::{Value, json};

use super::act::{Act, Scope};
use super::built;
use super::distributions::exists;
use super::view::{DistributionRow, SeriesRow, View, holds, parsed, word};
use crate::model::packages::{
    DistributionName, ListingPath, PackageName, Refusal, SeriesName, Unknown, Version, VersionScheme, VersionStatus,
};
use crate::store::database::Fault;

/// A version of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    pub(super) id: i64,
    /// The package.
    pub package: PackageName,
    /// The version.
    pub version: Version,
    /// Its stage.
    pub status: VersionStatus,
}

fn said(status: VersionStatus) -> Value {
    json!({ "status": status })
}

/// What a version is called in the log.
fn called(package: &PackageName, version: &Version) -> String {
    format!("{package} {version}")
}

pub(super) fn add(
    act: &mut Act<'_>,
    distribution: &DistributionName,
    package: &PackageName,
    version: &Version,
    status: VersionStatus,
) -> Result<(), Fault> {
    let distribution = act.view.distribution(distribution)?;
    let owner = act.view.package(&distribution, package)?;
    distribution.details.versions.require(version).map_err(Refusal::Version)?;
    if act.view.find_version(&distribution, package, version)?.is_some() {
        return Err(exists(format!("a version {version} of package {package}")));
    }
    let id = act.insert(
        "INSERT INTO package_version (package, version) VALUES (?1, ?2)",
        params![owner.id, version.as_str()],
    )?;
    enter(act, id, status)?;
    let name = called(package, version);
    act.changed(Scope::Distribution(&distribution), "version", &name, None, Some(said(status)))
}

pub(super) fn change(
    act: &mut Act<'_>,
    distribution: &DistributionName,
    package: &PackageName,
    version: &Version,
    status: VersionStatus,
) -> Result<(), Fault> {
    let distribution = act.view.distribution(distribution)?;
    let before = act.view.version(&distribution, package, version)?;
    if before.status == status {
        return Ok(());
    }
    let follows = before.status.require_may_become(status);
    act.require_may_follow(|| format!("version {version} of package {package}"), follows)?;
    for series in act.view.series_with(&before)? {
        act.require_open(&act.view.series_in(&distribution, &series)?)?;
    }
    act.close("version_record", "version = ?1", &[&before.id])?;
    enter(act, before.id, status)?;
    act.changed(
        Scope::Distribution(&distribution),
        "version",
        &called(package, version),
        Some(said(before.status)),
        Some(said(status)),
    )
}

fn enter(act: &Act<'_>, version: i64, status: VersionStatus) -> Result<(), Fault> {
    let insert = "INSERT INTO version_record (version, since, status) VALUES (?1, ?2, ?3)";
    act.execute(insert, params![version, act.log, status.word()]).map(|_| ())
}

pub(super) fn list(act: &mut Act<'_>, path: &ListingPath, version: &Version) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let distribution = act.view.distribution(&path.series.distribution)?;
    let listing = act.view.listing(&series, &path.package)?;
    let version = act.view.version(&distribution, &path.package, version)?;
    if act.view.versions_in(&series, listing.package_id)?.contains(&version) {
        return Ok(());
    }
    let insert = "INSERT INTO version_listing (collection, version, since) VALUES (?1, ?2, ?3)";
    act.execute(insert, params![series.id, version.id, act.log])?;
    act.changed(
        Scope::Series(&series),
        "version-listing",
        &path.package,
        None,
        Some(json!(version.version)),
    )
}

pub(super) fn withdraw(act: &mut Act<'_>, path: &ListingPath, version: &Version) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let version = act.view.version_in(&series, &path.package, version)?;
    take_out(act, &series, &version)
}

/// Takes a version out of a series that has it, with what is built from it.
pub(super) fn take_out(act: &mut Act<'_>, series: &SeriesRow, version: &VersionRow) -> Result<(), Fault> {
    built::take_out_all(act, series, version)?;
    act.close("version_listing", "collection = ?1 AND version = ?2", &[&series.id, &version.id])?;
    act.changed(
        Scope::Series(series),
        "version-listing",
        &version.package,
        Some(json!(version.version)),
        None,
    )
}

/// Columns of a [`VersionRow`].
macro_rules! versions {
    ($joins:literal, $condition:literal) => {
        concat!(
            "SELECT package_version.id, package.name, package_version.version, record.status FROM package_version
             JOIN package ON package.id = package_version.package
             JOIN version_record AS record ON record.version = package_version.id ",
            $joins,
            " WHERE ",
            $condition,
            " AND ",
            holds!("record")
        )
    };
}

impl View<'_> {
    /// All versions of a distribution's packages that are known, those of each package the newest first.
    pub(super) fn all_versions(&self, distribution: &DistributionRow) -> Result<Vec<VersionRow>, Fault> {
        let select = versions!("", "package.distribution = ?2");
        let mut rows: Vec<VersionRow> = self.all(select, params![self.at, distribution.id], version_row)?;
        newest_first(&mut rows, distribution.details.versions);
        Ok(rows)
    }

    /// The versions of a package that are known, the newest first, whichever series have them.
    ///
    /// # Errors
    /// When there is no such package, and when the database cannot be read.
    pub fn versions_of(&self, distribution: &DistributionRow, package: &PackageName) -> Result<Vec<VersionRow>, Fault> {
        let package = self.package(distribution, package)?;
        let select = versions!("", "package_version.package = ?2");
        let mut rows: Vec<VersionRow> = self.all(select, params![self.at, package.id], version_row)?;
        newest_first(&mut rows, distribution.details.versions);
        Ok(rows)
    }

    /// The versions that a series itself has, those of each package the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn versions(&self, series: &SeriesRow) -> Result<Vec<VersionRow>, Fault> {
        let distribution = self.distribution(&series.path.distribution)?;
        let select = versions!(
            "JOIN version_listing ON version_listing.version = package_version.id AND version_listing.since <= ?1 AND version_listing.until > ?1",
            "version_listing.collection = ?2"
        );
        let mut rows: Vec<VersionRow> = self.all(select, params![self.at, series.id], version_row)?;
        newest_first(&mut rows, distribution.details.versions);
        Ok(rows)
    }

    /// The series that have a version themselves, in the order in which they were added.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn series_with(&self, version: &VersionRow) -> Result<Vec<SeriesName>, Fault> {
        let select = concat!(
            "SELECT collection.name FROM version_listing JOIN collection ON collection.id = version_listing.collection
             WHERE version_listing.version = ?2 AND ",
            holds!("version_listing"),
            " ORDER BY collection.id"
        );
        self.all(select, params![self.at, version.id], |row| parsed(row, 0))
    }

    /// The versions of a package that a series itself has, in no order.
    pub(super) fn versions_in(&self, series: &SeriesRow, package: i64) -> Result<Vec<VersionRow>, Fault> {
        let select = versions!(
            "JOIN version_listing ON version_listing.version = package_version.id AND version_listing.since <= ?1 AND version_listing.until > ?1",
            "package_version.package = ?3 AND version_listing.collection = ?2"
        );
        self.all(select, params![self.at, series.id, package], version_row)
    }

    fn find_version(&self, distribution: &DistributionRow, package: &PackageName, version: &Version) -> Result<Option<VersionRow>, Fault> {
        let rows = self.versions_of(distribution, package)?;
        Ok(rows.into_iter().find(|row| row.version == *version))
    }

    /// A version of a package.
    ///
    /// # Errors
    /// When there is no such version or package, and when the database cannot be read.
    pub fn version(&self, distribution: &DistributionRow, package: &PackageName, version: &Version) -> Result<VersionRow, Fault> {
        let mut rows = self.versions_of(distribution, package)?;
        match rows.iter().position(|row| row.version == *version) {
            Some(place) => Ok(rows.swap_remove(place)),
            None => Err(Refusal::NoVersion {
                package: package.clone(),
                name: Unknown::new(version, rows.iter().map(|row| row.version.as_str())),
                series: None,
            }
            .into()),
        }
    }

    /// A version of a package that a series itself has.
    ///
    /// # Errors
    /// When the series does not list the package or has no such version of it, and when the database cannot be read.
    pub fn version_in(&self, series: &SeriesRow, package: &PackageName, version: &Version) -> Result<VersionRow, Fault> {
        let listing = self.listing(series, package)?;
        let mut rows = self.versions_in(series, listing.package_id)?;
        match rows.iter().position(|row| row.version == *version) {
            Some(place) => Ok(rows.swap_remove(place)),
            None => Err(Refusal::NoVersion {
                package: package.clone(),
                name: Unknown::new(version, rows.iter().map(|row| row.version.as_str())),
                series: Some(series.path.clone()),
            }
            .into()),
        }
    }
}

fn version_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<VersionRow> {
    Ok(VersionRow {
        id: row.get(0)?,
        package: parsed(row, 1)?,
        version: parsed(row, 2)?,
        status: word(row, 3, &VersionStatus::ALL, VersionStatus::word)?,
    })
}

fn newest_first(rows: &mut [VersionRow], scheme: VersionScheme) {
    rows.sort_by(|left, right| {
        left.package
            .cmp(&right.package)
            .then_with(|| scheme.compare(&right.version, &left.version))
            .then_with(|| right.version.as_str().cmp(left.version.as_str()))
    });
}
