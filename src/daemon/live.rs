//! What the daemon is doing at this moment, for whoever is in the same process.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::agenda::Agenda;
use super::tally::Tally;
use crate::http::RequestOutcome;
use crate::model::Job;

/// What the daemon is doing at this moment. What it did is in the state.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LiveDocument {
    /// The run under way.
    pub running: Option<LiveRun>,
    /// All jobs.
    pub jobs: Vec<LiveJob>,
    /// That the state cannot be told what the daemon does.
    pub unrecorded: Option<Unrecorded>,
    /// That the clock was set, if it was in the last day.
    pub clock_set: Option<ClockSet>,
    /// What was counted.
    #[serde(skip)]
    pub tally: Tally,
}

/// That the state could not be told what the daemon did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unrecorded {
    /// How often, in a row.
    pub times: u32,
    /// Why not, the last time.
    pub message: String,
    /// What a person can do about it.
    pub remedy: Option<String>,
}

/// That the clock jumped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClockSet {
    /// When that was found, by the clock as it is now.
    pub at: Timestamp,
    /// By how many seconds; below 0, it was set back.
    pub by_seconds: i64,
}

impl ClockSet {
    /// `back` or `forward`.
    #[must_use]
    pub const fn direction(self) -> &'static str {
        if self.by_seconds < 0 { "back" } else { "forward" }
    }

    /// The same as a sentence without a full stop.
    pub(super) fn told(self) -> String {
        let by = SignedDuration::from_secs(self.by_seconds).abs();
        match self.direction() {
            "back" => format!("the clock was set back by {by:#}; what is due was reckoned anew"),
            _ => format!("the clock was set forward by {by:#}, or the machine slept; what was passed over is done once"),
        }
    }
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
    /// Whom it asks in vain at this moment: the tracker, or sources.
    pub asked_in_vain: Vec<AskedInVain>,
}

/// Requests of the run under way that failed in a row, since the last one that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskedInVain {
    /// The source that was asked, by its name in the configuration; `null` where it is the tracker.
    pub source: Option<String>,
    /// How many.
    pub times: u32,
    /// What came of the last one.
    pub outcome: RequestOutcome,
}

impl LiveRun {
    /// A run that begins.
    #[must_use]
    pub const fn beginning(run: u64, job: Job, began_at: Timestamp) -> Self {
        Self {
            run,
            job,
            began_at,
            asked_in_vain: Vec::new(),
        }
    }

    /// Enters what came of a request; returns whether anything is other than before.
    pub fn requested(&mut self, source: Option<&str>, outcome: RequestOutcome) -> bool {
        let place = self.asked_in_vain.iter().position(|asked| asked.source.as_deref() == source);
        match place {
            // Nobody waited for what might have come of it, or it is answered elsewhere.
            _ if matches!(outcome, RequestOutcome::Abandoned | RequestOutcome::Redirected) => return false,
            None if !outcome.is_outage() => return false,
            None => self.asked_in_vain.push(AskedInVain {
                source: source.map(str::to_owned),
                times: 1,
                outcome,
            }),
            Some(place) if outcome.is_outage() => {
                let asked = &mut self.asked_in_vain[place];
                asked.times = asked.times.saturating_add(1);
                asked.outcome = outcome;
            }
            Some(place) => _ = self.asked_in_vain.remove(place),
        }
        true
    }
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

    pub(super) fn of(agenda: &Agenda, running: Option<LiveRun>, tally: &Tally) -> Self {
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
            unrecorded: None,
            clock_set: None,
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
