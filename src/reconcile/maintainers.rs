//! Who maintains projects now. No event tells of it, so where something hangs on it the projects are read again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Keeper};
use crate::model::{Project, ProjectId, Snapshot};
use crate::tracker::Reader;

/// Reads these projects of a snapshot anew, one request for each, and keeps who maintains them. One that the tracker no longer has is left out.
pub(super) async fn reread(
    reader: &Reader,
    keeper: &Keeper,
    tracker: &str,
    snapshot: &Snapshot,
    projects: &BTreeSet<ProjectId>,
) -> Result<BTreeMap<ProjectId, Project>, Error> {
    let mut fresh = BTreeMap::new();
    for known in projects.iter().filter_map(|project| snapshot.projects.get(project)) {
        let now = reader.project(&known.name).await?;
        // Another project may have got the name.
        fresh.extend(now.filter(|now| now.id == known.id).map(|now| (now.id, now)));
    }
    let (tracker, kept) = (tracker.to_owned(), fresh.clone());
    keeper
        .with(move |store, _| store.record_maintainers(&tracker, kept.values()))
        .await?;
    Ok(fresh)
}
