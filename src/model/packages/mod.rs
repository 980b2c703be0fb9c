//! Who may do what to which package in which series: collections, package sets and permissions.

mod current;
pub mod document;
mod hierarchy;
mod names;
mod operation;
mod permission;
mod refusal;
mod sharing;
mod status;

pub use current::current_series;
pub use hierarchy::{Cycle, Hierarchy, Pairs};
pub use names::{
    ComponentName, DistributionName, GroupName, NameError, PackageName, PackageSetName, Party, PersonName, SeriesName, SeriesPath, TeamName,
};
pub use operation::{DistributionDetails, Operation, SeriesDetails, SetDetails, SetPath, Versions};
pub use permission::{Action, Permission, PermissionStatus, Pocket, Target};
pub use refusal::{Refusal, Unknown};
pub use sharing::{BeforeChange, Sharing};
pub use status::{CollectionStatus, UnknownStatus};
