//! What stands in a document of packages as such, and of what collections have of them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::packages::{
    BuiltDetails, BuiltPackageName, CategoryDetails, CompsName, GroupDetails, ListingDetails, PackageDetails, PackageName, Version,
    VersionStatus,
};

/// What is said of a package as such, with its versions. Nothing of it is ever forgotten, so what is not said stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackageDocument {
    /// Its name.
    pub name: PackageName,
    /// What is said of it.
    #[serde(flatten)]
    pub details: PackageDetails,
    /// Its versions, whichever series have them.
    #[serde(rename = "version", skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionDocument>,
}

/// A version of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionDocument {
    /// The version.
    pub version: Version,
    /// The stage that it is at.
    pub status: VersionStatus,
    /// What is built from it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub built: Vec<BuiltDocument>,
}

/// A built package of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuiltDocument {
    /// Its name.
    pub name: BuiltPackageName,
    /// What is said of it.
    #[serde(flatten)]
    pub details: BuiltDetails,
}

/// A package in a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListingDocument {
    /// The package.
    pub package: PackageName,
    /// What is said of it there.
    #[serde(flatten)]
    pub details: ListingDetails,
    /// Its versions there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<ListedVersion>,
}

/// A version that a series has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedVersion {
    /// The version.
    pub version: Version,
    /// What the series has of what is built from it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub built: BTreeSet<BuiltPackageName>,
}

/// A group of built packages in a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupDocument {
    /// Its id.
    pub name: CompsName,
    /// What is said of it.
    #[serde(flatten)]
    pub details: GroupDetails,
}

/// A category of groups in a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CategoryDocument {
    /// Its id.
    pub name: CompsName,
    /// What is said of it.
    #[serde(flatten)]
    pub details: CategoryDetails,
}
