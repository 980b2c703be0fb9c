//! What was counted since the process began, for whoever asks without touching the disk.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::live::ClockSet;
use crate::model::{Job, JobSubject};
use crate::reconcile::{DaemonRunDocument, StatusDocument, WaitingPlanDocument};

/// What was counted since the process began. It is held in memory alone, so it can be told when the disk is full and the state damaged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// When the process began.
    pub started_at: Timestamp,
    /// How often the clock was set, by direction: `back`, `forward`.
    pub clock_set: BTreeMap<&'static str, u64>,
    /// Of each job.
    pub jobs: BTreeMap<Job, JobTally>,
    /// Of each tracker, by its name.
    pub trackers: BTreeMap<String, TrackerTally>,
}

/// What was counted of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobTally {
    /// Its runs by what they came to.
    pub runs: BTreeMap<&'static str, u64>,
    /// When the last one ended that came to a good end.
    pub last_success: Option<Timestamp>,
    /// The guards that tripped, by the key that sets the limit.
    pub guards: BTreeMap<String, u64>,
    /// How many things it found other than before.
    pub changes: u64,
    /// How many milliseconds the runs took together.
    pub busy_ms: u64,
}

/// What is known of a tracker, as of its last run that could tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackerTally {
    /// How many writes took effect since the process began, by kind: `clear`, `relate`, `commit`.
    pub writes: BTreeMap<&'static str, u64>,
    /// How many writes were left to do.
    pub drift: Option<u64>,
    /// How much of what is wanted was left undone.
    pub undone: Option<u64>,
    /// How many writes the plan takes that waits; none where none does.
    pub waiting: u64,
    /// How many decisions of people stand.
    pub open_decisions: Option<u64>,
    /// How many elements of the analysis are no patch of the tracker, by the last plan that waits or waited.
    pub unmatched: Option<u64>,
    /// How many patches it has.
    pub patches: Option<u64>,
}

impl Tally {
    /// Nothing, from this moment on.
    #[must_use]
    pub const fn new(started_at: Timestamp) -> Self {
        Self {
            started_at,
            clock_set: BTreeMap::new(),
            jobs: BTreeMap::new(),
            trackers: BTreeMap::new(),
        }
    }

    /// Counts that the clock was set.
    pub fn clock_was_set(&mut self, set: ClockSet) {
        *self.clock_set.entry(set.direction()).or_default() += 1;
    }

    /// Counts that a run came to this. Of one that the state did not take, no more is known; if it takes it later, the rest is counted by [`Self::did`].
    pub fn came_to(&mut self, job: &Job, outcome: &'static str) {
        let tally = self.jobs.entry(job.clone()).or_default();
        *tally.runs.entry(outcome).or_default() += 1;
    }

    /// Counts a run that ended.
    pub fn ran(&mut self, run: &DaemonRunDocument) {
        self.came_to(&run.job, run.outcome);
        self.did(run);
    }

    /// Counts what was done in a run that is counted already by what it came to.
    pub fn did(&mut self, run: &DaemonRunDocument) {
        let tally = self.jobs.entry(run.job.clone()).or_default();
        if matches!(run.outcome, "changed" | "nothing-to-do" | "waiting") {
            tally.last_success = run.ended_at;
        }
        for guard in &run.guards {
            *tally.guards.entry(guard.option.clone()).or_default() += 1;
        }
        tally.changes += run.changes;
        let took = run.ended_at.map(|ended_at| ended_at.duration_since(run.began_at).as_millis());
        tally.busy_ms += took.and_then(|took| u64::try_from(took).ok()).unwrap_or_default();
        if let JobSubject::Tracker(name) = &run.job.subject {
            let tracker = self.trackers.entry(name.clone()).or_default();
            for (kind, count) in [("clear", run.clears), ("relate", run.relates), ("commit", run.commit_refs)] {
                *tracker.writes.entry(kind).or_default() += count;
            }
        }
    }

    /// Notes how a tracker stands.
    pub fn stands(&mut self, status: &StatusDocument, waiting: Option<&WaitingPlanDocument>) {
        let tally = self.trackers.entry(status.tracker.clone()).or_default();
        tally.patches = status.pulled.as_ref().map(|pulled| pulled.patches);
        tally.open_decisions = Some(status.decisions as u64);
        tally.waiting = waiting.map_or(0, |waiting| waiting.waiting.writes);
        if let Some(waiting) = waiting {
            tally.unmatched = Some(waiting.plan.trackers.iter().map(|tracker| tracker.only_in_analysis as u64).sum());
        }
        if let Some(cycle) = &status.last_cycle {
            tally.drift = Some(cycle.drift);
            tally.undone = Some(cycle.undone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobKind;

    #[test]
    fn a_run_that_is_recorded_late_counts_as_one_that_was_recorded_at_once() {
        let began_at = "2026-06-10T12:00:00Z".parse().unwrap();
        let mut at_once = Tally::new(began_at);
        let mut late = at_once.clone();
        let run = DaemonRunDocument {
            run: 7,
            job: Job {
                subject: JobSubject::Tracker("kernel".to_owned()),
                kind: JobKind::Sync,
            },
            began_at,
            ended_at: Some("2026-06-10T12:00:09Z".parse().unwrap()),
            outcome: "changed",
            message: None,
            remedy: None,
            guards: Vec::new(),
            changes: 5,
            writes: 3,
            clears: 1,
            relates: 2,
            commit_refs: 0,
            undone: None,
            drift: None,
            journal_run: Some(4),
        };
        at_once.ran(&run);
        late.came_to(&run.job, run.outcome);
        assert_eq!(
            late.jobs[&run.job].runs, at_once.jobs[&run.job].runs,
            "it is told before it is recorded"
        );
        late.did(&run);
        assert_eq!(late, at_once);
        assert_eq!(late.jobs[&run.job].busy_ms, 9000);
        assert_eq!(late.trackers["kernel"].writes["relate"], 2);
    }
}
