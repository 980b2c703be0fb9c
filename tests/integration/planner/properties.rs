//! What holds for every plan, on random partitions.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use kinset::model::relations::checker::{Terms, Violation, check};
use kinset::model::relations::{AttachLimit, ClearReason, Element, Numbered, Operation, Partition, Plan, Policy, RelateReason, Universe};
use proptest::prelude::*;

use super::formula::{Fewest, fewest};
use super::replay::{Model, Simulated, Tracker, carry_out};
use super::{Classes, at_most, partition, plan_between};

const MOST_PATCHES: usize = 40;

/// A change of some patches, in plain words.
#[derive(Clone, Debug)]
struct Case {
    patches: usize,
    current: Classes,
    desired: Classes,
    /// Patches that the desired partition does not even name.
    unnamed: BTreeSet<u32>,
    attach_limit: AttachLimit,
}

impl Case {
    fn universe(&self) -> Numbered {
        Numbered::with_unnamed(self.unnamed.iter().copied().map(Element).collect())
    }

    fn plan(&self) -> Plan {
        let (current, desired) = (partition(self.patches, &self.current), partition(self.patches, &self.desired));
        plan_between(&self.universe(), &current, &desired, self.attach_limit)
    }
}

/// Patches with the same label are in one class.
fn classes(labels: &[usize]) -> Classes {
    let mut members: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
    for (patch, &label) in (0..).zip(labels) {
        members.entry(label).or_default().insert(patch);
    }
    members.into_values().filter(|members| members.len() >= 2).collect()
}

/// Labels for partitions of every kind: many small classes, a few large ones, hardly any, and rows of classes of one size, which form
/// chains with rows that are shifted against them.
fn labels(patches: usize) -> impl Strategy<Value = Vec<usize>> {
    let any = |labels: usize| prop::collection::vec(0..labels, patches);
    let row = (1..6_usize, 0..6_usize).prop_map(move |(size, shift)| (0..patches).map(|patch| (patch + shift) / size).collect());
    prop_oneof![any(patches / 2 + 1), any(patches / 8 + 1), any(3 * patches + 1), row]
}

/// The labels, with some patches moved.
fn moved(labels: Vec<usize>) -> impl Strategy<Value = Vec<usize>> {
    let most = labels.len();
    prop::collection::vec((0..most.max(1), 0..=most), 0..8).prop_map(move |moves| {
        let mut labels = labels.clone();
        for (patch, label) in moves {
            if let Some(own) = labels.get_mut(patch) {
                *own = label;
            }
        }
        labels
    })
}

fn cases() -> impl Strategy<Value = Case> {
    let both_sides = (0..=MOST_PATCHES).prop_flat_map(|patches| (labels(patches), labels(patches), Just(patches)));
    let related = both_sides.prop_flat_map(|(current, other, patches)| {
        let desired = prop_oneof![Just(other), moved(current.clone())];
        (
            Just(current),
            desired,
            prop::collection::btree_set(0..=patches as u32, 0..4),
            0..7_u32,
        )
    });
    related.prop_map(|(current, desired, mut unnamed, ids)| {
        let patches = current.len();
        let (current, desired) = (classes(&current), classes(&desired));
        unnamed.retain(|patch| !desired.iter().flatten().any(|named| named == patch));
        Case {
            patches,
            current,
            desired,
            unnamed,
            attach_limit: at_most(ids),
        }
    })
}

/// A step by the names of its patches.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Spelled {
    Clear(u32, ClearReason),
    Relate(u32, Vec<u32>, RelateReason),
}

fn spell(plan: &Plan, name: impl Fn(Element) -> u32) -> Vec<Vec<Spelled>> {
    let steps = plan.components().map(|steps| {
        let spelled = steps.map(|step| match step.operation {
            Operation::Clear(reason) => Spelled::Clear(name(step.patch), reason),
            Operation::Relate(related, reason) => Spelled::Relate(name(step.patch), related.iter().copied().map(&name).collect(), reason),
        });
        spelled.collect()
    });
    steps.collect()
}

/// A universe whose elements are numbered in any order; each has a name, and the names are what is compared.
#[derive(Debug)]
struct Renumbered {
    name_of: Vec<u32>,
    unnamed: BTreeSet<u32>,
}

impl Renumbered {
    fn name(&self, element: Element) -> u32 {
        self.name_of[element.index()]
    }

    fn element_of(&self) -> BTreeMap<u32, Element> {
        (0..)
            .map(Element)
            .zip(&self.name_of)
            .map(|(element, &name)| (name, element))
            .collect()
    }
}

impl Universe for Renumbered {
    fn compare(&self, left: Element, right: Element) -> Ordering {
        self.name(left).cmp(&self.name(right))
    }

    /// Coarse on purpose: patches of equal rank must be told apart by comparing them.
    fn rank(&self, element: Element) -> u64 {
        u64::from(self.name(element) / 5)
    }

    fn is_named(&self, element: Element) -> bool {
        !self.unnamed.contains(&self.name(element))
    }
}

fn permutations(length: usize) -> impl Strategy<Value = Vec<u32>> {
    Just((0..length as u32).collect::<Vec<_>>()).prop_shuffle()
}

/// The classes and their members in the order that `shuffled`, a permutation of the patches, gives them.
fn in_order_of(shuffled: &[u32], classes: &Classes, element_of: &BTreeMap<u32, Element>) -> Vec<Vec<Element>> {
    let mut classes: Vec<Vec<u32>> = classes.iter().map(|class| class.iter().copied().collect()).collect();
    let place = |patch: u32| shuffled[patch as usize];
    for class in &mut classes {
        class.sort_by_key(|&patch| place(patch));
    }
    classes.sort_by_key(|class| place(class[0]));
    classes
        .into_iter()
        .map(|class| class.into_iter().map(|patch| element_of[&patch]).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn carrying_a_plan_out_gives_exactly_the_desired_partition(case in cases()) {
        let mut model = Model::with_relations(&case.current);
        prop_assert_eq!(carry_out(&case.plan(), &mut model, case.attach_limit, |element| element.0), Ok(()));
        prop_assert_eq!(&model.relations(), &case.desired);

        let mut simulated = Simulated::with_relations(case.patches, &case.current);
        prop_assert_eq!(carry_out(&case.plan(), &mut simulated, case.attach_limit, |element| element.0), Ok(()));
        prop_assert_eq!(&simulated.relations(), &case.desired);
    }

    #[test]
    fn a_plan_leaves_alone_what_is_as_desired(case in cases()) {
        let as_desired: BTreeSet<u32> = case.current.intersection(&case.desired).flatten().copied().collect();
        let plan = case.plan();
        for step in plan.steps() {
            prop_assert!(!as_desired.contains(&step.patch.0), "{:?}", step);
        }
    }

    #[test]
    fn after_a_plan_there_is_nothing_left_to_do(case in cases()) {
        let mut tracker = Model::with_relations(&case.current);
        carry_out(&case.plan(), &mut tracker, case.attach_limit, |element| element.0).unwrap();
        let again = Case { current: tracker.relations(), ..case };
        prop_assert!(again.plan().is_empty());
    }

    #[test]
    fn writes_and_members_kept_are_as_the_formula_says(case in cases()) {
        let plan = case.plan();
        let before = Model::with_relations(&case.current);
        let mut after = before.clone();
        carry_out(&plan, &mut after, case.attach_limit, |element| element.0).unwrap();
        let related = case.current.iter().flatten();
        let kept = related.filter(|&&patch| before.relation_of(patch) == after.relation_of(patch)).count();
        // Relations that are as desired keep all their members, with no write at all.
        prop_assert_eq!(Fewest { writes: plan.writes(), kept }, fewest(&case.current, &case.desired, case.attach_limit));
        prop_assert_eq!(plan.writes(), plan.clears() + plan.relates());
        prop_assert_eq!(plan.steps().filter(|step| matches!(step.operation, Operation::Clear(_))).count(), plan.clears());
    }

    #[test]
    fn each_component_clears_first_and_shares_no_patch_with_another(case in cases()) {
        let mut seen = BTreeSet::new();
        for component in spell(&case.plan(), |element| element.0) {
            prop_assert!(component.is_sorted_by_key(|step| matches!(step, Spelled::Relate(..))), "{:?}", component);
            let patches: BTreeSet<u32> = component
                .into_iter()
                .flat_map(|step| match step {
                    Spelled::Clear(patch, _) => vec![patch],
                    Spelled::Relate(patch, related, _) => [vec![patch], related].concat(),
                })
                .collect();
            prop_assert!(seen.is_disjoint(&patches));
            seen.extend(patches);
        }
    }

    #[test]
    fn each_step_says_why(case in cases()) {
        let wanted = |patch: u32| case.desired.iter().find(|class| class.contains(&patch));
        let mut begun: BTreeSet<u32> = BTreeSet::new();
        for step in spell(&case.plan(), |element| element.0).into_iter().flatten() {
            match step {
                Spelled::Clear(patch, reason) => {
                    let expected = match wanted(patch) {
                        Some(_) => ClearReason::Moves,
                        None if case.unnamed.contains(&patch) => ClearReason::Unnamed,
                        None => ClearReason::Alone,
                    };
                    prop_assert_eq!(reason, expected);
                }
                Spelled::Relate(patch, related, reason) => {
                    let class = wanted(patch).expect("what is related is wanted in a class");
                    prop_assert!(related.iter().all(|other| class.contains(other)));
                    let is_begun = class.iter().any(|member| begun.contains(member));
                    let expected = match reason {
                        RelateReason::Joins => !is_begun,
                        RelateReason::Forms => !is_begun && begun.insert(patch),
                        RelateReason::Continues => is_begun,
                    };
                    prop_assert!(expected, "{:?} of {} to {:?}", reason, patch, related);
                }
            }
        }
    }

    #[test]
    fn the_order_of_the_input_changes_nothing(
        (case, name_of, shuffled) in cases().prop_flat_map(|case| {
            let patches = case.patches;
            (Just(case), permutations(patches), permutations(patches))
        })
    ) {
        let universe = Renumbered { name_of, unnamed: case.unnamed.clone() };
        let element_of = universe.element_of();
        let (current, desired) = (in_order_of(&shuffled, &case.current, &element_of), in_order_of(&shuffled, &case.desired, &element_of));
        let joined = |classes: &[Vec<Element>]| Partition::from_classes(case.patches, classes.iter().map(Vec::as_slice));
        let disjoint = |classes: &[Vec<Element>]| Partition::from_disjoint(case.patches, classes.iter().map(|class| class.iter().copied()));
        let expected = spell(&case.plan(), |element| element.0);
        let plan = plan_between(&universe, &joined(&current), &joined(&desired), case.attach_limit);
        prop_assert_eq!(&spell(&plan, |element| universe.name(element)), &expected);
        let plan = plan_between(&universe, &disjoint(&current).unwrap(), &disjoint(&desired).unwrap(), case.attach_limit);
        prop_assert_eq!(&spell(&plan, |element| universe.name(element)), &expected);
    }

    #[test]
    fn the_checker_passes_every_plan_on_its_own_terms_and_on_no_others(case in cases()) {
        let (current, target) = (partition(case.patches, &case.current), partition(case.patches, &case.desired));
        let plan = case.plan();
        let largest = case.desired.iter().map(BTreeSet::len).max();
        let nothing_held = BTreeSet::new();
        let terms = || Terms {
            current: &current,
            target: &target,
            held: &nothing_held,
            policy: Some(Policy::Authoritative),
            decisions: None,
            attach_limit: case.attach_limit,
            max_relation_size: largest,
        };
        prop_assert_eq!(check(&plan, &terms()), Ok(()));

        let additive = check(&plan, &Terms { policy: Some(Policy::Additive), ..terms() });
        prop_assert_eq!(additive.is_ok(), plan.clears() == 0);
        let backwards = check(&plan, &Terms { target: &current, ..terms() });
        prop_assert_eq!(backwards.is_ok(), plan.is_empty());
        for step in plan.steps() {
            let held = BTreeSet::from([step.patch]);
            let verdict = check(&plan, &Terms { held: &held, ..terms() });
            let touches_held = matches!(verdict, Err(Violation::TouchesHeld { patch, .. }) if patch == step.patch);
            prop_assert!(touches_held, "{:?}", verdict);
        }
    }
}

#[test]
fn a_chain_of_many_relations_is_one_component() {
    const CLASSES: u32 = 10_000;
    let chain = |shift: u32| (0..CLASSES).map(move |class| (0..4).map(move |member| Element(4 * class + shift + member)));
    let partition = |shift| {
        Partition::from_disjoint(
            4 * CLASSES as usize + 2,
            chain(shift).map(|class| class.collect::<Vec<_>>().into_iter()),
        )
        .unwrap()
    };
    let plan = plan_between(&Numbered::default(), &partition(0), &partition(2), AttachLimit::Unlimited);
    assert_eq!(plan.components().len(), 1);
    // Each relation keeps the two members that it shares with one wanted class, loses two, and takes two in.
    assert_eq!((plan.clears(), plan.relates()), (2 * CLASSES as usize, CLASSES as usize));
}

#[test]
fn a_tie_falls_the_same_way_whatever_the_order_of_the_classes() {
    let class = |members: [u32; 4]| members.map(Element).to_vec();
    let plan = |current: [[u32; 4]; 2], desired: [[u32; 4]; 2]| {
        let partition = |classes: [[u32; 4]; 2]| Partition::from_disjoint(8, classes.into_iter().map(|members| class(members).into_iter()));
        let (current, desired) = (partition(current).unwrap(), partition(desired).unwrap());
        spell(
            &plan_between(&Numbered::default(), &current, &desired, AttachLimit::Unlimited),
            |element| element.0,
        )
    };
    // Every relation shares two members with every wanted class, so that all ways are equally short.
    let (current, desired) = ([[0, 1, 2, 3], [4, 5, 6, 7]], [[0, 1, 4, 5], [2, 3, 6, 7]]);
    let expected = plan(current, desired);
    let turned = |[one, other]: [[u32; 4]; 2]| [other, one];
    assert_eq!(plan(turned(current), desired), expected);
    assert_eq!(plan(current, turned(desired)), expected);
    assert_eq!(plan(turned(current), turned(desired)), expected);
}
