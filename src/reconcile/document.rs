//! A plan as a document: what `plan` prints as JSON, what `--out` saves and `--plan` reads, and what the text is rendered from.

mod undone;

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DistributionPlan, Draft, Error, GuardedSource};
use crate::config::Tracker;
use crate::model::commits::CommitStep;
use crate::model::packages;
use crate::model::relations::decisions::Verdict;
use crate::model::relations::guard::Tripped;
use crate::model::relations::{ClearReason, Operation, RelateReason, Step};
use crate::model::{MessageId, PatchId, Snapshot};
use crate::remedy::Remedy as _;
use crate::store::StoredSnapshot;
use crate::tracker::Identity;

pub use undone::{BecauseDocument, CommitBecauseDocument, CommitUndoneDocument, EndedDocument, UndoneDocument};

/// The layout of [`PlanDocument`]. A saved plan of another layout is refused.
const FORMAT: u32 = 2;

/// What is planned for trackers and distributions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanDocument {
    /// How many writes the plan takes; of distributions, operations.
    pub writes: usize,
    /// The writes, tracker by tracker and component by component, in order; the commits of a tracker come last.
    pub steps: Vec<StepDocument>,
    /// The trackers, with what each plan was computed from.
    pub trackers: Vec<TrackerDocument>,
    /// The distributions, with what is done to each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distributions: Vec<DistributionPlan>,
    /// The layout of this document.
    pub format: u32,
}

/// One planned write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepDocument {
    /// The tracker's name.
    pub tracker: String,
    /// Steps of one component are carried out in order; components do not touch each other's relations. Each commit is a component of its
    /// own.
    pub component: usize,
    /// What is done.
    #[serde(flatten)]
    pub operation: OperationDocument,
    /// The mail behind the patch at the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
}

/// What a planned write does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum OperationDocument {
    /// Takes a patch out of its relation.
    Clear {
        /// The patch at the address.
        patch: PatchId,
        /// Why.
        reason: ClearReason,
    },
    /// Puts patches into one relation.
    Relate {
        /// The patch at the address.
        patch: PatchId,
        /// The ids in the request.
        related: Vec<PatchId>,
        /// Why.
        reason: RelateReason,
    },
    /// Writes down the commit that a patch became.
    CommitRef {
        /// The patch at the address.
        patch: PatchId,
        /// What the tracker says now; `null` where that is nothing.
        from: Option<String>,
        /// What it is to say.
        to: String,
    },
}

/// What a tracker's plan was computed from, and what it leaves undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackerDocument {
    /// The tracker's name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// The policy, in the word of the configuration.
    pub policy: String,
    /// When the tracker was last read, whole or by its events.
    pub pulled_at: Timestamp,
    /// Whose token it is.
    #[serde(flatten)]
    pub user: UserDocument,
    /// How many of the writes are clears.
    pub clears: usize,
    /// How many of the writes are relates.
    pub relates: usize,
    /// How many of the writes are of commits.
    #[serde(default)]
    pub commit_refs: usize,
    /// Patches in the tracker's projects.
    pub patches: usize,
    /// Relations that the tracker has.
    pub relations: usize,
    /// Relations that it would have afterwards.
    pub relations_after: usize,
    /// Elements that the analysis names.
    pub named: usize,
    /// Those of them that are no patch in the tracker's projects.
    pub only_in_analysis: usize,
    /// Patches that the analysis does not name.
    pub only_in_tracker: usize,
    /// How many decisions of people stand.
    pub decisions: usize,
    /// The decisions that do not hold once the plan is carried out, because the policy or something else comes before them.
    pub overruled: Vec<VerdictDocument>,
    /// The projects that nothing is written to because the collections that they are of have ended.
    #[serde(default)]
    pub ended: Vec<EndedDocument>,
    /// What is wanted of relations and not planned.
    pub undone: Vec<UndoneDocument>,
    /// What is wanted of commits and not planned.
    #[serde(default)]
    pub commits_undone: Vec<CommitUndoneDocument>,
    /// Guards that the plan trips.
    pub guards: Vec<GuardDocument>,
    /// Stands for everything that the plan was computed from: a saved plan with another digest is stale.
    pub digest: String,
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "identity", rename_all = "kebab-case")]
pub enum UserDocument {
    /// This user's, who maintains at least one of the tracker's projects.
    Maintainer {
        /// The user's name.
        user: String,
    },
    /// There is no token.
    Anonymous,
    /// It belongs to somebody who maintains none of the tracker's projects.
    NoMaintainer,
    /// The tracker does not tell.
    Unknown,
}

/// What somebody decided by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum VerdictDocument {
    /// These patches belong together.
    Joined {
        /// The patches.
        patches: Vec<PatchId>,
    },
    /// These two patches do not.
    Parted {
        /// The patches.
        patches: [PatchId; 2],
    },
}

/// A guard that tripped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardDocument {
    /// The key under `[tracker.guard]` or `[distribution.guard]` that sets its limit.
    pub option: String,
    /// The number that tripped it.
    pub message: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl PlanDocument {
    /// Puts the plans of several trackers into one document.
    #[must_use]
    pub fn new(parts: impl IntoIterator<Item = (TrackerDocument, Vec<StepDocument>)>) -> Self {
        let (trackers, steps): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let steps: Vec<StepDocument> = steps.into_iter().flatten().collect();
        Self {
            writes: steps.len(),
            steps,
            trackers,
            distributions: Vec::new(),
            format: FORMAT,
        }
    }

    /// The same with plans for distributions.
    #[must_use]
    pub fn with_distributions(mut self, distributions: Vec<DistributionPlan>) -> Self {
        self.writes += distributions.iter().map(|plan| plan.operations.len()).sum::<usize>();
        self.distributions.extend(distributions);
        self
    }

    /// Reads a saved plan.
    ///
    /// # Errors
    /// When the file cannot be read or holds no plan of this layout.
    pub fn load(path: &Path) -> Result<Self, Error> {
        #[derive(Deserialize)]
        #[serde(expecting = "a plan")]
        struct Layout {
            format: u32,
        }
        let text = std::fs::read(path).map_err(|source| Error::PlanUnreadable {
            path: path.to_owned(),
            source,
        })?;
        let no_plan = |source| Error::NoPlan {
            path: path.to_owned(),
            source,
        };
        let Layout { format } = serde_json::from_slice(&text).map_err(no_plan)?;
        if format != FORMAT {
            return Err(Error::OtherPlanFormat {
                path: path.to_owned(),
                found: format,
                expected: FORMAT,
            });
        }
        serde_json::from_slice(&text).map_err(no_plan)
    }

    /// The names of the trackers and distributions that it plans for.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let trackers = self.trackers.iter().map(|tracker| tracker.name.as_str());
        let distributions = self.distributions.iter().map(|distribution| distribution.name.as_str());
        trackers.chain(distributions).collect()
    }

    /// Whether the plan for a tracker is the one that is computed now.
    ///
    /// # Errors
    /// [`Error::NotPlanned`] when this document says nothing of the tracker, [`Error::Stale`] when it was computed from something else.
    pub fn require_fresh(&self, tracker: &Tracker, now: &TrackerDocument, steps: &[StepDocument]) -> Result<(), Error> {
        let name = tracker.name.as_str();
        let Some(planned) = self.trackers.iter().find(|planned| planned.name == name) else {
            return Err(Error::NotPlanned {
                tracker: tracker.name.clone(),
            });
        };
        let planned_steps = self.steps.iter().filter(|step| step.tracker == name);
        if planned.digest == now.digest && planned_steps.eq(steps) {
            return Ok(());
        }
        let what = if planned.digest == now.digest {
            "its steps are not those that its digest stands for".to_owned()
        } else if planned.ended != now.ended {
            "the projects whose collections have ended are not those that it was computed from".to_owned()
        } else if planned.pulled_at == now.pulled_at {
            "the analysis, the configuration or relations written since are not what it was computed from".to_owned()
        } else {
            format!(
                "it was computed from the pull of {}, and the tracker was pulled again at {}",
                planned.pulled_at, now.pulled_at
            )
        };
        Err(Error::Stale {
            tracker: tracker.name.clone(),
            what,
        })
    }
}

impl Draft {
    /// The draft as a part of a document.
    #[must_use]
    pub fn document(&self, tracker: &Tracker, stored: &StoredSnapshot, identity: &Identity) -> (TrackerDocument, Vec<StepDocument>) {
        let snapshot = &stored.snapshot;
        let components = self.plan.components().enumerate();
        let steps = components.flat_map(|(component, steps)| steps.map(move |step| (component, step)));
        let steps = steps.map(|(component, step)| self.step(tracker, snapshot, component, step));
        let commits = (self.plan.components().count()..).zip(&self.commits.steps);
        let commits = commits.map(|(component, step)| commit_step(tracker, snapshot, component, step));
        let steps = steps.chain(commits).collect();
        let unmatched = &self.scene.unmatched;
        let document = TrackerDocument {
            name: tracker.name.to_string(),
            url: tracker.url.to_string(),
            policy: tracker.policy.to_string(),
            pulled_at: stored.read_at(),
            user: match identity {
                Identity::User(name) => UserDocument::Maintainer { user: name.to_string() },
                Identity::Anonymous => UserDocument::Anonymous,
                Identity::NoneOf => UserDocument::NoMaintainer,
                Identity::Unknown => UserDocument::Unknown,
            },
            clears: self.plan.clears(),
            relates: self.plan.relates(),
            commit_refs: self.commits.steps.len(),
            patches: snapshot.patches.len(),
            relations: self.scene.current.len(),
            relations_after: self.merged.target.len(),
            named: unmatched.named,
            only_in_analysis: unmatched.only_in_analysis.len(),
            only_in_tracker: unmatched.only_in_tracker.len(),
            decisions: self.decisions,
            overruled: self.merged.overruled.iter().map(|verdict| self.verdict(verdict)).collect(),
            ended: self.ended(snapshot),
            undone: self.merged.undone.iter().map(|undone| self.undone(snapshot, undone)).collect(),
            commits_undone: self
                .commits
                .undone
                .iter()
                .map(|undone| self.commit_undone(snapshot, undone))
                .collect(),
            guards: self.tripped.iter().map(GuardDocument::from).collect(),
            digest: self.digest.clone(),
        };
        (document, steps)
    }

    fn step(&self, tracker: &Tracker, snapshot: &Snapshot, component: usize, Step { patch, operation }: Step<'_>) -> StepDocument {
        let patch = self.scene.patch(patch);
        let operation = match operation {
            Operation::Clear(reason) => OperationDocument::Clear { patch, reason },
            Operation::Relate(related, reason) => OperationDocument::Relate {
                patch,
                related: related.iter().map(|&element| self.scene.patch(element)).collect(),
                reason,
            },
        };
        let message_id = snapshot.patches.get(&patch).map(|patch| patch.message_id.clone());
        StepDocument {
            tracker: tracker.name.to_string(),
            component,
            operation,
            message_id,
        }
    }

    fn verdict(&self, verdict: &Verdict) -> VerdictDocument {
        match verdict {
            Verdict::Joined(members) => VerdictDocument::Joined {
                patches: members.iter().map(|&element| self.scene.patch(element)).collect(),
            },
            &Verdict::Parted(one, other) => VerdictDocument::Parted {
                patches: [self.scene.patch(one), self.scene.patch(other)],
            },
        }
    }
}

fn commit_step(tracker: &Tracker, snapshot: &Snapshot, component: usize, step: &CommitStep) -> StepDocument {
    let CommitStep { patch, from, to } = step;
    StepDocument {
        tracker: tracker.name.to_string(),
        component,
        operation: OperationDocument::CommitRef {
            patch: *patch,
            from: from.clone(),
            to: to.clone(),
        },
        message_id: snapshot.patches.get(patch).map(|patch| patch.message_id.clone()),
    }
}

impl From<&Tripped> for GuardDocument {
    fn from(tripped: &Tripped) -> Self {
        Self {
            option: tripped.option().to_owned(),
            message: tripped.to_string(),
            remedy: tripped.remedy(),
        }
    }
}

impl From<&GuardedSource> for GuardDocument {
    fn from(guarded: &GuardedSource) -> Self {
        Self {
            option: guarded.option().to_owned(),
            message: guarded.to_string(),
            remedy: guarded.remedy(),
        }
    }
}

impl From<&packages::document::Tripped> for GuardDocument {
    fn from(tripped: &packages::document::Tripped) -> Self {
        Self {
            option: tripped.option().to_owned(),
            message: tripped.to_string(),
            remedy: tripped.remedy(),
        }
    }
}
