//! Everything that can be done to the package model, as data: what a command asks for, what a plan consists of, what the log keeps.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::details::{DistributionDetails, SetDetails, SetPath};
use super::modules::ModuleOperation;
use super::names::{
    BuiltPackageName, CompsName, DistributionName, GroupName, PackageName, PackageSetName, Party, SeriesName, SeriesPath, TeamName,
};
use super::permission::{Action, Permission, Target};
use super::{
    BuiltDetails, CategoryDetails, GroupDetails, ListingDetails, ListingPath, PackageDetails, SeriesDetails, Sharing, Version,
    VersionStatus,
};

/// One change to the package model. It is done in whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Operation {
    /// Adds a distribution.
    CreateDistribution {
        /// Its name.
        distribution: DistributionName,
        /// The rest.
        #[serde(flatten)]
        details: DistributionDetails,
    },
    /// Changes what is said of a distribution; its way of sharing only while it has at most one series.
    ChangeDistribution {
        /// Its name.
        distribution: DistributionName,
        /// What is to be said of it.
        #[serde(flatten)]
        details: DistributionDetails,
    },
    /// Ties the sets of a distribution to its series in another way. What each series answers stays as it is.
    ConvertSharing {
        /// Its name.
        distribution: DistributionName,
        /// The new way.
        to: Sharing,
        /// Where the hierarchies of the series differ and there is to be one for all: whose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hierarchy_of: Option<SeriesName>,
    },
    /// Adds a series without any set.
    CreateSeries {
        /// The new series.
        #[serde(rename = "in")]
        series: SeriesPath,
        /// The rest.
        #[serde(flatten)]
        details: SeriesDetails,
    },
    /// Adds a series that begins with the sets of another, as Launchpad initialises series.
    InitSeries {
        /// The new series.
        #[serde(rename = "in")]
        series: SeriesPath,
        /// Where the sets come from.
        from: SeriesPath,
        /// Whether its listings come from there too, with the permissions on them.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        listings: bool,
        /// The rest.
        #[serde(flatten)]
        details: SeriesDetails,
    },
    /// Changes what is said of a series.
    ChangeSeries {
        /// The series.
        #[serde(rename = "in")]
        series: SeriesPath,
        /// What is to be said of it.
        #[serde(flatten)]
        details: SeriesDetails,
    },
    /// Makes packages known by their names.
    AddPackages {
        /// The distribution.
        distribution: DistributionName,
        /// The packages.
        packages: BTreeSet<PackageName>,
    },
    /// Changes what is said of a package as such.
    ChangePackage {
        /// The distribution.
        distribution: DistributionName,
        /// The package.
        package: PackageName,
        /// What is to be said of it.
        #[serde(flatten)]
        details: PackageDetails,
    },
    /// Lists a package in a series.
    AddListing {
        /// The package and the series.
        #[serde(flatten)]
        path: ListingPath,
        /// The rest.
        #[serde(flatten)]
        details: ListingDetails,
    },
    /// Changes what is said of a package in a series.
    ChangeListing {
        /// The package and the series.
        #[serde(flatten)]
        path: ListingPath,
        /// What is to be said of it.
        #[serde(flatten)]
        details: ListingDetails,
    },
    /// Takes a package out of a series, with its versions there and the permissions on it.
    RemoveListing {
        /// The package and the series.
        #[serde(flatten)]
        path: ListingPath,
    },
    /// Makes a version of a package known.
    AddVersion {
        /// The distribution.
        distribution: DistributionName,
        /// The package.
        package: PackageName,
        /// Its version.
        version: Version,
        /// The stage that it is at.
        status: VersionStatus,
    },
    /// Changes the stage of a version.
    ChangeVersion {
        /// The distribution.
        distribution: DistributionName,
        /// The package.
        package: PackageName,
        /// Its version.
        version: Version,
        /// The stage that it is to be at.
        status: VersionStatus,
    },
    /// Puts a version into a series that lists its package.
    ListVersion {
        /// The package and the series.
        #[serde(flatten)]
        path: ListingPath,
        /// The version.
        version: Version,
    },
    /// Takes a version out of a series, with what is built from it.
    WithdrawVersion {
        /// The package and the series.
        #[serde(flatten)]
        path: ListingPath,
        /// The version.
        version: Version,
    },
    /// Says what is built from a version.
    SetBuilt {
        /// The distribution.
        distribution: DistributionName,
        /// The package.
        package: PackageName,
        /// Its version.
        version: Version,
        /// The built package.
        built: BuiltPackageName,
        /// What is to be said of it.
        #[serde(flatten)]
        details: BuiltDetails,
    },
    /// Puts built packages of a version into a series that has the version.
    ListBuilt {
        /// The package and the series.
        #[serde(flatten)]
        path: ListingPath,
        /// The version.
        version: Version,
        /// The built packages.
        built: BTreeSet<BuiltPackageName>,
    },
    /// Takes built packages of a version out of a series.
    WithdrawBuilt {
        /// The package and the series.
        #[serde(flatten)]
        path: ListingPath,
        /// The version.
        version: Version,
        /// The built packages.
        built: BTreeSet<BuiltPackageName>,
    },
    /// Says what a group of built packages in a series is, whether it was there or not.
    SetGroup {
        /// The series.
        #[serde(rename = "in")]
        series: SeriesPath,
        /// The group.
        group: CompsName,
        /// What is to be said of it.
        #[serde(flatten)]
        details: GroupDetails,
    },
    /// Takes a group out of a series, and so out of its categories.
    RemoveGroup {
        /// The series.
        #[serde(rename = "in")]
        series: SeriesPath,
        /// The group.
        group: CompsName,
    },
    /// Says what a category of groups in a series is, whether it was there or not.
    SetCategory {
        /// The series.
        #[serde(rename = "in")]
        series: SeriesPath,
        /// The category.
        category: CompsName,
        /// What is to be said of it.
        #[serde(flatten)]
        details: CategoryDetails,
    },
    /// Takes a category out of a series.
    RemoveCategory {
        /// The series.
        #[serde(rename = "in")]
        series: SeriesPath,
        /// The category.
        category: CompsName,
    },
    /// Adds a package set.
    CreateSet {
        /// The new set.
        #[serde(flatten)]
        path: SetPath,
        /// The rest.
        #[serde(flatten)]
        details: SetDetails,
        /// The set of another series that it is an incarnation of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        related: Option<SetPath>,
        /// The group that it is to be of, whether there is one of that name or not; `None`: that of the related set, else a new one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupName>,
    },
    /// Changes what is said of a set.
    ChangeSet {
        /// The set.
        #[serde(flatten)]
        path: SetPath,
        /// What is to be said of it.
        #[serde(flatten)]
        details: SetDetails,
    },
    /// Gives a set another name.
    RenameSet {
        /// The set.
        #[serde(flatten)]
        path: SetPath,
        /// Its new name.
        to: PackageSetName,
    },
    /// Sets by how much builds of a set's packages come before others.
    ScoreSet {
        /// The set.
        #[serde(flatten)]
        path: SetPath,
        /// Launchpad's `relative_build_score`.
        score: i64,
    },
    /// Takes a set out of a series, and so out of every set there that includes it.
    RemoveSet {
        /// The set.
        #[serde(flatten)]
        path: SetPath,
    },
    /// Gives a series its own copy of a set that it shares.
    CloneSet {
        /// The set.
        #[serde(flatten)]
        path: SetPath,
    },
    /// Puts packages directly into a set.
    AddSources {
        /// The set.
        #[serde(flatten)]
        path: SetPath,
        /// The packages.
        sources: BTreeSet<PackageName>,
    },
    /// Takes packages out of a set that they are directly in.
    RemoveSources {
        /// The set.
        #[serde(flatten)]
        path: SetPath,
        /// The packages.
        sources: BTreeSet<PackageName>,
    },
    /// Puts sets of the same series directly into a set.
    AddSubsets {
        /// The set.
        #[serde(flatten)]
        path: SetPath,
        /// The sets that go into it.
        subsets: BTreeSet<PackageSetName>,
    },
    /// Takes sets out of a set that they are directly in.
    RemoveSubsets {
        /// The set.
        #[serde(flatten)]
        path: SetPath,
        /// The sets that leave it.
        subsets: BTreeSet<PackageSetName>,
    },
    /// Gives a permission, or changes the status of one that there is.
    Grant {
        /// The distribution.
        distribution: DistributionName,
        /// The permission.
        #[serde(flatten)]
        permission: Permission,
    },
    /// Takes a permission away.
    Revoke {
        /// The distribution.
        distribution: DistributionName,
        /// Who has it.
        party: Party,
        /// To do what.
        action: Action,
        /// To what.
        #[serde(flatten)]
        target: Target,
    },
    /// Puts people and teams into a team.
    AddMembers {
        /// The distribution.
        distribution: DistributionName,
        /// The team.
        team: TeamName,
        /// Who joins it.
        members: BTreeSet<Party>,
    },
    /// Takes people and teams out of a team.
    RemoveMembers {
        /// The distribution.
        distribution: DistributionName,
        /// The team.
        team: TeamName,
        /// Who leaves it.
        members: BTreeSet<Party>,
    },
    /// Changes modules.
    #[serde(untagged)]
    Module(ModuleOperation),
}

impl Operation {
    /// The distribution that it changes.
    #[must_use]
    pub const fn distribution(&self) -> &DistributionName {
        match self {
            Self::CreateDistribution { distribution, .. }
            | Self::ChangeDistribution { distribution, .. }
            | Self::ConvertSharing { distribution, .. }
            | Self::AddPackages { distribution, .. }
            | Self::ChangePackage { distribution, .. }
            | Self::AddVersion { distribution, .. }
            | Self::ChangeVersion { distribution, .. }
            | Self::SetBuilt { distribution, .. }
            | Self::Grant { distribution, .. }
            | Self::Revoke { distribution, .. }
            | Self::AddMembers { distribution, .. }
            | Self::RemoveMembers { distribution, .. } => distribution,
            Self::CreateSeries { series, .. }
            | Self::InitSeries { series, .. }
            | Self::ChangeSeries { series, .. }
            | Self::SetGroup { series, .. }
            | Self::RemoveGroup { series, .. }
            | Self::SetCategory { series, .. }
            | Self::RemoveCategory { series, .. } => &series.distribution,
            Self::AddListing { path, .. }
            | Self::ChangeListing { path, .. }
            | Self::RemoveListing { path }
            | Self::ListVersion { path, .. }
            | Self::WithdrawVersion { path, .. }
            | Self::ListBuilt { path, .. }
            | Self::WithdrawBuilt { path, .. } => &path.series.distribution,
            Self::CreateSet { path, .. }
            | Self::ChangeSet { path, .. }
            | Self::RenameSet { path, .. }
            | Self::ScoreSet { path, .. }
            | Self::RemoveSet { path }
            | Self::CloneSet { path }
            | Self::AddSources { path, .. }
            | Self::RemoveSources { path, .. }
            | Self::AddSubsets { path, .. }
            | Self::RemoveSubsets { path, .. } => &path.series.distribution,
            Self::Module(operation) => operation.distribution(),
        }
    }

    /// The series whose record it is about: once that has ended it takes no more changes, unless somebody insists. What is said of a series itself is
    /// looked at apart.
    #[must_use]
    pub fn series(&self) -> Option<SeriesName> {
        match self {
            Self::CreateSet { path, .. }
            | Self::ChangeSet { path, .. }
            | Self::RenameSet { path, .. }
            | Self::ScoreSet { path, .. }
            | Self::RemoveSet { path }
            | Self::CloneSet { path }
            | Self::AddSources { path, .. }
            | Self::RemoveSources { path, .. }
            | Self::AddSubsets { path, .. }
            | Self::RemoveSubsets { path, .. } => Some(path.series.series.clone()),
            Self::AddListing { path, .. }
            | Self::ChangeListing { path, .. }
            | Self::RemoveListing { path }
            | Self::ListVersion { path, .. }
            | Self::WithdrawVersion { path, .. }
            | Self::ListBuilt { path, .. }
            | Self::WithdrawBuilt { path, .. } => Some(path.series.series.clone()),
            Self::SetGroup { series, .. }
            | Self::RemoveGroup { series, .. }
            | Self::SetCategory { series, .. }
            | Self::RemoveCategory { series, .. } => Some(series.series.clone()),
            Self::Grant { permission, .. } => permission.target.series().cloned(),
            Self::Revoke { target, .. } => target.series().cloned(),
            Self::Module(operation) => operation.series().cloned(),
            Self::CreateDistribution { .. }
            | Self::ChangeDistribution { .. }
            | Self::ConvertSharing { .. }
            | Self::CreateSeries { .. }
            | Self::InitSeries { .. }
            | Self::ChangeSeries { .. }
            | Self::AddPackages { .. }
            | Self::ChangePackage { .. }
            | Self::AddVersion { .. }
            | Self::ChangeVersion { .. }
            | Self::SetBuilt { .. }
            | Self::AddMembers { .. }
            | Self::RemoveMembers { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_reads_back_from_what_the_log_keeps() {
        for text in [
            r#"{"op":"add-sources","in":"ubuntu/noble","set":"core","sources":["bash","dash"]}"#,
            r#"{"op":"grant","distribution":"ubuntu","party":"@core-dev","action":"upload","on":"component","component":"main","status":"approved"}"#,
            r#"{"op":"create-series","in":"fedora/FC-6","version":"6","status":"active","owner":"@releng","bases":[{"base":"extras","priority":1}]}"#,
            r#"{"op":"init-series","in":"fedora/FC-7","from":"fedora/FC-6","listings":true,"version":"7","status":"development","owner":"@releng"}"#,
            r#"{"op":"add-listing","in":"fedora/FC-6","package":"bash","owner":"orphan","component":"core","status":"approved"}"#,
            r#"{"op":"list-version","in":"fedora/FC-6","package":"bash","version":"3.1-16.1"}"#,
            r#"{"op":"set-group","in":"fedora/FC-6","group":"games","title":"Games","members":{"chess":{"type":"mandatory"}}}"#,
        ] {
            let operation: Operation = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&operation).unwrap(), text);
        }
    }
}
