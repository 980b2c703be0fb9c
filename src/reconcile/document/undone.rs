//! What a plan leaves undone, as documents.

use serde::{Deserialize, Serialize};

use crate::model::commits::{CommitBecause, CommitUndone};
use crate::model::packages::SeriesPath;
use crate::model::relations::merge::{Because, Left, Undone};
use crate::model::{PatchId, ProjectId, Snapshot};
use crate::reconcile::Draft;

/// A project that nothing is written to because the collection that it is of has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndedDocument {
    /// The project.
    pub project: String,
    /// The collection.
    pub collection: SeriesPath,
}

/// A relation, or a part of one, that is wanted and not planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UndoneDocument {
    /// What was left undone.
    pub left: Left,
    /// The patches that it is about.
    pub patches: Vec<PatchId>,
    /// Why.
    pub because: Vec<BecauseDocument>,
}

/// Why something wanted is not planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum BecauseDocument {
    /// The user does not maintain a project.
    Permission {
        /// The project.
        project: String,
    },
    /// A patch lies outside the tracker's projects.
    OutOfScope,
    /// The collection that a project is of has ended.
    Ended {
        /// The project.
        project: String,
        /// The collection.
        collection: SeriesPath,
    },
    /// The relation would be too large.
    TooLarge {
        /// How many members it would have.
        size: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The policy is to relate only.
    Policy,
    /// The tracker refuses the write, and no read explains why.
    Refused,
    /// Somebody decided otherwise by hand.
    Decision,
}

/// A commit that is wanted and not planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommitUndoneDocument {
    /// The patch.
    pub patch: PatchId,
    /// What the tracker says of it; `null` where that is nothing.
    pub says: Option<String>,
    /// The commits that the analysis names.
    pub wanted: Vec<String>,
    /// Why none is planned.
    #[serde(flatten)]
    pub because: CommitBecauseDocument,
}

/// Why a commit is not planned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum CommitBecauseDocument {
    /// The analysis names several, and Patchwork holds one.
    Several,
    /// The patch names another, and the configuration is to fill in only.
    SaysOtherwise,
    /// Patchwork does not take a text of that length.
    TooLong,
    /// The user does not maintain the project.
    Permission {
        /// The project.
        project: String,
    },
    /// The collection that the project is of has ended.
    Ended {
        /// The project.
        project: String,
        /// The collection.
        collection: SeriesPath,
    },
    /// The tracker refuses the write, and no read explains why.
    Refused,
}

impl Draft {
    /// The projects whose collections have ended.
    pub(super) fn ended(&self, snapshot: &Snapshot) -> Vec<EndedDocument> {
        let ended = self.ended.iter().map(|(&project, collection)| EndedDocument {
            project: name_of(snapshot, project),
            collection: collection.clone(),
        });
        ended.collect()
    }

    pub(super) fn undone(&self, snapshot: &Snapshot, Undone { patches, left, because }: &Undone) -> UndoneDocument {
        let because = because.iter().map(|because| match *because {
            Because::Permission(project) => BecauseDocument::Permission {
                project: name_of(snapshot, project),
            },
            Because::OutOfScope => BecauseDocument::OutOfScope,
            Because::Ended(project) => BecauseDocument::Ended {
                project: name_of(snapshot, project),
                collection: self.ended[&project].clone(),
            },
            Because::TooLarge { size, limit } => BecauseDocument::TooLarge { size, limit },
            Because::Policy => BecauseDocument::Policy,
            Because::Refused => BecauseDocument::Refused,
            Because::Decision => BecauseDocument::Decision,
        });
        let patches = patches.iter().map(|&element| self.scene.patch(element)).collect();
        UndoneDocument {
            left: *left,
            patches,
            because: because.collect(),
        }
    }

    pub(super) fn commit_undone(&self, snapshot: &Snapshot, undone: &CommitUndone) -> CommitUndoneDocument {
        let CommitUndone {
            patch,
            says,
            wanted,
            because,
        } = undone;
        CommitUndoneDocument {
            patch: *patch,
            says: says.clone(),
            wanted: wanted.clone(),
            because: match *because {
                CommitBecause::Several => CommitBecauseDocument::Several,
                CommitBecause::SaysOtherwise => CommitBecauseDocument::SaysOtherwise,
                CommitBecause::TooLong => CommitBecauseDocument::TooLong,
                CommitBecause::Permission(project) => CommitBecauseDocument::Permission {
                    project: name_of(snapshot, project),
                },
                CommitBecause::Ended(project) => CommitBecauseDocument::Ended {
                    project: name_of(snapshot, project),
                    collection: self.ended[&project].clone(),
                },
                CommitBecause::Refused => CommitBecauseDocument::Refused,
            },
        }
    }
}

fn name_of(snapshot: &Snapshot, project: ProjectId) -> String {
    let known = snapshot.projects.get(&project);
    known.map_or_else(|| project.to_string(), |known| known.name.to_string())
}
