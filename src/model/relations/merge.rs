//! From what an analysis wants to what may be planned.
//!
//! Three things stand between the two: the tracker's policy, patches that must not be written to (the user does not maintain their
//! project, its collection has ended, or they lie outside the tracker's projects), and the largest relation that is allowed. [`merge`] gives the partition that a
//! plan can reach, and says what had to be left undone and why. An element that is held keeps its relation as it is, and with it every
//! other member, because Patchwork lets nobody change a relation without maintaining all of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::decisions::{Decisions, Verdict};
use super::{ClassId, Element, Partition, Policy};
use crate::model::ProjectId;

/// Why something wanted is not planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// The user does not maintain this project.
    Permission(ProjectId),
    /// A patch lies outside the tracker's projects.
    OutOfScope,
    /// The collection that this project is of has ended.
    Ended(ProjectId),
    /// A relation would have more members than allowed.
    TooLarge {
        /// How many members it would have.
        size: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The policy is to relate only.
    Policy,
    /// The tracker refused a write to a patch, and no read explains why.
    Refused,
    /// Somebody decided otherwise by hand.
    Decision,
}

/// What was left undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Left {
    /// A desired class was refused whole; its patches stay as they are.
    ClassRefused,
    /// A relation stays as it is, though it is wanted otherwise.
    RelationKept,
    /// Patches stay out of the class that they are wanted in.
    LeftOut,
    /// The parts of a desired class stay in relations of their own.
    KeptApart,
}

/// Something wanted that is not planned: data, like the plan itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undone {
    /// The patches that it is about, ascending.
    pub patches: Vec<Element>,
    /// What was left undone.
    pub left: Left,
    /// Why.
    pub because: BTreeSet<Because>,
}

/// What an analysis wants of a tracker, and what it has to reckon with. Elements are numbered in their order.
#[derive(Debug)]
pub struct Wish<'a> {
    /// What the tracker has.
    pub current: &'a Partition,
    /// What the analysis wants.
    pub desired: &'a Partition,
    /// How far the plan may go.
    pub policy: Policy,
    /// What people decided by hand. Under [`Policy::Preserve`] it comes before what the analysis wants.
    pub decisions: &'a Decisions,
    /// Patches that must not be written to.
    pub held: &'a BTreeMap<Element, Because>,
    /// How many members a relation may have, at most.
    pub max_relation_size: usize,
}

/// What can be had of a [`Wish`].
#[derive(Debug)]
#[must_use = "what is left undone has to be told"]
pub struct Merged {
    /// The partition to plan for.
    pub target: Partition,
    /// Elements that no write may touch: those held, and everybody who shares a relation with them.
    pub held: BTreeSet<Element>,
    /// What is not planned, ordered by its patches.
    pub undone: Vec<Undone>,
    /// Decisions that the target does not keep to.
    pub overruled: Vec<Verdict>,
}

/// Merges what is wanted with what is there.
pub fn merge(wish: &Wish<'_>) -> Merged {
    let mut undone = Vec::new();
    let (held, target) = match wish.policy {
        Policy::Preserve => {
            let decided = wish.decisions.over(wish.desired, wish.current);
            report_decisions(decided.kept, Left::RelationKept, &mut undone);
            report_decisions(decided.apart, Left::KeptApart, &mut undone);
            let desired = &decided.partition;
            reach(&Wish { desired, ..*wish }, &mut undone)
        }
        Policy::Authoritative => reach(wish, &mut undone),
        Policy::Additive => {
            let (held, reachable) = reach(wish, &mut undone);
            let target = only_add(wish, &reachable, &mut undone);
            (held, target)
        }
    };
    undone.sort_unstable();
    Merged {
        held: held.into_keys().collect(),
        undone,
        overruled: wish.decisions.overruled_by(&target).collect(),
        target,
    }
}

fn report_decisions(decided: Vec<Vec<Element>>, left: Left, undone: &mut Vec<Undone>) {
    undone.extend(decided.into_iter().map(|patches| Undone {
        patches,
        left,
        because: BTreeSet::from([Because::Decision]),
    }));
}

/// What is wanted, as far as it may be written.
fn reach(wish: &Wish<'_>, undone: &mut Vec<Undone>) -> (Held, Partition) {
    let held = hold(wish, undone);
    report_held(wish, &held, undone);
    let target = overlay(wish, &held);
    (held, target)
}

type Held = BTreeMap<Element, BTreeSet<Because>>;

/// Whom no write may touch: patches held, members of classes that are too large, and everybody who shares a relation with one of them.
fn hold(wish: &Wish<'_>, undone: &mut Vec<Undone>) -> Held {
    let mut held: Held = wish
        .held
        .iter()
        .map(|(&element, &because)| (element, BTreeSet::from([because])))
        .collect();
    for class in wish.desired.classes() {
        let members = wish.desired.members(class);
        if members.len() > wish.max_relation_size && !is_class_of(wish.current, members) {
            let because = Because::TooLarge {
                size: members.len(),
                limit: wish.max_relation_size,
            };
            undone.push(Undone {
                patches: sorted(members),
                left: Left::ClassRefused,
                because: BTreeSet::from([because]),
            });
            for &member in members {
                held.entry(member).or_default().insert(because);
            }
        }
    }
    let relations: BTreeSet<ClassId> = held.keys().filter_map(|&element| wish.current.class_of(element)).collect();
    for relation in relations {
        let members = wish.current.members(relation);
        let because: BTreeSet<Because> = members.iter().filter_map(|member| held.get(member)).flatten().copied().collect();
        held.extend(members.iter().map(|&member| (member, because.clone())));
    }
    held
}

fn report_held(wish: &Wish<'_>, held: &Held, undone: &mut Vec<Undone>) {
    let is_refused = |because: &BTreeSet<Because>| because.iter().all(|because| matches!(because, Because::TooLarge { .. }));
    let mut relations = BTreeSet::new();
    let mut outsiders: BTreeMap<ClassId, Vec<Element>> = BTreeMap::new();
    for (&element, because) in held {
        if let Some(relation) = wish.current.class_of(element) {
            let members = wish.current.members(relation);
            // The refusal of their class has told of these already.
            let is_told = is_refused(because) && is_within_class(wish.desired, members);
            if relations.insert(relation) && !is_told && !is_class_of(wish.desired, members) {
                undone.push(Undone {
                    patches: sorted(members),
                    left: Left::RelationKept,
                    because: because.clone(),
                });
            }
        } else if let Some(class) = wish.desired.class_of(element).filter(|_| !is_refused(because)) {
            outsiders.entry(class).or_default().push(element);
        }
    }
    for patches in outsiders.into_values() {
        let because = patches.iter().flat_map(|patch| &held[patch]).copied().collect();
        undone.push(Undone {
            patches,
            left: Left::LeftOut,
            because,
        });
    }
}

/// What is wanted, except that whoever is held stays as it is.
fn overlay(wish: &Wish<'_>, held: &Held) -> Partition {
    let relations = wish.current.len() as u32;
    Partition::from_labels(wish.current.universe(), wish.current.len() + wish.desired.len(), |element| {
        if held.contains_key(&element) {
            wish.current.class_of(element).map(|relation| relation.0)
        } else {
            wish.desired.class_of(element).map(|class| relations + class.0)
        }
    })
}

/// What can be had of `wanted` by relating alone: every relation stays whole, and patches that are in none join the relation that has most
/// of their class, or make a new one where none has any.
fn only_add(wish: &Wish<'_>, wanted: &Partition, undone: &mut Vec<Undone>) -> Partition {
    let Wish {
        current,
        max_relation_size: limit,
        ..
    } = *wish;
    let policy = BTreeSet::from([Because::Policy]);
    for relation in current.classes() {
        let members = current.members(relation);
        if !is_within_class(wanted, members) {
            undone.push(Undone {
                patches: sorted(members),
                left: Left::RelationKept,
                because: policy.clone(),
            });
        }
    }
    let mut sizes: Vec<usize> = current.classes().map(|relation| current.members(relation).len()).collect();
    let mut joins: BTreeMap<Element, ClassId> = BTreeMap::new();
    let mut left_out: BTreeSet<Element> = BTreeSet::new();
    for class in by_first_member(wanted) {
        let members = wanted.members(class);
        let newcomers: Vec<Element> = members
            .iter()
            .copied()
            .filter(|&member| current.class_of(member).is_none())
            .collect();
        let relations = relations_of(current, members);
        if relations.len() >= 2 {
            undone.push(Undone {
                patches: sorted(members),
                left: Left::KeptApart,
                because: policy.clone(),
            });
        }
        let base = relations
            .iter()
            .max_by_key(|(_, (shared, first))| (shared, std::cmp::Reverse(first)));
        let Some((&base, _)) = base.filter(|_| !newcomers.is_empty()) else {
            continue;
        };
        let size = sizes[base.index()] + newcomers.len();
        if size > limit {
            let because = BTreeSet::from([Because::TooLarge { size, limit }]);
            left_out.extend(&newcomers);
            undone.push(Undone {
                patches: sorted(&newcomers),
                left: Left::LeftOut,
                because,
            });
        } else {
            sizes[base.index()] = size;
            joins.extend(newcomers.into_iter().map(|newcomer| (newcomer, base)));
        }
    }
    let relations = current.len() as u32;
    Partition::from_labels(current.universe(), current.len() + wanted.len(), |element| {
        let relation = current.class_of(element).or_else(|| joins.get(&element).copied());
        let fresh = || {
            wanted
                .class_of(element)
                .filter(|_| !left_out.contains(&element))
                .map(|class| relations + class.0)
        };
        relation.map(|relation| relation.0).or_else(fresh)
    })
}

/// For each relation that has some of the members: how many it has, and the first of them.
fn relations_of(current: &Partition, members: &[Element]) -> BTreeMap<ClassId, (usize, Element)> {
    let mut relations: BTreeMap<ClassId, (usize, Element)> = BTreeMap::new();
    for &member in members {
        if let Some(relation) = current.class_of(member) {
            let (shared, first) = relations.entry(relation).or_insert((0, member));
            *shared += 1;
            *first = member.min(*first);
        }
    }
    relations
}

fn by_first_member(partition: &Partition) -> Vec<ClassId> {
    let mut classes: Vec<ClassId> = partition.classes().collect();
    classes.sort_unstable_by_key(|&class| partition.members(class).iter().min().copied());
    classes
}

/// Whether `members` are just the members of one class of the partition.
fn is_class_of(partition: &Partition, members: &[Element]) -> bool {
    let class = partition.class_of(members[0]);
    class.is_some_and(|class| partition.members(class).len() == members.len()) && is_within_class(partition, members)
}

/// Whether `members` are all in one class of the partition.
fn is_within_class(partition: &Partition, members: &[Element]) -> bool {
    let class = partition.class_of(members[0]);
    class.is_some() && members.iter().all(|&member| partition.class_of(member) == class)
}

fn sorted(members: &[Element]) -> Vec<Element> {
    let mut members = members.to_vec();
    members.sort_unstable();
    members
}

#[cfg(test)]
mod tests;
