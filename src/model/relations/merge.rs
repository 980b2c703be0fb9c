//! From what an analysis wants to what may be planned.
//!
//! Three things stand between the two: the tracker's policy, patches that must not be written to (the user does not maintain their
//! project, or they lie outside the tracker's projects), and the largest relation that is allowed. [`merge`] gives the partition that a
//! plan can reach, and says what had to be left undone and why. An element that is held keeps its relation as it is, and with it every
//! other member, because Patchwork lets nobody change a relation without maintaining all of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ClassId, Element, Partition, Policy};
use crate::model::ProjectId;

/// Why something wanted is not planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// The user does not maintain this project.
    Permission(ProjectId),
    /// A patch lies outside the tracker's projects.
    OutOfScope,
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
}

/// Merges what is wanted with what is there.
pub fn merge(wish: &Wish<'_>) -> Merged {
    let mut undone = Vec::new();
    let held = hold(wish, &mut undone);
    report_held(wish, &held, &mut undone);
    let reachable = overlay(wish, &held);
    let target = match wish.policy {
        Policy::Authoritative | Policy::Preserve => reachable,
        Policy::Additive => only_add(wish, &reachable, &mut undone),
    };
    undone.sort_unstable();
    Merged {
        target,
        held: held.into_keys().collect(),
        undone,
    }
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNIVERSE: usize = 12;

    fn partition(classes: &[&[u32]]) -> Partition {
        let classes: Vec<Vec<Element>> = classes.iter().map(|class| elements(class)).collect();
        Partition::from_classes(UNIVERSE, classes.iter().map(Vec::as_slice))
    }

    fn elements(numbers: &[u32]) -> Vec<Element> {
        numbers.iter().copied().map(Element).collect()
    }

    fn classes(partition: &Partition) -> BTreeSet<Vec<Element>> {
        partition.classes().map(|class| sorted(partition.members(class))).collect()
    }

    fn merged(current: &[&[u32]], desired: &[&[u32]], policy: Policy, held: &[(u32, Because)], limit: usize) -> Merged {
        let held = held.iter().map(|&(element, because)| (Element(element), because)).collect();
        let wish = Wish {
            current: &partition(current),
            desired: &partition(desired),
            policy,
            held: &held,
            max_relation_size: limit,
        };
        merge(&wish)
    }

    fn told(merged: &Merged) -> Vec<(Left, Vec<u32>, Vec<Because>)> {
        let tell = |undone: &Undone| {
            let patches = undone.patches.iter().map(|patch| patch.0).collect();
            (undone.left, patches, undone.because.iter().copied().collect())
        };
        merged.undone.iter().map(tell).collect()
    }

    const BETA: Because = Because::Permission(ProjectId(2));

    #[test]
    fn under_authoritative_what_is_wanted_is_the_target() {
        let merged = merged(&[&[1, 2], &[3, 4]], &[&[2, 3, 5]], Policy::Authoritative, &[], 9);
        assert_eq!(classes(&merged.target), classes(&partition(&[&[2, 3, 5]])));
        assert_eq!(told(&merged), []);
    }

    #[test]
    fn under_additive_relations_only_grow() {
        let merged = merged(&[&[1, 2]], &[&[1, 2, 3], &[4, 5]], Policy::Additive, &[], 9);
        assert_eq!(classes(&merged.target), classes(&partition(&[&[1, 2, 3], &[4, 5]])));
        assert_eq!(told(&merged), []);
    }

    #[test]
    fn under_additive_what_people_joined_stays_joined_and_is_told() {
        let merged = merged(&[&[1, 2]], &[], Policy::Additive, &[], 9);
        assert_eq!(classes(&merged.target), classes(&partition(&[&[1, 2]])));
        assert_eq!(told(&merged), [(Left::RelationKept, vec![1, 2], vec![Because::Policy])]);
    }

    #[test]
    fn under_additive_two_relations_stay_two_and_newcomers_join_the_larger() {
        let merged = merged(&[&[1, 2], &[3, 4, 5]], &[&[1, 2, 3, 4, 5, 6]], Policy::Additive, &[], 9);
        assert_eq!(classes(&merged.target), classes(&partition(&[&[1, 2], &[3, 4, 5, 6]])));
        assert_eq!(told(&merged), [(Left::KeptApart, vec![1, 2, 3, 4, 5, 6], vec![Because::Policy])]);
    }

    #[test]
    fn under_additive_a_relation_does_not_grow_beyond_the_limit() {
        let merged = merged(&[&[1, 2, 3]], &[&[1, 4], &[3, 5, 6]], Policy::Additive, &[], 4);
        assert_eq!(classes(&merged.target), classes(&partition(&[&[1, 2, 3, 4]])));
        let too_large = Because::TooLarge { size: 6, limit: 4 };
        assert_eq!(
            told(&merged),
            [
                (Left::RelationKept, vec![1, 2, 3], vec![Because::Policy]),
                (Left::LeftOut, vec![5, 6], vec![too_large])
            ]
        );
    }

    #[test]
    fn a_patch_that_may_not_be_written_stays_out_and_the_others_are_related_without_it() {
        let merged = merged(&[], &[&[1, 2, 3]], Policy::Authoritative, &[(3, BETA)], 9);
        assert_eq!(classes(&merged.target), classes(&partition(&[&[1, 2]])));
        assert_eq!(told(&merged), [(Left::LeftOut, vec![3], vec![BETA])]);
    }

    #[test]
    fn a_relation_with_a_member_that_may_not_be_written_is_left_alone_whole() {
        let merged = merged(&[&[1, 2, 3]], &[&[1, 4, 5]], Policy::Authoritative, &[(3, BETA)], 9);
        assert_eq!(classes(&merged.target), classes(&partition(&[&[1, 2, 3], &[4, 5]])));
        assert_eq!(merged.held, elements(&[1, 2, 3]).into_iter().collect());
        assert_eq!(told(&merged), [(Left::RelationKept, vec![1, 2, 3], vec![BETA])]);
    }

    #[test]
    fn a_held_relation_that_is_as_wanted_is_not_worth_a_word() {
        let merged = merged(&[&[1, 2]], &[&[1, 2]], Policy::Authoritative, &[(2, BETA)], 9);
        assert_eq!(told(&merged), []);
    }

    #[test]
    fn a_class_that_is_too_large_is_refused_whole_and_its_relations_stay() {
        let merged = merged(&[&[1, 2, 9]], &[&[1, 2, 3, 4], &[9, 10]], Policy::Authoritative, &[], 3);
        assert_eq!(classes(&merged.target), classes(&partition(&[&[1, 2, 9]])));
        let too_large = vec![Because::TooLarge { size: 4, limit: 3 }];
        let refused = (Left::ClassRefused, vec![1, 2, 3, 4], too_large.clone());
        assert_eq!(told(&merged), [refused, (Left::RelationKept, vec![1, 2, 9], too_large)]);
    }

    #[test]
    fn the_refusal_of_a_class_tells_of_its_relations_too() {
        let merged = merged(&[&[1, 2]], &[&[1, 2, 3, 4]], Policy::Authoritative, &[], 3);
        assert_eq!(
            told(&merged),
            [(Left::ClassRefused, vec![1, 2, 3, 4], vec![Because::TooLarge { size: 4, limit: 3 }])]
        );
    }

    #[test]
    fn a_relation_that_is_too_large_already_and_wanted_so_is_fine() {
        let merged = merged(&[&[1, 2, 3, 4]], &[&[1, 2, 3, 4]], Policy::Authoritative, &[], 3);
        assert_eq!(classes(&merged.target), classes(&partition(&[&[1, 2, 3, 4]])));
        assert_eq!(told(&merged), []);
    }

    fn partitions() -> impl Strategy<Value = Partition> {
        prop::collection::vec(0_u32..6, UNIVERSE)
            .prop_map(|labels| Partition::from_labels(UNIVERSE, 6, |element| Some(labels[element.index()]).filter(|&label| label > 0)))
    }

    fn wishes() -> impl Strategy<Value = (Partition, Partition, Policy, BTreeMap<Element, Because>, usize)> {
        let policy = prop_oneof![Just(Policy::Additive), Just(Policy::Authoritative)];
        let held = prop::collection::btree_map((0..UNIVERSE as u32).prop_map(Element), Just(BETA), 0..3);
        (partitions(), partitions(), policy, held, 2_usize..8)
    }

    proptest! {
        #[test]
        fn whoever_is_held_keeps_its_relation((current, desired, policy, held, limit) in wishes()) {
            let merged = merge(&Wish { current: &current, desired: &desired, policy, held: &held, max_relation_size: limit });
            for &element in held.keys().chain(&merged.held) {
                let before: BTreeSet<Element> = current.companions(element).collect();
                prop_assert_eq!(before, merged.target.companions(element).collect());
            }
        }

        #[test]
        fn additive_never_parts_what_is_together((current, desired, _, held, limit) in wishes()) {
            let wish = Wish { current: &current, desired: &desired, policy: Policy::Additive, held: &held, max_relation_size: limit };
            let target = merge(&wish).target;
            for relation in current.classes() {
                let class = target.class_of(current.members(relation)[0]);
                prop_assert!(class.is_some());
                prop_assert!(current.members(relation).iter().all(|&member| target.class_of(member) == class));
            }
        }

        #[test]
        fn no_relation_grows_beyond_the_limit((current, desired, policy, held, limit) in wishes()) {
            let target = merge(&Wish { current: &current, desired: &desired, policy, held: &held, max_relation_size: limit }).target;
            for class in target.classes() {
                let members = target.members(class);
                prop_assert!(members.len() <= limit || is_class_of(&current, members));
            }
        }

        #[test]
        fn every_patch_that_does_not_get_what_is_wanted_is_told_of((current, desired, policy, held, limit) in wishes()) {
            let merged = merge(&Wish { current: &current, desired: &desired, policy, held: &held, max_relation_size: limit });
            let told: BTreeSet<Element> = merged.undone.iter().flat_map(|undone| &undone.patches).copied().collect();
            for element in (0..UNIVERSE as u32).map(Element) {
                let wanted: BTreeSet<Element> = desired.companions(element).collect();
                let given: BTreeSet<Element> = merged.target.companions(element).collect();
                let explained = wanted == given || wanted.union(&given).any(|companion| told.contains(companion));
                prop_assert!(explained, "{element:?} is wanted in {wanted:?}, gets {given:?}, and nothing says why");
            }
        }
    }
}
