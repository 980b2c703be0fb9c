//! Steps 3 to 5: merge, plan, check. Nothing here reads or writes anything.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::commits::{self, RefusedCommits};
use super::reckon::decisions;
use super::{Error, Reckoned, Scene};
use crate::config::{Limits, Tracker};
use crate::model::commits::{CommitBecause, CommitPlan, CommitPolicy, WantedCommits};
use crate::model::packages::acl::{Facts, Question, What, decide};
use crate::model::packages::{Party, PersonName, SeriesPath};
use crate::model::relations::checker::{Terms, check};
use crate::model::relations::decisions::Decisions;
use crate::model::relations::guard::{self, Tripped};
use crate::model::relations::merge::{Because, Merged, Wish, merge};
use crate::model::relations::{AttachLimit, Change, Element, Partition, Plan, Policy, plan};
use crate::model::{PatchId, Project, ProjectId, Snapshot, UserName};
use crate::pasta::GroupFile;
use crate::tracker::Identity;

/// What the tracker lets this user do, as far as it is known before the first write.
#[derive(Clone, Debug)]
pub struct Rights {
    /// Whose token it is.
    pub identity: Identity,
    /// Projects whose writes the tracker refused, whatever it says of their maintainers.
    pub refused_projects: BTreeSet<ProjectId>,
    /// Patches whose writes the tracker refused for a reason that no read explains.
    pub refused_patches: BTreeSet<PatchId>,
    /// What the tracker refused of the commits of patches.
    pub refused_commits: RefusedCommits,
}

impl Rights {
    /// What is known of a user before any write.
    #[must_use]
    pub fn of(identity: Identity) -> Self {
        Self {
            identity,
            refused_projects: BTreeSet::new(),
            refused_patches: BTreeSet::new(),
            refused_commits: RefusedCommits::default(),
        }
    }

    pub(super) fn may_write(&self, tracker: &Tracker, snapshot: &Snapshot, project: ProjectId) -> bool {
        self.maintains(tracker, snapshot, project) && !self.refused_projects.contains(&project)
    }

    /// Whether commits of a project's patches may be written. Patchwork lets a patch's submitter and delegate do that too, but does not tell
    /// beforehand whom that makes.
    pub(super) fn may_write_commits(&self, tracker: &Tracker, snapshot: &Snapshot, project: ProjectId) -> bool {
        self.maintains(tracker, snapshot, project) && !self.refused_commits.projects.contains(&project)
    }

    fn maintains(&self, tracker: &Tracker, snapshot: &Snapshot, project: ProjectId) -> bool {
        match &self.identity {
            Identity::Anonymous | Identity::Unknown => true,
            Identity::NoneOf => false,
            Identity::User(name) => snapshot
                .projects
                .get(&project)
                .is_some_and(|project| maintains(tracker.name.as_str(), name, project)),
        }
    }
}

/// Asks the evaluator of permissions, to which a project's maintainers are permissions like any other.
pub(super) fn maintains(tracker: &str, user: &UserName, project: &Project) -> bool {
    let facts = Facts::of_project(tracker, project);
    let question = Question {
        who: Party::Person(PersonName::from(user)),
        what: What::Maintain {
            tracker: tracker.to_owned(),
            project: project.name.clone(),
        },
    };
    decide(&facts, &question).is_allowed()
}

/// A plan that was merged, computed and checked, with everything that it was computed from. It has not been applied, and cannot apply itself.
#[derive(Debug)]
pub struct Draft {
    /// Both universes.
    pub scene: Scene,
    /// What can be had of what is wanted.
    pub merged: Merged,
    /// The fewest writes to there.
    pub plan: Plan,
    /// What is to be written of the commits of patches, and what is not.
    pub commits: CommitPlan,
    /// Projects that nothing is written to because the collection that they are of has ended, with that.
    pub ended: BTreeMap<ProjectId, SeriesPath>,
    /// How many decisions stand.
    pub decisions: usize,
    /// How many patches somebody else has put into other relations since the last time.
    pub foreign: usize,
    /// Guards that the plan trips. As long as there are any, nothing may be written.
    pub tripped: Vec<Tripped>,
    /// Stands for everything that the plan was computed from.
    pub digest: String,
}

impl Draft {
    /// Merges, plans and checks. `ended` are the projects whose collections have ended, with these.
    ///
    /// # Errors
    /// [`Error::Unsound`] when the plan does not pass the checker, which is a defect of kinset.
    pub fn new(
        tracker: &Tracker,
        snapshot: &Snapshot,
        analysis: &GroupFile,
        scene: Scene,
        reckoned: &Reckoned,
        rights: &Rights,
        ended: BTreeMap<ProjectId, SeriesPath>,
    ) -> Result<Self, Error> {
        let decisions = decisions(&reckoned.standing, &scene);
        let held = held(tracker, &scene, snapshot, rights, &ended);
        let max_relation_size = tracker.limits.max_relation_size as usize;
        let merged = merge(&Wish {
            current: &scene.current,
            desired: &scene.desired,
            policy: tracker.policy,
            decisions: &decisions,
            held: &held,
            max_relation_size,
        });
        let attach_limit = AttachLimit::Ids(tracker.limits.attach_limit);
        let universe = scene.universe();
        let plan = plan(Change {
            universe: &universe,
            current: &scene.current,
            desired: &merged.target,
            attach_limit,
        });
        let terms = Terms {
            current: &scene.current,
            target: &merged.target,
            held: &merged.held,
            policy: Some(tracker.policy),
            decisions: (tracker.policy == Policy::Preserve).then_some(&decisions),
            attach_limit,
            max_relation_size: Some(max_relation_size),
        };
        check(&plan, &terms).map_err(Error::Unsound)?;
        let wanted = commits::wanted(tracker, snapshot, analysis);
        let commits = commits::plan(tracker, snapshot, &wanted, rights, &ended);
        let guards = tripped(tracker, snapshot, &scene, &plan, &commits);
        let tripped = reckoned.tripped.iter().cloned().chain(guards).collect();
        let digest = digest(tracker, &scene, &decisions, &held, &ended, &wanted, &commits);
        Ok(Self {
            scene,
            merged,
            plan,
            commits,
            ended,
            decisions: reckoned.standing.len(),
            foreign: reckoned.foreign,
            tripped,
            digest,
        })
    }

    /// How many writes it takes, of relations and of commits.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.plan.writes() + self.commits.steps.len()
    }

    /// The projects that something wanted is left undone in because the user is not known to maintain them.
    pub(super) fn held_back(&self) -> BTreeSet<ProjectId> {
        let relations = self.merged.undone.iter().flat_map(|undone| &undone.because);
        let relations = relations.filter_map(|because| match because {
            Because::Permission(project) => Some(*project),
            _ => None,
        });
        let commits = self.commits.undone.iter().filter_map(|undone| match undone.because {
            CommitBecause::Permission(project) => Some(project),
            _ => None,
        });
        relations.chain(commits).collect()
    }

    /// Passes the draft on unless a guard tripped.
    ///
    /// # Errors
    /// [`Error::Guarded`] with all of them.
    pub fn require_unguarded(self, tracker: &Tracker) -> Result<Self, Error> {
        if self.tripped.is_empty() {
            return Ok(self);
        }
        Err(Error::Guarded {
            tracker: tracker.name.clone(),
            tripped: self.tripped,
        })
    }
}

/// Patches that must not be written to, with the reason.
fn held(
    tracker: &Tracker,
    scene: &Scene,
    snapshot: &Snapshot,
    rights: &Rights,
    ended: &BTreeMap<ProjectId, SeriesPath>,
) -> BTreeMap<Element, Because> {
    let writable: BTreeMap<ProjectId, bool> = snapshot
        .projects
        .keys()
        .map(|&project| (project, rights.may_write(tracker, snapshot, project)))
        .collect();
    let because = |patch: &PatchId| match snapshot.patches.get(patch) {
        None => Some(Because::OutOfScope),
        Some(row) if ended.contains_key(&row.project) => Some(Because::Ended(row.project)),
        Some(row) if !writable.get(&row.project).is_some_and(|writable| *writable) => Some(Because::Permission(row.project)),
        Some(_) if rights.refused_patches.contains(patch) => Some(Because::Refused),
        Some(_) => None,
    };
    (0..)
        .map(Element)
        .zip(&scene.patches)
        .filter_map(|(element, patch)| Some((element, because(patch)?)))
        .collect()
}

fn tripped(tracker: &Tracker, snapshot: &Snapshot, scene: &Scene, plan: &Plan, commits: &CommitPlan) -> Vec<Tripped> {
    let named = snapshot.patches.values().filter(|patch| patch.commit_ref.is_some()).count();
    let thresholds = tracker.guard.thresholds();
    let unmatched = &scene.unmatched;
    let guards = [
        guard::empty(unmatched.named, &thresholds),
        guard::resolved(unmatched.resolved(), unmatched.named, &thresholds),
        guard::clears(plan, &scene.current, &thresholds),
        guard::commits(commits.overwrites(), named, &thresholds),
    ];
    guards.into_iter().filter_map(Result::err).collect()
}

/// The SHA-256 of everything that decides the plan, in hexadecimal.
fn digest(
    tracker: &Tracker,
    scene: &Scene,
    decisions: &Decisions,
    held: &BTreeMap<Element, Because>,
    ended: &BTreeMap<ProjectId, SeriesPath>,
    wanted: &WantedCommits<'_>,
    commits: &CommitPlan,
) -> String {
    let mut digest = Sha256::new();
    let mut enter = |text: String| {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    };
    let Limits {
        attach_limit,
        max_relation_size,
        requests_per_second: _,
        concurrent_requests: _,
        timeout_seconds: _,
        patience_seconds: _,
    } = tracker.limits;
    enter(format!(
        "{} {} {attach_limit} {max_relation_size} {:?}",
        tracker.url, tracker.policy, tracker.guard
    ));
    enter(format!("{:?}", scene.patches));
    enter(classes(&scene.current));
    enter(classes(&scene.desired));
    enter(format!("{:?} {:?}", scene.unmatched.only_in_tracker, held));
    // Held patches tell of it as well, but not where nothing is wanted of an ended collection, nor of which.
    if !ended.is_empty() {
        enter(format!("{ended:?}"));
    }
    if tracker.policy == Policy::Preserve {
        enter(format!("{:?}", decisions.iter().collect::<Vec<_>>()));
    }
    // Of what patches say, that is all that matters: the rest of it is what is wanted, in whatever form.
    if tracker.commit_ref != CommitPolicy::Off {
        enter(format!("{} {wanted:?} {commits:?}", tracker.commit_ref));
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn classes(partition: &Partition) -> String {
    let classes: BTreeSet<BTreeSet<Element>> = partition
        .classes()
        .map(|class| partition.members(class).iter().copied().collect())
        .collect();
    format!("{classes:?}")
}
