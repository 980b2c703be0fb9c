//! One reconcile cycle: the one place where the pure and the outside meet.
//!
//! > pull → resolve → merge → plan → check → apply → verify → record
//!
//! | step | where | what it may do |
//! | --- | --- | --- |
//! | settle | [`prepare()`] | read the tracker, keep the journal |
//! | pull | [`pull()`] | read the tracker, write the local snapshot |
//! | reckon | [`Reckoned`] | tell people's edits from kinset's own, keep decisions and history |
//! | resolve | [`Scene`] | read the analysis, compare the two universes |
//! | merge, plan, check | [`Draft`] | nothing but think; of relations and of commits |
//! | apply, verify | [`Apply`] | read and write the tracker, keep the journal |
//! | record | [`conclude()`] | reckon again, record the cycle, write feedback |
//!
//! Distributions that are kept in files go another, shorter way: [`DistributionDraft`] reads, compares, checks and changes them in the state alone.
//!
//! Those that follow services go another still: [`follow()`] reads each service, and does the same with what that knows.
//!
//! Whoever only plans holds no [`Writer`](crate::tracker::Writer) and cannot make one from a [`Draft`]. After a crash [`prepare()`] first finds
//! out by reading what became of the writes that were under way.

mod apply;
mod begin;
mod commits;
mod component;
mod conclude;
mod daemon;
mod distribution;
mod document;
mod draft;
mod ended;
mod error;
mod execute;
mod execute_commits;
mod feedback;
mod keeper;
mod mails;
mod maintainers;
mod patience;
mod prepare;
mod pull;
mod reckon;
mod relations;
mod reread;
mod said;
mod scene;
mod session;
mod settle;
mod source_settings;
mod sources;
mod sources_order;
mod sweep;
mod views;
mod walk;

pub use apply::{Applied, Apply, Shutdown};
pub use begin::{Remaining, begin};
pub use commits::RefusedCommits;
pub use conclude::conclude;
pub use daemon::{
    DaemonJobDocument, DaemonRunDocument, WaitingDocument, WaitingPlanDocument, begin_daemon_run, cut_short_daemon_runs,
    daemon_job_documents, daemon_runs, end_daemon_run, guards_of, keep_waiting_plan, left_daemon_jobs, save_daemon_jobs, waiting_plan,
};
pub use distribution::{DistributionDraft, DistributionPlan, FileOrder};
pub use document::{
    BecauseDocument, CommitBecauseDocument, CommitUndoneDocument, EndedDocument, GuardDocument, OperationDocument, PlanDocument,
    StepDocument, TrackerDocument, UndoneDocument, UserDocument, VerdictDocument,
};
pub use draft::{Draft, Rights};
pub(crate) use error::BECOME_MAINTAINER;
pub use error::Error;
pub use feedback::{DecisionDocument, DecisionsDocument, EndDocument, decisions_of};
pub use keeper::{Clock, Keeper};
pub use mails::{ExportedMails, export_mails, skip_mails};
pub use patience::Patience;
pub use prepare::{Prepared, Pulling, prepare, read_analysis, require_pulled, stored};
pub use pull::{Extent, Pulled, Reading, pull};
pub use reckon::Reckoned;
pub use relations::{
    FoundDocument, GroupsOfMails, MemberDocument, RelationDocument, RelationsDocument, find_relations, groups_of_ids, groups_of_mails,
    relations,
};
pub use scene::{Scene, Unmatched};
pub use session::{Session, SessionOptions, check_token};
pub use source_settings::SourceSettings;
pub use sources::{GuardedSource, SourceDraft, SourceGuard, SourceResult, SourcesOrder, Taking, follow};
pub use views::{
    CollectionDocument, CycleDocument, DistributionStatusDocument, HistoryDocument, PulledDocument, RunDocument, SightingDocument,
    StatusDocument, about, cycles, decision_documents, distribution_status, drop_decisions, history, status,
};
