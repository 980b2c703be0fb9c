//! What is known when a question is asked.

use std::collections::BTreeMap;

use super::Teams;
use crate::model::Project;
use crate::model::packages::{
    Action, CollectionStatus, ComponentName, PackageSetName, Party, Permission, PermissionStatus, PersonName, Target,
};

/// All that bears on one question. What does not is allowed, and changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Permissions in the distribution, of any status and in any order:
    ///
    /// - all of whoever is asked about and of the teams that they are in, for the reason of a refusal and for near misses;
    /// - all on what is asked about and on its package sets, whosever they are: explicit ones decide about others, and [`who_can`](super::who_can())
    ///   tells of everybody.
    pub permissions: Vec<Permission>,
    /// Who is in which team; at least all teams that whoever is asked about is in.
    pub teams: Teams,
    /// The status of the series that is asked about; `None` when there is no such series.
    pub status: Option<CollectionStatus>,
    /// The distribution's archive.
    pub archive: Archive,
    /// The package as it is listed in the series; `None` when it is not.
    pub listing: Option<Listing>,
    /// The component that the package is published in, if it is known.
    pub component: Option<ComponentName>,
    /// The package sets of the series that include the package (or the set) that is asked about. To each the sets below it on the way down, the
    /// last of which has the package itself (or is the set that is asked about); none where it is that set.
    pub sets: BTreeMap<PackageSetName, Vec<PackageSetName>>,
}

/// What Launchpad knows of an archive as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Whether it takes uploads at all: `enabled`.
    pub is_enabled: bool,
    /// Whether it takes uploads to series that have ended: `permit_obsolete_series_uploads`.
    pub takes_ended_series: bool,
}

impl Default for Archive {
    /// As Launchpad makes them.
    fn default() -> Self {
        Self {
            is_enabled: true,
            takes_ended_series: false,
        }
    }
}

/// A package in a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Who owns it; `None` for an orphan.
    pub owner: Option<Party>,
}

impl Facts {
    /// What a tracker's project tells of who maintains it.
    #[must_use]
    pub fn of_project(tracker: &str, project: &Project) -> Self {
        let target = Target::TrackerProject {
            tracker: tracker.to_owned(),
            project: project.name.clone(),
        };
        let maintain = |name| Permission {
            party: Party::Person(PersonName::from(name)),
            action: Action::Maintain,
            target: target.clone(),
            status: PermissionStatus::Approved,
            explicit: false,
        };
        Self {
            permissions: project.maintainers.iter().map(maintain).collect(),
            ..Self::default()
        }
    }
}
