//! What the daemon did, what it has to do, and the plans that wait: kept for it, and told to whoever asks.

use jiff::Timestamp;
use serde::Serialize;

use super::document::GuardDocument;
use super::{Error, Keeper, PlanDocument, Prepared};
use crate::config::Tracker;
use crate::model::{Job, JobSubject};
use crate::store::{DaemonEnd, DaemonJob, DaemonRun, DaemonRunId, Store, WaitingBecause, WaitingPlan};

/// As many steps of a plan that waits are kept: more than anybody reads of it.
const KEPT_STEPS: usize = 1000;

/// A run of the daemon's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DaemonRunDocument {
    /// Its number, which stands in each line of the log that belongs to it.
    pub run: u64,
    /// What it had to do.
    #[serde(flatten)]
    pub job: Job,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended; `null` while it is under way.
    pub ended_at: Option<Timestamp>,
    /// `changed`, `nothing-to-do`, `waiting`, `refused`, `failed`, `stopped`, `cut-short` (the daemon ended in the middle of it), or `under-way`.
    pub outcome: &'static str,
    /// What there is to say about that.
    pub message: Option<String>,
    /// What a person can do about it.
    pub remedy: Option<String>,
    /// The guards that tripped.
    pub guards: Vec<GuardDocument>,
    /// How many things are other than before, where that is not told by writes: what services said, or what others did on a tracker.
    pub changes: u64,
    /// How many writes took effect: clears, relates and commits.
    pub writes: u64,
    /// How many clears.
    pub clears: u64,
    /// How many relates.
    pub relates: u64,
    /// How many commits.
    pub commit_refs: u64,
    /// How much of what is wanted its last plan leaves undone; `null` where it made none.
    pub undone: Option<u64>,
    /// How many writes were left to do at its end; `null` where it made no plan.
    pub drift: Option<u64>,
    /// The run of writes in it, by which `kinset relations history` tells of it.
    pub journal_run: Option<u64>,
}

impl From<DaemonRun> for DaemonRunDocument {
    fn from(run: DaemonRun) -> Self {
        let writes = run.writes();
        let DaemonRun {
            id,
            job,
            began_at,
            ended,
            clears,
            relates,
            commit_refs,
            undone,
            drift,
            journal_run,
        } = run;
        let (ended_at, end) = ended.unzip();
        let (outcome, message, remedy, guards, changes) = match end {
            None => ("under-way", None, None, Vec::new(), 0),
            Some(DaemonEnd {
                outcome,
                message,
                remedy,
                guards,
                changes,
            }) => {
                // Another kinset may have written it in another way; the message tells of them too.
                let guards = serde_json::from_str(&guards).unwrap_or_default();
                (outcome.as_str(), message, remedy, guards, changes)
            }
        };
        Self {
            run: id.0,
            job,
            began_at,
            ended_at,
            outcome,
            message,
            remedy,
            guards,
            changes,
            writes,
            clears,
            relates,
            commit_refs,
            undone,
            drift,
            journal_run: journal_run.map(|run| run.0),
        }
    }
}

/// What is known of a job that the daemon has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DaemonJobDocument {
    /// The job.
    #[serde(flatten)]
    pub job: Job,
    /// When it is due next, as the daemon saw it last.
    pub next_due: Option<Timestamp>,
    /// How often it failed in a row.
    pub failures: u32,
    /// Its last run.
    pub last_run: Option<DaemonRunDocument>,
    /// Its last run that came to an end by itself, neither under way nor stopped: how the job stands.
    #[serde(skip)]
    pub last_ended: Option<DaemonRunDocument>,
}

/// That there is a plan that was made and not carried out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaitingDocument {
    /// The run of the daemon's that made it.
    pub run: u64,
    /// When.
    pub planned_at: Timestamp,
    /// Why it waits: `plan-only`, `quiet` or `guard`.
    pub because: &'static str,
    /// How many writes it takes.
    pub writes: u64,
}

/// The same, and the plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaitingPlanDocument {
    /// That there is one.
    #[serde(flatten)]
    pub waiting: WaitingDocument,
    /// How many of its steps are not kept here; `kinset plan` shows all.
    pub steps_left_out: u64,
    /// The plan.
    pub plan: PlanDocument,
}

/// Guards that tripped, as the record keeps them.
#[must_use]
pub fn guards_of<'a, T: 'a>(tripped: impl IntoIterator<Item = &'a T>) -> String
where
    GuardDocument: From<&'a T>,
{
    let guards: Vec<GuardDocument> = tripped.into_iter().map(GuardDocument::from).collect();
    serde_json::json!(guards).to_string()
}

/// Enters that the daemon begins with a job.
///
/// # Errors
/// When the state cannot be written.
pub async fn begin_daemon_run(keeper: &Keeper, job: &Job) -> Result<DaemonRunId, Error> {
    let job = job.clone();
    keeper.with(move |store, now| store.begin_daemon_run(&job, now)).await
}

/// Enters how a run of the daemon's ended. Of each job only the last `keep` runs stay.
///
/// # Errors
/// When the state cannot be written.
pub async fn end_daemon_run(
    keeper: &Keeper,
    run: DaemonRunId,
    end: DaemonEnd,
    at: Timestamp,
    keep: u32,
) -> Result<DaemonRunDocument, Error> {
    let ended = keeper.with(move |store, _| store.end_daemon_run(run, &end, at, keep)).await?;
    Ok(ended.into())
}

/// Enters of the runs that an earlier daemon left under way that they were cut short. Returns which those are.
///
/// # Errors
/// When the state cannot be written.
pub async fn cut_short_daemon_runs(keeper: &Keeper) -> Result<Vec<DaemonRunId>, Error> {
    keeper.with(Store::cut_short_daemon_runs).await
}

/// What is known of the jobs that the daemon has, and whether the last run of each was never ended.
///
/// # Errors
/// When the state cannot be read.
pub async fn left_daemon_jobs(keeper: &Keeper) -> Result<Vec<(DaemonJob, bool)>, Error> {
    let left = keeper.with(|store, _| {
        let with_last = |job: DaemonJob| {
            let last = store.last_daemon_run(&job.job)?;
            Ok((job, last.is_some_and(|run| run.ended.is_none())))
        };
        store.daemon_jobs()?.into_iter().map(with_last).collect()
    });
    left.await
}

/// Enters what is known of the jobs that the daemon has; others are forgotten.
///
/// # Errors
/// When the state cannot be written.
pub async fn save_daemon_jobs(keeper: &Keeper, jobs: Vec<DaemonJob>) -> Result<(), Error> {
    keeper.with(move |store, _| store.save_daemon_jobs(&jobs)).await
}

/// The last runs of the daemon's, latest first; of one subject, or of all.
///
/// # Errors
/// When the state cannot be read.
pub async fn daemon_runs(keeper: &Keeper, subject: Option<JobSubject>, limit: u32) -> Result<Vec<DaemonRunDocument>, Error> {
    let runs = keeper.with(move |store, _| store.daemon_runs(subject.as_ref(), limit)).await?;
    Ok(runs.into_iter().map(DaemonRunDocument::from).collect())
}

/// What is known of the jobs that the daemon has with something, with the last run of each.
///
/// # Errors
/// When the state cannot be read.
pub async fn daemon_job_documents(keeper: &Keeper, subject: JobSubject) -> Result<Vec<DaemonJobDocument>, Error> {
    let found = keeper.with(move |store, _| {
        let mut found = Vec::new();
        for job in store.daemon_jobs()?.into_iter().filter(|known| known.job.subject == subject) {
            let last = store.last_daemon_run(&job.job)?;
            let last_ended = store.last_ended_daemon_run(&job.job)?;
            found.push((job, last, last_ended));
        }
        Ok(found)
    });
    let document = |(known, last, last_ended): (DaemonJob, Option<DaemonRun>, Option<DaemonRun>)| {
        let DaemonJob {
            job,
            next_due,
            failures,
            told: _,
        } = known;
        DaemonJobDocument {
            job,
            next_due,
            failures,
            last_run: last.map(DaemonRunDocument::from),
            last_ended: last_ended.map(DaemonRunDocument::from),
        }
    };
    Ok(found.await?.into_iter().map(document).collect())
}

/// Keeps a plan that is not carried out, with as many of its steps as anybody reads. One without writes waits for nothing.
///
/// # Errors
/// When the state cannot be written.
pub async fn keep_waiting_plan(
    tracker: &Tracker,
    keeper: &Keeper,
    run: DaemonRunId,
    because: WaitingBecause,
    prepared: &Prepared,
) -> Result<(), Error> {
    if prepared.draft.writes() == 0 {
        return forget_waiting_plan(tracker, keeper).await;
    }
    let mut plan = PlanDocument::new([prepared.document(tracker)]);
    plan.steps.truncate(KEPT_STEPS);
    let writes = plan.writes as u64;
    let (name, url, plan) = (
        tracker.name.to_string(),
        tracker.url.to_string(),
        serde_json::json!(plan).to_string(),
    );
    let keep = keeper.with(move |store, planned_at| {
        let waiting = WaitingPlan {
            run,
            planned_at,
            url,
            because,
            writes,
            plan,
        };
        store.save_waiting_plan(&name, Some(&waiting))
    });
    keep.await
}

/// Forgets the plan of a tracker that waited.
pub(super) async fn forget_waiting_plan(tracker: &Tracker, keeper: &Keeper) -> Result<(), Error> {
    let name = tracker.name.to_string();
    keeper.with(move |store, _| store.save_waiting_plan(&name, None)).await
}

/// The plan of a tracker that waits, if one does that this kinset understands.
///
/// # Errors
/// When the state cannot be read.
pub async fn waiting_plan(keeper: &Keeper, tracker: &Tracker) -> Result<Option<WaitingPlanDocument>, Error> {
    let (name, url) = (tracker.name.to_string(), tracker.url.to_string());
    let Some(waiting) = keeper.with(move |store, _| store.waiting_plan(&name, &url)).await? else {
        return Ok(None);
    };
    let WaitingPlan {
        run,
        planned_at,
        url: _,
        because,
        writes,
        plan,
    } = waiting;
    // Another kinset may have written it in another way; the next sync makes it anew.
    let Ok(plan) = serde_json::from_str::<PlanDocument>(&plan) else {
        return Ok(None);
    };
    Ok(Some(WaitingPlanDocument {
        waiting: WaitingDocument {
            run: run.0,
            planned_at,
            because: because.as_str(),
            writes,
        },
        steps_left_out: writes.saturating_sub(plan.steps.len() as u64),
        plan,
    }))
}
