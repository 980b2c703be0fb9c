//! What is said of distributions and of package sets.

use serde::{Deserialize, Serialize};

use super::names::{PackageSetName, Party, SeriesName, SeriesPath};
use super::{Sharing, VersionScheme};

/// A package set of a series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SetPath {
    /// The series.
    #[serde(rename = "in")]
    pub series: SeriesPath,
    /// The set.
    pub set: PackageSetName,
}

/// What is said of a distribution as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionDetails {
    /// How package sets are tied to series.
    pub sharing: Sharing,
    /// How versions are compared.
    pub versions: VersionScheme,
    /// The series that is meant where none is named; `None`: the one that its status makes the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesName>,
    /// Whether obsolete series take uploads: Launchpad's `permit_obsolete_series_uploads`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub permit_obsolete_uploads: bool,
}

/// What is said of a package set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetDetails {
    /// Who is in charge of it.
    pub owner: Party,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}
