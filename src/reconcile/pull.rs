//! Step 1: what the tracker has now, the cheap way where there is one.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::prepare::stored;
use super::reckon::{Actors, Reckoned, reckon};
use super::settle::settle_left_overs;
use super::sweep::{Swept, sweep};
use super::walk::{Walked, Walkthrough, walk};
use super::{Error, Keeper, Session};
use crate::config::Tracker;
use crate::model::ProjectName;
use crate::model::relations::guard::Tripped;
use crate::store::PullState;
use crate::tracker::Progress;

/// How much to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What the tracker's events tell of, unless the last sweep is too long ago or the events do not tell enough.
    Due,
    /// Everything.
    Full,
}

/// How a pull read the tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// By its events.
    Events {
        /// How many were new.
        events: usize,
        /// How many patches arrived.
        arrived: usize,
        /// How many rows were read anew.
        reread: usize,
    },
    /// Whole.
    Sweep {
        /// How many patches changed that no event had told of; `None` where that cannot be known.
        missed_by_events: Option<u64>,
    },
}

/// What a pull found.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulled {
    /// How the tracker was read.
    pub reading: Reading,
    /// How many projects are read.
    pub projects: usize,
    /// How many patches they have.
    pub patches: usize,
    /// How many of those are in a relation.
    pub related: usize,
    /// How many patches somebody else than kinset has put into other relations since the last pull.
    pub foreign: usize,
    /// The guard, if that is too many to be people's work: then it is not taken for decisions yet.
    pub tripped: Option<Tripped>,
}

/// Learns what the tracker has now, and what people decided there. Settles first what an earlier run left open.
///
/// # Errors
/// When the tracker cannot be read to the end, a project is unknown, relations changed again and again while they were read, or the patches
/// of the projects that were pulled before became fewer than the guard allows. Then nothing changes, and a sweep goes on next time where
/// this one ended.
pub async fn pull(session: &Session<'_>, keeper: &Keeper, extent: Extent, progress: &(dyn Fn(Progress) + Sync)) -> Result<Pulled, Error> {
    settle_left_overs(session, keeper).await?;
    let (reading, actors) = read(session, keeper, extent, progress).await?;
    let snapshot = stored(keeper, session.tracker).await?.snapshot;
    let Reckoned { foreign, tripped, .. } = reckon(session.tracker, keeper, &snapshot, &actors).await?;
    Ok(Pulled {
        reading,
        projects: snapshot.projects.len(),
        patches: snapshot.patches.len(),
        related: snapshot.patches.values().filter(|patch| !patch.related.is_empty()).count(),
        foreign,
        tripped,
    })
}

/// Learns what the tracker has now, and who wrote there as far as it tells.
pub(super) async fn read(
    session: &Session<'_>,
    keeper: &Keeper,
    extent: Extent,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(Reading, Actors), Error> {
    let tracker = session.tracker;
    let name = tracker.name.to_string();
    let (state, now) = keeper.with(move |store, now| Ok((store.pull_state(&name)?, now))).await?;
    let state = state.filter(|state| state.url == tracker.url.as_str());
    let mut walked = None;
    if let Some(state) = state
        .as_ref()
        .filter(|state| extent == Extent::Due && !is_sweep_due(tracker, state, now))
    {
        match walk(session, keeper, state).await? {
            Walked::NeedsSweep { reason, end } => {
                tracing::info!(tracker = %tracker.name, reason, "reading all patches");
                walked = end;
            }
            Walked::Through(Walkthrough {
                events,
                arrived,
                reread,
                actors,
            }) => return Ok((Reading::Events { events, arrived, reread }, actors)),
        }
    }
    let Swept { missed_by_events, actors } = sweep(session, keeper, state.as_ref(), walked, progress).await?;
    Ok((Reading::Sweep { missed_by_events }, actors))
}

/// Whether it is time for a sweep: events miss some changes, and tell nothing of projects that were not read until now.
fn is_sweep_due(tracker: &Tracker, state: &PullState, now: Timestamp) -> bool {
    let read: BTreeSet<&ProjectName> = state.projects.values().map(|project| &project.name).collect();
    let wanted: BTreeSet<&ProjectName> = tracker.projects.iter().collect();
    read != wanted || now.duration_since(state.swept_at).unsigned_abs() >= tracker.pull.sweep_interval()
}
