//! Jobs: each is done as the command would do it, by [`crate::reconcile`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::agenda::Known;
use super::permit::{WritePermit, carry_out};
use crate::config::{Config, Distribution, Follows, Services, Tracker};
use crate::http::Pulse;
use crate::model::relations::guard::Tripped;
use crate::model::{Job, JobKind, JobSubject, PatchId, ProjectId, ProjectName};
use crate::reconcile::{
    Applied, BECOME_MAINTAINER, Clock, Error, Extent, Keeper, Prepared, Pulled, Pulling, Reading, RefusedCommits, Session, SessionOptions,
    Shutdown, SourceDraft, SourceResult, SourcesOrder, Taking, follow, guards_of, keep_waiting_plan, left_daemon_jobs, prepare, pull,
};
use crate::remedy::{Remedy, causes};
use crate::store::{DaemonEnd, DaemonOutcome, DaemonRunId, Store, StoreError, WaitingBecause};

/// How long the clock is not looked at while something is written that must end when a quiet time begins.
const LOOKS: Duration = Duration::from_secs(30);

/// What a run came to, and what tells that from other troubles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) end: DaemonEnd,
    /// Of a refusal, which one it is: the same one is told once.
    pub(super) condition: Option<String>,
}

impl Report {
    fn new(outcome: DaemonOutcome) -> Self {
        Self {
            end: DaemonEnd {
                outcome,
                message: None,
                remedy: None,
                guards: "[]".to_owned(),
                changes: 0,
            },
            condition: None,
        }
    }

    fn saying(mut self, message: String) -> Self {
        self.end.message = Some(message);
        self
    }

    /// It ended early.
    fn stopped(because: Stop) -> Self {
        Self::new(DaemonOutcome::Stopped).saying(because.to_string())
    }

    /// Something was read, of which so much is new.
    fn read(changes: u64) -> Self {
        let mut report = Self::new(if changes > 0 {
            DaemonOutcome::Changed
        } else {
            DaemonOutcome::NothingToDo
        });
        report.end.changes = changes;
        report
    }

    /// What an error came to: a refusal where a person has to look, else a failure.
    pub(super) fn of_error(error: &(impl Remedy + 'static), refusal: Option<(String, String)>) -> Self {
        let outcome = if refusal.is_some() {
            DaemonOutcome::Refused
        } else {
            DaemonOutcome::Failed
        };
        let (condition, guards) = refusal.unzip();
        let mut report = Self::new(outcome).saying(told(error));
        report.end.remedy = error.remedy();
        report.end.guards = guards.unwrap_or(report.end.guards);
        report.condition = condition;
        report
    }

    fn failed(error: &Error) -> Self {
        Self::of_error(error, refusal(error))
    }
}

/// An error and its causes on one line.
pub(super) fn told(error: &(impl std::error::Error + 'static)) -> String {
    let causes = causes(error);
    std::iter::once(error.to_string()).chain(causes).collect::<Vec<_>>().join(": ")
}

/// What an error is refused for, and the guards, where it is a refusal.
fn refusal(error: &Error) -> Option<(String, String)> {
    let none = || "[]".to_owned();
    match error {
        Error::Guarded { tripped, .. } => {
            let options: BTreeSet<&str> = tripped.iter().map(Tripped::option).collect();
            Some((options.into_iter().collect::<Vec<_>>().join(", "), guards_of(tripped)))
        }
        Error::Shrunk(tripped) => Some((tripped.option().to_owned(), guards_of([tripped]))),
        Error::GuardedDistribution { tripped, .. } => Some((tripped.option().to_owned(), guards_of([tripped]))),
        Error::GuardedSource(guarded) => Some((guarded.option().to_owned(), guards_of([guarded.as_ref()]))),
        Error::NoMaintainer { .. } => Some(("no-maintainer".to_owned(), none())),
        Error::NoToken { .. } => Some(("no-token".to_owned(), none())),
        _ => None,
    }
}

/// Opens the state to read what an earlier daemon left. It is not made for that, but brought up to date where it is older.
pub(super) async fn open_left(state_dir: &Path, clock: Clock) -> Result<Keeper, StoreError> {
    let folder = state_dir.to_owned();
    match blocking(move || Store::open_read_only_or_empty(&folder)).await {
        Ok(store) => Ok(Keeper::new(store, clock)),
        Err(StoreError::Older { path: _, found, known }) => {
            let keeper = open(state_dir, clock).await?;
            tracing::info!(from = found, to = known, "the state was brought up to date");
            Ok(keeper)
        }
        Err(error) => Err(error),
    }
}

/// What an earlier daemon left of its jobs.
pub(super) async fn known(keeper: &Keeper) -> Result<Vec<Known>, Error> {
    let left = left_daemon_jobs(keeper).await?;
    let known = |(job, was_cut_short)| Known { job, was_cut_short };
    Ok(left.into_iter().map(known).collect())
}

/// Opens the state for a run.
pub(super) async fn open(state_dir: &Path, clock: Clock) -> Result<Keeper, StoreError> {
    let folder = state_dir.to_owned();
    let store = blocking(move || Store::open(&folder)).await?;
    Ok(Keeper::new(store, clock))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// All that a run works with.
pub(super) struct Run<'a> {
    pub(super) id: DaemonRunId,
    pub(super) config: &'a Config,
    pub(super) keeper: &'a Keeper,
    pub(super) clock: Clock,
    pub(super) shutdown: &'a Shutdown,
    pub(super) pulse: &'a Pulse,
}

impl Run<'_> {
    /// Does a job.
    pub(super) async fn perform(&self, job: &Job) -> Report {
        let done = match &job.subject {
            JobSubject::Tracker(name) => {
                let tracker = self.config.trackers.iter().find(|tracker| tracker.name.as_str() == name);
                match (tracker, job.kind) {
                    (Some(tracker), JobKind::Pull) => self.pull(tracker, Extent::Due).await,
                    (Some(tracker), JobKind::Sweep) => self.pull(tracker, Extent::Full).await,
                    (Some(tracker), JobKind::Sync) => self.sync(tracker).await,
                    (None, _) => Ok(Report::new(DaemonOutcome::NothingToDo)),
                }
            }
            JobSubject::Distribution(name) => {
                let mut all = self.config.distributions.iter();
                let distribution = all.find(|distribution| distribution.name.as_str() == name);
                match distribution.map(|distribution| (distribution, &distribution.follows)) {
                    Some((distribution, Follows::Services(services))) => self.follow(distribution, services).await,
                    _ => Ok(Report::new(DaemonOutcome::NothingToDo)),
                }
            }
        };
        done.unwrap_or_else(|error| Report::failed(&error))
    }

    /// As long as nothing is written to a tracker, there is nothing to finish.
    async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<Option<T>, Error> {
        tokio::select! {
            done = work => done.map(Some),
            () = self.shutdown.requested() => Ok(None),
        }
    }

    /// `kinset pull`
    async fn pull(&self, tracker: &Tracker, extent: Extent) -> Result<Report, Error> {
        let work = async {
            let session = Session::open(tracker, SessionOptions::of(tracker)).await?;
            pull(&session, self.keeper, extent, &|_| self.pulse.beat()).await
        };
        let Some(pulled) = self.unless_stopped(work).await? else {
            return Ok(Report::stopped(Stop::Asked));
        };
        let Pulled {
            reading,
            foreign,
            tripped,
            projects: _,
            patches: _,
            related: _,
        } = pulled;
        if let Some(tripped) = tripped {
            let refusal = (tripped.option().to_owned(), guards_of([&tripped]));
            return Ok(Report::of_error(&tripped, Some(refusal)));
        }
        let new = match reading {
            Reading::Events { arrived, .. } => arrived as u64,
            Reading::Sweep { missed_by_events } => missed_by_events.unwrap_or_default(),
        };
        Ok(Report::read(new + foreign as u64))
    }

    /// `kinset plan`, or `kinset apply --yes` where that is allowed.
    async fn sync(&self, tracker: &Tracker) -> Result<Report, Error> {
        let work = async {
            let session = Session::open(tracker, SessionOptions::of(tracker)).await?;
            let prepared = prepare(&session, self.keeper, Pulling::Fresh(Extent::Due), &|_| self.pulse.beat()).await?;
            Ok((session, prepared))
        };
        let Some((session, prepared)) = self.unless_stopped(work).await? else {
            return Ok(Report::stopped(Stop::Asked));
        };
        if !prepared.draft.tripped.is_empty() {
            self.keep_plan(tracker, WaitingBecause::Guard, &prepared).await?;
            let tripped = prepared.draft.tripped;
            let tracker = tracker.name.clone();
            return Err(Error::Guarded { tracker, tripped });
        }
        match WritePermit::of(tracker, (self.clock)()) {
            Err(because) => {
                self.keep_plan(tracker, because, &prepared).await?;
                Ok(Report::new(if prepared.draft.writes() > 0 {
                    DaemonOutcome::Waiting
                } else {
                    DaemonOutcome::NothingToDo
                }))
            }
            Ok(permit) => {
                let projects = prepared.stored.snapshot.projects.values();
                let names = projects.map(|project| (project.id, project.name.clone())).collect();
                let (request, stop) = Shutdown::new();
                let next_quiet = tracker.schedule.next_quiet((self.clock)());
                let mut because = None;
                let writing = carry_out(permit, session, self.keeper, prepared, &stop, self.pulse);
                let stopping = async {
                    because = Some(stop_in_time(self.shutdown, self.clock, next_quiet).await);
                    request.send_replace(true);
                    std::future::pending().await
                };
                let applied = tokio::select! {
                    biased;
                    applied = writing => applied,
                    // It goes on until the step in flight is finished.
                    never = stopping => match never {},
                };
                let applied = match applied {
                    Err(Error::InDoubt { .. }) => return Ok(Report::stopped(because.unwrap_or(Stop::Asked))),
                    applied => applied?,
                };
                Ok(applied.map_or_else(
                    || Report::new(DaemonOutcome::NothingToDo),
                    |applied| after_writes(tracker, &names, &applied, because),
                ))
            }
        }
    }

    async fn keep_plan(&self, tracker: &Tracker, because: WaitingBecause, prepared: &Prepared) -> Result<(), Error> {
        keep_waiting_plan(tracker, self.keeper, self.id, because, prepared).await
    }

    /// `kinset pull` of a distribution.
    async fn follow(&self, distribution: &Distribution, services: &Services) -> Result<Report, Error> {
        let order = SourcesOrder::of(distribution, services, false);
        let mut changes = 0;
        let mut failures: Vec<(String, Error)> = Vec::new();
        let each = |source: &str, result: SourceResult| match result.and_then(SourceDraft::require_unguarded) {
            Ok(draft) => changes += draft.operations.len() as u64,
            Err(error) => failures.push((source.to_owned(), error)),
        };
        let work = follow(self.keeper, &order, Taking::Everything, each);
        if self.unless_stopped(work).await?.is_none() {
            return Ok(Report::stopped(Stop::Asked));
        }
        // A failure says more of what has to be done than a refusal, and others wait behind either.
        let worst = failures.iter().find(|(_, error)| refusal(error).is_none()).or(failures.first());
        let Some((_, error)) = worst else {
            return Ok(Report::read(changes));
        };
        let mut report = Report::failed(error);
        let each: Vec<String> = failures
            .iter()
            .map(|(source, error)| format!("{source}: {}", told(error)))
            .collect();
        report.end.message = Some(each.join("; "));
        report.end.changes = changes;
        Ok(report)
    }
}

/// Why a run ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// The daemon is to end.
    Asked,
    /// A quiet time of the tracker's has begun.
    Quiet,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asked => "the daemon was told to stop; the next run goes on",
            Self::Quiet => "a quiet time began; the first sync after it goes on",
        })
    }
}

/// Waits until writes have to stop: when the daemon is to end, and when a quiet time begins.
async fn stop_in_time(shutdown: &Shutdown, clock: Clock, next_quiet: Option<Timestamp>) -> Stop {
    let quiet = async {
        let Some(begin) = next_quiet else {
            return std::future::pending().await;
        };
        loop {
            let now = clock();
            if now >= begin {
                break;
            }
            tokio::time::sleep(begin.duration_since(now).unsigned_abs().min(LOOKS)).await;
        }
    };
    tokio::select! {
        () = quiet => Stop::Quiet,
        () = shutdown.requested() => Stop::Asked,
    }
}

/// The words for people of projects.
type ProjectNames = BTreeMap<ProjectId, ProjectName>;

/// What writes came to.
fn after_writes(tracker: &Tracker, names: &ProjectNames, applied: &Applied, stop: Option<Stop>) -> Report {
    let Applied {
        stopped,
        refused_projects,
        refused_patches,
        refused_commits,
        rounds,
        draft: _,
        commits: _,
        feedback: _,
    } = applied;
    if *stopped {
        // Nobody else stops it.
        return Report::stopped(stop.unwrap_or(Stop::Asked));
    }
    if let Some(message) = refused_writes(names, refused_projects, refused_patches, refused_commits) {
        let mut report = Report::new(DaemonOutcome::Refused).saying(message);
        let left = format!("`kinset plan {}` shows what is left", tracker.name);
        let is_of_projects = !refused_projects.is_empty() || !refused_commits.projects.is_empty();
        report.end.remedy = Some(if is_of_projects {
            format!("{BECOME_MAINTAINER}; {left}")
        } else {
            left
        });
        report.condition = Some("tracker".to_owned());
        return report;
    }
    tracing::debug!(tracker = %tracker.name, rounds, "written and verified");
    Report::new(DaemonOutcome::Changed)
}

/// What a tracker refused to have written, if it refused anything.
fn refused_writes(
    names: &ProjectNames,
    projects: &BTreeSet<ProjectId>,
    patches: &BTreeSet<PatchId>,
    commits: &RefusedCommits,
) -> Option<String> {
    let in_projects = |what: &str, ids: &BTreeSet<ProjectId>| {
        let name = |id| names.get(id).map_or_else(|| id.to_string(), ToString::to_string);
        listed(&format!("{what} in"), ["project", "projects"], ids.iter().map(name))
    };
    let of_patches =
        |what: &str, ids: &BTreeSet<PatchId>| listed(&format!("{what} of"), ["patch", "patches"], ids.iter().map(ToString::to_string));
    let parts = [
        in_projects("relations", projects),
        of_patches("relations", patches),
        in_projects("commits", &commits.projects),
        of_patches("commits", &commits.patches),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("the tracker refused writes: {}", parts.join("; ")))
}

/// What is listed behind a noun for one or several, if there is anything.
fn listed(what: &str, [one, several]: [&str; 2], items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    match &items[..] {
        [] => None,
        [item] => Some(format!("{what} {one} {item}")),
        _ => Some(format!("{what} {several} {}", items.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-06-10T12:00:00Z".parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_daemon_that_is_told_to_stop_and_a_quiet_time_that_begins_are_told_apart() {
        let (request, shutdown) = Shutdown::new();
        assert_eq!(stop_in_time(&shutdown, noon, Some(noon())).await, Stop::Quiet);
        request.send_replace(true);
        let evening = "2026-06-10T20:00:00Z".parse().unwrap();
        assert_eq!(stop_in_time(&shutdown, noon, Some(evening)).await, Stop::Asked);
        assert_eq!(stop_in_time(&shutdown, noon, None).await, Stop::Asked);
        let [asked, quiet] = [Stop::Asked, Stop::Quiet].map(|stop| Report::stopped(stop).end.message.unwrap());
        assert!(asked.starts_with("the daemon was told to stop;") && quiet.starts_with("a quiet time began;"));
    }

    #[test]
    fn what_a_tracker_refuses_is_told_by_the_names_of_projects_and_without_what_it_does_not_refuse() {
        let names = [
            (ProjectId(1), ProjectName("alpha".to_owned())),
            (ProjectId(2), ProjectName("beta".to_owned())),
        ]
        .into();
        let told = |projects: &[u64], patches: &[u64], of_commits: &[u64], commits_of: &[u64]| {
            let projects_of = |ids: &[u64]| ids.iter().copied().map(ProjectId).collect();
            let patches_of = |ids: &[u64]| ids.iter().copied().map(PatchId).collect();
            let commits = RefusedCommits {
                projects: projects_of(of_commits),
                patches: patches_of(commits_of),
            };
            refused_writes(&names, &projects_of(projects), &patches_of(patches), &commits)
        };
        assert_eq!(told(&[], &[], &[], &[]), None);
        assert_eq!(
            told(&[1], &[], &[], &[]).unwrap(),
            "the tracker refused writes: relations in project alpha"
        );
        assert_eq!(
            told(&[], &[5], &[1, 2, 3], &[6, 7]).unwrap(),
            "the tracker refused writes: relations of patch 5; commits in projects alpha, beta, 3; commits of patches 6, 7"
        );
    }
}
