//! The collections that a tracker's projects are of, and which of these have ended: nothing is written there any more.

use std::collections::BTreeMap;

use super::{Error, Keeper};
use crate::config::Tracker;
use crate::model::packages::{CollectionStatus, Refusal, SeriesPath};
use crate::model::{ProjectId, ProjectName, Snapshot};
use crate::store::{Fault, StoreError};

/// A project of a tracker, with the collection that the configuration says it is of.
#[derive(Clone, Debug)]
pub(super) struct OfCollection {
    pub(super) project: ProjectName,
    pub(super) collection: SeriesPath,
    /// The stage of the collection, or why there is none.
    pub(super) status: Result<CollectionStatus, Box<Refusal>>,
}

/// Asks the package model for the collections of a tracker's projects, all at one moment.
///
/// # Errors
/// When the state cannot be read.
pub(super) async fn collections(tracker: &Tracker, keeper: &Keeper) -> Result<Vec<OfCollection>, Error> {
    if tracker.collections.is_empty() {
        return Ok(Vec::new());
    }
    let named = tracker.collections.clone();
    keeper
        .with(move |store, _| {
            store.ask(None, |view| {
                let mut found = Vec::new();
                for (project, collection) in named {
                    let status = match view.series(&collection) {
                        Ok(series) => Ok(series.details.status),
                        Err(Fault::Refused(StoreError::Refused(refusal))) => Err(refusal),
                        Err(fault) => return Err(fault),
                    };
                    found.push(OfCollection {
                        project,
                        collection,
                        status,
                    });
                }
                Ok(found)
            })
        })
        .await
}

/// A tracker's projects whose collections have ended, with these.
///
/// # Errors
/// [`Error::UnknownCollection`] when the package model does not have one of the collections: whether that has ended would be a guess.
pub(super) async fn ended(tracker: &Tracker, keeper: &Keeper) -> Result<BTreeMap<ProjectName, SeriesPath>, Error> {
    let mut ended = BTreeMap::new();
    for OfCollection {
        project,
        collection,
        status,
    } in collections(tracker, keeper).await?
    {
        match status {
            Ok(status) if status.is_ended() => {
                ended.insert(project, collection);
            }
            Ok(_) => {}
            Err(source) => {
                return Err(Error::UnknownCollection {
                    tracker: tracker.name.clone(),
                    project,
                    collection,
                    source,
                });
            }
        }
    }
    Ok(ended)
}

/// The same by the numbers that the tracker's projects have in a snapshot.
pub(super) fn numbered(ended: &BTreeMap<ProjectName, SeriesPath>, snapshot: &Snapshot) -> BTreeMap<ProjectId, SeriesPath> {
    let projects = snapshot.projects.values();
    projects
        .filter_map(|project| Some((project.id, ended.get(&project.name)?.clone())))
        .collect()
}
