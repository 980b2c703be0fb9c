//! What the daemon is doing at this moment, for whoever is in the same process.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::Job;

/// What the daemon is doing at this moment. What it did is in the state.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LiveDocument {
    /// The run under way.
    pub running: Option<LiveRun>,
    /// All jobs.
    pub jobs: Vec<LiveJob>,
    /// How often the state could not be told what the daemon did, in a row.
    pub unrecorded: u32,
}

/// The run under way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveRun {
    /// Its number.
    pub run: u64,
    /// Its job.
    #[serde(flatten)]
    pub job: Job,
    /// When it began.
    pub began_at: Timestamp,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveJob {
    /// The job.
    #[serde(flatten)]
    pub job: Job,
    /// When it is due next.
    pub next_due: Option<Timestamp>,
    /// How often it failed in a row.
    pub failures: u32,
    /// Who keeps it from its work: another kinset on the same state.
    pub held_by: Option<String>,
    /// How often nobody could be told what a person should know of it.
    pub failed_notices: u32,
}
