//! Partitions of patches, and the fewest writes from one to another.
//!
//! A [`Change`] is the question: a universe of [`Element`]s, the classes that the tracker has and those that are wanted. [`plan()`] answers it
//! with a [`Plan`], which [`check`](checker::check) replays on its own model of Patchwork's rules. Before that, [`merge`](merge::merge)
//! turns what an analysis wants into what a tracker's policy and the user's permissions allow, and tells what had to be left undone;
//! after it, the [`guard`]s look at what the plan would do as a whole. What people did by hand is found out by [`edits`] and kept as
//! [`decisions`].

pub mod checker;
pub mod decisions;
pub mod edits;
mod element;
pub mod guard;
mod matching;
pub mod merge;
mod partition;
mod plan;
mod policy;
mod steps;

pub use element::{Element, Numbered, Universe};
pub use partition::{ClassId, Labels, Partition};
pub use plan::{AttachLimit, Change, plan};
pub use policy::Policy;
pub use steps::{Batch, ClearReason, Operation, Plan, RelateReason, Step};
