//! The full pull: every patch of every project, page by page.
//!
//! What was read is staged as it comes, so that a sweep that was cut short is gone on with. While it lasts, patches arrive, move and vanish:
//! those that were known and not seen are looked for one by one, and rows that contradict each other are read again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::reckon::Actors;
use super::reread::Reread;
use super::walk::{EVENT_PAGES, actors, changed};
use super::{Error, Keeper, Session};
use crate::model::relations::guard;
use crate::model::{EventCursor, Patch, PatchId, Project, ProjectId, ProjectName, Snapshot};
use crate::remedy::nearest;
use crate::store::{self, PullState, StagedSweep, StoredSnapshot};
use crate::tracker::{Progress, Resume, Rows, WalkEnd};

/// How long ago a sweep may have begun that is gone on with. What it read then is that old.
const STILL_FRESH: Duration = Duration::from_secs(6 * 60 * 60);

/// How often patches that contradict each other are read again before the tracker is called unsteady.
const READ_AGAIN: usize = 3;

/// What a sweep saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Swept {
    /// How many patches changed that no event told of, where that can be known.
    pub(super) missed_by_events: Option<u64>,
    pub(super) actors: Actors,
}

/// Reads the tracker's projects whole and keeps what was seen in place of what was known.
///
/// Each project is asked for by its own address first, because elsewhere an unknown project is an empty list. `walked` is what a walk of `state` has
/// just shown, if there was one.
pub(super) async fn sweep(
    session: &Session<'_>,
    keeper: &Keeper,
    state: Option<&PullState>,
    walked: Option<WalkEnd>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Swept, Error> {
    let tracker = session.tracker;
    let mut projects = BTreeMap::new();
    for name in &tracker.projects {
        let project = find_project(session, name).await?;
        projects.insert(project.id, project);
    }
    let begun = begin(session, keeper, state, walked, &projects).await?;
    read_all(session, keeper, &projects, progress).await?;

    let name = tracker.name.to_string();
    let (seen, known) = keeper
        .with(move |store, _| Ok((store.staged_patches(&name)?, store.snapshot(&name)?)))
        .await?;
    let ids: BTreeSet<ProjectId> = projects.keys().copied().collect();
    let was_read = |patch: &&Patch| ids.contains(&patch.project);
    if let Some(StoredSnapshot { snapshot: known, .. }) = &known {
        let before = known.patches.values().filter(was_read).count();
        let now = seen.values().filter(|patch| known.projects.contains_key(&patch.project)).count();
        guard::shrunk(before, now, &tracker.guard.thresholds()).map_err(Error::Shrunk)?;
    }
    // Numbers that another address gave to patches say nothing of these.
    let known = known.filter(|stored| stored.url == tracker.url.as_str());
    let known = known.map(|stored| stored.snapshot).unwrap_or_default();

    let unseen = known
        .patches
        .values()
        .filter(was_read)
        .filter(|patch| !seen.contains_key(&patch.id));
    let unseen: Vec<Patch> = unseen.cloned().collect();
    let patches = agree(session, &ids, seen, &unseen).await?;
    let snapshot = Snapshot { projects, patches };
    let missed_by_events = begun.named.map(|named| missed(&known, &snapshot, &named));
    let kept = store::Sweep {
        cursor: begun.cursor,
        missed_by_events,
    };
    let (name, url) = (tracker.name.to_string(), tracker.url.to_string());
    keeper
        .with(move |store, now| store.save_snapshot(&name, &url, &snapshot, &kept, now))
        .await?;
    Ok(Swept {
        missed_by_events,
        actors: begun.actors,
    })
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
    })
}

/// How a sweep began.
struct Begun {
    /// Where the events stood.
    cursor: Option<EventCursor>,
    /// The patches that events had told of since the last pull, where that is known.
    named: Option<BTreeSet<PatchId>>,
    actors: Actors,
}

/// Begins a sweep, or goes on with one. Events from its beginning on are walked by the next pull.
async fn begin(
    session: &Session<'_>,
    keeper: &Keeper,
    state: Option<&PullState>,
    walked: Option<WalkEnd>,
    projects: &BTreeMap<ProjectId, Project>,
) -> Result<Begun, Error> {
    let (name, url) = (session.tracker.name.to_string(), session.tracker.url.to_string());
    let (staged, now) = keeper.with(move |store, now| Ok((store.staged(&name)?, now))).await?;
    if let Some(staged) = staged.filter(|staged| staged.url == url && can_go_on(staged, projects, now)) {
        tracing::info!(tracker = %session.tracker.name, began_at = %staged.began_at, "going on with the sweep that was cut short");
        return Ok(Begun {
            cursor: staged.cursor,
            named: None,
            actors: Actors::new(),
        });
    }
    let ids: Vec<ProjectId> = projects.keys().copied().collect();
    // A project may have been made anew, with another number.
    let walked = walked.filter(|_| state.is_some_and(|state| state.projects.keys().eq(projects.keys())));
    let followed = state.and_then(|state| state.cursor.as_ref());
    let walked = match (walked, followed) {
        (None, Some(cursor)) => Some(session.reader.events(&ids, cursor, EVENT_PAGES).await?.end),
        (walked, _) => walked,
    };
    let begun = match walked {
        Some(WalkEnd::Reached { events, cursor }) => Begun {
            cursor: Some(cursor),
            named: Some(changed(&events).into_keys().collect()),
            actors: actors(&events),
        },
        Some(WalkEnd::NoEvents) => Begun {
            cursor: None,
            named: None,
            actors: Actors::new(),
        },
        Some(WalkEnd::TooLong { cursor }) => Begun {
            cursor: Some(cursor),
            named: None,
            actors: Actors::new(),
        },
        Some(WalkEnd::Lost) | None => Begun {
            cursor: session.reader.event_cursor(&ids).await?,
            named: None,
            actors: Actors::new(),
        },
    };
    let (name, cursor) = (session.tracker.name.to_string(), begun.cursor.clone());
    keeper
        .with(move |store, now| store.begin_sweep(&name, &url, cursor.as_ref(), now))
        .await?;
    Ok(begun)
}

fn can_go_on(staged: &StagedSweep, projects: &BTreeMap<ProjectId, Project>, now: Timestamp) -> bool {
    let is_wanted = |project: &ProjectId| projects.contains_key(project);
    let age = now.duration_since(staged.began_at).unsigned_abs();
    age < STILL_FRESH && staged.progress.keys().chain(&staged.finished).all(is_wanted)
}

/// Reads what is not staged yet.
async fn read_all(
    session: &Session<'_>,
    keeper: &Keeper,
    projects: &BTreeMap<ProjectId, Project>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(), Error> {
    let name = session.tracker.name.to_string();
    let of = name.clone();
    let staged = keeper.with(move |store, _| store.staged(&of)).await?;
    let (finished, begun) = staged.map(|staged| (staged.finished, staged.progress)).unwrap_or_default();
    let mut before: usize = 0;
    for project in projects.values() {
        let (rows, last) = match begun.get(&project.id) {
            Some(&(rows, last)) => (usize::try_from(rows).unwrap_or(usize::MAX), Some(last)),
            None => (0, None),
        };
        let mut read = rows;
        if !finished.contains(&project.id) {
            let mut pages = session.reader.sweep(project, Resume { rows, last });
            while let Some(Rows { patches, expected, .. }) = pages.next_rows().await? {
                read += patches.len();
                let name = name.clone();
                keeper.with(move |store, _| store.stage(&name, &patches)).await?;
                let expected = expected.map(|expected| before + expected);
                progress(Progress {
                    patches: before + read,
                    expected,
                });
            }
            let (name, id) = (name.clone(), project.id);
            keeper.with(move |store, _| store.finish_project(&name, id)).await?;
        }
        before += read;
    }
    Ok(())
}

/// Looks for patches that were known and not seen, and reads rows again that contradict each other: somebody wrote, or a patch was deleted
/// and pulled others over to a page that had been read, while the pages were read.
async fn agree(
    session: &Session<'_>,
    projects: &BTreeSet<ProjectId>,
    mut patches: BTreeMap<PatchId, Patch>,
    unseen: &[Patch],
) -> Result<BTreeMap<PatchId, Patch>, Error> {
    let mut disputed: BTreeSet<PatchId> = unseen.iter().map(|patch| patch.id).collect();
    let mut readings = 0;
    loop {
        disputed.append(&mut disagreeing(&patches));
        if disputed.is_empty() {
            return Ok(patches);
        }
        if readings == READ_AGAIN {
            return Err(Error::Unsteady {
                patches: disputed.into_iter().collect(),
            });
        }
        readings += 1;
        let named = unseen.iter().map(|patch| (patch.id, patch));
        let by_id: BTreeMap<PatchId, &Patch> = named.chain(patches.iter().map(|(&id, patch)| (id, patch))).collect();
        let row = |patch: &PatchId| by_id.get(patch).map(|row| (*patch, (*row).clone()));
        let pending = disputed
            .iter()
            .filter_map(row)
            .map(|(patch, row)| (patch, row.message_id))
            .collect();
        let reread = Reread::of(&session.reader, pending, async |patches| {
            Ok(patches.iter().filter_map(row).collect())
        })
        .await?;
        take_in(&mut patches, projects, reread);
        disputed.clear();
    }
}

/// Enters what was read again, each row for its whole relation.
fn take_in(patches: &mut BTreeMap<PatchId, Patch>, projects: &BTreeSet<ProjectId>, Reread { fresh, absent, .. }: Reread) {
    for patch in &absent {
        patches.remove(patch);
    }
    for row in fresh {
        let class: BTreeSet<PatchId> = row.related.iter().copied().chain([row.id]).collect();
        if projects.contains(&row.project) {
            patches.insert(row.id, row);
        }
        for member in &class {
            if let Some(patch) = patches.get_mut(member) {
                patch.related = class.iter().copied().filter(|other| other != member).collect();
            }
        }
    }
}

/// Patches that do not tell the same of their relation as its other members do.
fn disagreeing(patches: &BTreeMap<PatchId, Patch>) -> BTreeSet<PatchId> {
    let mut disagreeing = BTreeSet::new();
    for patch in patches.values() {
        for other in patch.related.iter().filter_map(|other| patches.get(other)) {
            let is_one_tale = other.related.len() == patch.related.len()
                && other.related.contains(&patch.id)
                && other
                    .related
                    .iter()
                    .all(|third| *third == patch.id || patch.related.contains(third));
            if !is_one_tale {
                disagreeing.extend([patch.id, other.id]);
            }
        }
    }
    disagreeing
}

/// How many patches are in another relation than was known although no event had named any of those concerned.
fn missed(known: &Snapshot, seen: &Snapshot, named: &BTreeSet<PatchId>) -> u64 {
    let was_silent = |patch: &&Patch| {
        let Some(before) = known.patches.get(&patch.id).filter(|before| before.related != patch.related) else {
            return false;
        };
        let mut concerned = before.related.union(&patch.related).chain([&patch.id]);
        !concerned.any(|patch| named.contains(patch))
    };
    seen.patches.values().filter(was_silent).count() as u64
}
