//! Applying a plan beside people who change the same relations.

use std::collections::BTreeSet;

use kinset::model::PatchId;
use kinset::reconcile::{BecauseDocument, Error, Pulling};
use kinset::store::RunOutcome;
use kinset::tracker::simulator::{Fault, FaultKind, LoggedRequest, Moment, When};

use crate::support::log::{Asked, writes};
use crate::support::rig::{Rig, Terms, target, write_as_human};
use crate::support::town::{ALPHA, BETA, change_users, classes, town};

/// A rig whose tracker has these relations and was pulled, and whose analysis wants these groups. One request at a time, so that "the n-th
/// write" means something.
fn rig(relations: &[&[u64]], wanted: &str) -> Rig {
    let one_by_one = Terms {
        concurrent_requests: 1,
        ..Terms::default()
    };
    rig_as(relations, wanted, one_by_one)
}

fn rig_as(relations: &[&[u64]], wanted: &str, terms: Terms) -> Rig {
    let rig = Rig::serving(&town(relations), terms);
    rig.want(wanted);
    rig.pull().unwrap();
    rig
}

/// The patches written to, each with how the tracker answered.
fn answers(rig: &Rig) -> Vec<(u64, u16)> {
    let log = rig.log();
    let answer = |request: &LoggedRequest| match Asked::of(request) {
        Asked::Write(PatchId(patch)) => Some((patch, request.status.unwrap())),
        _ => None,
    };
    log.iter().filter_map(answer).collect()
}

#[test]
fn an_edit_between_plan_and_apply_is_noticed_before_anything_is_written_there() {
    let rig = rig(&[&[1, 2]], "1 2 3\n4 5\n");
    let applied = rig.apply_after(Pulling::Stored, |_| rig.human_writes(3, &[6])).unwrap();
    assert_eq!(applied.rounds, 2);
    assert_eq!(answers(&rig), [(4, 200), (3, 200), (3, 200)]);
    rig.assert_at_rest(&classes(&[&[1, 2, 3], &[4, 5]]));
}

#[test]
fn a_pair_dissolved_between_plan_and_apply_is_not_cleared_again() {
    let rig = rig(&[&[1, 2]], "1 3\n");
    let applied = rig.apply_after(Pulling::Stored, |_| rig.human_writes(2, &[])).unwrap();
    assert_eq!(applied.rounds, 2);
    assert_eq!(answers(&rig), [(1, 200)]);
    rig.assert_at_rest(&classes(&[&[1, 3]]));
}

#[test]
fn an_edit_between_reading_and_writing_meets_a_conflict_and_is_planned_for() {
    let rig = rig(&[&[1, 2]], "1 2 3\n");
    rig.at_write(1, Moment::Before, |rules| write_as_human(rules, 3, &[6]));
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.rounds, 2);
    assert_eq!(answers(&rig), [(3, 409), (3, 200), (3, 200)]);
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

/// The tracker asks to wait; while kinset does, somebody relates the very patch that it was about to relate.
#[test]
fn an_edit_during_the_wait_for_another_attempt_is_read_before_it() {
    let rig = rig(&[&[1, 2]], "1 2 3\n");
    rig.simulator()
        .set_faults([Fault::new(FaultKind::status(429), When::At(vec![1])).on_writes()]);
    rig.at_write(1, Moment::After, |rules| write_as_human(rules, 3, &[1]));
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(answers(&rig), [(3, 429)]);
    assert_eq!(applied.rounds, 1);
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

/// Nothing conflicts when the newcomer is in the only relation that a write touches: the writer joins a relation that it knows nothing of.
#[test]
fn an_edit_that_no_conflict_tells_of_is_seen_when_the_outcome_is_verified() {
    let rig = rig(&[], "4 5\n");
    rig.at_write(1, Moment::Before, |rules| write_as_human(rules, 5, &[6]));
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.rounds, 2);
    assert_eq!(answers(&rig), [(4, 200), (6, 200)]);
    rig.assert_at_rest(&classes(&[&[4, 5]]));
}

#[test]
fn an_edit_between_two_writes_of_one_component_is_planned_for() {
    let rig = rig(&[&[1, 2, 3]], "1 2\n3 4\n");
    rig.at_write(1, Moment::After, |rules| write_as_human(rules, 3, &[5]));
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.rounds, 2);
    rig.assert_at_rest(&classes(&[&[1, 2], &[3, 4]]));
}

#[test]
fn an_edit_between_the_last_write_and_its_verification_is_planned_for() {
    let rig = rig(&[&[1, 2]], "1 2 3\n");
    rig.at_write(1, Moment::After, |rules| write_as_human(rules, 9, &[3]));
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.rounds, 2);
    assert_eq!(answers(&rig), [(3, 200), (9, 200)]);
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

#[test]
fn an_edit_of_a_relation_whose_reply_was_lost_is_planned_for() {
    let rig = rig(&[&[1, 2]], "1 2 3\n");
    rig.simulator()
        .set_faults([Fault::new(FaultKind::LostReply, When::At(vec![1])).on_writes()]);
    rig.at_write(1, Moment::After, |rules| write_as_human(rules, 9, &[3]));
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.rounds, 2);
    assert_eq!(writes(&rig.log()), 2);
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

/// What is to be written again was read again after the wait.
#[test]
fn an_edit_while_a_write_waits_to_be_repeated_is_planned_for() {
    let busy = [FaultKind::status(429), FaultKind::status(502)];
    for kind in busy {
        let rig = rig(&[&[1, 2]], "1 2 3\n");
        rig.simulator().set_faults([Fault::new(kind, When::At(vec![1])).on_writes()]);
        rig.at_write(1, Moment::After, |rules| write_as_human(rules, 1, &[]));
        rig.apply(Pulling::Stored).unwrap();
        let statuses: Vec<u16> = answers(&rig).into_iter().map(|(_, status)| status).collect();
        let refused = statuses[0];
        assert_eq!(statuses, [refused, 200], "one write makes the class of what was found");
        rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
    }
}

#[test]
fn what_a_person_has_done_already_is_not_written_again() {
    let rig = rig(&[&[1, 2]], "1 2 3\n");
    rig.apply_after(Pulling::Stored, |_| rig.human_writes(3, &[1])).unwrap();
    assert_eq!(writes(&rig.log()), 0);
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

#[test]
fn a_patch_that_vanishes_before_it_is_written_to_is_left_out() {
    let rig = rig(&[&[1, 2]], "1 2 3 4\n");
    rig.at_write(1, Moment::Before, |rules| rules.remove_patch(PatchId(3)).unwrap());
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(answers(&rig), [(3, 404), (4, 200)]);
    rig.assert_at_rest(&classes(&[&[1, 2, 4]]));
}

#[test]
fn a_patch_that_vanishes_before_others_are_related_to_it_is_left_out() {
    let rig = rig(&[], "3 4 5\n");
    rig.at_write(1, Moment::Before, |rules| rules.remove_patch(PatchId(5)).unwrap());
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(answers(&rig), [(3, 400), (3, 200)]);
    rig.assert_at_rest(&classes(&[&[3, 4]]));
}

/// Deleting one of a pair leaves the other in a relation of one.
#[test]
fn the_other_half_of_a_pair_that_vanishes_is_freed_before_it_is_related_anew() {
    let rig = rig(&[&[1, 2], &[3, 4]], "1 2 3 4\n");
    rig.at_write(1, Moment::Before, |rules| rules.remove_patch(PatchId(4)).unwrap());
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

#[test]
fn a_hidden_relation_at_the_address_is_cleared_once_and_planned_for_anew() {
    let mut world = town(&[&[1, 2]]);
    world.hidden_relations.push(PatchId(3));
    let rig = Rig::serving(&world, Terms::default());
    rig.want("1 2 3\n");
    rig.pull().unwrap();
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.rounds, 2);
    assert_eq!(answers(&rig), [(3, 409), (3, 200), (3, 200)]);
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

#[test]
fn a_hidden_relation_of_a_newcomer_is_cleared_once_and_planned_for_anew() {
    let mut world = town(&[&[1, 2]]);
    world.hidden_relations.push(PatchId(4));
    let rig = Rig::serving(&world, Terms::default());
    rig.want("1 2 3 4\n");
    rig.pull().unwrap();
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.rounds, 2);
    let answers = answers(&rig);
    let cleared: BTreeSet<(u64, u16)> = answers[1..3].iter().copied().collect();
    assert_eq!((answers[0], cleared, answers[3]), ((3, 409), [(3, 200), (4, 200)].into(), (3, 200)));
    rig.assert_at_rest(&classes(&[&[1, 2, 3, 4]]));
}

/// What is in a relation that shows is not cleared as if it were in one of one.
#[test]
fn a_newcomer_that_a_person_relates_while_hidden_relations_are_cleared_is_planned_for() {
    let mut world = town(&[&[1, 2]]);
    world.hidden_relations.extend([3, 4].map(PatchId));
    let additive = Terms {
        policy: "additive",
        ..Terms::default()
    };
    let rig = Rig::serving(&world, additive);
    rig.want("1 2 3 4\n");
    rig.pull().unwrap();
    rig.at_write(2, Moment::After, |rules| {
        let untouched = if rules.hidden_relations().contains(&PatchId(3)) { 3 } else { 4 };
        write_as_human(rules, untouched, &[9]);
    });
    rig.apply(Pulling::Stored).unwrap();
    assert!(rig.relations().iter().any(|class| class.contains(&PatchId(9)) && class.len() == 2));
    let relations = rig.relations();
    rig.assert_at_rest(&relations);
}

#[test]
fn hidden_relations_behind_every_newcomer_are_no_reason_to_give_up() {
    let mut world = town(&[]);
    world.hidden_relations.extend((1..=20).map(PatchId));
    let one_at_a_time = Terms {
        limits: "attach_limit = 1",
        ..Terms::default()
    };
    let rig = Rig::serving(&world, one_at_a_time);
    rig.want("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20\n");
    rig.pull().unwrap();
    rig.apply(Pulling::Stored).unwrap();
    let whole: Vec<u64> = (1..=20).collect();
    rig.assert_at_rest(&classes(&[&whole]));
}

/// A clear that goes unanswered cannot be told from one that took effect: the patch reads as unrelated before and after.
#[test]
fn a_hidden_relation_is_cleared_even_when_the_clear_is_lost() {
    let mut world = town(&[&[1, 2]]);
    world.hidden_relations.push(PatchId(3));
    let rig = Rig::serving(&world, Terms::default());
    rig.want("1 2 3\n");
    rig.pull().unwrap();
    rig.simulator()
        .set_faults([Fault::new(FaultKind::status(502), When::At(vec![2])).on_writes()]);
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.refused_patches, [].into());
    rig.leave_alone();
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

#[test]
fn a_conflict_that_never_goes_away_is_reported_and_the_rest_is_done() {
    let rig = rig(&[&[1, 2]], "1 2 3\n4 5\n");
    rig.simulator().on_request(|request, moment, rules| {
        if moment == Moment::Before && Asked::of(request) == Asked::Write(PatchId(3)) {
            write_as_human(rules, 3, &[3]);
        }
    });
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.refused_patches, [PatchId(3)].into());
    assert_eq!(target(&applied.draft), classes(&[&[1, 2], &[4, 5]]));
    assert_eq!(rig.relations(), classes(&[&[1, 2], &[4, 5]]));
    assert_eq!(answers(&rig).iter().filter(|answer| **answer == (3, 409)).count(), 2);
    rig.leave_alone();
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2, 3], &[4, 5]]));
}

#[test]
fn however_many_conflicts_never_go_away_all_of_them_are_reported() {
    let one_at_a_time = Terms {
        limits: "attach_limit = 1",
        concurrent_requests: 1,
        ..Terms::default()
    };
    let rig = rig_as(&[&[11, 12]], "1 2 3 4 5 6 7 8 9 10 11 12\n13 14\n", one_at_a_time);
    rig.simulator().on_request(|request, moment, rules| match Asked::of(request) {
        Asked::Write(PatchId(patch @ 1..=10)) if moment == Moment::Before => write_as_human(rules, patch, &[patch]),
        _ => {}
    });
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.refused_patches, (1..=10).map(PatchId).collect());
    assert_eq!(rig.relations(), classes(&[&[11, 12], &[13, 14]]));
}

#[test]
fn a_tracker_that_never_comes_to_rest_ends_the_run() {
    let rig = rig(&[], "1 2\n3 4\n");
    rig.simulator().on_request(|request, moment, rules| {
        if moment == Moment::After && Asked::of(request) == Asked::Write(PatchId(1)) {
            write_as_human(rules, 1, &[]);
        }
    });
    let error = rig.apply(Pulling::Stored).unwrap_err();
    assert!(matches!(error, Error::Unsettled { patch: PatchId(1), .. }), "{error:?}");
    assert_eq!(rig.open_entries(), []);
    assert!(matches!(rig.last_run().ended, Some((_, RunOutcome::Failed(_)))));
    rig.leave_alone();
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2], &[3, 4]]));
}

#[test]
fn maintainership_lost_in_mid_run_blocks_that_project_and_no_other() {
    let rig = rig(&[&[1, 2, 3]], "1 2\n3 4\n5 6\n21 22\n23 24\n");
    let dismissed = town(&[]).with_user("bot", "t-bot", &["beta"]);
    rig.at_write(1, Moment::After, move |rules| change_users(rules, &dismissed));
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.refused_projects, [ALPHA].into());
    let done = classes(&[&[1, 2], &[21, 22], &[23, 24]]);
    assert_eq!(target(&applied.draft), done);
    let refused = answers(&rig).iter().filter(|(_, status)| *status == 403).count();
    assert!((1..=2).contains(&refused), "{refused}");
    // What was written before is known, although the run could not be carried on.
    assert_eq!(rig.known_relations(), done);
    rig.pull().unwrap();
    rig.assert_at_rest(&done);
}

#[test]
fn a_refusal_that_a_person_brought_about_blocks_no_project() {
    let alice = Terms {
        token: "t-alice",
        concurrent_requests: 1,
        ..Terms::default()
    };
    let rig = rig_as(&[&[1, 2, 3]], "1 2\n4 5\n", alice);
    // Patch 21 is none of hers, and so is the relation from then on.
    rig.at_write(1, Moment::Before, |rules| write_as_human(rules, 21, &[1]));
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!(applied.refused_projects, [].into());
    assert_eq!(answers(&rig), [(3, 403), (4, 200)]);
    rig.assert_at_rest(&classes(&[&[1, 2, 3, 21], &[4, 5]]));
}

#[test]
fn a_token_that_is_revoked_in_mid_run_ends_it() {
    let rig = rig(&[], "1 2\n3 4\n");
    let revoked = town(&[]).with_user("bot", "t-another", &["alpha", "beta"]);
    rig.at_write(2, Moment::Before, move |rules| change_users(rules, &revoked));
    let error = rig.apply(Pulling::Stored).unwrap_err();
    assert!(matches!(error, Error::Writes(_)), "{error:?}");
    assert_eq!(rig.open_entries(), []);
    assert_eq!(rig.relations(), classes(&[&[1, 2]]));
    rig.simulator().with_rules(|rules| change_users(rules, &town(&[])));
    rig.leave_alone();
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2], &[3, 4]]));
}

/// What a plan leaves undone, as the reasons for it.
fn reasons(rig: &Rig, pulling: Pulling) -> Vec<BecauseDocument> {
    let document = rig.document(&rig.plan(pulling).unwrap());
    let undone = document.trackers.into_iter().flat_map(|tracker| tracker.undone);
    undone.flat_map(|undone| undone.because).collect()
}

#[test]
fn somebody_who_maintains_nothing_writes_nothing_and_is_told_why() {
    let before: &[&[u64]] = &[&[1, 2], &[21, 22]];
    let nobody = Terms {
        token: "t-nobody",
        ..Terms::default()
    };
    let rig = rig_as(before, "1 3\n4 5\n23 24\n", nobody);
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(writes(&rig.log()), 0);
    let because = |project: &str| BecauseDocument::Permission {
        project: project.to_owned(),
    };
    let reasons = reasons(&rig, Pulling::Stored);
    assert!(reasons.contains(&because("alpha")) && reasons.contains(&because("beta")));
    assert!(reasons.iter().all(|reason| matches!(reason, BecauseDocument::Permission { .. })));
    rig.assert_at_rest(&classes(before));
}

#[test]
fn the_maintainer_of_one_project_writes_to_that_alone() {
    let alice = Terms {
        token: "t-alice",
        ..Terms::default()
    };
    let rig = rig_as(&[&[1, 2], &[3, 21]], "1 2 4\n3 5\n22 23\n6 7 24\n", alice);
    rig.apply(Pulling::Stored).unwrap();
    assert!(answers(&rig).iter().all(|(_, status)| *status == 200));
    rig.assert_at_rest(&classes(&[&[1, 2, 4], &[3, 21], &[6, 7]]));
}

#[test]
fn where_nobody_may_look_up_users_the_first_refusal_tells_who_may_not_write_what() {
    let alice = Terms {
        token: "t-alice",
        concurrent_requests: 1,
        ..Terms::default()
    };
    let rig = rig_as(&[], "1 2\n21 22\n23 24\n3 4\n", alice);
    rig.simulator()
        .set_faults([Fault::new(FaultKind::Forbid, When::every(1)).on_path("/users/")]);
    let applied = rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!(applied.refused_projects, [BETA].into());
    rig.assert_at_rest(&classes(&[&[1, 2], &[3, 4]]));
}

#[test]
fn additive_relates_and_never_clears() {
    let additive = Terms {
        policy: "additive",
        ..Terms::default()
    };
    let rig = rig_as(&[&[1, 2], &[3, 4], &[5, 6]], "1 3 7\n5\n8 9\n", additive);
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(answers(&rig).len(), 2);
    rig.assert_at_rest(&classes(&[&[1, 2, 7], &[3, 4], &[5, 6], &[8, 9]]));
}

#[test]
fn authoritative_clears_what_is_not_wanted() {
    let rig = rig(&[&[1, 2], &[3, 4], &[5, 6]], "1 3 7\n5\n8 9\n");
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 3, 7], &[8, 9]]));
}

#[test]
fn under_additive_what_a_person_joins_in_mid_run_stays_joined() {
    let additive = Terms {
        policy: "additive",
        concurrent_requests: 1,
        ..Terms::default()
    };
    let rig = rig_as(&[&[1, 2]], "1 2 3\n4 5\n", additive);
    rig.at_write(1, Moment::Before, |rules| write_as_human(rules, 3, &[6]));
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2], &[3, 6], &[4, 5]]));
}
