//! What is known without asking a tracker: decisions, history, how things stand.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::daemon::{DaemonJobDocument, WaitingDocument, daemon_job_documents, waiting_plan};
use super::ended::collections;
use super::feedback::{DecisionDocument, decisions_of};
use super::prepare::require_pulled;
use super::{Error, Keeper};
use crate::config::{Distribution, Tracker};
use crate::model::packages::{CollectionStatus, DistributionName, SeriesPath};
use crate::model::{JobSubject, MessageId, PatchId, ProjectName};
use crate::store::{Author, Cycle, Decision, DecisionFilter, DecisionId, Ended, Run, RunOutcome, Sighted, Store, StoreError};

/// Ends decisions by an operator's word. Returns those that this ended.
///
/// # Errors
/// [`Error::NoSuchDecision`] when one of them does not stand; then nothing is changed.
pub async fn drop_decisions(keeper: &Keeper, tracker: &Tracker, ids: &BTreeSet<DecisionId>) -> Result<Vec<DecisionDocument>, Error> {
    let standing = decisions_of(keeper, tracker, DecisionFilter::Open).await?;
    let standing: BTreeSet<DecisionId> = standing.iter().map(|decision| decision.id).collect();
    if let Some(&decision) = ids.difference(&standing).next() {
        return Err(Error::NoSuchDecision {
            tracker: tracker.name.clone(),
            decision,
        });
    }
    let (name, chosen): (_, Vec<DecisionId>) = (tracker.name.to_string(), ids.iter().copied().collect());
    keeper
        .with(move |store, now| store.end_decisions(&name, &chosen, Ended::Dropped, now))
        .await?;
    let all = decision_documents(keeper, tracker, DecisionFilter::All).await?;
    Ok(all.into_iter().filter(|decision| ids.contains(&DecisionId(decision.id))).collect())
}

/// The decisions that stand and name one of these patches.
#[must_use]
pub fn about(decisions: &[Decision], patches: &BTreeSet<PatchId>) -> BTreeSet<DecisionId> {
    let is_about = |decision: &&Decision| decision.patches.keys().any(|patch| patches.contains(patch));
    decisions.iter().filter(is_about).map(|decision| decision.id).collect()
}

/// The relations that a patch was in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistoryDocument {
    /// The tracker's name.
    pub tracker: String,
    /// The patch.
    pub patch: PatchId,
    /// The mail that brought it, as far as it is known.
    pub message_id: Option<MessageId>,
    /// Whether the tracker's projects have it no more.
    pub gone: bool,
    /// What it was found in, oldest first.
    pub relations: Vec<SightingDocument>,
}

/// A relation that a patch was found in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SightingDocument {
    /// Since when, as far as kinset saw it.
    pub since: Timestamp,
    /// All members, the patch included; just the patch when it was in no relation.
    pub patches: BTreeSet<PatchId>,
    /// `found`: it was so when the tracker was first looked at; `kinset`: by a write of kinset's; `other`: by somebody else's.
    pub by: &'static str,
    /// Which run of kinset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// Who else, where the tracker tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// The relations that the patches of a number or of a mail were in, as far as kinset saw them.
///
/// # Errors
/// [`Error::NoSuchPatch`] when the tracker's projects have no such patch and none that was ever seen in a relation, and when the tracker was
/// never pulled or the state cannot be read.
pub async fn history(keeper: &Keeper, tracker: &Tracker, patch: &str) -> Result<Vec<HistoryDocument>, Error> {
    require_pulled(keeper, tracker).await?;
    let (name, url, word) = (tracker.name.to_string(), tracker.url.to_string(), patch.to_owned());
    let documents = keeper.with(move |store, _| {
        let patches = named(store, &name, &url, &word)?;
        let known = store.known(&name, &patches)?;
        let mut documents = Vec::new();
        for patch in patches {
            let row = known.get(&patch);
            let sighted = store.history(&name, &url, patch)?;
            if row.is_some() || !sighted.is_empty() {
                let message_id = match row {
                    Some(row) => Some(row.message_id.clone()),
                    None => store.mail_of_gone(&name, &url, patch)?,
                };
                documents.push(HistoryDocument {
                    tracker: name.clone(),
                    patch,
                    message_id,
                    gone: row.is_none(),
                    relations: sighted.into_iter().map(sighting).collect(),
                });
            }
        }
        Ok(documents)
    });
    let documents = documents.await?;
    if documents.is_empty() {
        return Err(Error::NoSuchPatch {
            tracker: tracker.name.clone(),
            patch: patch.to_owned(),
        });
    }
    Ok(documents)
}

/// The patches that a word stands for: a number, or a message id with or without its brackets. They need not be known, nor be there any more.
pub(super) fn named(store: &Store, tracker: &str, url: &str, word: &str) -> Result<BTreeSet<PatchId>, StoreError> {
    if let Ok(number) = word.parse() {
        return Ok([PatchId(number)].into());
    }
    match MessageId::parse(word).or_else(|_| MessageId::parse(&format!("<{word}>"))) {
        Ok(message_id) => Ok(store.patches_of_mail(tracker, url, &message_id)?.into_iter().collect()),
        Err(_) => Ok(BTreeSet::new()),
    }
}

fn sighting(Sighted { seen_at, sighting }: Sighted) -> SightingDocument {
    let (by, run, user) = match sighting.writer {
        Author::Found => ("found", None, None),
        Author::Kinset(run) => ("kinset", run.map(|run| run.0), None),
        Author::Other(user) => ("other", None, user.map(|user| user.0)),
    };
    SightingDocument {
        since: seen_at,
        patches: sighting.patches,
        by,
        run,
        user,
    }
}

/// How a tracker stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatusDocument {
    /// The tracker's name.
    pub tracker: String,
    /// Its address.
    pub url: String,
    /// The policy, in the word of the configuration.
    pub policy: String,
    /// What was read of it; `null` before the first pull from this address.
    pub pulled: Option<PulledDocument>,
    /// The address that it was last read from, where that is another. Nothing that is known of that one is told here.
    pub elsewhere: Option<String>,
    /// The last plan.
    pub last_cycle: Option<CycleDocument>,
    /// The last time that something was to be written.
    pub last_run: Option<RunDocument>,
    /// The collections that its projects are of, as far as the configuration says so.
    pub collections: Vec<CollectionDocument>,
    /// How many decisions of people stand.
    pub decisions: usize,
    /// Writes whose outcome nobody knows yet: what a crash left behind, or what is under way.
    pub open_writes: usize,
    /// What the daemon has to do with it, if there ever was one.
    pub jobs: Vec<DaemonJobDocument>,
    /// The plan of the daemon's that waits for somebody to carry it out.
    pub waiting: Option<WaitingDocument>,
}

/// How a distribution stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DistributionStatusDocument {
    /// The distribution's name.
    pub distribution: DistributionName,
    /// What the daemon has to do with it, if there ever was one.
    pub jobs: Vec<DaemonJobDocument>,
}

/// The collection that a project is of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CollectionDocument {
    /// The project.
    pub project: ProjectName,
    /// The collection.
    pub collection: SeriesPath,
    /// Its stage, by which nothing is written to the project once it has ended; `null` where nothing is known of the collection, which stops plans.
    pub status: Option<CollectionStatus>,
}

/// What was read of a tracker.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PulledDocument {
    /// When it was last read whole.
    pub swept_at: Timestamp,
    /// When it was last read, whole or by its events.
    pub pulled_at: Timestamp,
    /// How many patches the last full read found changed that no event had told of; `null` where that could not be known.
    pub missed_by_events: Option<u64>,
    /// How many patches it has.
    pub patches: u64,
    /// The projects.
    pub projects: Vec<ProjectName>,
}

/// What a plan came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CycleDocument {
    /// When it was made.
    pub at: Timestamp,
    /// How far the tracker is from what is wanted and may be written: the writes that the plan takes.
    pub drift: u64,
    /// How many of these are clears.
    pub clears: u64,
    /// How many are relates.
    pub relates: u64,
    /// How many are commits.
    pub commit_refs: u64,
    /// How much of what is wanted it leaves undone, of relations and of commits.
    pub undone: u64,
    /// How many patches somebody else had put into other relations.
    pub foreign_changes: u64,
    /// Whether a guard held it back.
    pub guarded: bool,
    /// The projects that may not be written to.
    pub blocked: BTreeSet<ProjectName>,
}

/// What a run of writes came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunDocument {
    /// Its number, by which history tells of it.
    pub run: u64,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended; `null` while it is under way, and for one that was cut short.
    pub ended_at: Option<Timestamp>,
    /// `completed`, `interrupted`, `failed`, or `open`.
    pub outcome: &'static str,
    /// Why it failed.
    pub reason: Option<String>,
    /// How many writes it made.
    pub done: u64,
}

/// How a tracker stands, by what is stored.
///
/// # Errors
/// When the state cannot be read.
pub async fn status(keeper: &Keeper, tracker: &Tracker) -> Result<StatusDocument, Error> {
    let (name, url) = (tracker.name.to_string(), tracker.url.to_string());
    let read = keeper.with(move |store, _| {
        let state = store.pull_state(&name)?;
        let cycle = store.cycles(&name, &url, 1)?.pop();
        let run = store.journal().runs(&name, &url, 1)?.pop();
        let open = store.journal().count_open(&name, &url)?;
        Ok((state, cycle, run, open))
    });
    let (state, cycle, run, open_writes) = read.await?;
    let decisions = decisions_of(keeper, tracker, DecisionFilter::Open).await?.len();
    let collections = collections(tracker, keeper).await?.into_iter().map(|of| CollectionDocument {
        project: of.project,
        collection: of.collection,
        status: of.status.ok(),
    });
    let (state, elsewhere) = match state {
        Some(state) if state.url != tracker.url.as_str() => (None, Some(state.url)),
        state => (state, None),
    };
    Ok(StatusDocument {
        tracker: tracker.name.to_string(),
        url: tracker.url.to_string(),
        policy: tracker.policy.to_string(),
        pulled: state.map(|state| PulledDocument {
            swept_at: state.swept_at,
            pulled_at: state.read_at(),
            missed_by_events: state.missed_by_events,
            patches: state.patches,
            projects: state.projects.into_values().map(|project| project.name).collect(),
        }),
        elsewhere,
        last_cycle: cycle.map(|(at, cycle)| cycle_document(at, cycle)),
        last_run: run.map(run_document),
        collections: collections.collect(),
        decisions,
        open_writes,
        jobs: daemon_job_documents(keeper, JobSubject::Tracker(tracker.name.to_string())).await?,
        waiting: waiting_plan(keeper, tracker).await?.map(|plan| plan.waiting),
    })
}

/// How a distribution stands, by what is stored.
///
/// # Errors
/// When the state cannot be read.
pub async fn distribution_status(keeper: &Keeper, distribution: &Distribution) -> Result<DistributionStatusDocument, Error> {
    let name = distribution.name.clone();
    Ok(DistributionStatusDocument {
        jobs: daemon_job_documents(keeper, JobSubject::Distribution(name.to_string())).await?,
        distribution: name,
    })
}

/// What the last plans for a tracker came to, latest first: how it drifted.
///
/// # Errors
/// When the state cannot be read.
pub async fn cycles(keeper: &Keeper, tracker: &Tracker, limit: u32) -> Result<Vec<CycleDocument>, Error> {
    let (name, url) = (tracker.name.to_string(), tracker.url.to_string());
    let cycles = keeper.with(move |store, _| store.cycles(&name, &url, limit)).await?;
    Ok(cycles.into_iter().map(|(at, cycle)| cycle_document(at, cycle)).collect())
}

fn cycle_document(at: Timestamp, cycle: Cycle) -> CycleDocument {
    let drift = cycle.drift();
    let Cycle {
        clears,
        relates,
        commit_refs,
        undone,
        foreign_changes,
        guarded,
        blocked,
    } = cycle;
    CycleDocument {
        at,
        drift,
        clears,
        relates,
        commit_refs,
        undone,
        foreign_changes,
        guarded,
        blocked,
    }
}

fn run_document(run: Run) -> RunDocument {
    let (ended_at, outcome, reason) = match run.ended {
        None => (None, "open", None),
        Some((at, RunOutcome::Completed)) => (Some(at), "completed", None),
        Some((at, RunOutcome::Interrupted)) => (Some(at), "interrupted", None),
        Some((at, RunOutcome::Failed(reason))) => (Some(at), "failed", Some(reason)),
    };
    RunDocument {
        run: run.id.0,
        began_at: run.began_at,
        ended_at,
        outcome,
        reason,
        done: run.done,
    }
}

/// The decisions of a tracker as documents.
///
/// # Errors
/// When the state cannot be read.
pub async fn decision_documents(keeper: &Keeper, tracker: &Tracker, filter: DecisionFilter) -> Result<Vec<DecisionDocument>, Error> {
    let decisions = decisions_of(keeper, tracker, filter).await?;
    Ok(decisions.iter().map(|decision| DecisionDocument::new(tracker, decision)).collect())
}
