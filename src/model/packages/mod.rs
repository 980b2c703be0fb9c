//! Who may do what to which package in which series: collections, package sets and permissions.

pub mod acl;
mod collections;
mod details;
pub mod document;
mod hierarchy;
pub mod modules;
mod names;
mod operation;
mod permission;
mod refusal;
mod sharing;
pub mod snapshot;
mod status;
mod word;

pub use collections::{
    Base, Branch, BuiltDetails, CategoryDetails, Found, GroupDetails, ListingDetails, ListingPath, Milestone, MilestoneError, Order,
    OverlayError, Overlays, PackageDetails, Requirement, SeriesDetails, UrlTemplate, UrlTemplateError, Version, VersionError,
    VersionScheme, compare_series_versions, current_series, is_orphan,
};
pub use details::{DistributionDetails, SetDetails, SetPath};
pub use hierarchy::{Cycle, Hierarchy, Pairs};
pub use names::{
    ArchName, BranchName, BuiltPackageName, ComponentName, CompsName, ContextName, DistTag, DistributionName, GroupName, ModuleName,
    NameError, PackageName, PackageSetName, Party, PersonName, PlatformName, SeriesName, SeriesPath, SeriesVersion, StreamName, TeamName,
};
pub use operation::Operation;
pub use permission::{Action, Permission, PermissionStatus, Pocket, Target};
pub use refusal::{Refusal, Unknown};
pub use sharing::{BeforeChange, Sharing};
pub use status::{CollectionStatus, ListingStatus, PackageStatus, VersionStatus};
pub use word::{TransitionError, UnknownWord};
