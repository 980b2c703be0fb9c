//! What is known without asking a tracker: decisions, history, how things stand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::feedback::{DecisionDocument, decisions_of};
use super::{Error, Keeper};
use crate::config::Tracker;
use crate::model::{MessageId, Patch, PatchId, ProjectName};
use crate::store::{Author, Cycle, Decision, DecisionFilter, DecisionId, Ended, Run, RunOutcome, Sighted};

/// Ends decisions by an operator's word. Returns how many those were.
///
/// # Errors
/// [`Error::NoSuchDecision`] when one of them does not stand; then nothing is changed.
pub async fn drop_decisions(keeper: &Keeper, tracker: &Tracker, ids: &BTreeSet<DecisionId>) -> Result<usize, Error> {
    let standing = decisions_of(keeper, tracker, DecisionFilter::Open).await?;
    let standing: BTreeSet<DecisionId> = standing.iter().map(|decision| decision.id).collect();
    if let Some(&decision) = ids.difference(&standing).next() {
        return Err(Error::NoSuchDecision {
            tracker: tracker.name.clone(),
            decision,
        });
    }
    let (name, ids): (_, Vec<DecisionId>) = (tracker.name.to_string(), ids.iter().copied().collect());
    keeper
        .with(move |store, now| store.end_decisions(&name, &ids, Ended::Dropped, now))
        .await
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
/// [`Error::NoSuchPatch`] when the tracker's projects have no such patch and never had, and when the state cannot be read.
pub async fn history(keeper: &Keeper, tracker: &Tracker, patch: &str) -> Result<Vec<HistoryDocument>, Error> {
    let name = tracker.name.to_string();
    let known = keeper.with(move |store, _| store.snapshot(&name)).await?;
    let patches = known.map(|stored| stored.snapshot.patches).unwrap_or_default();
    let mut documents = Vec::new();
    for patch in named(&patches, patch) {
        let name = tracker.name.to_string();
        let sighted = keeper.with(move |store, _| store.history(&name, patch)).await?;
        let row = patches.get(&patch);
        if row.is_some() || !sighted.is_empty() {
            documents.push(HistoryDocument {
                tracker: tracker.name.to_string(),
                patch,
                message_id: row.map(|row| row.message_id.clone()),
                relations: sighted.into_iter().map(sighting).collect(),
            });
        }
    }
    if documents.is_empty() {
        return Err(Error::NoSuchPatch {
            tracker: tracker.name.clone(),
            patch: patch.to_owned(),
        });
    }
    Ok(documents)
}

/// The patches that a word stands for: a number, or a message id with or without its brackets.
fn named(patches: &BTreeMap<PatchId, Patch>, word: &str) -> Vec<PatchId> {
    if let Ok(number) = word.parse() {
        return vec![PatchId(number)];
    }
    let is_meant = |patch: &&Patch| patch.message_id.as_str() == word || patch.message_id.bare() == word;
    patches.values().filter(is_meant).map(|patch| patch.id).collect()
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
    /// The last plan.
    pub last_cycle: Option<CycleDocument>,
    /// The last time that something was to be written.
    pub last_run: Option<RunDocument>,
    /// How many decisions of people stand.
    pub decisions: usize,
    /// Writes whose outcome nobody knows yet: what a crash left behind, or what is under way.
    pub open_writes: usize,
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
    /// How much of what is wanted of relations it leaves undone.
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
    let name = tracker.name.to_string();
    let read = keeper.with(move |store, _| {
        let state = store.pull_state(&name)?;
        let decisions = store.decisions(&name, DecisionFilter::Open)?.len();
        let cycle = store.cycles(&name, 1)?.pop();
        let run = store.journal().runs(&name, 1)?.pop();
        let open = store.journal().open_entries(&name)?.len();
        Ok((state, decisions, cycle, run, open))
    });
    let (state, decisions, cycle, run, open_writes) = read.await?;
    let state = state.filter(|state| state.url == tracker.url.as_str());
    Ok(StatusDocument {
        tracker: tracker.name.to_string(),
        url: tracker.url.to_string(),
        policy: tracker.policy.to_string(),
        pulled: state.map(|state| PulledDocument {
            swept_at: state.swept_at,
            pulled_at: state.events_at.map_or(state.swept_at, |events_at| events_at.max(state.swept_at)),
            missed_by_events: state.missed_by_events,
            patches: state.patches,
            projects: state.projects.into_values().map(|project| project.name).collect(),
        }),
        last_cycle: cycle.map(|(at, cycle)| cycle_document(at, cycle)),
        last_run: run.map(run_document),
        decisions,
        open_writes,
    })
}

fn cycle_document(at: Timestamp, cycle: Cycle) -> CycleDocument {
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
        drift: clears + relates + commit_refs,
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
    Ok(decisions.iter().map(DecisionDocument::new).collect())
}
