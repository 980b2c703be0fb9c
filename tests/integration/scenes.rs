//! A year beside people, in scenes: what they do by hand, what each policy makes of it, and that it comes to rest.
//!
//! In each scene kinset has related what the analysis wanted at first, on a tracker that had no relation. So whatever comes then is either
//! kinset's own or somebody else's.

use std::collections::BTreeSet;

use kinset::model::PatchId;
use kinset::reconcile::{Extent, Pulling};
use kinset::store::DecisionKind::{Joined, Parted};
use kinset::tracker::simulator::{Moment, Patch, Rules};

use crate::support::change::mail;
use crate::support::rig::{Rig, Terms, write_as_human};
use crate::support::town::{ALPHA, change_users, classes, town};

/// What the analysis wants at first.
const WANTED: &str = "1 2 3\n4 5\n6 7 8\n";

const POLICIES: [&str; 3] = ["additive", "preserve", "authoritative"];

/// What a cycle is to come to: clears, relates, and the relations afterwards.
type Outcome = (usize, usize, &'static [&'static [u64]]);

/// A rig whose tracker follows the analysis.
fn settled(policy: &'static str) -> Rig {
    let terms = Terms {
        policy,
        concurrent_requests: 1,
        guard: "max_clear_fraction = 1.0\nmin_resolved_fraction = 0.0",
        ..Terms::default()
    };
    let rig = Rig::serving(&town(&[]), terms);
    rig.want(WANTED);
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2, 3], &[4, 5], &[6, 7, 8]]));
    rig
}

/// Plays a scene under each policy: something happens, a cycle follows, and the next one has nothing to do.
fn play(happens: impl Fn(&Rig), extent: Extent, outcomes: [Outcome; 3]) {
    for (policy, (clears, relates, relations)) in POLICIES.into_iter().zip(outcomes) {
        let rig = settled(policy);
        let before = rig.own_writes();
        happens(&rig);
        rig.apply(Pulling::Fresh(extent)).unwrap();
        let after = rig.own_writes();
        rig.leave_alone();
        assert_eq!((after.0 - before.0, after.1 - before.1), (clears, relates), "under {policy}");
        rig.assert_at_rest(&classes(relations));
    }
}

#[test]
fn a_person_joins_two() {
    let untouched: &[&[u64]] = &[&[1, 2, 3], &[4, 5], &[6, 7, 8]];
    let joined: &[&[u64]] = &[&[1, 2, 3], &[4, 5], &[6, 7, 8], &[9, 10]];
    play(
        |rig| rig.human_writes(9, &[10]),
        Extent::Due,
        [(0, 0, joined), (0, 0, joined), (1, 0, untouched)],
    );
}

#[test]
fn a_person_takes_one_out() {
    let whole: &[&[u64]] = &[&[1, 2, 3], &[4, 5], &[6, 7, 8]];
    play(
        |rig| rig.human_writes(1, &[]),
        Extent::Due,
        [(0, 1, whole), (0, 0, &[&[2, 3], &[4, 5], &[6, 7, 8]]), (0, 1, whole)],
    );
}

#[test]
fn a_person_moves_one() {
    let moved: &[&[u64]] = &[&[2, 3], &[1, 4, 5], &[6, 7, 8]];
    play(
        |rig| {
            rig.human_writes(1, &[]);
            rig.human_writes(1, &[4]);
        },
        Extent::Due,
        [(0, 0, moved), (0, 0, moved), (1, 1, &[&[1, 2, 3], &[4, 5], &[6, 7, 8]])],
    );
}

#[test]
fn a_person_undoes_what_kinset_wrote() {
    let whole: &[&[u64]] = &[&[1, 2, 3], &[4, 5], &[6, 7, 8]];
    play(
        |rig| {
            rig.human_writes(1, &[]);
            rig.human_writes(2, &[]);
        },
        Extent::Due,
        [(0, 1, whole), (0, 0, &[&[4, 5], &[6, 7, 8]]), (0, 1, whole)],
    );
}

#[test]
fn a_person_edits_between_plan_and_apply() {
    let grown: &[&[u64]] = &[&[1, 2, 3], &[4, 5], &[6, 7, 8], &[9, 10, 11]];
    let wanted: &[&[u64]] = &[&[1, 2, 3], &[4, 5], &[6, 7, 8], &[9, 10]];
    for (policy, (clears, relates, relations)) in POLICIES.into_iter().zip([(0, 1, grown), (0, 1, grown), (1, 1, wanted)]) {
        let rig = settled(policy);
        let before = rig.own_writes();
        rig.want(&format!("{WANTED}9 10\n"));
        rig.apply_after(Pulling::Fresh(Extent::Due), |_| rig.human_writes(9, &[11]))
            .unwrap();
        let after = rig.own_writes();
        assert_eq!((after.0 - before.0, after.1 - before.1), (clears, relates), "under {policy}");
        rig.assert_at_rest(&classes(relations));
    }
}

/// The analysis moves 3 to 9. Under `additive` 9 comes to 3; the others clear 3 first, and before they relate it, somebody relates 9.
#[test]
fn a_person_edits_between_two_writes_of_one_component() {
    play(
        |rig| {
            rig.want("1 2\n3 9\n4 5\n6 7 8\n");
            rig.at_write(1, Moment::After, |rules| write_as_human(rules, 9, &[10]));
        },
        Extent::Due,
        [
            (0, 1, &[&[1, 2, 3, 9, 10], &[4, 5], &[6, 7, 8]]),
            (1, 1, &[&[1, 2], &[3, 9, 10], &[4, 5], &[6, 7, 8]]),
            (2, 1, &[&[1, 2], &[3, 9], &[4, 5], &[6, 7, 8]]),
        ],
    );
}

/// The two writes hang together, and the person takes out of the relation what the second write names.
#[test]
fn a_person_takes_out_what_the_next_write_would_relate_to() {
    let rig = settled("preserve");
    rig.want("1 2\n3 4 5\n6 7 8\n");
    rig.at_write(1, Moment::After, |rules| write_as_human(rules, 4, &[]));
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    rig.leave_alone();
    assert!(rig.standing().contains(&(Parted, vec![4, 5])));
    let relations = rig.relations();
    let apart = |relation: &BTreeSet<PatchId>| !(relation.contains(&PatchId(4)) && relation.contains(&PatchId(5)));
    assert!(relations.iter().all(apart), "{relations:?}");
    rig.assert_at_rest(&relations);
}

#[test]
fn a_person_dissolves_a_pair_which_leaves_no_event() {
    let dissolve = |rig: &Rig| {
        rig.human_writes(4, &[]);
        let before = rig.own_writes();
        rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
        assert_eq!(rig.own_writes(), before, "nobody has heard of it");
    };
    let whole: &[&[u64]] = &[&[1, 2, 3], &[4, 5], &[6, 7, 8]];
    let dissolved: &[&[u64]] = &[&[1, 2, 3], &[6, 7, 8]];
    play(dissolve, Extent::Full, [(0, 1, whole), (0, 0, dissolved), (0, 1, whole)]);

    let rig = settled("preserve");
    rig.human_writes(4, &[]);
    rig.apply(Pulling::Fresh(Extent::Full)).unwrap();
    assert_eq!(rig.missed_by_events(), Some(2));
    assert_eq!(rig.standing(), [(Parted, vec![4, 5])].into());
}

/// A PUT that does not name the relation takes the patch out of it: measured to be just like a clear.
#[test]
fn another_client_wipes_a_relation_with_a_put() {
    let whole: &[&[u64]] = &[&[1, 2, 3], &[4, 5], &[6, 7, 8]];
    play(
        |rig| rig.human_writes(7, &[]),
        Extent::Due,
        [(0, 1, whole), (0, 0, &[&[1, 2, 3], &[4, 5], &[6, 8]]), (0, 1, whole)],
    );
}

#[test]
fn a_reload_on_the_server_replaces_everything_without_an_event() {
    let reload = |rules: &mut Rules| {
        let relations = [[1, 4].map(PatchId), [2, 3].map(PatchId)];
        rules.replace_relations(relations.iter().map(|relation| &relation[..])).unwrap();
    };
    play(
        |rig| rig.simulator().with_rules(reload),
        Extent::Full,
        [
            (0, 2, &[&[1, 4, 5], &[2, 3], &[6, 7, 8]]),
            (0, 0, &[&[1, 4], &[2, 3]]),
            (1, 3, &[&[1, 2, 3], &[4, 5], &[6, 7, 8]]),
        ],
    );
}

fn arrive(rules: &mut Rules, patch: u64) {
    let like = rules.catalogue().patch(PatchId(1)).unwrap().clone();
    let arrival = Patch {
        id: PatchId(patch),
        project: ALPHA,
        message_id: mail(PatchId(patch)),
        ..like
    };
    rules.add_patch(arrival).unwrap();
}

#[test]
fn a_new_patch_joins_a_class_that_a_person_has_edited() {
    let all: &[&[u64]] = &[&[1, 2, 3, 41], &[4, 5], &[6, 7, 8]];
    play(
        |rig| {
            rig.human_writes(1, &[]);
            rig.simulator().with_rules(|rules| arrive(rules, 41));
            rig.want("1 2 3 41\n4 5\n6 7 8\n");
        },
        Extent::Due,
        [(0, 1, all), (0, 1, &[&[2, 3, 41], &[4, 5], &[6, 7, 8]]), (0, 1, all)],
    );
}

/// Once the analysis has come round to a decision, it may change its mind again.
#[test]
fn the_analysis_agrees_later() {
    let rig = settled("preserve");
    rig.human_writes(1, &[]);
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    assert_eq!(rig.standing(), [(Parted, vec![1, 2]), (Parted, vec![1, 3])].into());
    rig.want("1\n2 3\n4 5\n6 7 8\n");
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    assert_eq!(rig.standing(), [].into());
    rig.assert_at_rest(&classes(&[&[2, 3], &[4, 5], &[6, 7, 8]]));
    rig.want(WANTED);
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2, 3], &[4, 5], &[6, 7, 8]]));
}

#[test]
fn an_analysis_that_does_not_name_a_patch_does_not_agree_with_what_was_decided_about_it() {
    let rig = settled("preserve");
    rig.human_writes(1, &[]);
    rig.want("2 3\n4 5\n6 7 8\n");
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    rig.want(WANTED);
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    rig.assert_at_rest(&classes(&[&[2, 3], &[4, 5], &[6, 7, 8]]));
}

#[test]
fn the_analysis_splits_what_a_person_joined() {
    let joined: &[&[u64]] = &[&[1, 2, 3, 9], &[4, 5], &[6, 7, 8]];
    play(
        |rig| {
            rig.human_writes(9, &[1]);
            rig.apply(Pulling::Stored).unwrap();
            rig.want("1 2\n3\n9\n4 5\n6 7 8\n");
        },
        Extent::Due,
        [(0, 0, joined), (0, 0, joined), (2, 0, &[&[1, 2], &[4, 5], &[6, 7, 8]])],
    );
}

/// What is left of a pair is in a relation of one, which no read shows.
#[test]
fn patches_are_deleted() {
    let rest: &[&[u64]] = &[&[2, 3], &[6, 7, 8]];
    play(
        |rig| {
            rig.simulator().with_rules(|rules| {
                rules.remove_patch(PatchId(1)).unwrap();
                rules.remove_patch(PatchId(4)).unwrap();
            });
        },
        Extent::Full,
        [(0, 0, rest), (0, 0, rest), (0, 0, rest)],
    );
}

#[test]
fn decisions_about_deleted_patches_end() {
    let rig = settled("preserve");
    rig.human_writes(1, &[]);
    rig.human_writes(9, &[10]);
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    assert_eq!(rig.standing().len(), 3);
    rig.simulator().with_rules(|rules| {
        rules.remove_patch(PatchId(1)).unwrap();
        rules.remove_patch(PatchId(9)).unwrap();
    });
    rig.apply(Pulling::Fresh(Extent::Full)).unwrap();
    assert_eq!(rig.standing(), [].into());
}

#[test]
fn a_project_becomes_unmaintained() {
    let relations: &[&[u64]] = &[&[1, 2, 3], &[4, 5], &[6, 7, 8], &[21, 22, 23]];
    for policy in POLICIES {
        let rig = settled(policy);
        rig.want(&format!("{WANTED}21 22 23\n"));
        rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
        let before = rig.own_writes();
        let mut world = town(&[]);
        world = world.with_user("bot", "t-bot", &["alpha"]);
        rig.simulator().with_rules(|rules| change_users(rules, &world));
        rig.want(&format!("{WANTED}21 22\n23 24\n"));
        rig.apply(Pulling::Fresh(Extent::Full)).unwrap();
        assert_eq!(rig.own_writes(), before, "under {policy}");
        rig.assert_at_rest(&classes(relations));
    }
}

#[test]
fn a_decision_that_contradicts_itself_over_time_is_the_last_one() {
    let rig = settled("preserve");
    for _ in 0..2 {
        rig.human_writes(1, &[]);
        rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
        rig.assert_at_rest(&classes(&[&[2, 3], &[4, 5], &[6, 7, 8]]));
        rig.human_writes(1, &[2]);
        rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
        assert_eq!(rig.standing(), [].into(), "the analysis wants that too");
        rig.assert_at_rest(&classes(&[&[1, 2, 3], &[4, 5], &[6, 7, 8]]));
    }
}

#[test]
fn a_parted_patch_that_the_analysis_keeps_joining_stays_out() {
    let rig = settled("preserve");
    rig.human_writes(1, &[]);
    for wanted in ["1 2\n", "1 3\n", WANTED, "1 2 3 4 5\n"] {
        rig.want(wanted);
        rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
        let relations = rig.relations();
        let with_one = relations.iter().find(|relation| relation.contains(&PatchId(1)));
        assert!(with_one.is_none_or(|relation| !relation.contains(&PatchId(2)) && !relation.contains(&PatchId(3))));
        rig.assert_at_rest(&relations);
    }
}

#[test]
fn what_people_join_across_projects_stays_joined() {
    let rig = settled("preserve");
    rig.human_writes(1, &[21]);
    rig.want("1\n2 3\n4 5\n6 7 8\n21\n");
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    assert_eq!(rig.standing(), [(Joined, vec![1, 2, 3, 21])].into());
    rig.assert_at_rest(&classes(&[&[1, 2, 3, 21], &[4, 5], &[6, 7, 8]]));
}

#[test]
fn a_machine_that_takes_relations_apart_is_not_taken_for_people() {
    let rig = settled("preserve");
    rig.want("1 2 3\n4 5\n6 7 8\n9 10 11\n12 13 14\n");
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    let reload = |rules: &mut Rules| rules.replace_relations([&[1, 2, 3].map(PatchId)[..]]).unwrap();
    rig.simulator().with_rules(reload);
    let refused = rig.apply(Pulling::Fresh(Extent::Full)).unwrap_err();
    assert!(refused.to_string().contains("out of their relations"), "{refused}");
    assert_eq!(rig.standing(), [].into(), "nothing was taken in");
    assert_eq!(rig.relations(), classes(&[&[1, 2, 3]]));
}
