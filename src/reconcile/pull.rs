//! Step 1: the full pull.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Keeper, Session};
use crate::model::relations::guard;
use crate::model::{Patch, PatchId, Project, ProjectId, ProjectName, Snapshot};
use crate::remedy::nearest;
use crate::store::Sweep;
use crate::tracker::{Progress, Reader};

/// What a pull found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// How many projects were read.
    pub projects: usize,
    /// How many patches they have.
    pub patches: usize,
    /// How many of those are in a relation.
    pub related: usize,
}

/// How often patches that contradict each other are read again before the tracker is called unsteady.
const READ_AGAIN: usize = 3;

/// Reads the tracker's projects whole and keeps what was seen in place of what was known.
///
/// Each project is asked for by its own address first, because elsewhere an unknown project is an empty list.
///
/// # Errors
/// When the tracker cannot be read to the end, a project is unknown, relations changed again and again while they were read, or the patches
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
    })
}

/// Reads patches again whose rows contradict each other: somebody wrote while the pages were read.
async fn agree(reader: &Reader, mut patches: BTreeMap<PatchId, Patch>) -> Result<BTreeMap<PatchId, Patch>, Error> {
    let mut disputed = disagreeing(&patches);
    for _ in 0..READ_AGAIN {
        for id in &disputed {
            let Some(message_id) = patches.get(id).map(|patch| patch.message_id.clone()) else {
                continue;
            };
            match reader.patch(*id, &message_id).await? {
                Some(patch) => patches.insert(*id, patch),
                None => patches.remove(id),
            };
        }
        disputed = disagreeing(&patches);
        if disputed.is_empty() {
            return Ok(patches);
        }
    }
    if disputed.is_empty() {
        Ok(patches)
    } else {
        Err(Error::Unsteady {
            patches: disputed.into_iter().collect(),
        })
    }
}

/// Patches that do not tell the same of their relation as its other members do.
fn disagreeing(patches: &BTreeMap<PatchId, Patch>) -> BTreeSet<PatchId> {
    let mut disagreeing = BTreeSet::new();
    for patch in patches.values() {
        let relation = |patch: &Patch| patch.related.iter().copied().chain([patch.id]).collect::<BTreeSet<_>>();
        for other in patch.related.iter().filter_map(|other| patches.get(other)) {
            if !other.related.contains(&patch.id) || (other.id > patch.id && relation(other) != relation(patch)) {
                disagreeing.extend([patch.id, other.id]);
            }
        }
    }
    disagreeing
}
