//! The end of step 7: what a cycle came to is recorded, and the analysis hears of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::daemon::forget_waiting_plan;
use super::feedback::feed_back;
use super::prepare::{redraft, stored};
use super::reckon::{Actors, close_agreed};
use super::{Draft, Error, Keeper, Rights};
use crate::config::Tracker;
use crate::model::{ProjectName, Snapshot};
use crate::pasta::GroupFile;
use crate::store::Cycle;

/// Takes in what was found while a plan was applied, records where that leaves the tracker, and writes feedback. Returns the files of
/// feedback that were changed.
///
/// # Errors
/// When the state or the feedback cannot be written.
pub async fn conclude(tracker: &Tracker, keeper: &Keeper, analysis: &GroupFile, rights: &Rights) -> Result<Vec<PathBuf>, Error> {
    let snapshot = stored(keeper, tracker).await?.snapshot;
    let draft = redraft(tracker, keeper, &snapshot, analysis, rights, &Actors::new()).await?;
    record(tracker, keeper, &snapshot, &draft, rights).await?;
    // Not before all is written: until then somebody's edit may give a decision a meaning that it seemed to have lost.
    close_agreed(tracker, keeper, &snapshot, &draft.scene).await?;
    forget_waiting_plan(tracker, keeper).await?;
    feed_back(tracker, keeper).await
}

/// Records what a plan would do.
pub(super) async fn record(tracker: &Tracker, keeper: &Keeper, snapshot: &Snapshot, draft: &Draft, rights: &Rights) -> Result<(), Error> {
    let blocked: BTreeSet<ProjectName> = snapshot
        .projects
        .values()
        .filter(|project| !rights.may_write(tracker, snapshot, project.id))
        .map(|project| project.name.clone())
        .collect();
    let cycle = Cycle {
        clears: draft.plan.clears() as u64,
        relates: draft.plan.relates() as u64,
        commit_refs: draft.commits.steps.len() as u64,
        undone: (draft.merged.undone.len() + draft.commits.undone.len()) as u64,
        foreign_changes: draft.foreign as u64,
        guarded: !draft.tripped.is_empty(),
        blocked,
    };
    let name = tracker.name.to_string();
    keeper.with(move |store, now| store.record_cycle(&name, &cycle, now)).await
}
