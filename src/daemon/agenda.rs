//! What is due when. Nothing here waits or looks at a clock.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::time::Duration;

use foldhash::fast::FixedState;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::{Config, CronRule, Zone};
use crate::model::{Job, JobKind};
use crate::store::DaemonJob;

/// How long a job is put off whose state another kinset works on.
const HELD: SignedDuration = SignedDuration::from_secs(20);

/// What a person was told of a job already, so that it is not told again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    /// What it was refused for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
    /// That it fails again and again.
    pub(super) failing: bool,
    /// The last decision of somebody that was told of, or that there was when the first look was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<u64>,
    /// How often nobody could be told.
    pub(super) failed_notices: u32,
}

impl Told {
    /// Enters what a person was told before this.
    fn follow(&mut self, before: Self) {
        let Self {
            refused,
            failing,
            decision,
            failed_notices,
        } = before;
        self.refused = self.refused.take().or(refused);
        self.failing |= failing;
        self.decision = self.decision.max(decision);
        self.failed_notices = self.failed_notices.saturating_add(failed_notices);
    }
}

/// What is known of a job from an earlier daemon.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) job: DaemonJob,
    /// Whether that daemon ended in the middle of it.
    pub(super) was_cut_short: bool,
}

/// How a run ended, as far as the next one depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It came to an end that was meant.
    Well,
    /// It failed.
    Failed,
    /// It did not begin: somebody else works on the state.
    Held {
        /// Who.
        by: String,
    },
}

/// One job, and when it is due.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    rule: CronRule,
    zone: Zone,
    /// `None` at the end of time.
    pub(super) due: Option<Timestamp>,
    /// How often it failed in a row.
    pub(super) failures: u32,
    /// Who keeps it from its work.
    pub(super) held_by: Option<String>,
    pub(super) told: Told,
}

/// How times are spread, and how long is waited after failures.
#[derive(Clone, Copy, Debug)]
struct Pace {
    jitter: Duration,
    first: Duration,
    longest: Duration,
    seed: u64,
}

impl Pace {
    fn of(config: &Config, seed: u64) -> Self {
        let daemon = &config.daemon;
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Self {
            jitter: seconds(daemon.jitter_seconds),
            first: seconds(daemon.backoff_seconds.get()),
            longest: seconds(daemon.max_backoff_seconds.get()),
            seed,
        }
    }

    /// A part of a time, drawn for a job at a moment.
    fn share(&self, job: &Job, moment: Timestamp, of: Duration) -> SignedDuration {
        let drawn = FixedState::with_seed(self.seed).hash_one((job, moment.as_millisecond()));
        // Of 64 bits 32 are as good as all, and they fit a number with a point exactly.
        let part = of.mul_f64(f64::from((drawn >> 32) as u32) / f64::from(u32::MAX));
        SignedDuration::try_from(part).unwrap_or(SignedDuration::ZERO)
    }

    /// The wait after so many failures in a row: twice as long each time, up to the longest, and between half of that and all of it.
    fn backoff(&self, job: &Job, failures: u32, now: Timestamp) -> SignedDuration {
        let doubled = 2_u32.checked_pow(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let half = self.first.saturating_mul(doubled).min(self.longest) / 2;
        SignedDuration::try_from(half).unwrap_or(SignedDuration::MAX) + self.share(job, now, half)
    }
}

/// What is due when: each job at most once, however many of its times have come.
#[derive(Debug)]
pub(super) struct Agenda {
    entries: BTreeMap<Job, Entry>,
    pace: Pace,
}

impl Agenda {
    /// The agenda of a configuration.
    pub(super) fn new(config: &Config, seed: u64, now: Timestamp) -> Self {
        let mut agenda = Self {
            entries: BTreeMap::new(),
            pace: Pace::of(config, seed),
        };
        agenda.adopt(config, now);
        agenda
    }

    /// Takes over what an earlier daemon left. What was due while none ran is due now; what it ended in the middle of has failed. What failed since, while
    /// this could not be read, failed as well.
    pub(super) fn recall(&mut self, known: Vec<Known>, now: Timestamp) {
        let pace = self.pace;
        for Known { job: known, was_cut_short } in known {
            let Some(entry) = self.entries.get_mut(&known.job) else {
                continue;
            };
            let has_failed_since = entry.failures > 0;
            entry.failures = entry.failures.saturating_add(known.failures);
            // Another kinset may have written it in another way; then somebody is told once more.
            entry.told.follow(serde_json::from_str(&known.told).unwrap_or_default());
            if was_cut_short {
                entry.failures = entry.failures.saturating_add(1);
                entry.due = now.checked_add(pace.backoff(&known.job, entry.failures, now)).ok();
            } else if !has_failed_since && known.next_due.is_some_and(|due| due <= now) {
                entry.due = now.checked_add(pace.share(&known.job, now, pace.jitter)).ok();
            }
        }
    }

    /// Enters who keeps all jobs from the state, if somebody does.
    pub(super) fn held(&mut self, by: Option<&str>) {
        for entry in self.entries.values_mut() {
            entry.held_by = by.map(str::to_owned);
        }
    }

    /// Takes over another configuration. What is to be done as before is due as before.
    pub(super) fn adopt(&mut self, config: &Config, now: Timestamp) {
        self.pace = Pace::of(config, self.pace.seed);
        let mut before = std::mem::take(&mut self.entries);
        for (job, rule, zone) in scheduled(config) {
            let entry = match before.remove(&job) {
                Some(entry) if entry.rule == rule && entry.zone == zone => entry,
                other => {
                    let other = other.map(|entry| (entry.failures, entry.told));
                    let (failures, told) = other.unwrap_or_default();
                    Entry {
                        due: self.next(&job, &rule, &zone, now),
                        rule,
                        zone,
                        failures,
                        held_by: None,
                        told,
                    }
                }
            };
            self.entries.insert(job, entry);
        }
    }

    /// When a job's rule comes next, and a bit later.
    fn next(&self, job: &Job, rule: &CronRule, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        let due = rule.next_after(after, zone)?;
        due.checked_add(self.pace.share(job, due, self.pace.jitter)).ok()
    }

    /// What is due first, if anything is due now. Where the clock was set forward, what was passed over is due once.
    pub(super) fn due(&self, now: Timestamp) -> Option<Job> {
        self.first().filter(|(due, _)| *due <= now).map(|(_, job)| job.clone())
    }

    /// Reckons anew by a clock that was set back, lest nothing happens until the old time comes again. Nothing is due later than it was.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        let by_rule: BTreeMap<Job, Option<Timestamp>> = self
            .entries
            .iter()
            .map(|(job, entry)| (job.clone(), self.next(job, &entry.rule, &entry.zone, now)))
            .collect();
        let pace = self.pace;
        for (job, entry) in &mut self.entries {
            let reckoned = match entry.failures {
                0 => by_rule.get(job).copied().flatten(),
                failures => now.checked_add(pace.backoff(job, failures, now)).ok(),
            };
            entry.due = [entry.due, reckoned].into_iter().flatten().min();
        }
    }

    /// What is due first, and when.
    pub(super) fn first(&self) -> Option<(Timestamp, &Job)> {
        self.entries.iter().filter_map(|(job, entry)| Some((entry.due?, job))).min()
    }

    /// Enters how a run ended that began when it did. What came due in the meantime is due now, once.
    pub(super) fn ended(&mut self, job: &Job, began: Timestamp, now: Timestamp, ended: Ended) {
        let Some(Entry { rule, zone, .. }) = self.entries.get(job) else {
            return;
        };
        let by_rule = self.next(job, rule, zone, began.min(now));
        let pace = self.pace;
        let Some(entry) = self.entries.get_mut(job) else { return };
        entry.held_by = None;
        match ended {
            Ended::Well => {
                entry.failures = 0;
                entry.due = by_rule;
            }
            Ended::Failed => {
                entry.failures = entry.failures.saturating_add(1);
                entry.due = now.checked_add(pace.backoff(job, entry.failures, now)).ok();
            }
            Ended::Held { by } => {
                entry.held_by = Some(by);
                entry.due = now.checked_add(HELD).ok();
            }
        }
    }

    /// What is known of a job.
    pub(super) fn entry(&self, job: &Job) -> Option<&Entry> {
        self.entries.get(job)
    }

    /// What a person was told of a job.
    pub(super) fn told_mut(&mut self, job: &Job) -> Option<&mut Told> {
        self.entries.get_mut(job).map(|entry| &mut entry.told)
    }

    /// The last decision on a tracker that was told of, by whatever job.
    pub(super) fn last_decision(&self, job: &Job) -> Option<u64> {
        let same = self.entries.iter().filter(|(other, _)| other.subject == job.subject);
        same.filter_map(|(_, entry)| entry.told.decision).max()
    }

    /// All jobs, with what is known of them.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Job, &Entry)> {
        self.entries.iter()
    }

    /// The same, to be kept.
    pub(super) fn rows(&self) -> Vec<DaemonJob> {
        let row = |(job, entry): (&Job, &Entry)| DaemonJob {
            job: job.clone(),
            next_due: entry.due,
            failures: entry.failures,
            told: serde_json::json!(entry.told).to_string(),
        };
        self.entries.iter().map(row).collect()
    }
}

/// All that a configuration says is to be done by itself.
pub(super) fn scheduled(config: &Config) -> Vec<(Job, CronRule, Zone)> {
    let trackers = config.trackers.iter().flat_map(|tracker| {
        let schedule = &tracker.schedule;
        let rules = [
            (JobKind::Pull, &schedule.pull),
            (JobKind::Sweep, &schedule.sweep),
            (JobKind::Sync, &schedule.sync),
        ];
        let rules = rules.into_iter().filter_map(|(kind, rule)| Some((kind, rule.clone()?)));
        rules.map(|(kind, rule)| (Job::of_tracker(&tracker.name, kind), rule, schedule.zone.clone()))
    });
    let distributions = config.distributions.iter().filter_map(|distribution| {
        let schedule = &distribution.schedule;
        Some((
            Job::of_distribution(&distribution.name),
            schedule.pull.clone()?,
            schedule.zone.clone(),
        ))
    });
    trackers.chain(distributions).collect()
}

#[cfg(test)]
mod tests;
