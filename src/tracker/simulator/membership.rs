//! Which patch is in which relation: disjoint by construction, since a patch has one relation at most.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::PatchId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RelationId(u64);

/// Whether a patch's relation became another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    Anew,
    Already,
}

/// Patchwork's relations, those of one patch included. One that is left by its last member is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Membership {
    members: BTreeMap<RelationId, BTreeSet<PatchId>>,
    relation_of: BTreeMap<PatchId, RelationId>,
    last: u64,
}

impl Membership {
    /// A relation that nobody is in yet.
    pub(super) fn new_relation(&mut self) -> RelationId {
        self.last += 1;
        RelationId(self.last)
    }

    pub(super) fn relation_of(&self, patch: PatchId) -> Option<RelationId> {
        self.relation_of.get(&patch).copied()
    }

    /// The members of a patch's relation, itself included.
    pub(super) fn members_with(&self, patch: PatchId) -> Option<&BTreeSet<PatchId>> {
        self.relation_of(patch).and_then(|relation| self.members.get(&relation))
    }

    pub(super) fn relations(&self) -> impl Iterator<Item = &BTreeSet<PatchId>> {
        self.members.values()
    }

    /// Puts a patch that is in no other relation into this one.
    pub(super) fn join(&mut self, patch: PatchId, relation: RelationId) -> Joined {
        if self.relation_of.insert(patch, relation) == Some(relation) {
            return Joined::Already;
        }
        self.members.entry(relation).or_default().insert(patch);
        Joined::Anew
    }

    pub(super) fn leave(&mut self, patch: PatchId) {
        let Some(relation) = self.relation_of.remove(&patch) else { return };
        let is_empty = self.members.get_mut(&relation).is_some_and(|members| {
            members.remove(&patch);
            members.is_empty()
        });
        if is_empty {
            self.members.remove(&relation);
        }
    }

    pub(super) fn dissolve(&mut self, relation: RelationId) {
        for member in self.members.remove(&relation).into_iter().flatten() {
            self.relation_of.remove(&member);
        }
    }
}
