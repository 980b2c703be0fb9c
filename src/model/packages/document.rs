//! A whole distribution as one document, so that it can be kept in a file, read by people, and compared with what there is.
//!
//! Everything that a distribution is made of is in it, and nothing of how it came about. Sets that series share stand in the first of them; the
//! others say [`SetBody::AsIn`]. [`difference()`] is how a document comes true.

mod catalogue;
mod check;
mod collections;
mod contents;
mod difference;
mod guard;
mod listings;
mod mistake;
mod origin;
mod placed;
mod sets;
mod state;
#[cfg(test)]
mod tests;
mod touched;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{
    Action, ComponentName, DistributionDetails, DistributionName, GroupName, NameError, PackageName, PackageSetName, Party,
    PermissionStatus, Pocket, SeriesDetails, SeriesName, SeriesPath, SetDetails, Sharing, Target, TeamName, VersionScheme,
};

pub use contents::{BuiltDocument, CategoryDocument, GroupDocument, ListedVersion, ListingDocument, PackageDocument, VersionDocument};
pub use difference::{Wish, difference};
pub use guard::{Thresholds, Tripped, guard};
pub use mistake::{Mistake, MistakeKind, Place, Segment};
pub use placed::Placed;

/// A distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DistributionDocument {
    /// Its name.
    pub name: DistributionName,
    /// How package sets are tied to series.
    pub sharing: Sharing,
    /// How versions are compared.
    pub versions: VersionScheme,
    /// The series that is meant where none is named; `None`: the one that its status makes the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_series: Option<SeriesName>,
    /// Whether obsolete series take uploads.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub permit_obsolete_uploads: bool,
    /// Packages that are named nowhere else in the document. A package that is known stays known.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub packages: BTreeSet<PackageName>,
    /// What is said of packages as such. What is not said of a package stays as it is.
    #[serde(rename = "package", skip_serializing_if = "Vec::is_empty")]
    pub described: Vec<PackageDocument>,
    /// Permissions that are not those of one series.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionDocument<WideTarget>>,
    /// Who is directly in which team.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<TeamName, BTreeSet<Party>>,
    /// The series, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesDocument>,
}

/// A series of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeriesDocument {
    /// Its name.
    pub name: SeriesName,
    /// What is said of it.
    #[serde(flatten)]
    pub details: SeriesDetails,
    /// The series that it begins with the sets of, if there is none of its name yet. What it has from then on is what the document says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
    /// Permissions in this series that are not on a set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionDocument<SeriesTarget>>,
    /// Its sets, by name.
    #[serde(rename = "packageset", skip_serializing_if = "Vec::is_empty")]
    pub packagesets: Vec<SetDocument>,
    /// The packages that it lists itself, by name.
    #[serde(rename = "listing", skip_serializing_if = "Vec::is_empty")]
    pub listings: Vec<ListingDocument>,
    /// Its groups of built packages, by id.
    #[serde(rename = "group", skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupDocument>,
    /// Its categories of groups, by id.
    #[serde(rename = "category", skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryDocument>,
}

/// Where the sets of a new series come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub enum Origin {
    /// From a series of the same distribution.
    Here(SeriesName),
    /// From a series of another one.
    Elsewhere(SeriesPath),
}

/// A package set of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetDocument {
    /// Its name.
    pub name: PackageSetName,
    /// By how much builds of its packages come before others; each series has its own.
    #[serde(skip_serializing_if = "is_zero")]
    pub score: i64,
    /// What is in it.
    #[serde(flatten)]
    pub body: SetBody,
}

/// What is in a package set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SetBody {
    /// What is in the set of that name in another series.
    AsIn {
        /// The series, which does not say so of a third.
        as_in: SeriesName,
    },
    /// This.
    Own(SetContent),
}

/// What a package set consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetContent {
    /// What ties it to its incarnations in other series; `None`: the name of the distribution, `/`, and its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// Who is in charge of it.
    pub owner: Party,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The sets of the same series that are directly in it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub subsets: BTreeSet<PackageSetName>,
    /// The packages that are directly in it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub sources: BTreeSet<PackageName>,
    /// Permissions on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionDocument<OnSet>>,
}

/// A permission; what it is on follows in part from where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PermissionDocument<T> {
    /// Who has it.
    pub party: Party,
    /// To do what.
    pub action: Action,
    /// To what.
    #[serde(flatten)]
    pub target: T,
    /// Whether it counts.
    #[serde(skip_serializing_if = "is_approved")]
    pub status: PermissionStatus,
}

impl<T> PermissionDocument<T> {
    pub(crate) const fn new(party: Party, action: Action, target: T, status: PermissionStatus) -> Self {
        Self {
            party,
            action,
            target,
            status,
        }
    }
}

/// What a permission is on that is not that of one series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum WideTarget {
    /// A package in all series.
    Package {
        /// The package.
        package: PackageName,
    },
    /// The packages of a component.
    Component {
        /// The component.
        component: ComponentName,
    },
    /// A pocket of all series.
    Pocket {
        /// The pocket.
        pocket: Pocket,
    },
}

impl From<&WideTarget> for Target {
    fn from(target: &WideTarget) -> Self {
        match target {
            WideTarget::Package { package } => Self::Package { package: package.clone() },
            WideTarget::Component { component } => Self::Component {
                component: component.clone(),
            },
            WideTarget::Pocket { pocket } => Self::Pocket {
                pocket: *pocket,
                series: None,
            },
        }
    }
}

/// What a permission in one series is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum SeriesTarget {
    /// A package in this series.
    Listing {
        /// The package.
        package: PackageName,
    },
    /// A pocket of this series.
    Pocket {
        /// The pocket.
        pocket: Pocket,
    },
}

/// That a permission is on the set that it stands with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OnSet {
    /// Whether packages that are directly in the set are for those with explicit permissions alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub explicit: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
const fn is_zero(score: &i64) -> bool {
    *score == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_approved(status: &PermissionStatus) -> bool {
    *status == PermissionStatus::Approved
}

impl DistributionDocument {
    /// A distribution of which nothing more is said than this.
    #[must_use]
    pub fn new(name: DistributionName, details: DistributionDetails) -> Self {
        let DistributionDetails {
            sharing,
            versions,
            series,
            permit_obsolete_uploads,
        } = details;
        Self {
            name,
            sharing,
            versions,
            current_series: series,
            permit_obsolete_uploads,
            packages: BTreeSet::new(),
            described: Vec::new(),
            permissions: Vec::new(),
            teams: BTreeMap::new(),
            series: Vec::new(),
        }
    }

    /// What is said of it as a whole.
    #[must_use]
    pub fn details(&self) -> DistributionDetails {
        DistributionDetails {
            sharing: self.sharing,
            versions: self.versions,
            series: self.current_series.clone(),
            permit_obsolete_uploads: self.permit_obsolete_uploads,
        }
    }

    /// The packages that something is said of, or that are in something: what need not stand under [`Self::packages`].
    #[must_use]
    pub fn named_packages(&self) -> BTreeSet<&PackageName> {
        let mut named: BTreeSet<&PackageName> = self.described.iter().map(|package| &package.name).collect();
        named.extend(self.permissions.iter().filter_map(|permission| match &permission.target {
            WideTarget::Package { package } => Some(package),
            WideTarget::Component { .. } | WideTarget::Pocket { .. } => None,
        }));
        for series in &self.series {
            named.extend(series.permissions.iter().filter_map(|permission| match &permission.target {
                SeriesTarget::Listing { package } => Some(package),
                SeriesTarget::Pocket { .. } => None,
            }));
            named.extend(series.listings.iter().map(|listing| &listing.package));
            for set in &series.packagesets {
                if let SetBody::Own(content) = &set.body {
                    named.extend(&content.sources);
                }
            }
        }
        named
    }

    /// What is in a set of one of its series, wherever that stands; `None` if it is to be as in a set that is not there.
    #[must_use]
    pub fn content<'d>(&'d self, set: &'d SetDocument) -> Option<&'d SetContent> {
        match &set.body {
            SetBody::Own(content) => Some(content),
            SetBody::AsIn { as_in } => {
                let there = self.series.iter().find(|series| series.name == *as_in)?;
                match &there.packagesets.iter().find(|other| other.name == set.name)?.body {
                    SetBody::Own(content) => Some(content),
                    SetBody::AsIn { .. } => None,
                }
            }
        }
    }

    /// The other distributions that series of this one begin with sets of.
    #[must_use]
    pub fn elsewhere(&self) -> BTreeSet<&DistributionName> {
        let origins = self.series.iter().filter_map(|series| series.from.as_ref());
        origins
            .filter_map(|origin| match origin {
                Origin::Elsewhere(path) if path.distribution != self.name => Some(&path.distribution),
                Origin::Here(_) | Origin::Elsewhere(_) => None,
            })
            .collect()
    }
}

impl SeriesDocument {
    /// A series of which nothing more is said than this.
    #[must_use]
    pub const fn new(name: SeriesName, details: SeriesDetails) -> Self {
        Self {
            name,
            details,
            from: None,
            permissions: Vec::new(),
            packagesets: Vec::new(),
            listings: Vec::new(),
            groups: Vec::new(),
            categories: Vec::new(),
        }
    }
}

impl SetContent {
    /// What is said of it.
    #[must_use]
    pub fn details(&self) -> SetDetails {
        SetDetails {
            owner: self.owner.clone(),
            description: self.description.clone(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(series) => series.fmt(f),
            Self::Elsewhere(path) => path.fmt(f),
        }
    }
}

impl FromStr for Origin {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.contains('/') {
            text.parse().map(Self::Elsewhere)
        } else {
            text.parse().map(Self::Here)
        }
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}
