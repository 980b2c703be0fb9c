//! What is known of packages, and what collections have of them, as operations change it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::model::packages::{
    BuiltDetails, BuiltPackageName, CategoryDetails, CompsName, GroupDetails, ListingDetails, ListingPath, PackageDetails, PackageName,
    SeriesName, SeriesPath, Target, Version, VersionStatus,
};

/// A version in the order of its text, which is not that of age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::model::packages::document) struct ByText(pub(in crate::model::packages::document) Version);

impl Ord for ByText {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.as_str().cmp(other.0.as_str())
    }
}

impl PartialOrd for ByText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What is known of a package.
#[derive(Clone, Debug, Default)]
pub(in crate::model::packages::document) struct PackageState {
    /// `None` if nothing is said of it.
    pub(in crate::model::packages::document) details: Option<PackageDetails>,
    pub(in crate::model::packages::document) versions: BTreeMap<ByText, VersionState>,
}

/// What is known of a version.
#[derive(Clone, Debug)]
pub(in crate::model::packages::document) struct VersionState {
    pub(in crate::model::packages::document) status: VersionStatus,
    pub(in crate::model::packages::document) built: BTreeMap<BuiltPackageName, BuiltDetails>,
}

/// What is in a collection besides package sets.
#[derive(Clone, Debug, Default)]
pub(in crate::model::packages::document) struct Contents {
    pub(in crate::model::packages::document) listings: BTreeMap<PackageName, ListingState>,
    pub(in crate::model::packages::document) groups: BTreeMap<CompsName, GroupDetails>,
    pub(in crate::model::packages::document) categories: BTreeMap<CompsName, CategoryDetails>,
}

/// A package in a collection.
#[derive(Clone, Debug)]
pub(in crate::model::packages::document) struct ListingState {
    pub(in crate::model::packages::document) details: ListingDetails,
    /// Its versions there, with what of each is built.
    pub(in crate::model::packages::document) versions: BTreeMap<ByText, BTreeSet<BuiltPackageName>>,
}

impl Contents {
    pub(in crate::model::packages::document) fn is_empty(&self) -> bool {
        let Self {
            listings,
            groups,
            categories,
        } = self;
        listings.is_empty() && groups.is_empty() && categories.is_empty()
    }
}

impl State {
    /// Enters names of packages, of which nothing more need be known.
    pub(in crate::model::packages::document) fn add_packages<'n>(&mut self, names: impl IntoIterator<Item = &'n PackageName>) {
        for name in names {
            self.packages.entry(name.clone()).or_default();
        }
    }

    pub(super) fn set_package(&mut self, package: &PackageName, details: &PackageDetails) {
        self.packages.entry(package.clone()).or_default().details = Some(details.clone());
    }

    pub(super) fn set_version(&mut self, package: &PackageName, version: &Version, status: VersionStatus) {
        let versions = &mut self.packages.entry(package.clone()).or_default().versions;
        let known = versions.entry(ByText(version.clone())).or_insert_with(|| VersionState {
            status,
            built: BTreeMap::new(),
        });
        known.status = status;
    }

    pub(super) fn set_built(&mut self, package: &PackageName, version: &Version, built: &BuiltPackageName, details: &BuiltDetails) {
        let package = self.packages.get_mut(package);
        if let Some(version) = package.and_then(|package| package.versions.get_mut(&ByText(version.clone()))) {
            version.built.insert(built.clone(), details.clone());
        }
    }

    pub(super) fn change_contents(&mut self, path: &SeriesPath, change: impl FnOnce(&mut Contents)) {
        if let Some(series) = self.series_mut(&path.series) {
            change(&mut series.contents);
        }
    }

    pub(super) fn set_listing(&mut self, path: &ListingPath, details: &ListingDetails) {
        self.change_contents(&path.series, |contents| {
            let listing = contents.listings.entry(path.package.clone()).or_insert_with(|| ListingState {
                details: details.clone(),
                versions: BTreeMap::new(),
            });
            listing.details = details.clone();
        });
    }

    pub(super) fn change_listing(&mut self, path: &ListingPath, change: impl FnOnce(&mut ListingState)) {
        self.change_contents(&path.series, |contents| {
            if let Some(listing) = contents.listings.get_mut(&path.package) {
                change(listing);
            }
        });
    }

    /// The permissions on a listing go with it.
    pub(super) fn remove_listing(&mut self, path: &ListingPath) {
        self.change_contents(&path.series, |contents| {
            contents.listings.remove(&path.package);
        });
        let gone = Target::Listing {
            series: path.series.series.clone(),
            package: path.package.clone(),
        };
        self.permissions.retain(|(target, ..), _| *target != gone);
    }

    pub(super) fn remove_group(&mut self, path: &SeriesPath, group: &CompsName) {
        self.change_contents(path, |contents| {
            contents.groups.remove(group);
            for category in contents.categories.values_mut() {
                category.groups.remove(group);
            }
        });
    }

    /// Lists what another series lists, with the permissions on it. The versions stay where they are.
    pub(super) fn copy_listings(&mut self, name: &SeriesName, from: &SeriesName) {
        let Some(mut listings) = self.series(from).map(|series| series.contents.listings.clone()) else {
            return;
        };
        listings.values_mut().for_each(|listing| listing.versions.clear());
        let permissions = self
            .permissions
            .iter()
            .filter_map(|((target, party, action), status)| match target {
                Target::Listing { series, package } if series == from => {
                    let target = Target::Listing {
                        series: name.clone(),
                        package: package.clone(),
                    };
                    Some(((target, party.clone(), *action), *status))
                }
                _ => None,
            });
        let permissions: Vec<_> = permissions.collect();
        self.permissions.extend(permissions);
        if let Some(series) = self.series_mut(name) {
            series.contents.listings = listings;
        }
    }
}
