//! Where distributions come from, one file or folder for each source.
//!
//! [`local`] reads files: a whole [`DistributionDocument`](crate::model::packages::document::DistributionDocument), made to be compared with what there
//! is. The others read services that know a part of it, each into one [`SourceSnapshot`](crate::model::packages::snapshot::SourceSnapshot).
//!
//! [`modulemd`] reads what repositories publish of their modules into an [`Index`](modulemd::Index).
//!
//! A source that reads a service is an `async fn read(&Settings, &Previous) -> Result<Reading, SourceError>` and nothing else: it knows neither the store nor the other
//! sources, and what differs from what is known is a plan like any other. It returns a whole snapshot or an error. What a service does not tell is
//! absent, with a remark; it is never made up.
//!
//! [`Previous`] is what makes a second read short: the last snapshot, and what tells whether it still holds. Given back to the service
//! ([`Validators`]), it answers in a few bytes that nothing changed; where a service has nothing of the kind, the source says in its docs what it
//! takes for a change.

pub mod bodhi;
pub mod distgit;
pub mod distro_info;
mod error;
pub mod file;
mod file_at;
pub mod launchpad;
pub mod local;
pub mod modulemd;
mod reading;
mod web;

pub use error::{SourceError, Trouble};
pub use file::FileError;
pub use file_at::FileAt;
pub use reading::{Previous, Reading, Traffic, Validators};

pub use crate::http::Settings as HttpSettings;
