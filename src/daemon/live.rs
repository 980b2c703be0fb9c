//! What the daemon is doing at this moment, for whoever is in the same process.

use jiff::Timestamp;
use serde::Serialize;

use super::agenda::Agenda;
use super::tally::Tally;
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
    /// What was counted.
    #[serde(skip)]
    pub tally: Tally,
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

impl LiveDocument {
    /// Of a process that has just begun.
    #[must_use]
    pub fn beginning(started_at: Timestamp) -> Self {
        Self {
            tally: Tally::new(started_at),
            ..Self::default()
        }
    }

    pub(super) fn of(agenda: &Agenda, running: Option<LiveRun>, unrecorded: u32, tally: &Tally) -> Self {
        let jobs = agenda.entries().map(|(job, entry)| LiveJob {
            job: job.clone(),
            next_due: entry.due,
            failures: entry.failures,
            held_by: entry.held_by.clone(),
            failed_notices: entry.told.failed_notices,
        });
        Self {
            running,
            jobs: jobs.collect(),
            unrecorded,
            tally: tally.clone(),
        }
    }

    /// The same in a line.
    pub(super) fn status(&self) -> String {
        if let Some(LiveRun { run, job, .. }) = &self.running {
            return format!("run {run}: {job}");
        }
        let failing = self.jobs.iter().filter(|job| job.failures > 0).count();
        let failing = match failing {
            0 => String::new(),
            1 => "1 job fails; ".to_owned(),
            failing => format!("{failing} jobs fail; "),
        };
        let held = self.jobs.iter().find_map(|job| job.held_by.as_ref());
        let held = held.map_or_else(String::new, |by| format!("waits for {by}; "));
        let next = self.jobs.iter().filter_map(|job| Some((job.next_due?, &job.job))).min();
        let next = next.map_or_else(|| "nothing is due".to_owned(), |(due, job)| format!("next: {job} at {due:.0}"));
        format!("{failing}{held}{next}")
    }
}
