//! Who may do what to which package in which series: collections, package sets and permissions.

mod collections;
mod names;
mod permission;
mod sharing;
mod status;
mod word;

pub use collections::{
    Base, Branch, Collection, Found, Order, OverlayError, Overlays, UrlTemplate, UrlTemplateError, Version, VersionError, VersionScheme,
    compare_series_versions, current_series, is_orphan,
};
pub use names::{
    ArchName, BranchName, ComponentName, DistTag, DistributionName, GroupName, NameError, PackageName, PackageSetName, Party, PersonName,
    SeriesName, SeriesPath, SeriesVersion, TeamName,
};
pub use permission::{Action, Permission, PermissionStatus, Pocket, Target};
pub use sharing::{BeforeChange, Sharing};
pub use status::{CollectionStatus, ListingStatus, PackageStatus, VersionStatus};
pub use word::{TransitionError, UnknownWord};
