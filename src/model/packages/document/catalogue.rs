//! What is done to what is known of packages: what is said of them, their versions, and what is built from these.

use super::difference::Planner;
use super::mistake::{MistakeKind, Place};
use super::state::VersionState;
use crate::model::packages::{Operation, PackageDetails, PackageName, PackageStatus, Version};

impl Planner<'_> {
    /// Nothing of it is ever forgotten, so what the document does not say stays.
    pub(super) fn catalogue(&mut self) {
        let want = self.want;
        for (name, wanted) in &want.packages {
            let have = self.state.packages.get(name).cloned().unwrap_or_default();
            if let Some(details) = &wanted.details {
                self.describe(name, have.details.as_ref(), details);
            }
            for (version, wanted) in &wanted.versions {
                self.version(name, &version.0, have.versions.get(version), wanted);
            }
        }
    }

    /// A package of which something is said for the first time may be at any stage, and comes there by way of those before.
    fn describe(&mut self, name: &PackageName, have: Option<&PackageDetails>, want: &PackageDetails) {
        let before = have.cloned().unwrap_or_default();
        if before == *want {
            return;
        }
        if before.status != want.status {
            match have {
                Some(_) => {
                    let follows = before.status.require_may_become(want.status);
                    self.require_may_follow(follows, |planner| planner.package_place(name).key("status"));
                }
                None => {
                    if let Some(status) = stage_between(before.status, want.status) {
                        let details = PackageDetails { status, ..want.clone() };
                        self.push(self.change_package(name, details));
                    }
                }
            }
        }
        self.push(self.change_package(name, want.clone()));
    }

    fn change_package(&self, name: &PackageName, details: PackageDetails) -> Operation {
        Operation::ChangePackage {
            distribution: self.want.name.clone(),
            package: name.clone(),
            details,
        }
    }

    fn version(&mut self, package: &PackageName, version: &Version, have: Option<&VersionState>, want: &VersionState) {
        let distribution = self.want.name.clone();
        match have {
            None => {
                if let Err(error) = self.want.details.versions.require(version) {
                    self.report(self.version_place(package, version), MistakeKind::Version(error));
                }
                self.push(Operation::AddVersion {
                    distribution: distribution.clone(),
                    package: package.clone(),
                    version: version.clone(),
                    status: want.status,
                });
            }
            Some(have) if have.status != want.status => {
                let follows = have.status.require_may_become(want.status);
                self.require_may_follow(follows, |planner| planner.version_place(package, version));
                self.push(Operation::ChangeVersion {
                    distribution: distribution.clone(),
                    package: package.clone(),
                    version: version.clone(),
                    status: want.status,
                });
            }
            Some(_) => {}
        }
        for (built, details) in &want.built {
            if have.and_then(|have| have.built.get(built)) != Some(details) {
                self.push(Operation::SetBuilt {
                    distribution: distribution.clone(),
                    package: package.clone(),
                    version: version.clone(),
                    built: built.clone(),
                    details: details.clone(),
                });
            }
        }
    }

    fn package_place(&self, name: &PackageName) -> Place {
        let at = Place::default().key("package");
        let place = self.document.described.iter().position(|package| package.name == *name);
        place.map_or(at.clone(), |place| at.item(place))
    }

    fn version_place(&self, package: &PackageName, version: &Version) -> Place {
        let at = self.package_place(package).key("version");
        let mut described = self.document.described.iter();
        let versions = described.find(|one| one.name == *package).map(|package| &package.versions);
        let place = versions.and_then(|versions| versions.iter().position(|one| one.version == *version));
        place.map_or(at.clone(), |place| at.item(place))
    }
}

/// The stage that comes before one that does not follow directly.
fn stage_between(from: PackageStatus, to: PackageStatus) -> Option<PackageStatus> {
    let mut between = from.successors().iter().copied();
    if from.may_become(to) {
        None
    } else {
        between.find(|between| between.may_become(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_package_comes_to_every_stage_by_way_of_one_other_at_most() {
        let first = PackageStatus::default();
        for to in PackageStatus::ALL.into_iter().filter(|to| *to != first) {
            let between = stage_between(first, to);
            assert!(between.unwrap_or(first).may_become(to), "{to}");
            assert!(between.is_none_or(|between| first.may_become(between)), "{to}");
        }
    }
}
