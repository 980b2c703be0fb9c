//! The incremental pull: down the tracker's events to where the last pull ended.

use std::collections::{BTreeMap, BTreeSet};

use super::reckon::Actors;
use super::reread::Reread;
use super::{Error, Keeper, Session};
use crate::model::{Event, EventKind, MessageId, Patch, PatchId, ProjectId};
use crate::store::PullState;
use crate::tracker::{Walk, WalkEnd};

/// How many rows a page of a sweep has, for telling what a sweep would cost.
const ROWS: u64 = 250;

/// How many pages of events a sweep reads, to tell what they missed. A walk may take as many, since the sweep that may follow uses them.
pub(super) const EVENT_PAGES: usize = 4;

/// What a walk down the events came to.
#[derive(Debug)]
pub(super) enum Walked {
    /// What the events tell of is known now.
    Through(Walkthrough),
    /// A sweep is needed.
    NeedsSweep {
        /// Why.
        reason: &'static str,
        /// What the walk saw, lest the sweep walk again.
        end: Option<WalkEnd>,
    },
}

/// What the events told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walkthrough {
    /// How many events were new.
    pub(super) events: usize,
    /// How many patches arrived.
    pub(super) arrived: usize,
    /// How many rows were read anew.
    pub(super) reread: usize,
    pub(super) actors: Actors,
}

/// Learns from the tracker's events what has changed since `state`, unless reading everything is cheaper or the only way to know.
pub(super) async fn walk(session: &Session<'_>, keeper: &Keeper, state: &PullState) -> Result<Walked, Error> {
    let Some(cursor) = &state.cursor else {
        let reason = "the tracker's events were not followed until now";
        return Ok(Walked::NeedsSweep { reason, end: None });
    };
    let projects: Vec<ProjectId> = state.projects.keys().copied().collect();
    // Each project's own address, and its pages.
    let sweep_requests = projects.len() + usize::try_from(state.patches.div_ceil(ROWS)).unwrap_or(usize::MAX - projects.len());
    let Walk { end, .. } = session.reader.events(&projects, cursor, sweep_requests.max(EVENT_PAGES)).await?;
    let needs_sweep = |reason, end| Ok(Walked::NeedsSweep { reason, end: Some(end) });
    let (events, cursor) = match end {
        WalkEnd::Reached { events, cursor } => (events, cursor),
        WalkEnd::Lost => return needs_sweep("the events that were seen last are not there any more", end),
        WalkEnd::TooLong { .. } => {
            return needs_sweep("reading all patches takes less than reading all events since the last pull", end);
        }
        WalkEnd::NoEvents => return needs_sweep("the tracker shows no events", end),
    };
    let changed = changed(&events);
    let name = session.tracker.name.to_string();
    let look_up = async |patches: BTreeSet<PatchId>| {
        let name = name.clone();
        keeper.with(move |store, _| store.known(&name, &patches)).await
    };
    let concerned = events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::PatchCreated | EventKind::RelationChanged));
    let known = look_up(concerned.filter_map(|event| Some(event.subject.as_ref()?.patch)).collect()).await?;
    if reads(&changed, &known) > sweep_requests {
        let end = WalkEnd::Reached { events, cursor };
        return needs_sweep("reading all patches takes less than reading those that changed", end);
    }
    let Reread { fresh, absent, .. } = Reread::of(&session.reader, changed, look_up).await?;
    let arrived: Vec<Patch> = events
        .iter()
        .filter_map(arrival)
        .filter(|patch| !known.contains_key(&patch.id) && !absent.contains(&patch.id))
        .collect();
    let walkthrough = Walkthrough {
        events: events.len(),
        arrived: arrived.len(),
        reread: fresh.len(),
        actors: actors(&events),
    };
    // A patch is unrelated when it arrives; whoever related it since has left an event of that, and its row comes later.
    let rows: Vec<Patch> = arrived.into_iter().chain(fresh).collect();
    keeper
        .with(move |store, now| store.record_pull(&name, &rows, &absent, &cursor, now))
        .await?;
    Ok(Walked::Through(walkthrough))
}

/// How many reads it takes to learn what became of patches that changed, as far as can be told beforehand: one for each relation. What kinset
/// made itself is known as it is; of what somebody else made of patches that were alone, two are together as a rule.
fn reads(changed: &BTreeMap<PatchId, MessageId>, known: &BTreeMap<PatchId, Patch>) -> usize {
    let mut unread: BTreeSet<PatchId> = changed.keys().copied().collect();
    let (mut relations, mut alone) = (0, 0_usize);
    while let Some(patch) = unread.pop_first() {
        match known.get(&patch) {
            Some(row) if !row.related.is_empty() => {
                relations += 1;
                for other in &row.related {
                    unread.remove(other);
                }
            }
            _ => alone += 1,
        }
    }
    relations + alone.div_ceil(2)
}

/// The patches whose relations changed.
pub(super) fn changed(events: &[Event]) -> BTreeMap<PatchId, MessageId> {
    let changes = events.iter().filter(|event| event.kind == EventKind::RelationChanged);
    let subjects = changes.filter_map(|event| event.subject.as_ref());
    subjects
        .filter_map(|subject| Some((subject.patch, subject.message_id.clone()?)))
        .collect()
}

/// The patch that an event tells the arrival of.
fn arrival(event: &Event) -> Option<Patch> {
    let subject = event.subject.as_ref().filter(|_| event.kind == EventKind::PatchCreated)?;
    Some(Patch {
        id: subject.patch,
        project: event.project,
        message_id: subject.message_id.clone()?,
        date: subject.date,
        commit_ref: None,
        related: BTreeSet::new(),
    })
}

/// Who wrote last to each patch, where the tracker tells. Events come by number, so the later overwrite the earlier.
pub(super) fn actors(events: &[Event]) -> Actors {
    let changes = events.iter().filter(|event| event.kind == EventKind::RelationChanged);
    changes
        .filter_map(|event| Some((event.subject.as_ref()?.patch, event.actor.clone()?)))
        .collect()
}
