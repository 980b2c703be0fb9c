//! Collections: what a series, a release, or a special interest group's pick of packages is, over which others it lies, and how the versions
//! of its packages compare.
//!
//! They follow the fifth seed, PackageDB's schema, version 3, and serve Launchpad's series and Bodhi's releases as well. The seed's log tables
//! are kinset's one change log, which says who changed what and when, and what it was before and after:
//!
//! | PackageDB | the change log |
//! | --- | --- |
//! | `Log.userId`, `Log.changeTime` | who, when |
//! | `PackageLog.packageId`, `PackageListingLog.packageListingId`, `PackageVersionLog.packageVersionId`, `PackageACLLog.packageACLId` | what: a package, a listing, a version, a permission |
//! | action `added` | nothing before |
//! | action `removed` | nothing after |
//! | an action that is a status (`approved`, `awaitingreview`, …) | the status after; the one before, which PackageDB did not keep, is there too |
//! | action `statuschanged` | the status before and after |
//! | `description` | the reason that was given |
//!
//! PackageDB has no log of collections and overlays; changes to these are logged as all others are. Its logs of listings and permissions know
//! actions that are no status of either (`underreview`, and `awaitingbranch` of a permission); nothing of that kind can happen here.

mod collection;
mod comps;
mod contents;
mod current;
mod milestone;
mod overlays;
mod template;
mod versions;

pub use collection::{Base, Branch, SeriesDetails, is_orphan};
pub use comps::{CategoryDetails, GroupDetails, Requirement};
pub use contents::{BuiltDetails, ListingDetails, ListingPath, PackageDetails};
pub use current::{compare_series_versions, current_series};
pub use milestone::{Milestone, MilestoneError};
pub use overlays::{Found, Order, OverlayError, Overlays};
pub use template::{UrlTemplate, UrlTemplateError};
pub use versions::{Version, VersionError, VersionScheme};
