//! What people decided, over what an analysis wants.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::relations::decisions::{Decisions, Revision, Verdict, agrees, keeps_to, revise};
use kinset::model::relations::edits::Edits;
use kinset::model::relations::{Element, Numbered, Partition};
use proptest::prelude::*;

const UNIVERSE: usize = 9;

fn elements<C: FromIterator<Element>>(numbers: &[u32]) -> C {
    numbers.iter().copied().map(Element).collect()
}

fn partition(classes: &[&[u32]]) -> Partition {
    let classes: Vec<Vec<Element>> = classes.iter().map(|class| elements(class)).collect();
    Partition::from_classes(UNIVERSE, classes.iter().map(Vec::as_slice))
}

fn labelled(labels: &[u32]) -> Partition {
    Partition::from_labels(UNIVERSE, UNIVERSE, |element| Some(labels[element.index()]))
}

fn classes(partition: &Partition) -> BTreeSet<BTreeSet<Element>> {
    partition
        .classes()
        .map(|class| partition.members(class).iter().copied().collect())
        .collect()
}

fn joined(numbers: &[u32]) -> Verdict {
    Verdict::Joined(elements(numbers))
}

fn parted(one: u32, other: u32) -> Verdict {
    Verdict::Parted(Element(one), Element(other))
}

fn assert_over(decisions: &[Verdict], desired: &[&[u32]], current: &[&[u32]], wanted: &[&[u32]]) {
    let decided = decisions
        .iter()
        .cloned()
        .collect::<Decisions>()
        .over(&partition(desired), &partition(current));
    assert_eq!(classes(&decided.partition), classes(&partition(wanted)));
}

fn revision(standing: &[Verdict], before: &[&[u32]], after: &[&[u32]]) -> Revision {
    let after = partition(after);
    revise(standing, &Edits::between(&partition(before), &after), &after)
}

#[test]
fn without_decisions_an_analysis_gets_what_it_wants() {
    assert_over(&[], &[&[1, 2, 3]], &[&[3, 4]], &[&[1, 2, 3]]);
}

#[test]
fn what_was_joined_brings_together_what_the_analysis_wants_with_it() {
    assert_over(&[joined(&[1, 2])], &[&[1, 3], &[2, 4]], &[], &[&[1, 2, 3, 4]]);
    assert_over(&[joined(&[1, 2])], &[], &[&[1, 2]], &[&[1, 2]]);
}

#[test]
fn what_was_taken_out_stays_out_and_the_others_stay_together() {
    let out = [parted(1, 2), parted(1, 3)];
    assert_over(&out, &[&[1, 2, 3]], &[&[2, 3]], &[&[2, 3]]);
}

#[test]
fn what_was_moved_stays_where_it_was_moved_to() {
    let moved = [joined(&[1, 4, 5]), parted(1, 2), parted(1, 3)];
    assert_over(&moved, &[&[1, 2, 3], &[4, 5]], &[&[2, 3], &[1, 4, 5]], &[&[2, 3], &[1, 4, 5]]);
}

#[test]
fn a_newcomer_joins_the_larger_part_of_a_class_that_was_parted() {
    let out = [parted(1, 2), parted(1, 3)];
    assert_over(&out, &[&[0, 1, 2, 3]], &[&[2, 3]], &[&[0, 2, 3]]);
}

#[test]
fn who_is_related_already_stays_so_when_a_class_comes_apart() {
    let split = [parted(1, 5)];
    assert_over(&split, &[&[1, 2, 5, 6]], &[&[1, 2], &[5, 6]], &[&[1, 2], &[5, 6]]);
    assert_over(&split, &[&[1, 2, 5, 6]], &[&[1, 6], &[2, 5]], &[&[1, 6], &[2, 5]]);
}

#[test]
fn what_decisions_change_of_an_analysis_is_told() {
    let decisions: Decisions = [joined(&[4, 5]), joined(&[6, 7]), parted(1, 2)].into_iter().collect();
    let decided = decisions.over(&partition(&[&[1, 2, 3], &[4, 5]]), &partition(&[&[2, 3], &[6, 7]]));
    assert_eq!(decided.kept, [elements::<Vec<_>>(&[6, 7])]);
    assert_eq!(decided.apart, [elements::<Vec<_>>(&[1, 2, 3])]);
    let overruled: Vec<Verdict> = decisions.overruled_by(&partition(&[&[1, 2], &[6, 7]])).collect();
    assert_eq!(overruled, [joined(&[4, 5]), parted(1, 2)]);
}

#[test]
fn who_joins_decides_for_the_whole_relation() {
    let revision = revision(&[], &[&[1, 2]], &[&[1, 2, 3]]);
    assert_eq!(revision.made, [joined(&[1, 2, 3])].into());
    assert!(revision.superseded.is_empty());
}

#[test]
fn who_takes_out_decides_for_each_that_was_left() {
    let revision = revision(&[], &[&[1, 2, 3]], &[&[2, 3]]);
    assert_eq!(revision.made, [parted(1, 2), parted(1, 3)].into());
}

#[test]
fn a_later_parting_takes_a_joined_set_apart() {
    let revision = revision(&[joined(&[1, 2, 3])], &[&[1, 2, 3]], &[&[2, 3]]);
    assert_eq!(revision.superseded, [0].into());
    assert_eq!(revision.remains, [(joined(&[2, 3]), 0)]);
    assert_eq!(revision.made, [parted(1, 2), parted(1, 3)].into());
}

#[test]
fn a_later_join_ends_the_partings_within() {
    let standing = [parted(1, 2), parted(1, 3), parted(1, 9)];
    let revision = revision(&standing[..2], &[&[2, 3]], &[&[1, 2, 3]]);
    assert_eq!(revision.superseded, [0, 1].into());
    assert_eq!(revision.made, [joined(&[1, 2, 3])].into());
}

#[test]
fn a_join_brings_along_what_was_joined_before_although_the_tracker_never_took_it() {
    let revision = revision(&[joined(&[1, 7]), parted(2, 7)], &[], &[&[1, 2]]);
    assert_eq!(revision.superseded, [0, 1].into());
    assert_eq!(revision.made, [joined(&[1, 2, 7])].into());
}

#[test]
fn a_join_brings_nothing_along_that_was_parted_from_it_in_the_same_breath() {
    // 7 was joined with 1, which the tracker never took, and is now parted from 2, which is now joined with 1.
    let revision = revision(&[joined(&[1, 7])], &[&[2, 7]], &[&[1, 2]]);
    assert_eq!(revision.superseded, [0].into());
    assert_eq!(revision.made, [joined(&[1, 2]), parted(2, 7)].into());
}

#[test]
fn doing_again_what_was_decided_changes_nothing() {
    assert_eq!(revision(&[joined(&[1, 2])], &[], &[&[1, 2]]), Revision::default());
    assert_eq!(revision(&[parted(1, 2)], &[&[1, 2]], &[]), Revision::default());
}

fn agreed(verdict: &Verdict, desired: &[&[u32]], joins: &[Verdict], universe: &Numbered) -> bool {
    let desired = partition(desired);
    let joined_over = joins.iter().cloned().collect::<Decisions>().joined_over(&desired);
    agrees(verdict, &desired, &joined_over, universe)
}

#[test]
fn an_analysis_agrees_with_a_parting_only_if_it_names_both() {
    let named = Numbered::default();
    let unnamed = Numbered::with_unnamed([Element(2)].into());
    assert!(agreed(&parted(1, 2), &[], &[], &named));
    assert!(!agreed(&parted(1, 2), &[], &[], &unnamed));
    assert!(!agreed(&parted(1, 2), &[&[1, 2]], &[], &named));
}

/// Without the parting, 1 and 2 would be in one class, because others of theirs were joined.
#[test]
fn an_analysis_that_only_the_parting_keeps_apart_does_not_agree_with_it() {
    let universe = Numbered::default();
    assert!(agreed(&parted(1, 2), &[&[1, 3], &[2, 4]], &[], &universe));
    assert!(!agreed(&parted(1, 2), &[&[1, 3], &[2, 4]], &[joined(&[3, 4])], &universe));
}

#[test]
fn an_analysis_agrees_with_a_join_when_it_wants_all_of_it() {
    let universe = Numbered::default();
    assert!(agreed(&joined(&[1, 2, 3]), &[&[0, 1, 2, 3]], &[], &universe));
    assert!(!agreed(&joined(&[1, 2, 3]), &[&[1, 2], &[3, 4]], &[], &universe));
}

fn labels() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0..UNIVERSE as u32, UNIVERSE)
}

/// Decisions as they stand after some edits that nobody answered.
fn standing() -> impl Strategy<Value = Vec<Verdict>> {
    prop::collection::vec(labels(), 0..5).prop_map(|states| {
        let mut standing = Vec::new();
        let mut before = partition(&[]);
        for state in states {
            let after = labelled(&state);
            standing = revised(&standing, &before, &after);
            before = after;
        }
        standing
    })
}

fn revised(standing: &[Verdict], before: &Partition, after: &Partition) -> Vec<Verdict> {
    let revision = revise(standing, &Edits::between(before, after), after);
    let stand = (0..)
        .zip(standing)
        .filter(|(place, _)| !revision.superseded.contains(place))
        .map(|(_, verdict)| verdict.clone());
    let remains = revision.remains.into_iter().map(|(verdict, _)| verdict);
    stand.chain(remains).chain(revision.made).collect()
}

fn is_together(partition: &Partition, one: Element, other: Element) -> bool {
    partition
        .class_of(one)
        .is_some_and(|class| partition.class_of(other) == Some(class))
}

proptest! {
    #[test]
    fn what_follows_from_decisions_keeps_to_them_and_follows_from_itself(
        standing in standing(), desired in labels(), current in labels(),
    ) {
        let decisions: Decisions = standing.iter().cloned().collect();
        let desired = labelled(&desired);
        let decided = decisions.over(&desired, &labelled(&current)).partition;
        for verdict in &standing {
            prop_assert!(keeps_to(&decided, verdict), "{:?}", verdict);
        }
        prop_assert_eq!(classes(&decisions.over(&desired, &decided).partition), classes(&decided));
    }

    /// People and an analysis take turns, and every answer of kinset leaves what people last did as they left it.
    #[test]
    fn nothing_undoes_what_somebody_did_last(turns in prop::collection::vec((labels(), labels()), 1..8)) {
        let mut standing = Vec::new();
        let mut tracker = partition(&[]);
        let mut last: BTreeMap<(Element, Element), bool> = BTreeMap::new();
        for (edited, desired) in turns {
            // Somebody keeps some of the tracker's relations and makes others.
            let after = labelled(&edited);
            for one in (0..UNIVERSE as u32).map(Element) {
                for other in (one.0 + 1..UNIVERSE as u32).map(Element) {
                    let now = is_together(&after, one, other);
                    if now != is_together(&tracker, one, other) {
                        last.insert((one, other), now);
                    }
                }
            }
            standing = revised(&standing, &tracker, &after);
            let decisions: Decisions = standing.iter().cloned().collect();
            tracker = decisions.over(&labelled(&desired), &after).partition;
            for (&(one, other), &together) in &last {
                prop_assert_eq!(is_together(&tracker, one, other), together, "{:?} {:?}", one, other);
            }
        }
    }
}
