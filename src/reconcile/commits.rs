//! Upstream commits between the analysis and the tracker: what is wanted, what is written of it, and what the tracker refuses.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Rights;
use super::scene::Lookup;
use crate::config::Tracker;
use crate::model::commits::{CommitBecause, CommitPlan, CommitPolicy, CommitWish, WantedCommits, plan_commits, trimmed};
use crate::model::packages::SeriesPath;
use crate::model::{PatchId, ProjectId, Snapshot};
use crate::pasta::GroupFile;

/// What the tracker refused of the commits of patches. It says nothing of their relations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusedCommits {
    /// Projects in which it refused to have commits written, whatever it says of their maintainers.
    pub projects: BTreeSet<ProjectId>,
    /// Patches whose commits it refused to have written for a reason that no read explains.
    pub patches: BTreeSet<PatchId>,
}

impl RefusedCommits {
    /// Whether nothing was refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.projects.len() + self.patches.len()
    }
}

/// What an analysis wants of the commits of a tracker's patches; nothing under a policy that leaves them alone.
///
/// One mail may be several patches: all of them get the commits of its class. Around a commit, Patchwork cuts off white space.
pub(super) fn wanted<'a>(tracker: &Tracker, snapshot: &Snapshot, analysis: &'a GroupFile) -> WantedCommits<'a> {
    let mut wanted = WantedCommits::new();
    if tracker.commit_ref == CommitPolicy::Off {
        return wanted;
    }
    let lookup = Lookup::new(snapshot, tracker.desired.format);
    for class in analysis.upstream() {
        let commits: BTreeSet<&str> = class
            .commits
            .iter()
            .map(|commit| trimmed(commit))
            .filter(|commit| !commit.is_empty())
            .collect();
        for patch in class.elements.iter().flat_map(|element| lookup.patches(element)) {
            wanted.entry(patch).or_default().extend(&commits);
        }
    }
    wanted
}

/// Plans what is to be written of the commits of patches.
pub(super) fn plan(
    tracker: &Tracker,
    snapshot: &Snapshot,
    wanted: &WantedCommits<'_>,
    rights: &Rights,
    ended: &BTreeMap<ProjectId, SeriesPath>,
) -> CommitPlan {
    let may_write = |&project: &ProjectId| (project, rights.may_write_commits(tracker, snapshot, project));
    let writable: BTreeMap<ProjectId, bool> = snapshot.projects.keys().map(may_write).collect();
    let because = |patch: PatchId| {
        let project = snapshot.patches.get(&patch)?.project;
        if ended.contains_key(&project) {
            return Some(CommitBecause::Ended(project));
        }
        if !writable.get(&project).is_some_and(|writable| *writable) {
            return Some(CommitBecause::Permission(project));
        }
        rights.refused_commits.patches.contains(&patch).then_some(CommitBecause::Refused)
    };
    let held: BTreeMap<PatchId, CommitBecause> = wanted.keys().filter_map(|&patch| Some((patch, because(patch)?))).collect();
    plan_commits(&CommitWish {
        patches: &snapshot.patches,
        wanted,
        policy: tracker.commit_ref,
        held: &held,
    })
}
