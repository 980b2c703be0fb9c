//! What the daemon is told: `[daemon]`, and the schedules of trackers and distributions.

use super::daemon::Daemon;
use super::error::ProblemKind;
use super::keys;
use super::parse::Tables;
use super::schedule::{DistributionSchedule, SyncMode, TrackerSchedule, Zone};
use super::section::Section;
use super::{Follows, Notice, values};

impl Tables<'_, '_> {
    pub(super) fn daemon(&mut self, root: &Section<'_>) -> Daemon {
        let default = Daemon::default();
        let Some(section) = root.subsection(&keys::DAEMON, &keys::DAEMON_TABLE, self.problems) else {
            return default;
        };
        let backoff_seconds = section.optional(&keys::BACKOFF_SECONDS, values::at_least_one, self.problems);
        let max_backoff_seconds = section.optional(&keys::MAX_BACKOFF_SECONDS, values::at_least_one, self.problems);
        let daemon = Daemon {
            jitter_seconds: section
                .optional(&keys::JITTER_SECONDS, values::count, self.problems)
                .unwrap_or(default.jitter_seconds),
            backoff_seconds: backoff_seconds.unwrap_or(default.backoff_seconds),
            max_backoff_seconds: max_backoff_seconds.unwrap_or(default.max_backoff_seconds),
            keep_runs: section
                .optional(&keys::KEEP_RUNS, values::at_least_one, self.problems)
                .unwrap_or(default.keep_runs),
            notice: self.notice(&section),
        };
        if daemon.max_backoff_seconds < daemon.backoff_seconds {
            let key = if max_backoff_seconds.is_some() {
                &keys::MAX_BACKOFF_SECONDS
            } else {
                &keys::BACKOFF_SECONDS
            };
            let kind = ProblemKind::BackoffTooLong {
                first: daemon.backoff_seconds,
                longest: daemon.max_backoff_seconds,
            };
            section.report_at(key, kind, self.problems);
        }
        daemon
    }

    fn notice(&mut self, daemon: &Section<'_>) -> Option<Notice> {
        let section = daemon.subsection(&keys::NOTICE, &keys::NOTICE_TABLE, self.problems)?;
        let command = section.required(&keys::NOTICE_COMMAND, values::command, self.problems);
        let seconds = section.optional(&keys::NOTICE_SECONDS, values::up_to_two_minutes, self.problems);
        let failures = section.optional(&keys::NOTICE_FAILURES, values::at_least_one, self.problems);
        Some(Notice {
            command: command?,
            seconds: seconds.unwrap_or(Notice::SECONDS),
            failures: failures.unwrap_or(Notice::FAILURES),
        })
    }

    pub(super) fn sync_mode(&mut self, tracker: &Section<'_>) -> SyncMode {
        tracker
            .optional(&keys::SYNC_MODE, values::sync_mode, self.problems)
            .unwrap_or_default()
    }

    pub(super) fn tracker_schedule(&mut self, tracker: &Section<'_>) -> TrackerSchedule {
        let section = tracker.subsection(&keys::TRACKER_SCHEDULE, &keys::TRACKER_SCHEDULE_TABLE, self.problems);
        let Some(section) = section else {
            return TrackerSchedule::default();
        };
        TrackerSchedule {
            pull: section.optional(&keys::AT_PULL, values::cron_rule, self.problems),
            sweep: section.optional(&keys::AT_SWEEP, values::cron_rule, self.problems),
            sync: section.optional(&keys::AT_SYNC, values::cron_rule, self.problems),
            zone: self.zone(&section),
            quiet: section.optional(&keys::QUIET, values::list_of, self.problems).unwrap_or_default(),
        }
    }

    /// A distribution that is kept in a file has nothing to pull.
    pub(super) fn distribution_schedule(&mut self, distribution: &Section<'_>, follows: Option<&Follows>) -> DistributionSchedule {
        let section = distribution.subsection(&keys::DISTRIBUTION_SCHEDULE, &keys::DISTRIBUTION_SCHEDULE_TABLE, self.problems);
        let Some(section) = section else {
            return DistributionSchedule::default();
        };
        if matches!(follows, Some(Follows::File(_))) {
            distribution.report_at(&keys::DISTRIBUTION_SCHEDULE, ProblemKind::OnlyOfServices, self.problems);
        }
        DistributionSchedule {
            pull: section.optional(&keys::AT_PULL, values::cron_rule, self.problems),
            zone: self.zone(&section),
        }
    }

    fn zone(&mut self, section: &Section<'_>) -> Zone {
        section.optional(&keys::TIME_ZONE, values::zone, self.problems).unwrap_or_default()
    }
}
