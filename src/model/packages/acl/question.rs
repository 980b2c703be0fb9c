//! What can be asked.

use std::fmt;

use crate::model::ProjectName;
use crate::model::packages::{Action, ComponentName, PackageName, PackageSetName, Party, Pocket, SeriesName};

/// May they do this?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// A person; or a team, which may do what it, or a team that it is in, was given.
    pub who: Party,
    /// What they would do.
    pub what: What,
}

/// What somebody would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Upload a package.
    Upload(Upload),
    /// Do one of PackageDB's six to a package in a series. Nobody is allowed any other action there.
    OnListing {
        /// Which of the six.
        action: Action,
        /// The series.
        series: SeriesName,
        /// The package.
        package: PackageName,
    },
    /// Decide on what waits in a queue.
    Queue {
        /// The series.
        series: SeriesName,
        /// Of what.
        of: Queue,
    },
    /// Maintain a project of a tracker.
    Maintain {
        /// The tracker's name in the configuration.
        tracker: String,
        /// The project.
        project: ProjectName,
    },
}

/// An upload that somebody would make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// To which series.
    pub series: SeriesName,
    /// Of which package; it may be new to the archive.
    pub package: PackageName,
    /// To which component.
    pub component: InComponent,
    /// To which pocket.
    pub pocket: Pocket,
}

/// Which component's rights an upload needs, where it needs any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InComponent {
    /// Those of whichever: Launchpad's way without `strict_component`, as for packages that are new.
    Any,
    /// Those of the one that the package is published in, and of whichever where that is not known: Launchpad's way with packages that exist.
    Published,
    /// Those of this one: `strict_component`.
    Named(ComponentName),
}

/// What it is that waits in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queue {
    /// An upload, as Launchpad asks: the right to the component or to the pocket will do.
    Upload {
        /// The component; `None` where the right to any will do.
        component: Option<ComponentName>,
        /// The pocket, where a right to it will do.
        pocket: Option<Pocket>,
    },
    /// Uploads of a package.
    Package(PackageName),
    /// Uploads of packages in a set.
    Set(PackageSetName),
}

impl What {
    /// The action that it takes.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Upload(_) => Action::Upload,
            Self::OnListing { action, .. } => *action,
            Self::Queue { .. } => Action::QueueAdmin,
            Self::Maintain { .. } => Action::Maintain,
        }
    }

    /// The series that it is about.
    #[must_use]
    pub const fn series(&self) -> Option<&SeriesName> {
        match self {
            Self::Upload(Upload { series, .. }) | Self::OnListing { series, .. } | Self::Queue { series, .. } => Some(series),
            Self::Maintain { .. } => None,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.action())?;
        match self {
            Self::Upload(Upload {
                series, package, pocket, ..
            }) => write!(f, "{package} to pocket {pocket} of {series}"),
            Self::OnListing { series, package, .. } => write!(f, "on package {package} in {series}"),
            Self::Queue { series, of } => match of {
                Queue::Upload { component, pocket } => {
                    match component {
                        Some(component) => write!(f, "on component {component}")?,
                        None => f.write_str("on any component")?,
                    }
                    if let Some(pocket) = pocket {
                        write!(f, " or pocket {pocket}")?;
                    }
                    write!(f, " of {series}")
                }
                Queue::Package(package) => write!(f, "on package {package} in {series}"),
                Queue::Set(set) => write!(f, "on package set {set} in {series}"),
            },
            Self::Maintain { tracker, project } => write!(f, "project {project} of tracker {tracker}"),
        }
    }
}
