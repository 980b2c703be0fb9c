//! Where a permission stands.

use super::{OnSet, PermissionDocument, SeriesTarget, WideTarget};
use crate::model::packages::{PackageSetName, Permission, SeriesName, Target};

/// A permission where it stands in a [`DistributionDocument`](super::DistributionDocument).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// With a package set.
    OnSet {
        /// The series of the set.
        series: SeriesName,
        /// The set.
        set: PackageSetName,
        /// The permission.
        permission: PermissionDocument<OnSet>,
    },
    /// With a series.
    InSeries {
        /// The series.
        series: SeriesName,
        /// The permission.
        permission: PermissionDocument<SeriesTarget>,
    },
    /// With the distribution.
    Wide(PermissionDocument<WideTarget>),
    /// Nowhere: who maintains a tracker's project is the tracker's to say.
    Nowhere,
}

impl From<Permission> for Placed {
    fn from(permission: Permission) -> Self {
        let Permission {
            party,
            action,
            target,
            status,
            explicit,
        } = permission;
        let wide = match target {
            Target::PackageSet { series, set } => {
                return Self::OnSet {
                    series,
                    set,
                    permission: PermissionDocument::new(party, action, OnSet { explicit }, status),
                };
            }
            Target::Listing { series, package } => {
                return Self::InSeries {
                    series,
                    permission: PermissionDocument::new(party, action, SeriesTarget::Listing { package }, status),
                };
            }
            Target::Pocket {
                pocket,
                series: Some(series),
            } => {
                return Self::InSeries {
                    series,
                    permission: PermissionDocument::new(party, action, SeriesTarget::Pocket { pocket }, status),
                };
            }
            Target::Pocket { pocket, series: None } => WideTarget::Pocket { pocket },
            Target::Package { package } => WideTarget::Package { package },
            Target::Component { component } => WideTarget::Component { component },
            Target::TrackerProject { .. } => return Self::Nowhere,
        };
        Self::Wide(PermissionDocument::new(party, action, wide, status))
    }
}
