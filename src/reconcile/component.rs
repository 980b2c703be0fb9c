//! The steps that belong together, and what Patchwork makes of them.

use std::collections::{BTreeMap, BTreeSet};

use super::Draft;
use crate::model::PatchId;
use crate::model::relations::{Element, Operation, Partition, Step};
use crate::store::JournalOperation;

/// The members of a patch's relation, itself included; just itself when it is in none.
pub(super) type Class = BTreeSet<PatchId>;

/// The steps that belong together, with the classes that they start from and lead to.
#[derive(Debug)]
pub(super) struct Component {
    pub number: u64,
    pub steps: Vec<(PatchId, JournalOperation)>,
    pub before: BTreeMap<PatchId, Class>,
    pub after: BTreeMap<PatchId, Class>,
}

impl Component {
    /// The components of a draft's plan, in its order.
    pub(super) fn all(draft: &Draft) -> Vec<Self> {
        (0..)
            .zip(draft.plan.components())
            .map(|(number, steps)| Self::new(draft, number, steps))
            .collect()
    }

    fn new<'a>(draft: &Draft, number: u64, steps: impl Iterator<Item = Step<'a>>) -> Self {
        let scene = &draft.scene;
        let mut touched: BTreeSet<Element> = BTreeSet::new();
        let mut planned = Vec::new();
        for step in steps {
            touched.insert(step.patch);
            let operation = match step.operation {
                Operation::Clear(_) => JournalOperation::Clear,
                Operation::Relate(related, _) => {
                    touched.extend(related);
                    JournalOperation::Relate(related.iter().map(|&element| scene.patch(element)).collect())
                }
            };
            planned.push((scene.patch(step.patch), operation));
        }
        let companions = |element: Element| scene.current.companions(element).chain(draft.merged.target.companions(element));
        let touched: BTreeSet<Element> = touched.into_iter().flat_map(companions).collect();
        let classes = |partition: &Partition| {
            let class = |element: Element| partition.companions(element).map(|companion| scene.patch(companion)).collect();
            touched.iter().map(|&element| (scene.patch(element), class(element))).collect()
        };
        Self {
            number,
            steps: planned,
            before: classes(&scene.current),
            after: classes(&draft.merged.target),
        }
    }

    /// What has to be read before its first step: one patch of each class, which shows the whole class. Of those that do so as well, one that is
    /// written to, or else named by a write: that it is still in its project only its own row shows.
    pub(super) fn to_read(&self) -> Vec<PatchId> {
        let written: BTreeSet<PatchId> = self.steps.iter().map(|(patch, _)| *patch).collect();
        let named: BTreeSet<PatchId> = self.steps.iter().flat_map(|(patch, operation)| named(*patch, operation)).collect();
        let concern = |member: &PatchId| (!written.contains(member), !named.contains(member));
        let classes = self.before.iter().filter(|(patch, class)| class.first() == Some(patch));
        classes.filter_map(|(_, class)| class.iter().copied().min_by_key(concern)).collect()
    }

    /// A patch to name the component by.
    pub(super) fn first_patch(&self) -> Option<PatchId> {
        self.before.keys().next().copied()
    }
}

/// The patches that a write names.
pub(super) fn named(patch: PatchId, operation: &JournalOperation) -> Vec<PatchId> {
    match operation {
        JournalOperation::Clear | JournalOperation::CommitRef(_) => vec![patch],
        JournalOperation::Relate(related) => related.iter().copied().chain([patch]).collect(),
    }
}

pub(super) fn is_alone(classes: &BTreeMap<PatchId, Class>, patch: PatchId) -> bool {
    classes.get(&patch).is_none_or(|class| class.len() == 1)
}

/// One patch of each class: reading it shows the whole class.
fn representatives(classes: &BTreeMap<PatchId, Class>) -> Vec<PatchId> {
    classes
        .iter()
        .filter(|(patch, class)| class.first() == Some(patch))
        .map(|(patch, _)| *patch)
        .collect()
}

/// What has to be read after the last step: one patch of each relation that was made or changed, and the last member of each relation that
/// came apart, which was freed without a write of its own.
pub(super) fn doubtful(component: &Component) -> Vec<PatchId> {
    let cleared: BTreeSet<PatchId> = component
        .steps
        .iter()
        .filter(|(_, operation)| matches!(operation, JournalOperation::Clear))
        .map(|(patch, _)| *patch)
        .collect();
    let was_freed = |patch: &PatchId| !is_alone(&component.before, *patch) && !cleared.contains(patch);
    let mut doubtful = representatives(&component.after);
    doubtful.retain(|patch| !is_alone(&component.after, *patch) || was_freed(patch));
    doubtful
}

/// What Patchwork makes of a write, on a model of the component's classes.
pub(super) fn carry_out(classes: &mut BTreeMap<PatchId, Class>, patch: PatchId, operation: &JournalOperation) {
    let class_of = |classes: &BTreeMap<PatchId, Class>, patch: PatchId| classes.get(&patch).cloned().unwrap_or_else(|| [patch].into());
    match operation {
        JournalOperation::Clear => {
            let mut rest = class_of(classes, patch);
            rest.remove(&patch);
            classes.insert(patch, [patch].into());
            for &member in &rest {
                classes.insert(member, rest.clone());
            }
        }
        JournalOperation::Relate(related) => {
            let joined: Class = related
                .iter()
                .copied()
                .chain([patch])
                .flat_map(|member| class_of(classes, member))
                .collect();
            for &member in &joined {
                classes.insert(member, joined.clone());
            }
        }
        JournalOperation::CommitRef(_) => {}
    }
}
