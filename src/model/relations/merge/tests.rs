//! What can be had of a wish.

use proptest::prelude::*;

use super::*;
use crate::model::relations::decisions::keeps_to;

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
        decisions: &Decisions::default(),
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
fn under_preserve_decisions_come_before_the_analysis_and_are_told() {
    let decisions: Decisions = [
        Verdict::Parted(Element(1), Element(2)),
        Verdict::Joined([Element(4), Element(5)].into()),
    ]
    .into_iter()
    .collect();
    let merged = merge(&Wish {
        current: &partition(&[&[4, 5]]),
        desired: &partition(&[&[1, 2, 3]]),
        policy: Policy::Preserve,
        decisions: &decisions,
        held: &BTreeMap::new(),
        max_relation_size: 9,
    });
    assert_eq!(classes(&merged.target), classes(&partition(&[&[1, 3], &[4, 5]])));
    assert_eq!(
        told(&merged),
        [
            (Left::KeptApart, vec![1, 2, 3], vec![Because::Decision]),
            (Left::RelationKept, vec![4, 5], vec![Because::Decision])
        ]
    );
    assert_eq!(merged.overruled, []);
}

#[test]
fn what_another_policy_overrules_is_told() {
    let decisions: Decisions = [Verdict::Parted(Element(1), Element(2)), Verdict::Parted(Element(1), Element(4))]
        .into_iter()
        .collect();
    let merged = merge(&Wish {
        current: &partition(&[]),
        desired: &partition(&[&[1, 2]]),
        policy: Policy::Authoritative,
        decisions: &decisions,
        held: &BTreeMap::new(),
        max_relation_size: 9,
    });
    assert_eq!(merged.overruled, [Verdict::Parted(Element(1), Element(2))]);
}

#[test]
fn a_chain_of_joins_beyond_the_limit_is_refused_and_stays_as_it_is() {
    let decisions: Decisions = [Verdict::Joined([Element(1), Element(2)].into())].into_iter().collect();
    let merged = merge(&Wish {
        current: &partition(&[&[1, 2], &[3, 4]]),
        desired: &partition(&[&[1, 3, 4], &[2, 5]]),
        policy: Policy::Preserve,
        decisions: &decisions,
        held: &BTreeMap::new(),
        max_relation_size: 4,
    });
    assert_eq!(classes(&merged.target), classes(&partition(&[&[1, 2], &[3, 4]])));
    let too_large = vec![Because::TooLarge { size: 5, limit: 4 }];
    assert!(told(&merged).contains(&(Left::ClassRefused, vec![1, 2, 3, 4, 5], too_large)));
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

#[derive(Debug)]
struct Case {
    current: Partition,
    desired: Partition,
    policy: Policy,
    decisions: Decisions,
    held: BTreeMap<Element, Because>,
    max_relation_size: usize,
}

impl Case {
    fn wish(&self) -> Wish<'_> {
        Wish {
            current: &self.current,
            desired: &self.desired,
            policy: self.policy,
            decisions: &self.decisions,
            held: &self.held,
            max_relation_size: self.max_relation_size,
        }
    }
}

/// Decisions that do not contradict each other.
fn decisions() -> impl Strategy<Value = Decisions> {
    let element = || (0..UNIVERSE as u32).prop_map(Element);
    (partitions(), prop::collection::btree_set((element(), element()), 0..6)).prop_map(|(joined, pairs)| {
        let parted = pairs
            .into_iter()
            .filter(|(one, other)| one < other && !is_within_class(&joined, &[*one, *other]))
            .map(|(one, other)| Verdict::Parted(one, other));
        let joined = joined
            .classes()
            .map(|class| Verdict::Joined(joined.members(class).iter().copied().collect()));
        joined.chain(parted).collect()
    })
}

fn cases() -> impl Strategy<Value = Case> {
    let policy = prop::sample::select(vec![Policy::Additive, Policy::Preserve, Policy::Authoritative]);
    let held = prop::collection::btree_map(
        (0..UNIVERSE as u32).prop_map(Element),
        prop_oneof![Just(BETA), Just(Because::Ended(ProjectId(2)))],
        0..3,
    );
    (partitions(), partitions(), policy, decisions(), held, 2_usize..8).prop_map(
        |(current, desired, policy, decisions, held, max_relation_size)| Case {
            current,
            desired,
            policy,
            decisions,
            held,
            max_relation_size,
        },
    )
}

proptest! {
    #[test]
    fn whoever_is_held_keeps_its_relation(case in cases()) {
        let merged = merge(&case.wish());
        for &element in case.held.keys().chain(&merged.held) {
            let before: BTreeSet<Element> = case.current.companions(element).collect();
            prop_assert_eq!(before, merged.target.companions(element).collect());
        }
    }

    #[test]
    fn additive_never_parts_what_is_together(case in cases()) {
        let target = merge(&Wish { policy: Policy::Additive, ..case.wish() }).target;
        for relation in case.current.classes() {
            prop_assert!(is_within_class(&target, case.current.members(relation)));
        }
    }

    /// Whatever else stands against it: what a decision has brought about in the tracker is not undone.
    #[test]
    fn preserve_undoes_no_decision_that_the_tracker_shows(case in cases()) {
        let target = merge(&Wish { policy: Policy::Preserve, ..case.wish() }).target;
        for verdict in case.decisions.iter().filter(|verdict| keeps_to(&case.current, verdict)) {
            prop_assert!(keeps_to(&target, &verdict), "{:?}", verdict);
        }
    }

    /// What was reached is where the next merge wants to go: nothing swings back and forth.
    #[test]
    fn what_was_merged_is_at_rest(case in cases()) {
        let target = merge(&case.wish()).target;
        let again = merge(&Wish { current: &target, ..case.wish() }).target;
        prop_assert_eq!(classes(&again), classes(&target));
    }

    #[test]
    fn no_relation_grows_beyond_the_limit(case in cases()) {
        let target = merge(&case.wish()).target;
        for class in target.classes() {
            let members = target.members(class);
            prop_assert!(members.len() <= case.max_relation_size || is_class_of(&case.current, members));
        }
    }

    #[test]
    fn every_patch_that_does_not_get_what_is_wanted_is_told_of(case in cases()) {
        let Case { desired, policy, .. } = &case;
        let merged = merge(&case.wish());
        let told: BTreeSet<Element> = merged.undone.iter().flat_map(|undone| &undone.patches).copied().collect();
        for element in (0..UNIVERSE as u32).map(Element) {
            let wanted: BTreeSet<Element> = desired.companions(element).collect();
            let given: BTreeSet<Element> = merged.target.companions(element).collect();
            let explained = wanted == given || wanted.union(&given).any(|companion| told.contains(companion));
            prop_assert!(explained, "under {policy} {element:?} is wanted in {wanted:?}, gets {given:?}, and nothing says why");
        }
    }
}
