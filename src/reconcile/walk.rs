//! The incremental pull: down the tracker's events to where the last pull ended.

use std::collections::{BTreeMap, BTreeSet};

use super::reckon::Actors;
use super::reread::Reread;
use super::{Error, Keeper, Session};
use crate::model::{Event, EventKind, MessageId, Patch, PatchId, ProjectId};
use crate::store::PullState;
use crate::tracker::WalkEnd;

/// How many rows a page of a sweep has, for telling what a sweep would cost.
const ROWS: u64 = 250;

/// What a walk down the events came to.
#[derive(Debug)]
pub(super) enum Walked {
    /// What the events tell of is known now.
    Through(Walkthrough),
    /// A sweep is needed, for this reason.
    NeedsSweep(&'static str),
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
        return Ok(Walked::NeedsSweep("the tracker's events were not followed until now"));
    };
    let sweep_requests = usize::try_from(state.patches.div_ceil(ROWS)).unwrap_or(usize::MAX);
    let projects: Vec<ProjectId> = state.projects.keys().copied().collect();
    let walk = session.reader.events(&projects, cursor, sweep_requests.max(1)).await?;
    let (events, cursor) = match walk.end {
        WalkEnd::Reached { events, cursor } => (events, cursor),
        WalkEnd::Lost => return Ok(Walked::NeedsSweep("the events that were seen last are not there any more")),
        WalkEnd::TooLong => {
            return Ok(Walked::NeedsSweep(
                "reading all patches takes less than reading all events since the last pull",
            ));
        }
        WalkEnd::NoEvents => return Ok(Walked::NeedsSweep("the tracker shows no events")),
    };
    let changed = changed(&events);
    // A relation that changed leaves two events as a rule, and takes one read.
    if changed.len() / 2 > sweep_requests.max(1) {
        return Ok(Walked::NeedsSweep("reading all patches takes less than reading those that changed"));
    }
    let name = session.tracker.name.to_string();
    let look_up = async |patches: BTreeSet<PatchId>| {
        let name = name.clone();
        keeper.with(move |store, _| store.known(&name, &patches)).await
    };
    let known = look_up(events.iter().filter_map(|event| Some(event.subject.as_ref()?.patch)).collect()).await?;
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
