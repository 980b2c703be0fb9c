//! What is answered.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::model::packages::{
    CollectionStatus, ComponentName, PackageName, PackageSetName, Party, Permission, PermissionStatus, Pocket, SeriesName, Target, TeamName,
};

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Decision {
    /// Yes, by this.
    Allowed(Held),
    /// No.
    Refused {
        /// Why.
        because: Refusal,
        /// What came nearest to a yes, the nearest first.
        nearest: Vec<NearMiss>,
    },
}

/// A grant, and the way by which somebody has it for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The grant.
    pub by: Grant,
    /// From the team that they are directly in up to the one that was given it. None where it is their own.
    pub teams: Vec<TeamName>,
    /// From the package set that it is on down to the one that has the package. None where it is on something else.
    pub sets: Vec<PackageSetName>,
}

/// What lets somebody do something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "grant", rename_all = "kebab-case")]
pub enum Grant {
    /// The package is theirs.
    Owner {
        /// Whose.
        party: Party,
        /// In which series.
        series: SeriesName,
        /// Which package.
        package: PackageName,
    },
    /// They were given it.
    Permission(Permission),
}

/// Why something is refused. The words in capitals are Launchpad's names of the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Refusal {
    /// The facts tell of no such series.
    #[error("there is no series {series}")]
    NoSuchSeries {
        /// The series.
        series: SeriesName,
    },
    /// The pocket takes no uploads at this stage of the series: `CannotUploadToPocket`.
    #[error("pocket {pocket} of {series} is closed, which is {status}")]
    PocketClosed {
        /// The pocket.
        pocket: Pocket,
        /// Of which series.
        series: SeriesName,
        /// Its stage.
        status: CollectionStatus,
    },
    /// The archive takes no uploads: `ArchiveDisabled`.
    #[error("the archive is disabled")]
    ArchiveDisabled,
    /// The series takes no uploads any more: `CannotUploadToSeries`.
    #[error("series {series} has ended, which is {status}")]
    SeriesEnded {
        /// The series.
        series: SeriesName,
        /// Its stage.
        status: CollectionStatus,
    },
    /// No right to any component and none on any package set: `NoRightsForArchive`, although there may be rights to pockets or packages.
    #[error("no rights to any component or package set")]
    NoRightsForArchive,
    /// No right to any component, and those on package sets do not suffice: `InsufficientUploadRights`.
    #[error("no rights to the package, to one of its package sets, or to any component")]
    InsufficientUploadRights,
    /// Rights to other components only: `NoRightsForComponent`.
    #[error("no rights to component {component}")]
    NoRightsForComponent {
        /// The component.
        component: ComponentName,
    },
    /// The package is not in the series.
    #[error("package {package} is not listed in {series}")]
    NotListed {
        /// The series.
        series: SeriesName,
        /// The package.
        package: PackageName,
    },
    /// Nothing gives it.
    #[error("nothing permits it")]
    NotGranted,
}

/// A grant that would decide if one thing were otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NearMiss {
    /// The grant.
    #[serde(flatten)]
    pub held: Held,
    /// What that thing is.
    pub but: But,
}

/// What keeps a grant from deciding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum But {
    /// Nothing about the grant: the reason of the refusal stands before all grants.
    Refusal,
    /// It is not approved.
    Status(PermissionStatus),
    /// It is for another series than this.
    OtherSeries(SeriesName),
    /// It is for another pocket than this.
    OtherPocket(Pocket),
    /// It is for another component than this.
    OtherComponent(ComponentName),
    /// These sets, which have the package directly, are for explicit permissions alone.
    ShutOut(BTreeSet<PackageSetName>),
}

impl Decision {
    /// Whether it is a yes.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

impl Grant {
    /// Who has it.
    #[must_use]
    pub const fn party(&self) -> &Party {
        match self {
            Self::Owner { party, .. } | Self::Permission(Permission { party, .. }) => party,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(held) => write!(f, "allowed: {held}"),
            Self::Refused { because, nearest: _ } => write!(f, "refused: {because}"),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.by.fmt(f)?;
        for set in self.sets.iter().skip(1) {
            write!(f, ", which includes {set}")?;
        }
        // That the last team is the one that was given it is said already.
        if let [first, others @ ..] = &*self.teams
            && !others.is_empty()
        {
            write!(f, "; through @{first}")?;
            for team in others {
                write!(f, ", which is in @{team}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner { party, series, package } => write!(f, "{party} owns package {package} in {series}"),
            Self::Permission(permission) => {
                let Permission {
                    party,
                    action,
                    target,
                    status: _,
                    explicit,
                } = permission;
                let explicit = if *explicit && matches!(target, Target::PackageSet { .. }) {
                    "explicit "
                } else {
                    ""
                };
                write!(f, "{party} has {explicit}{action} on {target}")
            }
        }
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { held, but } = self;
        write!(f, "{held}, ")?;
        match but {
            But::Refusal => f.write_str("which would do otherwise"),
            But::Status(status) => write!(f, "but it is {status}"),
            But::OtherSeries(series) => write!(f, "but not for series {series}"),
            But::OtherPocket(pocket) => write!(f, "but not for pocket {pocket}"),
            But::OtherComponent(component) => write!(f, "but not for component {component}"),
            But::ShutOut(sets) => {
                let sets: Vec<&str> = sets.iter().map(PackageSetName::as_str).collect();
                write!(
                    f,
                    "but only explicit permissions count on the sets that have the package directly: {}",
                    sets.join(", ")
                )
            }
        }
    }
}
