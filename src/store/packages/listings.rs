//! Packages as such, and packages in collections.

use std::collections::BTreeMap;

use rusqlite::{Row, params};
use serde_json::json;

use super::act::{Act, OPEN, Scope};
use super::distributions::exists;
use super::permissions::{self, Which};
use super::versions;
use super::view::{DistributionRow, SeriesRow, View, holds, optional, parsed, word};
use crate::model::packages::{
    ComponentName, DistributionName, ListingDetails, ListingPath, ListingStatus, PackageDetails, PackageName, PackageStatus, Refusal,
    SeriesName, Target, Unknown,
};
use crate::store::database::Fault;

/// A package of a distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRow {
    pub(super) id: i64,
    /// Its name.
    pub name: PackageName,
    /// What is said of it.
    pub details: PackageDetails,
}

/// A package in a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingRow {
    pub(super) package_id: i64,
    /// The package.
    pub package: PackageName,
    /// What is said of it there.
    pub details: ListingDetails,
}

pub(super) fn change_package(
    act: &mut Act<'_>,
    distribution: &DistributionName,
    package: &PackageName,
    details: &PackageDetails,
) -> Result<(), Fault> {
    let distribution = act.view.distribution(distribution)?;
    let before = act.view.package(&distribution, package)?;
    if before.details == *details {
        return Ok(());
    }
    if before.details.status != details.status {
        let follows = before.details.status.require_may_become(details.status);
        act.require_may_follow(|| format!("package {package}"), follows)?;
    }
    let PackageDetails {
        summary,
        description,
        review_url,
        status,
    } = details;
    act.close("package_record", "package = ?1", &[&before.id])?;
    act.execute(
        "INSERT INTO package_record (package, since, summary, description, review_url, status) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![before.id, act.log, summary, description, review_url, status.word()],
    )?;
    act.changed(
        Scope::Distribution(&distribution),
        "package",
        package,
        Some(json!(before.details)),
        Some(json!(details)),
    )
}

pub(super) fn add(act: &mut Act<'_>, path: &ListingPath, details: &ListingDetails) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let distribution = act.view.distribution(&path.series.distribution)?;
    let Some(package) = act.view.package_id(distribution.id, &path.package)? else {
        return Err(act.view.no_packages(&distribution, [&path.package])?.into());
    };
    if act.view.listing_of(&series, package)?.is_some() {
        return Err(exists(format!("a package {} in {}", path.package, path.series)));
    }
    enter(act, &series, package, details)?;
    act.changed(Scope::Series(&series), "listing", &path.package, None, Some(json!(details)))
}

pub(super) fn change(act: &mut Act<'_>, path: &ListingPath, details: &ListingDetails) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let before = act.view.listing(&series, &path.package)?;
    if before.details == *details {
        return Ok(());
    }
    if before.details.status != details.status {
        let follows = before.details.status.require_may_become(details.status);
        act.require_may_follow(|| format!("package {} in {}", path.package, path.series), follows)?;
    }
    close(act, &series, before.package_id)?;
    enter(act, &series, before.package_id, details)?;
    act.changed(
        Scope::Series(&series),
        "listing",
        &path.package,
        Some(json!(before.details)),
        Some(json!(details)),
    )
}

pub(super) fn remove(act: &mut Act<'_>, path: &ListingPath) -> Result<(), Fault> {
    let series = act.open_series(&path.series)?;
    let distribution = act.view.distribution(&path.series.distribution)?;
    let before = act.view.listing(&series, &path.package)?;
    for version in act.view.versions_in(&series, before.package_id)? {
        versions::take_out(act, &series, &version)?;
    }
    let target = Target::Listing {
        series: path.series.series.clone(),
        package: path.package.clone(),
    };
    let mut permissions = act.view.permissions_of(&distribution, &Which::Package(path.package.clone()))?;
    permissions.retain(|permission| permission.target == target);
    act.close("permission", "collection = ?1 AND package = ?2", &[&series.id, &before.package_id])?;
    for permission in permissions {
        permissions::enter(act, &distribution, Some(&series), Some(permission), None)?;
    }
    close(act, &series, before.package_id)?;
    act.changed(Scope::Series(&series), "listing", &path.package, Some(json!(before.details)), None)
}

fn close(act: &Act<'_>, series: &SeriesRow, package: i64) -> Result<usize, Fault> {
    act.close("listing", "collection = ?1 AND package = ?2", &[&series.id, &package])
}

fn enter(act: &Act<'_>, series: &SeriesRow, package: i64, details: &ListingDetails) -> Result<(), Fault> {
    let ListingDetails {
        owner,
        qa_contact,
        component,
        status,
    } = details;
    act.execute(
        "INSERT INTO listing (collection, package, since, owner, qa_contact, component, status) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            series.id,
            package,
            act.log,
            owner.to_string(),
            qa_contact.as_ref().map(ToString::to_string),
            component.as_ref().map(ComponentName::as_str),
            status.word()
        ],
    )
    .map(|_| ())
}

/// Copies all listings of one series to another of the same distribution, with the permissions on them. Returns how many listings and how many
/// permissions.
pub(super) fn copy(act: &Act<'_>, origin: &SeriesRow, series: &SeriesRow) -> Result<(usize, usize), Fault> {
    let listings = format!(
        "INSERT INTO listing (collection, package, since, owner, qa_contact, component, status)
         SELECT ?1, package, ?2, owner, qa_contact, component, status FROM listing WHERE collection = ?3 AND until = {OPEN}"
    );
    let listings = act.execute(&listings, params![series.id, act.log, origin.id])?;
    let permissions = format!(
        "INSERT INTO permission (since, distribution, party, action, status, explicit, package, collection)
         SELECT ?2, permission.distribution, permission.party, permission.action, permission.status, permission.explicit, permission.package, ?1
         FROM listing JOIN permission ON permission.package = listing.package AND permission.collection = listing.collection
         WHERE listing.collection = ?3 AND listing.until = {OPEN} AND permission.until = {OPEN}"
    );
    let permissions = act.execute(&permissions, params![series.id, act.log, origin.id])?;
    Ok((listings, permissions))
}

impl View<'_> {
    /// A package of a distribution.
    ///
    /// # Errors
    /// When there is none of that name, and when the database cannot be read.
    pub fn package(&self, distribution: &DistributionRow, name: &PackageName) -> Result<PackageRow, Fault> {
        let select = concat!(
            "SELECT package.id, package.name, record.summary, record.description, record.review_url, record.status
             FROM package LEFT JOIN package_record AS record ON record.package = package.id AND ",
            holds!("record"),
            " WHERE package.distribution = ?2 AND package.name = ?3 AND package.since <= ?1"
        );
        match self.one(select, params![self.at, distribution.id, name.as_str()], package_row)? {
            Some(found) => Ok(found),
            None => Err(self.no_packages(distribution, [name])?.into()),
        }
    }

    /// The packages of a distribution, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn packages_of(&self, distribution: &DistributionRow) -> Result<Vec<PackageRow>, Fault> {
        let select = concat!(
            "SELECT package.id, package.name, record.summary, record.description, record.review_url, record.status
             FROM package LEFT JOIN package_record AS record ON record.package = package.id AND ",
            holds!("record"),
            " WHERE package.distribution = ?2 AND package.since <= ?1 ORDER BY package.name"
        );
        self.all(select, params![self.at, distribution.id], package_row)
    }

    /// The packages that a series lists, whatever their stage there, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn listings(&self, series: &SeriesRow) -> Result<Vec<ListingRow>, Fault> {
        let select = concat!(
            "SELECT package.id, package.name, listing.owner, listing.qa_contact, listing.component, listing.status
             FROM listing JOIN package ON package.id = listing.package WHERE listing.collection = ?2 AND ",
            holds!("listing"),
            " ORDER BY package.name"
        );
        self.all(select, params![self.at, series.id], |row| {
            Ok(ListingRow {
                package_id: row.get(0)?,
                package: parsed(row, 1)?,
                details: listing_details(row, 2)?,
            })
        })
    }

    /// A package in a series, whatever its stage there.
    ///
    /// # Errors
    /// When the series itself does not list it, and when the database cannot be read.
    pub fn listing(&self, series: &SeriesRow, package: &PackageName) -> Result<ListingRow, Fault> {
        if let Some(found) = self.find_listing(series, package)? {
            return Ok(found);
        }
        let known = self.listings(series)?;
        Err(Refusal::NoListing {
            series: series.path.clone(),
            name: Unknown::new(package, known.iter().map(|listing| listing.package.as_str())),
        }
        .into())
    }

    /// A package in a series, if the series itself lists it, whatever its stage there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find_listing(&self, series: &SeriesRow, package: &PackageName) -> Result<Option<ListingRow>, Fault> {
        let Some(package_id) = self.package_id(series.distribution_id, package)? else {
            return Ok(None);
        };
        let details = self.listing_of(series, package_id)?;
        Ok(details.map(|details| ListingRow {
            package_id,
            package: package.clone(),
            details,
        }))
    }

    /// The series that list a package themselves, in the order in which they were added, with what each says of it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn listed_in(&self, package: &PackageRow) -> Result<Vec<(SeriesName, ListingDetails)>, Fault> {
        let mut listings: Vec<_> = self.listings_of(package.id)?.into_iter().collect();
        listings.sort_by_key(|(_, (series, _))| *series);
        Ok(listings.into_iter().map(|(name, (_, details))| (name, details)).collect())
    }

    fn listing_of(&self, series: &SeriesRow, package: i64) -> Result<Option<ListingDetails>, Fault> {
        // Few series list one package, and one series lists many.
        let select = concat!(
            "SELECT owner, qa_contact, component, status FROM listing WHERE +collection = ?2 AND package = ?3 AND ",
            holds!("listing")
        );
        self.one(select, params![self.at, series.id, package], |row| listing_details(row, 0))
    }

    /// What each collection that lists a package says of it, with the collection's number.
    pub(super) fn listings_of(&self, package: i64) -> Result<BTreeMap<SeriesName, (i64, ListingDetails)>, Fault> {
        let select = concat!(
            "SELECT collection.name, collection.id, listing.owner, listing.qa_contact, listing.component, listing.status
             FROM listing JOIN collection ON collection.id = listing.collection WHERE listing.package = ?2 AND ",
            holds!("listing")
        );
        self.all(select, params![self.at, package], |row| {
            Ok((parsed(row, 0)?, (row.get(1)?, listing_details(row, 2)?)))
        })
    }
}

fn package_row(row: &Row<'_>) -> rusqlite::Result<PackageRow> {
    let has_record = row.get::<_, Option<String>>(5)?.is_some();
    Ok(PackageRow {
        id: row.get(0)?,
        name: parsed(row, 1)?,
        details: if has_record {
            PackageDetails {
                summary: row.get(2)?,
                description: row.get(3)?,
                review_url: row.get(4)?,
                status: word(row, 5, &PackageStatus::ALL, PackageStatus::word)?,
            }
        } else {
            PackageDetails::default()
        },
    })
}

fn listing_details(row: &Row<'_>, first: usize) -> rusqlite::Result<ListingDetails> {
    Ok(ListingDetails {
        owner: parsed(row, first)?,
        qa_contact: optional(row, first + 1)?,
        component: optional(row, first + 2)?,
        status: word(row, first + 3, &ListingStatus::ALL, ListingStatus::word)?,
    })
}
