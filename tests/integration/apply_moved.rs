//! Patches that an administrator moves to another project, which leaves no event. What is not configured is not written.

use std::fs;

use kinset::model::PatchId;
use kinset::reconcile::{BecauseDocument, CommitBecauseDocument, Error, Pulling};
use kinset::store::Outcome;
use kinset::tracker::simulator::{Fault, FaultKind, Moment, Rules, When};

use super::commits::{ONE, TWO, assert_at_rest, said, says};
use crate::support::log::writes;
use crate::support::rig::{Rig, Terms};
use crate::support::town::{BETA, classes, town};

/// `bot` maintains both projects, of which one is configured.
const ONLY_ALPHA: Terms = Terms {
    projects: &["alpha"],
    policy: "authoritative",
    format: "ids",
    token: "t-bot",
    sync: "plan-only",
    commit_ref: "fill",
    concurrent_requests: 1,
    tables: "",
    limits: "",
    guard: "min_resolved_fraction = 0.0",
    timeout: std::time::Duration::from_secs(60),
};

/// Both are configured.
const BOTH: Terms = Terms {
    projects: &["alpha", "beta"],
    ..ONLY_ALPHA
};

/// The same of somebody who maintains `alpha` alone.
const fn as_alice(terms: Terms) -> Terms {
    Terms { token: "t-alice", ..terms }
}

fn rig(relations: &[&[u64]], terms: Terms, groups: &str) -> Rig {
    let rig = Rig::serving(&town(relations), terms);
    rig.want(groups);
    rig.pull().unwrap();
    rig.simulator().clear_log();
    rig
}

fn move_away(rules: &mut Rules, patch: u64) {
    rules.move_patch(PatchId(patch), BETA).unwrap();
}

fn moves(rig: &Rig, patch: u64) {
    rig.simulator().with_rules(|rules| move_away(rules, patch));
}

#[test]
fn a_patch_that_left_the_configured_projects_is_related_no_more() {
    let rig = rig(&[], ONLY_ALPHA, "1 2 3\n4 5\n");
    let applied = rig.apply_after(Pulling::Stored, |_| moves(&rig, 3)).unwrap();
    assert_eq!(applied.refused_projects, [].into());
    rig.assert_at_rest(&classes(&[&[1, 2], &[4, 5]]));
}

/// Of its relation's members it is the one to be read: another does not show where it is.
#[test]
fn a_patch_that_left_the_configured_projects_is_cleared_no_more() {
    let rig = rig(&[&[1, 2, 3]], ONLY_ALPHA, "1 2\n3\n4 5\n");
    rig.apply_after(Pulling::Stored, |_| moves(&rig, 3)).unwrap();
    assert_eq!(rig.own_writes(), (0, 1));
    rig.assert_at_rest(&classes(&[&[1, 2, 3], &[4, 5]]));
}

#[test]
fn a_refusal_for_a_patch_that_was_moved_forbids_no_project() {
    for terms in [as_alice(ONLY_ALPHA), as_alice(BOTH)] {
        let rig = rig(&[], terms, "1 2 3\n4 5\n");
        rig.at_write(1, Moment::Before, |rules| move_away(rules, 2));
        let applied = rig.apply(Pulling::Stored).unwrap();
        rig.leave_alone();
        assert_eq!((applied.refused_projects, applied.refused_patches), ([].into(), [].into()));
        rig.assert_at_rest(&classes(&[&[1, 3], &[4, 5]]));
    }
}

#[test]
fn a_patch_that_moved_between_configured_projects_goes_on_under_the_rules_of_its_new_one() {
    let rig = rig(&[], BOTH, "1 2 3\n");
    let applied = rig.apply_after(Pulling::Stored, |_| moves(&rig, 3)).unwrap();
    assert_eq!(applied.rounds, 2);
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

#[test]
fn a_patch_that_moved_while_nobody_told_the_outcome_of_a_write_is_looked_after_all_the_same() {
    let rig = rig(&[], BOTH, "1 2\n");
    rig.simulator()
        .set_faults([Fault::new(FaultKind::LostReply, When::At(vec![1])).on_writes()]);
    rig.at_write(1, Moment::After, |rules| move_away(rules, 1));
    rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!(rig.settled_entries()[0].outcome, Outcome::Done);
    rig.assert_at_rest(&classes(&[&[1, 2]]));
}

const COMMITS: &str = "1 => 1111111111111111111111111111111111111111\n2 => 2222222222222222222222222222222222222222\n";

#[test]
fn no_commit_is_written_to_a_patch_that_left_the_configured_projects() {
    let rig = rig(&[], ONLY_ALPHA, COMMITS);
    let applied = rig.apply_after(Pulling::Stored, |_| moves(&rig, 1)).unwrap();
    assert!(applied.refused_commits.is_empty());
    assert_eq!(writes(&rig.log()), 1);
    assert!(!rig.stored().snapshot.patches.contains_key(&PatchId(1)));
    assert_at_rest(&rig, &[], &says([(2, TWO)]));
}

#[test]
fn a_refused_commit_of_a_patch_that_was_moved_closes_no_project_to_commits() {
    for terms in [as_alice(ONLY_ALPHA), as_alice(BOTH)] {
        let rig = rig(&[], terms, COMMITS);
        rig.at_write(1, Moment::Before, |rules| move_away(rules, 1));
        let applied = rig.apply(Pulling::Stored).unwrap();
        rig.leave_alone();
        assert!(applied.refused_commits.is_empty(), "{:?}", applied.refused_commits);
        assert_at_rest(&rig, &[], &says([(2, TWO)]));
    }
}

#[test]
fn a_commit_follows_its_patch_into_another_configured_project_as_far_as_the_user_maintains_that() {
    let commits = |terms| {
        let rig = rig(&[], terms, COMMITS);
        rig.apply_after(Pulling::Stored, |_| moves(&rig, 1)).unwrap();
        let plan = rig.document(&rig.plan(Pulling::Stored).unwrap());
        let undone = plan.trackers.into_iter().flat_map(|tracker| tracker.commits_undone);
        let because: Vec<CommitBecauseDocument> = undone.map(|undone| undone.because).collect();
        (said(&rig), because)
    };
    assert_eq!(commits(BOTH), (says([(1, ONE), (2, TWO)]), vec![]));
    let beta = CommitBecauseDocument::Permission {
        project: "beta".to_owned(),
    };
    assert_eq!(commits(as_alice(BOTH)), (says([(2, TWO)]), vec![beta]));
}

#[test]
fn a_commit_that_was_written_before_its_patch_moved_counts_as_written() {
    let rig = rig(&[], ONLY_ALPHA, COMMITS);
    rig.simulator()
        .set_faults([Fault::new(FaultKind::LostReply, When::At(vec![1])).on_writes()]);
    rig.at_write(1, Moment::After, |rules| move_away(rules, 1));
    rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!(rig.settled_entries()[0].outcome, Outcome::Done);
    assert_eq!(said(&rig), says([(1, ONE), (2, TWO)]));
}

#[test]
fn a_patch_that_moved_makes_a_saved_plan_stale() {
    for groups in ["1 2\n", COMMITS] {
        let rig = rig(&[], ONLY_ALPHA, groups);
        let file = rig.file("plan.json");
        let plan = rig.document(&rig.plan(Pulling::Stored).unwrap());
        fs::write(&file, serde_json::to_vec(&plan).unwrap()).unwrap();
        moves(&rig, 2);
        let refused = rig.apply_saved(&file).unwrap_err();
        assert!(matches!(refused, Error::Stale { .. }), "{refused:?}");
        assert_eq!(writes(&rig.log()), 0);
    }
}

/// As a relation that holds a patch of a project that is not configured.
#[test]
fn what_is_left_of_a_relation_that_a_patch_moved_out_of_sight_with_is_told() {
    let rig = rig(&[&[1, 2, 3]], ONLY_ALPHA, "1 2\n3\n");
    rig.apply_after(Pulling::Stored, |_| moves(&rig, 3)).unwrap();
    let plan = rig.document(&rig.plan(Pulling::Stored).unwrap());
    let undone = plan.trackers.into_iter().flat_map(|tracker| tracker.undone);
    let because: Vec<BecauseDocument> = undone.flat_map(|undone| undone.because).collect();
    assert_eq!(because, [BecauseDocument::OutOfScope]);
}
