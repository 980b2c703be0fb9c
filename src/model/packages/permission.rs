//! Permissions as rows: who may do what to which target.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::{ComponentName, PackageName, PackageSetName, Party, SeriesName};
use super::status::CollectionStatus;
use super::word::words;
use crate::model::ProjectName;

words! {
    /// What somebody may do. The first six are PackageDB's, the next two Launchpad's, the last is Patchwork's.
    Action, "action" {
        /// Commit changes to the package's repository.
        Commit = "commit",
        /// Request builds.
        Build = "build",
        /// Hear of the package's bugs.
        WatchBugzilla = "watchbugzilla",
        /// Hear of the package's commits.
        WatchCommits = "watchcommits",
        /// Change these permissions.
        ApproveAcls = "approveacls",
        /// Read the package's repository.
        Checkout = "checkout",
        /// Upload the package.
        Upload = "upload",
        /// Decide on uploads that wait in the queue.
        QueueAdmin = "queue-admin",
        /// Maintain a project of a tracker: change the relations of its patches.
        Maintain = "maintain",
    }
}

words! {
    /// Whether a permission counts. Only an approved one does.
    PermissionStatus, "status of a permission" {
        /// Asked for.
        AwaitingReview = "awaitingreview" | "awaiting review",
        /// Given.
        Approved = "approved",
        /// Asked for and refused.
        Denied = "denied",
        /// Given once: the later PackageDB's `Removed` too.
        Obsolete = "obsolete" | "removed",
    }
}

words! {
    /// A moment in a series' life that uploads go to: Launchpad's word.
    Pocket, "pocket" {
        /// The series itself, as it is released.
        Release = "release",
        /// Security fixes to a released series.
        Security = "security",
        /// Other fixes to a released series.
        Updates = "updates",
        /// Fixes that are tried before they become updates.
        Proposed = "proposed",
        /// New versions for a released series.
        Backports = "backports",
    }
}

/// What a permission is for; exactly one thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "kebab-case")]
pub enum Target {
    /// A package in one series.
    Listing {
        /// The series.
        series: SeriesName,
        /// The package.
        package: PackageName,
    },
    /// The packages in a set of one series.
    PackageSet {
        /// The series.
        series: SeriesName,
        /// The set.
        set: PackageSetName,
    },
    /// A package in all series.
    Package {
        /// The package.
        package: PackageName,
    },
    /// The packages of a component, in all series.
    Component {
        /// The component.
        component: ComponentName,
    },
    /// A pocket, of one series or of all.
    Pocket {
        /// The pocket.
        pocket: Pocket,
        /// The series; `None` for all of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        series: Option<SeriesName>,
    },
    /// A project of a tracker. Who maintains it the tracker says, and no distribution keeps a permission on it.
    TrackerProject {
        /// The tracker's name in the configuration.
        tracker: String,
        /// The project.
        project: ProjectName,
    },
}

/// One permission, within one distribution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Permission {
    /// Who has it.
    pub party: Party,
    /// To do what.
    pub action: Action,
    /// To what.
    #[serde(flatten)]
    pub target: Target,
    /// Whether it counts.
    pub status: PermissionStatus,
    /// Of a permission on a package set: packages that are directly in the set are for those with explicit permissions alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explicit: bool,
}

impl Permission {
    /// Who has it, to do what, to what: all but whether it counts. A distribution has each once.
    #[must_use]
    pub const fn grant(&self) -> (&Party, Action, &Target) {
        (&self.party, self.action, &self.target)
    }
}

impl Pocket {
    /// The pocket that is open for most uploads, at a stage of the series.
    #[must_use]
    pub const fn usual(status: CollectionStatus) -> Self {
        use CollectionStatus::{Active, Eol, Maintenance};
        match status {
            Active | Maintenance | Eol => Self::Updates,
            _ => Self::Release,
        }
    }
}

impl Action {
    /// Whether it is one of the six that PackageDB knows, which are on listings and which their owner has without being given them.
    #[must_use]
    pub const fn is_on_listings(self) -> bool {
        matches!(
            self,
            Self::Commit | Self::Build | Self::WatchBugzilla | Self::WatchCommits | Self::ApproveAcls | Self::Checkout
        )
    }
}

impl Target {
    /// Whether this action can be given on this target: PackageDB's on listings, Launchpad's on its four targets, Patchwork's on its own.
    #[must_use]
    pub const fn allows(&self, action: Action) -> bool {
        match self {
            Self::Listing { .. } => action.is_on_listings(),
            Self::PackageSet { .. } | Self::Package { .. } | Self::Component { .. } | Self::Pocket { .. } => {
                matches!(action, Action::Upload | Action::QueueAdmin)
            }
            Self::TrackerProject { .. } => matches!(action, Action::Maintain),
        }
    }

    /// What kind of thing it is, in words.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Listing { .. } => "package in a series",
            Self::PackageSet { .. } => "package set",
            Self::Package { .. } => "package",
            Self::Component { .. } => "component",
            Self::Pocket { .. } => "pocket",
            Self::TrackerProject { .. } => "tracker's project",
        }
    }

    /// The series that it is in, if it is in one.
    #[must_use]
    pub const fn series(&self) -> Option<&SeriesName> {
        match self {
            Self::Listing { series, .. } | Self::PackageSet { series, .. } => Some(series),
            Self::Pocket { series, .. } => series.as_ref(),
            Self::Package { .. } | Self::Component { .. } | Self::TrackerProject { .. } => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listing { series, package } => write!(f, "package {package} in {series}"),
            Self::PackageSet { series, set } => write!(f, "package set {set} in {series}"),
            Self::Package { package } => write!(f, "package {package}"),
            Self::Component { component } => write!(f, "component {component}"),
            Self::Pocket { pocket, series: None } => write!(f, "pocket {pocket}"),
            Self::Pocket {
                pocket,
                series: Some(series),
            } => write!(f, "pocket {pocket} of {series}"),
            Self::TrackerProject { tracker, project } => write!(f, "project {project} of tracker {tracker}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_in_files_are_those_on_the_command_line() {
        for action in Action::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.word());
            assert_eq!(action.word().parse(), Ok(action));
        }
        for status in PermissionStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.word());
        }
        for pocket in Pocket::ALL {
            assert_eq!(serde_json::to_value(pocket).unwrap(), pocket.word());
        }
    }

    #[test]
    fn a_permission_reads_back_from_json() {
        let text = r#"{"party":"@kernel-team","action":"upload","on":"package-set","series":"noble","set":"kernel","status":"approved"}"#;
        let permission: Permission = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&permission).unwrap(), text);
        assert!(permission.target.allows(permission.action));
        assert!(!permission.target.allows(Action::Commit));
    }
}
