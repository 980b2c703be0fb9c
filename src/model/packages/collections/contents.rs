//! What is in a collection: packages, their versions, and what is built from these.

use serde::{Deserialize, Serialize};

use crate::model::packages::{ComponentName, ListingStatus, PackageName, PackageStatus, Party, SeriesPath};

/// What is said of a package as such, whatever collections it is in: PackageDB's `Package`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageDetails {
    /// What it is, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What it is, at length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where its review took place, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_url: Option<String>,
    /// Its stage.
    #[serde(default)]
    pub status: PackageStatus,
}

/// A package in a collection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListingPath {
    /// The collection.
    #[serde(rename = "in")]
    pub series: SeriesPath,
    /// The package.
    pub package: PackageName,
}

/// What is said of a package in a collection: PackageDB's `PackageListing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingDetails {
    /// Who looks after it there; nobody does if it is [the orphan](super::is_orphan).
    pub owner: Party,
    /// Who is told of its bugs first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qa_contact: Option<Party>,
    /// The component of the archive that it is published in: Launchpad's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentName>,
    /// Its stage there.
    #[serde(default)]
    pub status: ListingStatus,
}

/// What is said of a built (binary) package of one version: PackageDB's `BuiltPackage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltDetails {
    /// What it is, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What it is, at length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
