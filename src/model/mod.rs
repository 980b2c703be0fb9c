//! The pure half of the house: no async, no I/O, no clock, no randomness, ordered collections.
//!
//! Everything here is a function of its arguments, so every answer can be computed again and compared.

pub mod commits;
mod event;
mod ids;
mod job;
pub mod packages;
pub mod relations;
mod share;
mod snapshot;

pub use event::{Event, EventCursor, EventKind, Subject};
pub use ids::{EventId, MessageId, MessageIdError, PatchId, ProjectId, ProjectName, UserName};
pub use job::{Job, JobKind, JobSubject, NoJob};
pub use snapshot::{Patch, Project, Snapshot};
