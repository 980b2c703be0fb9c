//! Steps 1 to 5 in one go: from a session and an analysis to a draft.

use std::collections::{BTreeMap, BTreeSet};

use super::conclude::record;
use super::ended::{ended, numbered};
use super::maintainers::reread;
use super::pull::{Extent, read};
use super::reckon::{Actors, reckon};
use super::settle::settle_left_overs;
use super::{Draft, Error, Keeper, PlanDocument, Reckoned, Rights, Scene, Session, StepDocument, TrackerDocument};
use crate::config::{Desired, DesiredFormat, Tracker};
use crate::model::packages::SeriesPath;
use crate::model::{ProjectName, Snapshot, UserName};
use crate::pasta::{Dialect, Ending, GroupFile};
use crate::store::{PullState, StoredSnapshot};
use crate::tracker::{Identity, Progress};

/// Where the tracker's relations are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulling {
    /// From the tracker, read now.
    Fresh(Extent),
    /// From the last pull; what a plan touches is read again before it is written all the same.
    Stored,
}

/// A draft with everything that it was computed from.
#[derive(Debug)]
pub struct Prepared {
    /// The plan.
    pub draft: Draft,
    /// What is known of the tracker.
    pub stored: StoredSnapshot,
    /// Whose token it is.
    pub identity: Identity,
    /// The analysis.
    pub analysis: GroupFile,
}

impl Prepared {
    /// The plan as a part of a [`PlanDocument`].
    #[must_use]
    pub fn document(&self, tracker: &Tracker) -> (TrackerDocument, Vec<StepDocument>) {
        self.draft.document(tracker, &self.stored, &self.identity)
    }

    /// Makes sure that the token's user is not known to be unable to write anything that is wanted.
    ///
    /// # Errors
    /// [`Error::NoMaintainer`].
    pub fn require_maintainer(&self, tracker: &Tracker) -> Result<(), Error> {
        if self.identity == Identity::NoneOf && !self.draft.held_back().is_empty() {
            return Err(Error::NoMaintainer {
                tracker: tracker.name.clone(),
                projects: tracker.projects.clone(),
            });
        }
        Ok(())
    }

    /// Passes the plan on if it is the one that was saved.
    ///
    /// # Errors
    /// See [`PlanDocument::require_fresh`].
    pub fn require_same(self, tracker: &Tracker, saved: &PlanDocument) -> Result<Self, Error> {
        let (document, steps) = self.document(tracker);
        saved.require_fresh(tracker, &document, &steps)?;
        Ok(self)
    }
}

/// Reads the analysis that a tracker is to follow.
///
/// # Errors
/// When it is missing, cut off or malformed, and when it is empty although that is not allowed.
pub fn read_analysis(tracker: &Tracker) -> Result<GroupFile, Error> {
    let Desired { path, format } = &tracker.desired;
    let dialect = match format {
        DesiredFormat::Pasta => Dialect::MessageIds,
        DesiredFormat::Ids => Dialect::PatchIds,
    };
    let analysis = GroupFile::read(path, dialect, Ending::Complete).map_err(Error::Groups)?;
    if tracker.guard.allow_empty {
        Ok(analysis)
    } else {
        analysis.require_groups().map_err(Error::Groups)
    }
}

/// Pulls if asked to, resolves, merges, plans and checks. Settles first what an earlier run left open.
///
/// Projects that the user is not known to maintain, and that something is wanted in, are read again before the plan leaves that undone.
///
/// # Errors
/// When the tracker, the state or the analysis cannot be read, there is no pull to plan from, or the collection of a project is not known.
pub async fn prepare(
    session: &Session<'_>,
    keeper: &Keeper,
    pulling: Pulling,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Prepared, Error> {
    let tracker = session.tracker;
    let analysis = read_analysis(tracker)?;
    let ended = ended(tracker, keeper).await?;
    settle_left_overs(session, keeper).await?;
    let actors = match pulling {
        Pulling::Fresh(extent) => read(session, keeper, extent, progress).await?.1,
        Pulling::Stored => Actors::new(),
    };
    let mut stored = stored(keeper, tracker).await?;
    let candidates = maintainers(&stored.snapshot);
    let mut rights = Rights::of(session.reader.whoami(&candidates).await?);
    let reckoned = reckon(tracker, keeper, &stored.snapshot, &actors).await?;
    let mut draft = drafted(tracker, &stored.snapshot, &analysis, &reckoned, &rights, &ended)?;
    let held_back = draft.held_back();
    if !held_back.is_empty() {
        // The user may have become a maintainer since they were read.
        let known = stored.snapshot.projects.clone();
        let fresh = reread(&session.reader, keeper, tracker.name.as_str(), &stored.snapshot, &held_back).await?;
        stored.snapshot.projects.extend(fresh);
        if stored.snapshot.projects != known {
            if rights.identity == Identity::NoneOf {
                let arrived = &maintainers(&stored.snapshot) - &candidates;
                rights = Rights::of(session.reader.whoami(&arrived).await?);
            }
            draft = drafted(tracker, &stored.snapshot, &analysis, &reckoned, &rights, &ended)?;
        }
    }
    record(tracker, keeper, &stored.snapshot, &draft, &rights).await?;
    Ok(Prepared {
        draft,
        stored,
        identity: rights.identity,
        analysis,
    })
}

/// Whoever maintains any of a snapshot's projects.
fn maintainers(snapshot: &Snapshot) -> BTreeSet<UserName> {
    snapshot
        .projects
        .values()
        .flat_map(|project| &project.maintainers)
        .cloned()
        .collect()
}

/// Takes in what people decided, then resolves, merges, plans and checks.
pub(super) async fn redraft(
    tracker: &Tracker,
    keeper: &Keeper,
    snapshot: &Snapshot,
    analysis: &GroupFile,
    rights: &Rights,
    actors: &Actors,
) -> Result<Draft, Error> {
    let reckoned = reckon(tracker, keeper, snapshot, actors).await?;
    let ended = ended(tracker, keeper).await?;
    drafted(tracker, snapshot, analysis, &reckoned, rights, &ended)
}

/// Resolves, merges, plans and checks.
fn drafted(
    tracker: &Tracker,
    snapshot: &Snapshot,
    analysis: &GroupFile,
    reckoned: &Reckoned,
    rights: &Rights,
    ended: &BTreeMap<ProjectName, SeriesPath>,
) -> Result<Draft, Error> {
    let scene = Scene::resolve(snapshot, analysis, tracker.desired.format);
    Draft::new(tracker, snapshot, analysis, scene, reckoned, rights, numbered(ended, snapshot))
}

/// What is known of a tracker.
///
/// # Errors
/// [`Error::NeverPulled`] when nothing is, or only of another address.
pub async fn stored(keeper: &Keeper, tracker: &Tracker) -> Result<StoredSnapshot, Error> {
    let name = tracker.name.to_string();
    match keeper.with(move |store, _| store.snapshot(&name)).await? {
        Some(stored) if stored.url == tracker.url.as_str() => Ok(stored),
        other => Err(never_pulled(tracker, other.map(|stored| stored.url))),
    }
}

/// How a tracker was last read.
///
/// # Errors
/// [`Error::NeverPulled`] when it never was, or only at another address.
pub async fn require_pulled(keeper: &Keeper, tracker: &Tracker) -> Result<PullState, Error> {
    let name = tracker.name.to_string();
    match keeper.with(move |store, _| store.pull_state(&name)).await? {
        Some(state) if state.url == tracker.url.as_str() => Ok(state),
        other => Err(never_pulled(tracker, other.map(|state| state.url))),
    }
}

fn never_pulled(tracker: &Tracker, elsewhere: Option<String>) -> Error {
    Error::NeverPulled {
        tracker: tracker.name.clone(),
        url: tracker.url.to_string(),
        elsewhere,
    }
}
