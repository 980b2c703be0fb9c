//! The one worker: what is due is done, one job after the other.

mod notices;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::agenda::{Agenda, Ended};
use super::jobs::{Report, Run, known, open, open_left, told};
use super::live::{ClockSet, LiveDocument, LiveRun, Unrecorded};
use super::tally::Tally;
use super::{Reloads, Requests, Supervisor};
use crate::config::Config;
use crate::http::{Meter, Pulse};
use crate::model::Job;
use crate::reconcile::{
    Clock, DaemonRunDocument, Error, Keeper, Shutdown, begin_daemon_run, cut_short_daemon_runs, end_daemon_run, save_daemon_jobs, status,
    waiting_plan,
};
use crate::remedy::Remedy;
use crate::store::{DaemonEnd, DaemonOutcome, DaemonRunId, StoreError};

/// How long the worker waits at most before it looks at the clock again, which may have been set.
const LOOKS: Duration = Duration::from_secs(15);

/// A clock that is off by less than this is one that is being regulated.
const REGULATED: SignedDuration = SignedDuration::from_secs(5);

/// How long it is told that the clock was set.
const TOLD: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Worker {
    config: Arc<Config>,
    agenda: Agenda,
    clock: Clock,
    supervisor: Arc<dyn Supervisor>,
    pulse: Pulse,
    shutdown: Shutdown,
    reloads: Reloads,
    live: watch::Sender<LiveDocument>,
    /// Whether runs that an earlier daemon left open may still stand in the state.
    is_first: bool,
    recall: Recall,
    unrecorded: Option<Unrecorded>,
    /// The last run, where the state did not take its end: it will, before it takes the beginning of another.
    unended: Option<(DaemonRunId, DaemonEnd, Timestamp)>,
    /// When the clock was looked at last: by itself, and by one that nobody sets.
    looked: (Timestamp, Instant),
    clock_set: Option<(ClockSet, Instant)>,
    tally: Tally,
}

/// Whether it is known what an earlier daemon left of its jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Recall {
    /// It is to be read.
    Due,
    /// It is to be read as soon as somebody is done who works on a state that has to be brought up to date first.
    Held(String),
    /// It could not be read. The first run that can open the state reads it; those that cannot tell why.
    WithRun,
    /// It is known.
    Done,
}

/// How it came that a run did not begin.
enum Unbegun {
    Held(String),
    Failed(Box<Report>),
}

impl Worker {
    pub(super) fn new(
        config: Config,
        agenda: Agenda,
        clock: Clock,
        supervisor: Arc<dyn Supervisor>,
        shutdown: Shutdown,
        reloads: Reloads,
        live: watch::Sender<LiveDocument>,
    ) -> Self {
        let heard = Arc::clone(&supervisor);
        Self {
            config: Arc::new(config),
            agenda,
            clock,
            supervisor,
            pulse: Pulse::new(move || heard.beat()),
            shutdown,
            reloads,
            live,
            is_first: true,
            recall: Recall::Due,
            unrecorded: None,
            unended: None,
            looked: (clock(), Instant::now()),
            clock_set: None,
            tally: Tally::new(clock()),
        }
    }

    /// Works until it is told to stop.
    pub(super) async fn run(mut self) {
        while !self.shutdown.is_requested() {
            self.pulse.beat();
            self.adopt();
            self.recall().await;
            let now = (self.clock)();
            self.compare(now);
            match self.agenda.due(now) {
                Some(job) => self.turn(&job, now).await,
                None => self.wait(now).await,
            }
        }
        self.end_last_or_tell().await;
    }

    /// Takes over what an earlier daemon left of its jobs, unless that is done, or left to the first run.
    pub(super) async fn recall(&mut self) {
        let before = match &self.recall {
            Recall::Due => None,
            Recall::Held(by) => Some(by.clone()),
            Recall::WithRun | Recall::Done => return,
        };
        let left = match open_left(&self.config.state_dir, self.clock).await {
            Ok(keeper) => self.remember(&keeper).await,
            Err(error) => Err(Error::Store(error)),
        };
        match left {
            Ok(()) => {}
            Err(Error::Store(StoreError::InUse { holder, .. })) => {
                let by = holder.to_string();
                if before.as_ref() != Some(&by) {
                    tracing::info!(by, "the state is of an older version, and somebody else is at work on it");
                }
                self.agenda.held(Some(&by));
                self.recall = Recall::Held(by);
            }
            Err(error) => {
                tracing::warn!(reason = told(&error), "what an earlier daemon left of its jobs cannot be read yet");
                self.agenda.held(None);
                self.recall = Recall::WithRun;
            }
        }
    }

    async fn remember(&mut self, keeper: &Keeper) -> Result<(), Error> {
        let known = known(keeper).await?;
        self.agenda.recall(known, (self.clock)());
        self.agenda.held(None);
        self.recall = Recall::Done;
        Ok(())
    }

    /// Takes over the configuration that was read last, if one was since.
    fn adopt(&mut self) {
        // An error means that nobody reads any, and then there is none.
        if !self.reloads.has_changed().unwrap_or(false) {
            return;
        }
        if let Some(config) = self.reloads.borrow_and_update().clone() {
            self.agenda.adopt(&config, (self.clock)());
            self.config = config;
            tracing::info!("the new configuration is in effect");
            // Whoever reads it still reads that another one was refused.
            self.supervisor.status(&self.live.borrow().status());
        }
    }

    /// Compares the clock with one that nobody sets. Where somebody has set it, that is told, and what is due is reckoned anew if it was set back.
    fn compare(&mut self, now: Timestamp) {
        let (then, looked) = self.looked;
        let gone = SignedDuration::try_from(looked.elapsed()).unwrap_or(SignedDuration::MAX);
        let set_by = now.duration_since(then).saturating_sub(gone);
        self.looked = (now, Instant::now());
        if set_by.abs() > REGULATED {
            let set = ClockSet {
                at: now,
                by_seconds: set_by.as_secs(),
            };
            tracing::warn!(by_seconds = set.by_seconds, %then, %now, "{}", set.told());
            if set_by.is_negative() {
                self.agenda.set_back(now);
            }
            self.tally.clock_was_set(set);
            self.clock_set = Some((set, Instant::now()));
        }
        self.clock_set = self.clock_set.filter(|(_, found)| found.elapsed() < TOLD);
    }

    async fn wait(&mut self, now: Timestamp) {
        self.show(None);
        let next = self.agenda.first().map(|(due, _)| due.duration_since(now).unsigned_abs());
        let life = self.supervisor.patience().map(|patience| patience / 4);
        let waits = [Some(LOOKS), next, life].into_iter().flatten();
        let wait = waits.min().unwrap_or(LOOKS);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.shutdown.requested() => {}
            Ok(()) = self.reloads.changed() => self.reloads.mark_changed(),
        }
    }

    fn show(&self, running: Option<LiveRun>) {
        let document = LiveDocument {
            unrecorded: self.unrecorded.clone(),
            clock_set: self.clock_set.map(|(set, _)| set),
            ..LiveDocument::of(&self.agenda, running, &self.tally)
        };
        let is_new = *self.live.borrow() != document;
        if is_new {
            self.supervisor.status(&document.status());
            self.live.send_replace(document);
        }
    }

    /// Does a job, and enters what came of it.
    async fn turn(&mut self, job: &Job, began: Timestamp) {
        let pulse = self.pulse.clone();
        let begun = pulse.clone().watch(self.begin(job)).await;
        let (keeper, run) = match begun {
            Ok(begun) => begun,
            Err(Unbegun::Held(by)) => {
                let is_news = self.agenda.entry(job).is_some_and(|entry| entry.held_by.as_ref() != Some(&by));
                if is_news {
                    tracing::info!(%job, by, "put off: somebody else is at work on the state");
                }
                return self.agenda.ended(job, began, (self.clock)(), Ended::Held { by });
            }
            Err(Unbegun::Failed(report)) => {
                self.not_recorded(report.end.message.clone().unwrap_or_default(), report.end.remedy.clone());
                self.agenda.ended(job, began, (self.clock)(), Ended::Failed);
                self.tally.came_to(job, report.end.outcome.as_str());
                self.log(job, &report, None);
                return self.notify(job, &report, None, Vec::new()).await;
            }
        };
        let span = tracing::info_span!("run", run = run.0, job = %job);
        self.show(Some(LiveRun::beginning(run.0, job.clone(), began)));
        let work = pulse.watch(self.work(job, began, keeper, run));
        // What was read is freed with the future.
        Box::pin(work.instrument(span)).await;
    }

    /// Opens the state, and enters that a run begins.
    async fn begin(&mut self, job: &Job) -> Result<(Keeper, DaemonRunId), Unbegun> {
        let keeper = match open(&self.config.state_dir, self.clock).await {
            Ok(keeper) => keeper,
            Err(StoreError::InUse { holder, .. }) => return Err(Unbegun::Held(holder.to_string())),
            Err(error) => return Err(Unbegun::Failed(Box::new(Report::of_error(&error, None)))),
        };
        match self.enter(job, &keeper).await {
            Ok(run) => Ok((keeper, run)),
            Err(error) => Err(Unbegun::Failed(Box::new(Report::of_error(&error, None)))),
        }
    }

    async fn enter(&mut self, job: &Job, keeper: &Keeper) -> Result<DaemonRunId, Error> {
        if self.recall != Recall::Done {
            self.remember(keeper).await?;
        }
        if self.is_first {
            for run in cut_short_daemon_runs(keeper).await? {
                tracing::warn!(run = run.0, "an earlier daemon ended in the middle of this run");
            }
            self.is_first = false;
        }
        self.end_last(keeper).await?;
        // Of a job that was never kept nobody would know that it is under way, or that it was cut short.
        save_daemon_jobs(keeper, self.agenda.rows()).await?;
        begin_daemon_run(keeper, job).await
    }

    /// Enters how the last run ended, where the state did not take it then.
    async fn end_last(&mut self, keeper: &Keeper) -> Result<(), Error> {
        let Some((run, end, at)) = self.unended.clone() else {
            return Ok(());
        };
        match end_daemon_run(keeper, run, end, at, self.config.daemon.keep_runs.get()).await {
            Ok(document) => {
                tracing::info!(run = run.0, "what this run came to is recorded now");
                self.tally.did(&document);
            }
            // The state is another one than it was.
            Err(Error::Store(StoreError::DaemonRunNotOpen { .. })) => {}
            Err(error) => return Err(error),
        }
        self.unended = None;
        Ok(())
    }

    /// The same, for the last time: the next daemon can only say that this one ended in the middle of the run.
    async fn end_last_or_tell(&mut self) {
        let Some((run, ..)) = self.unended else { return };
        let ended = async {
            let keeper = open(&self.config.state_dir, self.clock).await.map_err(Error::Store)?;
            self.end_last(&keeper).await?;
            // How often the job failed is known of it, too.
            save_daemon_jobs(&keeper, self.agenda.rows()).await
        };
        if let Err(error) = ended.await {
            tracing::error!(
                run = run.0,
                reason = told(&error),
                remedy = error.remedy(),
                "what this run came to cannot be recorded, and will be told as cut short"
            );
        }
    }

    async fn work(&mut self, job: &Job, began: Timestamp, keeper: Keeper, id: DaemonRunId) {
        tracing::debug!("begun");
        let run = Run {
            id,
            config: &self.config,
            keeper: &keeper,
            clock: self.clock,
            shutdown: &self.shutdown,
            pulse: &self.pulse,
        };
        let report = self.meter(job).watch(run.perform(job)).await;
        let ended = match report.end.outcome {
            DaemonOutcome::Failed => Ended::Failed,
            _ => Ended::Well,
        };
        self.agenda.ended(job, began, (self.clock)(), ended);
        let news = self.news(job, &keeper).await;
        let at = (self.clock)();
        let kept = end_daemon_run(&keeper, id, report.end.clone(), at, self.config.daemon.keep_runs.get()).await;
        let document = self.recorded(kept);
        match &document {
            Some(run) => self.tally.ran(run),
            None => {
                self.unended = Some((id, report.end.clone(), at));
                self.tally.came_to(job, report.end.outcome.as_str());
            }
        }
        self.look(job, &keeper).await;
        self.log(job, &report, document.as_ref());
        // Whoever is told may want to look.
        drop(keeper);
        self.notify(job, &report, Some(id), news).await;
        self.keep().await;
    }

    /// Counts the requests that a run of this job makes, and tells where they fail in a row.
    fn meter(&self, job: &Job) -> Meter {
        let (supervisor, live, job) = (Arc::clone(&self.supervisor), self.live.clone(), job.clone());
        Meter::new(move |source, outcome| {
            live.send_if_modified(|live| live.running.as_mut().is_some_and(|run| run.requested(source, outcome)));
            supervisor.requested(Requests {
                job: job.clone(),
                source: source.map(str::to_owned),
                outcome,
            });
        })
    }

    /// What the state did not take is told, and the daemon goes on: what it does next does not depend on it.
    fn recorded<T>(&mut self, kept: Result<T, Error>) -> Option<T> {
        match kept {
            Ok(kept) => {
                self.unrecorded = None;
                Some(kept)
            }
            Err(error) => {
                let (message, remedy) = (told(&error), error.remedy());
                tracing::error!(reason = message, remedy, "what was done cannot be recorded");
                self.not_recorded(message, remedy);
                None
            }
        }
    }

    fn not_recorded(&mut self, message: String, remedy: Option<String>) {
        let before = self.unrecorded.take().map_or(0, |unrecorded| unrecorded.times);
        self.unrecorded = Some(Unrecorded {
            times: before.saturating_add(1),
            message,
            remedy,
        });
    }

    /// Keeps what is due when, for the next daemon and for whoever asks. Where somebody else is at work on the state, the next run will do it.
    async fn keep(&mut self) {
        let keeper = match open(&self.config.state_dir, self.clock).await {
            Ok(keeper) => keeper,
            Err(StoreError::InUse { .. }) => return,
            Err(error) => {
                self.recorded::<()>(Err(Error::Store(error)));
                return;
            }
        };
        let kept = save_daemon_jobs(&keeper, self.agenda.rows()).await;
        if kept.is_err() {
            self.recorded(kept);
        }
    }

    /// Looks how the tracker stands after a run, for whoever asks later without the state.
    async fn look(&mut self, job: &Job, keeper: &Keeper) {
        let Some(tracker) = self.tracker(job) else { return };
        let seen = async {
            let status = status(keeper, tracker).await?;
            Ok((status, waiting_plan(keeper, tracker).await?))
        };
        match seen.await {
            Ok((status, waiting)) => self.tally.stands(&status, waiting.as_ref()),
            Err(error) => unread(&error, "how the tracker stands cannot be read"),
        }
    }

    /// One line for each run.
    fn log(&self, job: &Job, report: &Report, document: Option<&DaemonRunDocument>) {
        let DaemonEnd {
            outcome,
            message,
            remedy,
            guards: _,
            changes,
        } = &report.end;
        let entry = self.agenda.entry(job);
        let next_due = entry
            .and_then(|entry| entry.due)
            .map(|due| tracing::field::display(format!("{due:.0}")));
        let failures = entry.map_or(0, |entry| entry.failures);
        let numbers = document.map_or((0, 0, 0, 0), |run| (run.writes, run.clears, run.relates, run.commit_refs));
        let (writes, clears, relates, commit_refs) = numbers;
        let undone = document.and_then(|run| run.undone);
        let drift = document.and_then(|run| run.drift);
        let journal_run = document.and_then(|run| run.journal_run);
        let duration_ms = document.and_then(|run| Some(run.ended_at?.duration_since(run.began_at).as_millis() as i64));
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    outcome = outcome.as_str(),
                    reason = message.as_deref(),
                    remedy = remedy.as_deref(),
                    writes,
                    clears,
                    relates,
                    commit_refs,
                    changes,
                    undone,
                    drift,
                    journal_run,
                    failures,
                    duration_ms,
                    next_due,
                    "{job}: {outcome}"
                )
            };
        }
        match outcome {
            DaemonOutcome::Failed => line!(error),
            DaemonOutcome::Refused | DaemonOutcome::CutShort => line!(warn),
            DaemonOutcome::Changed | DaemonOutcome::NothingToDo | DaemonOutcome::Waiting | DaemonOutcome::Stopped => line!(info),
        }
    }
}

/// Logs what could not be read after a run: what was done is recorded all the same.
fn unread(error: &Error, what: &str) {
    tracing::error!(reason = told(error), remedy = error.remedy(), "{what}");
}
