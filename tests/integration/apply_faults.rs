//! From a pull to a tracker that is as the analysis wants it, while every tenth request goes wrong.

use std::time::Duration;

use kinset::model::PatchId;
use kinset::reconcile::{Error, Pulling};
use kinset::store::RunOutcome;
use kinset::tracker::simulator::{Fault, FaultKind, LoggedRequest, When};

use crate::support::change::Change;
use crate::support::log::{Asked, writes};
use crate::support::rig::{Rig, Terms};
use crate::support::town::{classes, town};

/// What becomes of a write that is struck.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Struck {
    /// It is carried out, and the client is told so.
    Told,
    /// It is carried out, and the client cannot know.
    InTheDark,
    /// It is not carried out, and the client is told so.
    Refused,
    /// It is not carried out, or not to its end, and the client cannot know.
    Lost,
}

const EVERY: u64 = 10;

/// One request in [`EVERY`], and no two gaps alike that follow each other: a component that is left over alone, and asks as much for each attempt, must not
/// be struck at every one of them.
fn uneven() -> Vec<u64> {
    let gaps = [EVERY - 3, EVERY + 3, EVERY - 1, EVERY + 1];
    let ordinals = gaps.iter().cycle().scan(0, |last, gap| {
        *last += gap;
        Some(*last)
    });
    ordinals.take_while(|ordinal| *ordinal < 100_000).collect()
}

/// Pulls, plans and applies while every tenth request is struck, reads and writes alike.
fn reaches_the_goal_in_spite_of(kind: FaultKind, struck: Struck) {
    let ordinals = uneven();
    let fault = Fault::new(kind, When::At(ordinals.clone()));
    let fault = if struck == Struck::Told { fault.on_writes() } else { fault };
    let change = Change::like_jailhouse();
    let terms = Terms {
        concurrent_requests: 16,
        timeout: if matches!(kind, FaultKind::Delay { .. }) { SOON } else { LATE },
        ..Terms::for_pasta()
    };
    let rig = Rig::serving(&change.world(), terms);
    rig.want(&change.groups());
    rig.simulator().set_faults([fault]);
    rig.pull().unwrap();
    let applied = rig.apply(Pulling::Stored).unwrap();
    let log = rig.log();
    rig.leave_alone();

    // Half a write may be seen before it is repeated, and is planned for then.
    assert!(applied.rounds == 1 || kind == FaultKind::HalfWrite);
    let is_struck = |request: &&LoggedRequest| struck != Struck::Told && ordinals.binary_search(&request.ordinal).is_ok();
    let in_vain = match struck {
        Struck::Told | Struck::InTheDark => 0,
        Struck::Refused | Struck::Lost => log.iter().filter(is_struck).filter(|request| Asked::of(request).is_write()).count(),
    };
    assert_eq!(writes(&log), change.fewest_writes() + in_vain);
    if matches!(struck, Struck::InTheDark | Struck::Lost) {
        for request in log.iter().filter(is_struck) {
            if let Asked::Write(patch) = Asked::of(request) {
                assert_read_next(&log, request.ordinal, patch, &change);
            }
        }
    }
    rig.assert_at_rest(&change.new);
}

/// After a write whose outcome nobody knows, the first thing that is asked about its patch is how it is related now.
fn assert_read_next(log: &[LoggedRequest], ordinal: u64, patch: PatchId, change: &Change) {
    let read = Asked::Mail(change.mail(patch).bare().to_owned());
    let next = log
        .iter()
        .filter(|request| request.ordinal > ordinal)
        .map(Asked::of)
        .find(|asked| *asked == read || *asked == Asked::Write(patch));
    assert_eq!(next, Some(read), "after the write to {patch} that was request {ordinal}");
}

/// No machine is so busy.
const LATE: Duration = Duration::from_secs(60);

/// Long enough for a page of patches, and not so long that a hundred of them are felt.
const SOON: Duration = Duration::from_millis(250);

#[test]
fn a_bad_gateway_at_every_tenth_request() {
    reaches_the_goal_in_spite_of(FaultKind::status(502), Struck::Lost);
}

#[test]
fn a_server_that_asks_for_a_pause_at_every_tenth_request() {
    let unavailable = FaultKind::Status {
        code: 503,
        retry_after_s: Some(0),
    };
    reaches_the_goal_in_spite_of(unavailable, Struck::Lost);
}

#[test]
fn an_internal_error_at_every_tenth_request() {
    reaches_the_goal_in_spite_of(FaultKind::status(500), Struck::Lost);
}

#[test]
fn too_many_requests_at_every_tenth_request() {
    let throttled = FaultKind::Status {
        code: 429,
        retry_after_s: Some(0),
    };
    reaches_the_goal_in_spite_of(throttled, Struck::Refused);
}

#[test]
fn an_answer_that_comes_too_late_at_every_tenth_request() {
    reaches_the_goal_in_spite_of(FaultKind::delay(LATE), Struck::InTheDark);
}

#[test]
fn a_reset_at_every_tenth_request() {
    reaches_the_goal_in_spite_of(FaultKind::Reset, Struck::Lost);
}

#[test]
fn half_an_answer_at_every_tenth_request() {
    reaches_the_goal_in_spite_of(FaultKind::Truncate, Struck::InTheDark);
}

#[test]
fn a_web_page_at_every_tenth_request() {
    reaches_the_goal_in_spite_of(FaultKind::Html, Struck::Lost);
}

#[test]
fn a_lost_reply_at_every_tenth_request() {
    reaches_the_goal_in_spite_of(FaultKind::LostReply, Struck::InTheDark);
}

#[test]
fn half_a_write_at_every_tenth_request() {
    reaches_the_goal_in_spite_of(FaultKind::HalfWrite, Struck::Lost);
}

#[test]
fn answers_of_another_shape_at_every_tenth_write() {
    reaches_the_goal_in_spite_of(FaultKind::WrongType, Struck::Told);
}

#[test]
fn answers_without_relations_at_every_tenth_write() {
    reaches_the_goal_in_spite_of(FaultKind::NoRelated, Struck::Told);
}

/// Applies while the tracker gives answers that nobody can work with; then the goal is reached without them.
fn ends_with_an_error(kind: FaultKind, is_told: fn(&Error) -> bool) {
    let change = Change::generated(3, 1200);
    let rig = Rig::serving(&change.world(), Terms::for_pasta());
    rig.want(&change.groups());
    rig.pull().unwrap();
    rig.simulator()
        .set_faults([Fault::new(kind, When::every(EVERY)).on_reads().on_path("msgid=")]);
    let error = rig.apply(Pulling::Stored).unwrap_err();
    rig.leave_alone();
    assert!(is_told(&error), "{error:?}");
    assert_eq!(rig.open_entries(), []);
    assert!(matches!(rig.last_run().ended, Some((_, RunOutcome::Failed(_)))));
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&change.new);
}

#[test]
fn reads_of_another_shape_end_the_run_and_the_next_one_reaches_the_goal() {
    ends_with_an_error(
        FaultKind::WrongType,
        |error| matches!(error, Error::Tracker(source) if matches!(**source, kinset::tracker::Error::Http(kinset::http::Error::WrongShape { .. }))),
    );
}

#[test]
fn reads_without_relations_end_the_run_and_the_next_one_reaches_the_goal() {
    ends_with_an_error(
        FaultKind::NoRelated,
        |error| matches!(error, Error::Tracker(source) if matches!(**source, kinset::tracker::Error::MissingRelated { .. })),
    );
}

#[test]
fn reads_that_are_forbidden_end_the_run_and_the_next_one_reaches_the_goal() {
    ends_with_an_error(
        FaultKind::Forbid,
        |error| matches!(error, Error::Tracker(source) if matches!(**source, kinset::tracker::Error::Http(kinset::http::Error::Status { .. }))),
    );
}

#[test]
fn a_pull_of_answers_that_nobody_can_work_with_keeps_what_was_known() {
    for kind in [FaultKind::WrongType, FaultKind::NoRelated, FaultKind::Forbid] {
        let rig = Rig::serving(&town(&[&[1, 2]]), Terms::default());
        rig.want("1 2\n");
        rig.pull().unwrap();
        let known = rig.stored();
        rig.human_writes(3, &[4]);
        rig.simulator().set_faults([Fault::new(kind, When::every(1)).on_path("order=id")]);
        rig.pull().unwrap_err();
        assert_eq!(rig.stored(), known);
    }
}

#[test]
fn a_tracker_that_forbids_every_write_has_its_projects_left_alone() {
    let change = Change::generated(3, 1200);
    let rig = Rig::serving(&change.world(), Terms::for_pasta());
    rig.want(&change.groups());
    rig.pull().unwrap();
    rig.simulator()
        .set_faults([Fault::new(FaultKind::Forbid, When::every(1)).on_writes()]);
    let applied = rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!(applied.refused_projects.len(), 2);
    assert_eq!(rig.relations(), change.old);
    assert_eq!(rig.open_entries(), []);
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&change.new);
}

#[test]
fn a_write_that_was_forbidden_once_is_made_up_for_by_the_next_run() {
    let change = Change::generated(3, 1200);
    let rig = Rig::serving(&change.world(), Terms::for_pasta());
    rig.want(&change.groups());
    rig.pull().unwrap();
    rig.simulator()
        .set_faults([Fault::new(FaultKind::Forbid, When::every(EVERY)).on_writes()]);
    let applied = rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert!(!applied.refused_projects.is_empty());
    assert_eq!(rig.open_entries(), []);
    assert_eq!(rig.known_relations(), rig.relations());
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&change.new);
}

/// Nothing can be learned of the outcome, neither from the answer nor by reading: then it stays open until somebody can read.
#[test]
fn a_write_that_nobody_can_look_after_stays_open_and_is_settled_by_the_next_run() {
    let rig = Rig::serving(&town(&[]), Terms::default());
    rig.want("1 2\n");
    rig.pull().unwrap();
    rig.simulator().set_faults([
        Fault::new(FaultKind::LostReply, When::every(1)).on_writes(),
        // The two before the write are fine.
        Fault::new(FaultKind::WrongType, When::At(vec![3])).on_reads().on_path("msgid="),
    ]);
    assert!(matches!(rig.apply(Pulling::Stored), Err(Error::Tracker(_))));
    rig.leave_alone();
    assert_eq!(rig.open_entries().len(), 1);
    rig.simulator().clear_log();
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(writes(&rig.log()), 0);
    rig.assert_at_rest(&classes(&[&[1, 2]]));
}

#[test]
fn a_server_that_is_out_of_order_for_good_ends_the_run_with_what_it_said() {
    let rig = Rig::serving(&town(&[]), Terms::default());
    rig.want("1 2\n");
    rig.pull().unwrap();
    rig.simulator()
        .set_faults([Fault::new(FaultKind::status(502), When::every(1)).on_writes()]);
    assert!(matches!(rig.apply(Pulling::Stored), Err(Error::Writes(_))));
    rig.leave_alone();
    assert_eq!(rig.open_entries(), []);
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2]]));
}

/// What is left of half a write is a relation of one, which nobody sees.
#[test]
fn what_half_a_write_leaves_behind_is_cleared_away_by_the_next_run() {
    let rig = Rig::serving(&town(&[&[3, 4, 5]]), Terms::default());
    rig.want("1 2\n3 4 5\n");
    rig.pull().unwrap();
    rig.simulator().set_faults([
        Fault::new(FaultKind::HalfWrite, When::At(vec![1])).on_writes(),
        Fault::new(FaultKind::status(502), When::every(1)).on_writes(),
    ]);
    rig.apply(Pulling::Stored).unwrap_err();
    rig.leave_alone();
    assert_eq!(rig.relations(), classes(&[&[3, 4, 5]]));
    let hidden = rig.simulator().with_rules(|rules| rules.hidden_relations());
    assert_eq!(hidden.len(), 1);
    // Both are wanted elsewhere by now, so that the hidden relation is in the way.
    rig.want("1 2 3 4 5\n");
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2, 3, 4, 5]]));
}
