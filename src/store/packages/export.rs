//! A whole distribution as a document.

use std::collections::{BTreeMap, BTreeSet};

use super::built::BuiltRow;
use super::flat::Inclusion;
use super::sets::SetRow;
use super::versions::VersionRow;
use super::view::{DistributionRow, SeriesRow, View};
use crate::model::packages::document::{
    BuiltDocument, CategoryDocument, DistributionDocument, GroupDocument, ListedVersion, ListingDocument, OnSet, PackageDocument,
    PermissionDocument, Placed, SeriesDocument, SeriesTarget, SetBody, SetContent, SetDocument, VersionDocument, WideTarget,
};
use crate::model::packages::{
    BuiltPackageName, GroupName, PackageDetails, PackageName, PackageSetName, Permission, SeriesName, SetDetails,
};
use crate::store::database::Fault;

/// Lists of something, by package and version.
type Lists<T> = BTreeMap<(PackageName, String), Vec<T>>;

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
            let groups = self.groups(&series)?.into_iter();
            let categories = self.categories(&series)?.into_iter();
            document.series.push(SeriesDocument {
                listings: self.listing_documents(&series)?,
                groups: groups.map(|(name, details)| GroupDocument { name, details }).collect(),
                categories: categories.map(|(name, details)| CategoryDocument { name, details }).collect(),
                permissions: permissions.of_series.remove(&series.path.series).unwrap_or_default(),
                name: series.path.series,
                details: series.details,
                from: None,
                packagesets,
            });
        }
        document.permissions = permissions.wide;
        let (mut names, described) = self.catalogue(distribution)?;
        document.described = described;
        for package in document.named_packages() {
            names.remove(package);
        }
        document.packages = names;
        Ok(document)
    }

    /// The names of all packages, and those of which there is more to say.
    fn catalogue(&self, distribution: &DistributionRow) -> Result<(BTreeSet<PackageName>, Vec<PackageDocument>), Fault> {
        let mut built: Lists<BuiltDocument> = BTreeMap::new();
        for BuiltRow {
            id: _,
            name,
            package,
            version,
            details,
        } in self.all_built(distribution)?
        {
            let key = (package, version.as_str().to_owned());
            built.entry(key).or_default().push(BuiltDocument { name, details });
        }
        let mut versions: BTreeMap<PackageName, Vec<VersionDocument>> = BTreeMap::new();
        for VersionRow {
            id: _,
            package,
            version,
            status,
        } in self.all_versions(distribution)?
        {
            let built = built.remove(&(package.clone(), version.as_str().to_owned())).unwrap_or_default();
            versions
                .entry(package)
                .or_default()
                .push(VersionDocument { version, status, built });
        }
        let (mut names, mut described) = (BTreeSet::new(), Vec::new());
        for package in self.packages_of(distribution)? {
            let versions = versions.remove(&package.name).unwrap_or_default();
            if package.details != PackageDetails::default() || !versions.is_empty() {
                described.push(PackageDocument {
                    name: package.name.clone(),
                    details: package.details,
                    versions,
                });
            }
            names.insert(package.name);
        }
        Ok((names, described))
    }

    fn listing_documents(&self, series: &SeriesRow) -> Result<Vec<ListingDocument>, Fault> {
        let mut built: Lists<BuiltPackageName> = BTreeMap::new();
        for row in self.built(series)? {
            let key = (row.package, row.version.as_str().to_owned());
            built.entry(key).or_default().push(row.name);
        }
        let mut versions: BTreeMap<PackageName, Vec<ListedVersion>> = BTreeMap::new();
        for VersionRow { package, version, .. } in self.versions(series)? {
            let built = built.remove(&(package.clone(), version.as_str().to_owned())).unwrap_or_default();
            let built = built.into_iter().collect();
            versions.entry(package).or_default().push(ListedVersion { version, built });
        }
        let listings = self.listings(series)?.into_iter().map(|listing| ListingDocument {
            versions: versions.remove(&listing.package).unwrap_or_default(),
            package: listing.package,
            details: listing.details,
        });
        Ok(listings.collect())
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
}

impl Permissions {
    fn enter(&mut self, permission: Permission) {
        match Placed::from(permission) {
            Placed::OnSet { series, set, permission } => self.of_sets.entry((series, set)).or_default().push(permission),
            Placed::InSeries { series, permission } => self.of_series.entry(series).or_default().push(permission),
            Placed::Wide(permission) => self.wide.push(permission),
            Placed::Nowhere => {}
        }
    }
}
