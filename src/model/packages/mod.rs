//! Who may do what to which package in which series: collections, package sets and permissions.

pub mod acl;
mod names;
mod permission;
mod sharing;
mod status;

pub use names::{
    ComponentName, DistributionName, GroupName, NameError, PackageName, PackageSetName, Party, PersonName, SeriesName, SeriesPath, TeamName,
};
pub use permission::{Action, Permission, PermissionStatus, Pocket, Target};
pub use sharing::{BeforeChange, Sharing};
pub use status::{CollectionStatus, UnknownStatus};
