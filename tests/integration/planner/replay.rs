//! Carrying plans out: on a model of Patchwork's rules, written for this alone, and on the simulator.
//!
//! The rules are those of `PATCH /patches/{id}/ {"related": […]}`, as a real server was seen to follow them.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::relations::{AttachLimit, Element, Operation, Plan};
use kinset::model::{PatchId, UserName};
use kinset::tracker::simulator::{Rules, World};

use super::Classes;
use crate::support::patchwork::message;

/// What a plan can be carried out on.
pub(super) trait Tracker {
    /// Carries out one write, or says why it is refused; then nothing has changed.
    fn write(&mut self, patch: u32, related: &[u32]) -> Result<(), String>;

    /// The relations that reads show.
    fn relations(&self) -> Classes;

    /// The patches in relations of one, which no read shows.
    fn hidden(&self) -> BTreeSet<u32>;
}

/// The rules by themselves. A relation keeps its number for as long as it lives.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    relation_of: BTreeMap<u32, usize>,
    members: BTreeMap<usize, BTreeSet<u32>>,
    numbers_used: usize,
}

impl Model {
    pub(super) fn with_relations(relations: &Classes) -> Self {
        let mut model = Self::default();
        for relation in relations {
            let number = model.fresh();
            model.put(relation.iter().copied(), number);
        }
        model
    }

    pub(super) fn relation_of(&self, patch: u32) -> Option<usize> {
        self.relation_of.get(&patch).copied()
    }

    fn fresh(&mut self) -> usize {
        self.numbers_used += 1;
        self.numbers_used
    }

    fn put(&mut self, patches: impl Iterator<Item = u32>, relation: usize) {
        for patch in patches {
            self.relation_of.insert(patch, relation);
            self.members.entry(relation).or_default().insert(patch);
        }
    }

    fn clear(&mut self, patch: u32) {
        let Some(relation) = self.relation_of.remove(&patch) else { return };
        let members = self.members.get_mut(&relation).unwrap();
        members.remove(&patch);
        if members.len() <= 1 {
            for last in self.members.remove(&relation).unwrap() {
                self.relation_of.remove(&last);
            }
        }
    }

    fn relate(&mut self, patch: u32, related: &[u32]) -> Result<(), String> {
        let touched = || related.iter().copied().chain([patch]);
        let relations: BTreeSet<usize> = touched().filter_map(|patch| self.relation_of(patch)).collect();
        if relations.len() > 1 {
            return Err(format!("409: {patch} and {related:?} are in {} relations", relations.len()));
        }
        let relation = relations.first().copied().unwrap_or_else(|| self.fresh());
        self.put(touched(), relation);
        Ok(())
    }
}

impl Tracker for Model {
    fn write(&mut self, patch: u32, related: &[u32]) -> Result<(), String> {
        if related.is_empty() {
            self.clear(patch);
            Ok(())
        } else {
            self.relate(patch, related)
        }
    }

    fn relations(&self) -> Classes {
        self.members.values().filter(|members| members.len() >= 2).cloned().collect()
    }

    fn hidden(&self) -> BTreeSet<u32> {
        self.members
            .values()
            .filter(|members| members.len() == 1)
            .flatten()
            .copied()
            .collect()
    }
}

/// The simulator's rules, with a user who may do everything. Its patches are numbered from 1.
pub(super) struct Simulated {
    rules: Rules,
    user: UserName,
}

impl Simulated {
    pub(super) fn with_relations(patches: usize, relations: &Classes) -> Self {
        let world = World::default().with_project("alpha").with_user("bot", "t-bot", &["alpha"]);
        let world = (0..patches as u32)
            .map(Self::id)
            .fold(world, |world, id| world.with_patch(id, "alpha", message(id.0)));
        let related = |world: World, relation: &BTreeSet<u32>| world.with_relation(relation.iter().copied().map(Self::id));
        Self {
            rules: relations.iter().fold(world, related).rules().unwrap(),
            user: UserName("bot".to_owned()),
        }
    }

    fn id(patch: u32) -> PatchId {
        PatchId(u64::from(patch) + 1)
    }

    fn patches(ids: BTreeSet<PatchId>) -> BTreeSet<u32> {
        ids.into_iter().map(|id| (id.0 - 1) as u32).collect()
    }
}

impl Tracker for Simulated {
    fn write(&mut self, patch: u32, related: &[u32]) -> Result<(), String> {
        let related: Vec<PatchId> = related.iter().copied().map(Self::id).collect();
        match self.rules.write(Some(&self.user), Self::id(patch), &related) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(format!("{refusal:?}")),
        }
    }

    fn relations(&self) -> Classes {
        self.rules.relations().into_iter().map(Self::patches).collect()
    }

    fn hidden(&self) -> BTreeSet<u32> {
        Self::patches(self.rules.hidden_relations())
    }
}

/// Carries out a plan write by write, and says what is wrong with the first write that is not as it should be: one that is refused or does
/// nothing, names too many ids, leaves a relation of one behind, or is addressed to a related patch though it names one that is free.
pub(super) fn carry_out(
    plan: &Plan,
    tracker: &mut impl Tracker,
    attach_limit: AttachLimit,
    name: impl Fn(Element) -> u32,
) -> Result<(), String> {
    let mut before = tracker.relations();
    for (step, number) in plan.steps().zip(1..) {
        let complain = |what: String| Err(format!("write {number} of {}: {what}", plan.writes()));
        let patch = name(step.patch);
        let related: Vec<u32> = match step.operation {
            Operation::Clear(_) => Vec::new(),
            Operation::Relate(related, _) => related.iter().copied().map(&name).collect(),
        };
        let is_free = |patch: &u32| !before.iter().any(|relation| relation.contains(patch));
        if related.iter().any(is_free) && !is_free(&patch) {
            return complain(format!("addressed to the related {patch}, with a free patch among {related:?}"));
        }
        if let AttachLimit::Ids(limit) = attach_limit
            && related.len() > limit.get() as usize
        {
            return complain(format!("names {} ids", related.len()));
        }
        if let Err(refusal) = tracker.write(patch, &related) {
            return complain(refusal);
        }
        let after = tracker.relations();
        if after == before {
            return complain("does nothing".to_owned());
        }
        if !tracker.hidden().is_empty() {
            return complain(format!("leaves relations of one: {:?}", tracker.hidden()));
        }
        before = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relations(classes: &[&[u32]]) -> Classes {
        classes.iter().map(|class| class.iter().copied().collect()).collect()
    }

    #[test]
    fn a_relate_is_additive_and_never_takes_anything_out() {
        let mut model = Model::with_relations(&relations(&[&[1, 2]]));
        assert_eq!(model.write(1, &[3]), Ok(()));
        assert_eq!(model.relations(), relations(&[&[1, 2, 3]]));
    }

    #[test]
    fn a_relate_over_two_relations_is_refused_and_changes_nothing() {
        let mut model = Model::with_relations(&relations(&[&[1, 2], &[3, 4]]));
        assert!(model.write(5, &[1, 3]).is_err());
        assert_eq!(model.relations(), relations(&[&[1, 2], &[3, 4]]));
    }

    #[test]
    fn clearing_one_of_a_pair_frees_both() {
        let mut model = Model::with_relations(&relations(&[&[1, 2]]));
        assert_eq!(model.write(1, &[]), Ok(()));
        assert_eq!(model.relation_of(2), None);
    }

    #[test]
    fn a_patch_related_to_itself_is_hidden_and_conflicts_all_the_same() {
        let mut model = Model::with_relations(&relations(&[&[1, 2]]));
        assert_eq!(model.write(3, &[3]), Ok(()));
        assert_eq!(model.hidden(), BTreeSet::from([3]));
        assert!(model.write(3, &[1]).is_err());
        assert_eq!(model.write(3, &[]), Ok(()));
        assert_eq!(model.hidden(), BTreeSet::new());
    }
}
