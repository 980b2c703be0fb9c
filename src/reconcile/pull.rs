//! Step 1: what the tracker has now, the cheap way where there is one.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::prepare::stored;
use super::reckon::{Actors, Reckoned, reckon};
use super::sweep::{Swept, sweep};
use super::walk::{Walked, Walkthrough, walk};
use super::{Error, Keeper, Session};
<<<<<<< HEAD
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
=======
use crate::model::relations::guard;
use crate::model::{Patch, PatchId, Project, ProjectId, ProjectName, Snapshot};
use crate::remedy::nearest;
use crate::store::Sweep;
use crate::tracker::{Progress, Reader};
>>>>>>> store

/// What a pull found.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Learns what the tracker has now, and what people decided there.
///
/// # Errors
/// When the tracker cannot be read to the end, a project is unknown, relations changed again and again while they were read, or the patches
<<<<<<< HEAD
/// of the projects that were pulled before became fewer than the guard allows. Then nothing changes, and a sweep goes on next time where
/// this one ended.
pub async fn pull(session: &Session<'_>, keeper: &Keeper, extent: Extent, progress: &(dyn Fn(Progress) + Sync)) -> Result<Pulled, Error> {
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
=======
/// of the projects that were pulled before became fewer than the guard allows. Then nothing changes.
pub async fn pull(session: &Session<'_>, keeper: &Keeper, progress: &(dyn Fn(Progress) + Sync)) -> Result<Pulled, Error> {
    let tracker = session.tracker;
    let mut projects = Vec::new();
    for name in &tracker.projects {
        projects.push(find_project(session, name).await?);
    }
    let mut patches = BTreeMap::new();
    for project in &projects {
        let before = patches.len();
        let onward = |Progress { patches, expected }| {
            progress(Progress {
                patches: before + patches,
                expected: expected.map(|expected| before + expected),
            });
        };
        let rows = session.reader.patches(project, &onward).await?;
        patches.extend(rows.into_iter().map(|patch| (patch.id, patch)));
    }
    let patches = agree(&session.reader, patches).await?;

    let ids: BTreeSet<ProjectId> = projects.iter().map(|project| project.id).collect();
    let name = tracker.name.to_string();
    let known = keeper.with(move |store, _| store.snapshot(&name)).await?;
    let known = known.map(|stored| stored.snapshot).unwrap_or_default();
    let before = known.patches.values().filter(|patch| ids.contains(&patch.project)).count();
    let now = patches.values().filter(|patch| known.projects.contains_key(&patch.project)).count();
    guard::shrunk(before, now, &tracker.guard.thresholds()).map_err(Error::Shrunk)?;

    let related = patches.values().filter(|patch| !patch.related.is_empty()).count();
    let pulled = Pulled {
        projects: projects.len(),
        patches: patches.len(),
        related,
    };
    let snapshot = Snapshot {
        projects: projects.into_iter().map(|project| (project.id, project)).collect(),
        patches,
    };
    let (name, url) = (tracker.name.to_string(), tracker.url.to_string());
    keeper
        .with(move |store, now| store.save_snapshot(&name, &url, &snapshot, &Sweep::default(), now))
        .await?;
    Ok(pulled)
}

async fn find_project(session: &Session<'_>, name: &ProjectName) -> Result<Project, Error> {
    if let Some(project) = session.reader.project(name).await? {
        return Ok(project);
    }
    let known = session.reader.projects().await?;
    let nearest = nearest(name.as_str(), known.iter().map(ProjectName::as_str)).map(|nearest| ProjectName(nearest.to_owned()));
    Err(Error::UnknownProject {
        tracker: session.tracker.name.clone(),
        project: name.clone(),
        nearest,
>>>>>>> store
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
    if let Some(state) = state
        .as_ref()
        .filter(|state| extent == Extent::Due && !is_sweep_due(tracker, state, now))
    {
        match walk(session, keeper, state).await? {
            Walked::NeedsSweep(reason) => tracing::info!(tracker = %tracker.name, reason, "reading all patches"),
            Walked::Through(Walkthrough {
                events,
                arrived,
                reread,
                actors,
            }) => return Ok((Reading::Events { events, arrived, reread }, actors)),
        }
    }
    let Swept { missed_by_events, actors } = sweep(session, keeper, state.as_ref(), progress).await?;
    Ok((Reading::Sweep { missed_by_events }, actors))
}

/// Whether it is time for a sweep: events miss some changes, and tell nothing of projects that were not read until now.
fn is_sweep_due(tracker: &Tracker, state: &PullState, now: Timestamp) -> bool {
    let read: BTreeSet<&ProjectName> = state.projects.values().map(|project| &project.name).collect();
    let wanted: BTreeSet<&ProjectName> = tracker.projects.iter().collect();
    read != wanted || now.duration_since(state.swept_at).unsigned_abs() >= tracker.pull.sweep_interval()
}
