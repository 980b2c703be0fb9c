//! Whether what a document says of packages and collections holds together.

use std::collections::{BTreeMap, BTreeSet};

use super::Expansion;
use crate::model::packages::document::mistake::{MistakeKind, Place};
use crate::model::packages::document::state::{ByText, Contents, ListingState, PackageState, VersionState};
use crate::model::packages::document::{
    BuiltDocument, CategoryDocument, GroupDocument, ListedVersion, ListingDocument, PackageDocument, SeriesDocument, SeriesTarget,
    VersionDocument,
};
use crate::model::packages::{BuiltPackageName, CompsName, OverlayError, Overlays, PackageName, SeriesDetails, Unknown};

impl Expansion<'_> {
    /// What is said of packages as such.
    pub(super) fn catalogue(&mut self, described: &[PackageDocument]) {
        let mut names = BTreeSet::new();
        for (index, package) in described.iter().enumerate() {
            let at = Place::default().key("package").item(index);
            let PackageDocument { name, details, versions } = package;
            if !names.insert(name) {
                let what = format!("a package {name}");
                self.report(at.key("name"), MistakeKind::Repeated { what });
                continue;
            }
            let mut known = BTreeMap::new();
            for (place, version) in versions.iter().enumerate() {
                let at = at.key("version").item(place);
                let key = ByText(version.version.clone());
                if known.contains_key(&key) {
                    let what = format!("a version {} of {name}", version.version);
                    self.report(at.key("version"), MistakeKind::Repeated { what });
                    continue;
                }
                let state = self.version(&at, version);
                known.insert(key, state);
            }
            let state = PackageState {
                details: Some(details.clone()),
                versions: known,
            };
            self.state.packages.insert(name.clone(), state);
        }
    }

    fn version(&mut self, at: &Place, version: &VersionDocument) -> VersionState {
        let VersionDocument { version: _, status, built } = version;
        let mut known = BTreeMap::new();
        for (index, BuiltDocument { name, details }) in built.iter().enumerate() {
            if known.insert(name.clone(), details.clone()).is_some() {
                let what = format!("a built package {name} of this version");
                self.report(at.key("built").item(index).key("name"), MistakeKind::Repeated { what });
            }
        }
        VersionState {
            status: *status,
            built: known,
        }
    }

    /// What a series refers to, and what no other series may have too.
    pub(super) fn collections(&mut self, series: &[SeriesDocument]) {
        let mut titles = BTreeSet::new();
        let mut overlays = Overlays::default();
        for (index, entry) in series.iter().enumerate() {
            let at = Place::series(index);
            let SeriesDetails {
                title,
                version,
                status: _,
                owner: _,
                summary: _,
                description: _,
                branch,
                publish_url: _,
                pending_url: _,
                bases,
                dates: _,
            } = &entry.details;
            if let Some(title) = title
                && !titles.insert((title, version))
            {
                let what = format!("a series {title} {version}");
                self.report(at.key("title"), MistakeKind::Repeated { what });
            }
            if let Some(parent) = branch.as_ref().and_then(|branch| branch.parent.as_ref()) {
                self.require_series(parent, || at.key("branch").key("parent"));
            }
            for (place, base) in bases.iter().enumerate() {
                let at = at.key("bases").item(place);
                if !self.require_series(&base.base, || at.key("base")) {
                    continue;
                }
                match overlays.add(&entry.name, base.clone()) {
                    Ok(()) => {}
                    Err(OverlayError::Already { .. }) => {
                        let what = format!("the base {}", base.base);
                        self.report(at, MistakeKind::Repeated { what });
                    }
                    Err(error @ OverlayError::Cycle { .. }) => self.report(at, MistakeKind::Overlay(error)),
                }
            }
        }
    }

    /// What a series has besides package sets.
    pub(super) fn contents(&mut self, at: &Place, entry: &SeriesDocument, built: &BTreeSet<BuiltPackageName>) -> Contents {
        let mut contents = Contents::default();
        for (index, listing) in entry.listings.iter().enumerate() {
            let at = at.key("listing").item(index);
            let ListingDocument {
                package,
                details,
                versions,
            } = listing;
            let state = ListingState {
                details: details.clone(),
                versions: self.listed(&at, package, versions),
            };
            if contents.listings.insert(package.clone(), state).is_some() {
                let what = format!("a listing of {package}");
                self.report(at.key("package"), MistakeKind::Repeated { what });
            }
        }
        for (index, GroupDocument { name, details }) in entry.groups.iter().enumerate() {
            let at = at.key("group").item(index);
            for member in details.members.keys().filter(|member| !built.contains(*member)) {
                let built = Unknown::new(member, built.iter().map(BuiltPackageName::as_str));
                self.report(at.key("members").text(member), MistakeKind::NeverBuilt { built });
            }
            if contents.groups.insert(name.clone(), details.clone()).is_some() {
                let what = format!("a group {name} of this series");
                self.report(at.key("name"), MistakeKind::Repeated { what });
            }
        }
        for (index, CategoryDocument { name, details }) in entry.categories.iter().enumerate() {
            let at = at.key("category").item(index);
            for group in details.groups.iter().filter(|group| !contents.groups.contains_key(*group)) {
                let kind = MistakeKind::NoGroup {
                    series: entry.name.clone(),
                    group: Unknown::new(group, contents.groups.keys().map(CompsName::as_str)),
                };
                self.report(at.key("groups").text(group), kind);
            }
            if contents.categories.insert(name.clone(), details.clone()).is_some() {
                let what = format!("a category {name} of this series");
                self.report(at.key("name"), MistakeKind::Repeated { what });
            }
        }
        self.require_listed(at, entry, &contents);
        contents
    }

    /// Permissions on listings go with these.
    fn require_listed(&mut self, at: &Place, entry: &SeriesDocument, contents: &Contents) {
        for (index, permission) in entry.permissions.iter().enumerate() {
            if let SeriesTarget::Listing { package } = &permission.target
                && !contents.listings.contains_key(package)
            {
                let kind = MistakeKind::NotListed {
                    series: entry.name.clone(),
                    package: Unknown::new(package, contents.listings.keys().map(PackageName::as_str)),
                };
                self.report(at.key("permissions").item(index).key("package"), kind);
            }
        }
    }

    fn listed(&mut self, at: &Place, package: &PackageName, versions: &[ListedVersion]) -> BTreeMap<ByText, BTreeSet<BuiltPackageName>> {
        let mut listed = BTreeMap::new();
        for (index, ListedVersion { version, built }) in versions.iter().enumerate() {
            let at = at.key("versions").item(index);
            let known = self.state.packages.get(package).map(|package| &package.versions);
            let key = ByText(version.clone());
            let mut wrong = Vec::new();
            match known.and_then(|versions| versions.get(&key)) {
                Some(known) => {
                    for name in built.iter().filter(|name| !known.built.contains_key(*name)) {
                        let kind = MistakeKind::NotBuilt {
                            package: package.clone(),
                            version: version.clone(),
                            built: Unknown::new(name, known.built.keys().map(BuiltPackageName::as_str)),
                        };
                        wrong.push((at.key("built").text(name), kind));
                    }
                }
                None => {
                    let known = known.into_iter().flat_map(BTreeMap::keys);
                    let kind = MistakeKind::NoVersion {
                        package: package.clone(),
                        version: Unknown::new(version, known.map(|known| known.0.as_str())),
                    };
                    wrong.push((at.key("version"), kind));
                }
            }
            if listed.insert(key, built.clone()).is_some() {
                let what = format!("the version {version}");
                wrong.push((at.key("version"), MistakeKind::Repeated { what }));
            }
            wrong.into_iter().for_each(|(at, kind)| self.report(at, kind));
        }
        listed
    }

    /// Everything that is built from some version.
    pub(super) fn all_built(&self) -> BTreeSet<BuiltPackageName> {
        let versions = self.state.packages.values().flat_map(|package| package.versions.values());
        versions.flat_map(|version| version.built.keys().cloned()).collect()
    }
}
