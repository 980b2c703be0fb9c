//! A whole distribution as a document.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::flat::Inclusion;
use super::sets::SetRow;
use super::view::{DistributionRow, SeriesRow, View, parsed};
use crate::model::packages::document::{
    DistributionDocument, OnSet, PermissionDocument, SeriesDocument, SeriesTarget, SetBody, SetContent, SetDocument, WideTarget,
};
use crate::model::packages::{
    Action, GroupName, PackageName, PackageSetName, Party, Permission, PermissionStatus, SeriesDetails, SeriesName, SetDetails, Target,
};
use crate::store::database::Fault;

/// The permissions of a distribution, by where they stand in a document.
#[derive(Debug, Default)]
struct Permissions {
    wide: Vec<PermissionDocument<WideTarget>>,
    of_series: BTreeMap<SeriesName, Vec<PermissionDocument<SeriesTarget>>>,
    of_sets: BTreeMap<(SeriesName, PackageSetName), Vec<PermissionDocument<OnSet>>>,
}

impl View<'_> {
    /// All that a distribution is made of. A set that several series share stands in the one of them that was added first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn document(&self, distribution: &DistributionRow) -> Result<DistributionDocument, Fault> {
        let DistributionRow { id: _, name, details } = distribution;
        let mut permissions = Permissions::default();
        for permission in self.permissions(distribution, None)? {
            permissions.enter(permission);
        }
        let mut document = DistributionDocument::new(name.clone(), details.clone());
        document.teams = self.teams(distribution)?;
        let mut first_in: BTreeMap<i64, SeriesName> = BTreeMap::new();
        for series in self.series_of(distribution)? {
            let packagesets = self.set_documents(&series, &mut first_in, &mut permissions)?;
            let SeriesDetails { version, status, owner } = series.details;
            document.series.push(SeriesDocument {
                permissions: permissions.of_series.remove(&series.path.series).unwrap_or_default(),
                name: series.path.series,
                version,
                status,
                owner,
                from: None,
                packagesets,
            });
        }
        document.permissions = permissions.wide;
        let mut packages = self.known_packages(distribution)?;
        for package in document.named_packages() {
            packages.remove(package);
        }
        document.packages = packages;
        Ok(document)
    }

    fn set_documents(
        &self,
        series: &SeriesRow,
        first_in: &mut BTreeMap<i64, SeriesName>,
        permissions: &mut Permissions,
    ) -> Result<Vec<SetDocument>, Fault> {
        let mut documents = Vec::new();
        for set in self.sets(series)? {
            let body = match first_in.get(&set.id) {
                Some(as_in) => SetBody::AsIn { as_in: as_in.clone() },
                None => {
                    let name = &series.path.series;
                    let permissions = permissions.of_sets.remove(&(name.clone(), set.name.clone())).unwrap_or_default();
                    first_in.insert(set.id, name.clone());
                    SetBody::Own(self.set_content(series, &set, permissions)?)
                }
            };
            documents.push(SetDocument {
                name: set.name,
                score: set.score,
                body,
            });
        }
        Ok(documents)
    }

    fn set_content(&self, series: &SeriesRow, set: &SetRow, permissions: Vec<PermissionDocument<OnSet>>) -> Result<SetContent, Fault> {
        let SetDetails { owner, description } = set.details.clone();
        let usual = GroupName::beginning_with(&series.path.distribution, &set.name);
        let subsets = self.subsets(series, set, Inclusion::Direct)?;
        Ok(SetContent {
            group: (set.group != usual).then(|| set.group.clone()),
            owner,
            description,
            subsets: subsets.into_iter().map(|subset| subset.name).collect(),
            sources: self.sources(series, set, Inclusion::Direct)?,
            permissions,
        })
    }

    /// The packages that are known by the moment of the view. Their names are kept without a time, and the log tells when each came.
    fn known_packages(&self, distribution: &DistributionRow) -> Result<BTreeSet<PackageName>, Fault> {
        let select = "SELECT name FROM package WHERE distribution = ?2 AND name NOT IN (
                          SELECT later.value FROM change, json_each(change.after) AS later
                          WHERE change.kind = 'packages' AND change.distribution = ?2 AND change.log > ?1)";
        self.all(select, params![self.at, distribution.id], |row| parsed(row, 0))
    }
}

impl Permissions {
    fn enter(&mut self, permission: Permission) {
        let Permission {
            party,
            action,
            target,
            status,
            explicit,
        } = permission;
        match target {
            Target::PackageSet { series, set } => {
                let permission = entry(party, action, OnSet { explicit }, status);
                self.of_sets.entry((series, set)).or_default().push(permission);
            }
            Target::Listing { series, package } => {
                let permission = entry(party, action, SeriesTarget::Listing { package }, status);
                self.of_series.entry(series).or_default().push(permission);
            }
            Target::Pocket {
                pocket,
                series: Some(series),
            } => {
                let permission = entry(party, action, SeriesTarget::Pocket { pocket }, status);
                self.of_series.entry(series).or_default().push(permission);
            }
            Target::Pocket { pocket, series: None } => self.wide.push(entry(party, action, WideTarget::Pocket { pocket }, status)),
            Target::Package { package } => self.wide.push(entry(party, action, WideTarget::Package { package }, status)),
            Target::Component { component } => self.wide.push(entry(party, action, WideTarget::Component { component }, status)),
            Target::TrackerProject { tracker, project } => {
                self.wide
                    .push(entry(party, action, WideTarget::TrackerProject { tracker, project }, status));
            }
        }
    }
}

const fn entry<T>(party: Party, action: Action, target: T, status: PermissionStatus) -> PermissionDocument<T> {
    PermissionDocument {
        party,
        action,
        target,
        status,
    }
}
