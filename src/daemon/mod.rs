//! `kinset daemon`: what a person would do with `kinset pull`, `kinset plan` and `kinset apply`, again and again, when the configuration says so.

mod heart;
pub mod http;
mod live;
mod supervisor;
mod tally;

pub use heart::Heart;
pub use live::{LiveDocument, LiveJob, LiveRun};
pub use supervisor::{Supervisor, Systemd, Unwatched};
pub use tally::{JobTally, Tally, TrackerTally};
