//! Writing down commits on a tracker that fails, refuses, or leaves open what it did.

use std::cell::Cell;
use std::time::Duration;

use kinset::model::PatchId;
use kinset::reconcile::{Error, Pulling, RefusedCommits};
use kinset::store::{Outcome, RunOutcome};
use kinset::tracker::simulator::{Fault, FaultKind, Moment, When};

use super::commits::{ONE, Says, TWO, assert_at_rest, rig, said, says, terms, write_as_human};
use crate::support::change::mail;
use crate::support::log::{Asked, writes};
use crate::support::rig::{Rig, Terms, write_as_human as human_relates};
use crate::support::town::{ALPHA, BETA, change_users, town};

const GROUPS: &str = "1 => 1111111111111111111111111111111111111111\n2 => 2222222222222222222222222222222222222222\n";

/// What a person writes.
const THIRD: &str = "a third commit";

/// A rig with two commits to write, whose first write is struck.
fn struck(policy: &'static str, kind: FaultKind) -> Rig {
    let terms = Terms {
        timeout: if matches!(kind, FaultKind::Delay { .. }) {
            Duration::from_millis(250)
        } else {
            Duration::from_secs(60)
        },
        ..terms(policy)
    };
    let rig = rig(&town(&[]), terms, GROUPS);
    rig.simulator().set_faults([Fault::new(kind, When::At(vec![1])).on_writes()]);
    rig
}

/// A first write whose outcome nobody tells is looked after by reading before anything is sent again.
fn is_looked_after(kind: FaultKind, is_carried_out: bool) {
    let rig = struck("fill", kind);
    let applied = rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!((applied.rounds, applied.commits), (1, 2));
    let asked: Vec<Asked> = rig.log().iter().map(Asked::of).collect();
    let first = asked.iter().position(Asked::is_write).unwrap();
    assert_eq!(asked[first + 1], Asked::Mail(mail(PatchId(1)).bare().to_owned()));
    assert_eq!(writes(&rig.log()), if is_carried_out { 2 } else { 3 });
    let outcome = if is_carried_out { Outcome::Done } else { Outcome::NotDone };
    assert_eq!(rig.settled_entries()[0].outcome, outcome);
    assert_at_rest(&rig, &[], &says([(1, ONE), (2, TWO)]));
}

#[test]
fn a_write_that_was_lost_is_sent_again_when_a_read_has_shown_so() {
    for kind in [
        FaultKind::status(500),
        FaultKind::status(502),
        FaultKind::Reset,
        FaultKind::Html,
        FaultKind::HalfWrite,
    ] {
        is_looked_after(kind, false);
    }
}

#[test]
fn a_write_whose_answer_was_lost_is_not_sent_again() {
    for kind in [FaultKind::LostReply, FaultKind::Truncate, FaultKind::delay(Duration::from_secs(60))] {
        is_looked_after(kind, true);
    }
}

#[test]
fn too_many_requests_are_waited_out() {
    let throttled = FaultKind::Status {
        code: 429,
        retry_after_s: Some(0),
    };
    is_looked_after(throttled, false);
}

#[test]
fn whoever_writes_while_the_outcome_is_unknown_is_planned_for() {
    for (policy, commit) in [("fill", THIRD), ("overwrite", ONE)] {
        let rig = struck(policy, FaultKind::LostReply);
        rig.at_write(1, Moment::After, |rules| write_as_human(rules, 1, THIRD));
        rig.apply(Pulling::Stored).unwrap();
        rig.leave_alone();
        assert!(matches!(rig.settled_entries()[0].outcome, Outcome::Unclear(_)));
        assert_at_rest(&rig, &[], &says([(1, commit), (2, TWO)]));
    }
}

#[test]
fn a_server_that_is_out_of_order_for_good_ends_the_run_with_what_it_said() {
    for kind in [FaultKind::status(502), FaultKind::status(429)] {
        let rig = rig(&town(&[]), terms("fill"), GROUPS);
        rig.simulator().set_faults([Fault::new(kind, When::every(1)).on_writes()]);
        assert!(matches!(rig.apply(Pulling::Stored), Err(Error::Writes(_))));
        rig.leave_alone();
        assert_eq!(rig.open_entries(), []);
        assert!(matches!(rig.last_run().ended, Some((_, RunOutcome::Failed(_)))));
        rig.apply(Pulling::Stored).unwrap();
        assert_at_rest(&rig, &[], &says([(1, ONE), (2, TWO)]));
    }
}

#[test]
fn a_write_that_nobody_can_look_after_stays_open_and_is_settled_by_the_next_run() {
    let rig = rig(&town(&[]), terms("fill"), GROUPS);
    rig.simulator().set_faults([
        Fault::new(FaultKind::LostReply, When::At(vec![1])).on_writes(),
        // The one before the write is fine.
        Fault::new(FaultKind::WrongType, When::At(vec![2])).on_reads().on_path("msgid="),
    ]);
    assert!(matches!(rig.apply(Pulling::Stored), Err(Error::Tracker(_))));
    rig.leave_alone();
    assert_eq!(rig.open_entries().len(), 1);
    rig.simulator().clear_log();
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(writes(&rig.log()), 1);
    assert_at_rest(&rig, &[], &says([(1, ONE), (2, TWO)]));
}

/// Two commits in each project and a relation in each.
const BOTH: &str = "1 => 1111111\n2 => 2222222\n3 4\n21 => 3333333\n22 => 4444444\n23 24\n";

fn all() -> Says {
    says([(1, "1111111"), (2, "2222222"), (21, "3333333"), (22, "4444444")])
}

#[test]
fn a_commit_that_is_forbidden_closes_its_project_to_commits_and_to_nothing_else() {
    let rig = rig(&town(&[]), terms("fill"), BOTH);
    rig.simulator()
        .set_faults([Fault::new(FaultKind::Forbid, When::every(1)).on_writes().on_path("patches/21/")]);
    let applied = rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    let refused = RefusedCommits {
        projects: [BETA].into(),
        patches: [].into(),
    };
    assert_eq!((applied.refused_commits, applied.refused_projects), (refused, [].into()));
    // One was refused; the other of that project is not tried.
    assert_eq!(writes(&rig.log()), 2 + 2 + 1);
    assert_eq!(said(&rig), says([(1, "1111111"), (2, "2222222")]));
    rig.apply(Pulling::Stored).unwrap();
    assert_at_rest(&rig, &[&[3, 4], &[23, 24]], &all());
}

#[test]
fn a_relation_that_is_forbidden_closes_its_project_to_no_commit() {
    let rig = rig(&town(&[]), terms("fill"), BOTH);
    rig.simulator()
        .set_faults([Fault::new(FaultKind::Forbid, When::every(1)).on_writes().on_path("patches/23/")]);
    let applied = rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!(
        (applied.refused_commits.is_empty(), applied.refused_projects),
        (true, [BETA].into())
    );
    assert_eq!(said(&rig), all());
    rig.apply(Pulling::Stored).unwrap();
    assert_at_rest(&rig, &[&[3, 4], &[23, 24]], &all());
}

#[test]
fn a_commit_that_is_not_accepted_is_left_alone_and_the_relation_of_its_patch_is_not() {
    let rig = rig(&town(&[]), terms("fill"), &format!("1 2 => {ONE}\n3 => {TWO}\n"));
    // The relation is the first write, to one of both.
    rig.simulator()
        .set_faults([Fault::new(FaultKind::status(400), When::At(vec![2, 3])).on_writes()]);
    let applied = rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!(applied.refused_commits.patches, [PatchId(1), PatchId(2)].into());
    assert_eq!((applied.refused_patches, applied.refused_commits.projects), ([].into(), [].into()));
    assert_eq!(said(&rig), says([(3, TWO)]));
    rig.apply(Pulling::Stored).unwrap();
    assert_at_rest(&rig, &[&[1, 2]], &says([(1, ONE), (2, ONE), (3, TWO)]));
}

/// Whoever wrote the commit meanwhile explains the refusal.
#[test]
fn a_refusal_that_a_read_explains_closes_nothing() {
    for commit in [ONE, THIRD] {
        for kind in [FaultKind::Forbid, FaultKind::status(400)] {
            let rig = struck("fill", kind);
            rig.at_write(1, Moment::Before, move |rules| write_as_human(rules, 1, commit));
            let applied = rig.apply(Pulling::Stored).unwrap();
            rig.leave_alone();
            assert!(applied.refused_commits.is_empty());
            assert_at_rest(&rig, &[], &says([(1, commit), (2, TWO)]));
        }
    }
}

#[test]
fn a_token_that_is_accepted_no_longer_ends_the_run() {
    let rig = rig(&town(&[]), terms("fill"), GROUPS);
    rig.at_write(1, Moment::Before, |rules| {
        change_users(rules, &town(&[]).with_user("bot", "t-new", &["alpha", "beta"]));
    });
    let error = rig.apply(Pulling::Stored).unwrap_err();
    rig.leave_alone();
    assert!(matches!(error, Error::Writes(_) | Error::Tracker(_)), "{error:?}");
    assert_eq!((said(&rig), rig.open_entries()), (says([]), vec![]));
}

#[test]
fn a_project_that_was_taken_from_the_user_is_left_alone_from_then_on() {
    let rig = rig(&town(&[]), terms("fill"), BOTH);
    rig.at_write(3, Moment::Before, |rules| {
        change_users(rules, &town(&[]).with_user("bot", "t-bot", &["beta"]));
    });
    let applied = rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!(applied.refused_commits.projects, [ALPHA].into());
    assert_eq!(said(&rig), says([(21, "3333333"), (22, "4444444")]));
}

/// Patchwork saves whole rows.
#[test]
fn a_relation_that_changes_while_a_commit_of_its_patch_is_written_is_planned_for() {
    let cases: [(&[&[u64]], &[u64]); 2] = [(&[&[1, 2]], &[]), (&[], &[3])];
    for (before, related) in cases {
        let rig = rig(&town(before), terms("fill"), &format!("1 2 => {ONE}\n3\n"));
        let commit = 1 + usize::from(before.is_empty());
        rig.at_write(commit, Moment::After, move |rules| human_relates(rules, 1, related));
        rig.apply(Pulling::Stored).unwrap();
        rig.leave_alone();
        assert_at_rest(&rig, &[&[1, 2]], &says([(1, ONE), (2, ONE)]));
    }
}

/// A person relates the patch after a write that came to nothing; that write ends late, and the server saves the row as it was before.
#[test]
fn a_relation_that_the_server_undoes_in_writing_a_commit_is_no_decision_to_part() {
    let preserve = Terms {
        policy: "preserve",
        ..terms("fill")
    };
    let rig = rig(&town(&[]), preserve, &format!("1 => {ONE}\n"));
    rig.simulator()
        .set_faults([Fault::new(FaultKind::status(502), When::At(vec![1])).on_writes()]);
    let seen = Cell::new(0);
    rig.simulator().on_request(move |request, moment, rules| {
        if moment == Moment::After && Asked::of(request).is_write() {
            seen.set(seen.get() + 1);
            match seen.get() {
                1 => human_relates(rules, 1, &[3]),
                2 => rules.replace_relations([]).unwrap(),
                _ => {}
            }
        }
    });
    rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!(rig.standing(), [].into());
    assert_at_rest(&rig, &[], &says([(1, ONE)]));
    assert_eq!(rig.standing(), [].into());
}

/// Every tenth request goes wrong, many at a time.
#[test]
fn commits_are_written_down_in_spite_of_everything() {
    for kind in [FaultKind::status(503), FaultKind::LostReply, FaultKind::Truncate, FaultKind::Reset] {
        let terms = Terms {
            concurrent_requests: 8,
            ..terms("fill")
        };
        let groups: String = (1..=40).map(|patch| format!("{patch} => {patch:07}\n")).collect();
        let rig = rig(&town(&[]), terms, &groups);
        rig.simulator().set_faults([Fault::new(kind, When::every(10))]);
        assert_eq!(rig.apply(Pulling::Stored).unwrap().commits, 40);
        rig.leave_alone();
        assert_at_rest(&rig, &[], &(1..=40).map(|patch| (patch, format!("{patch:07}"))).collect());
    }
}
