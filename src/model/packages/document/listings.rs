//! What is done to what a series has besides package sets: packages, their versions, groups and categories.

use std::collections::BTreeSet;

use super::difference::Planner;
use super::mistake::Place;
use super::state::{ListingState, SeriesState};
use crate::model::packages::{ListingPath, Operation, PackageName, SeriesName, Version};

impl Planner<'_> {
    pub(super) fn contents(&mut self, wanted: &SeriesState) {
        self.listings(wanted);
        self.groups(wanted);
        self.categories(wanted);
    }

    fn listing_path(&self, series: &SeriesName, package: &PackageName) -> ListingPath {
        ListingPath {
            series: self.state.path(series),
            package: package.clone(),
        }
    }

    fn listings(&mut self, wanted: &SeriesState) {
        let name = &wanted.name;
        let Some(have) = self.state.series(name).map(|series| series.contents.listings.clone()) else {
            return;
        };
        let want = &wanted.contents.listings;
        for package in have.keys().filter(|package| !want.contains_key(*package)) {
            let path = self.listing_path(name, package);
            self.push(Operation::RemoveListing { path });
        }
        for (package, listing) in want {
            let path = self.listing_path(name, package);
            let have = have.get(package);
            let ListingState { details, versions: _ } = listing;
            match have {
                None => self.push(Operation::AddListing {
                    path: path.clone(),
                    details: details.clone(),
                }),
                Some(have) if have.details != *details => {
                    if have.details.status != details.status {
                        let follows = have.details.status.require_may_become(details.status);
                        self.require_may_follow(follows, |planner| planner.listing_place(name, package).key("status"));
                    }
                    self.push(Operation::ChangeListing {
                        path: path.clone(),
                        details: details.clone(),
                    });
                }
                Some(_) => {}
            }
            self.versions(&path, have, listing);
        }
    }

    fn versions(&mut self, path: &ListingPath, have: Option<&ListingState>, want: &ListingState) {
        let known = have.into_iter().flat_map(|have| have.versions.keys());
        let gone: Vec<Version> = known
            .filter(|version| !want.versions.contains_key(version))
            .map(|version| version.0.clone())
            .collect();
        for version in gone {
            let path = path.clone();
            self.push(Operation::WithdrawVersion { path, version });
        }
        for (version, wanted) in &want.versions {
            let known = have.and_then(|have| have.versions.get(version));
            if known.is_none() {
                self.push(Operation::ListVersion {
                    path: path.clone(),
                    version: version.0.clone(),
                });
            }
            let none = BTreeSet::new();
            let known = known.unwrap_or(&none);
            let gone: BTreeSet<_> = known.difference(wanted).cloned().collect();
            if !gone.is_empty() {
                self.push(Operation::WithdrawBuilt {
                    path: path.clone(),
                    version: version.0.clone(),
                    built: gone,
                });
            }
            let new: BTreeSet<_> = wanted.difference(known).cloned().collect();
            if !new.is_empty() {
                self.push(Operation::ListBuilt {
                    path: path.clone(),
                    version: version.0.clone(),
                    built: new,
                });
            }
        }
    }

    /// Categories that go, go before the groups in them.
    fn groups(&mut self, wanted: &SeriesState) {
        let series = self.state.path(&wanted.name);
        let Some(have) = self.state.series(&wanted.name).map(|series| series.contents.clone()) else {
            return;
        };
        let want = &wanted.contents;
        for category in have.categories.keys().filter(|category| !want.categories.contains_key(*category)) {
            let (series, category) = (series.clone(), category.clone());
            self.push(Operation::RemoveCategory { series, category });
        }
        for group in have.groups.keys().filter(|group| !want.groups.contains_key(*group)) {
            let (series, group) = (series.clone(), group.clone());
            self.push(Operation::RemoveGroup { series, group });
        }
        for (group, details) in &want.groups {
            if have.groups.get(group) != Some(details) {
                self.push(Operation::SetGroup {
                    series: series.clone(),
                    group: group.clone(),
                    details: details.clone(),
                });
            }
        }
    }

    /// A group that went is in no category any more.
    fn categories(&mut self, wanted: &SeriesState) {
        let series = self.state.path(&wanted.name);
        let Some(have) = self.state.series(&wanted.name).map(|series| series.contents.categories.clone()) else {
            return;
        };
        for (category, details) in &wanted.contents.categories {
            if have.get(category) != Some(details) {
                self.push(Operation::SetCategory {
                    series: series.clone(),
                    category: category.clone(),
                    details: details.clone(),
                });
            }
        }
    }

    fn listing_place(&self, series: &SeriesName, package: &PackageName) -> Place {
        let at = self.series_place(series).key("listing");
        let entry = self.document.series.iter().find(|entry| entry.name == *series);
        let place = entry.and_then(|entry| entry.listings.iter().position(|listing| listing.package == *package));
        place.map_or(at.clone(), |place| at.item(place))
    }
}
