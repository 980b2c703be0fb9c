//! Rights that come and go between full pulls: no event tells of them, and no quiet pull asks.

use kinset::model::{PatchId, UserName};
use kinset::reconcile::{BecauseDocument, CommitBecauseDocument, Error, Extent, Pulling};
use kinset::tracker::Identity;
use kinset::tracker::simulator::{Fault, FaultKind, Moment, When, World};

use super::commits::{ONE, rig, said, says, terms};
use crate::support::log::{Asked, writes};
use crate::support::rig::{Rig, Terms};
use crate::support::town::{ALPHA, BETA, change_users, classes, town};

/// The town, where `bot` maintains these.
fn bot_maintaining(projects: &[&str]) -> World {
    town(&[]).with_user("bot", "t-bot", projects)
}

fn lets_bot_maintain(rig: &Rig, projects: &[&str]) {
    rig.simulator().with_rules(|rules| change_users(rules, &bot_maintaining(projects)));
}

/// How many requests for a project there were since the last time.
fn asked_for_projects(rig: &Rig) -> usize {
    let asked = rig.log().iter().filter(|request| Asked::of(request) == Asked::Project).count();
    rig.simulator().clear_log();
    asked
}

/// Whether a plan has anything to write, and what it leaves undone for want of rights, relations before commits.
fn planned(rig: &Rig) -> (usize, Vec<String>) {
    let prepared = rig.plan(Pulling::Stored).unwrap();
    let document = rig.document(&prepared);
    let mut projects = Vec::new();
    for tracker in document.trackers {
        projects.extend(
            tracker
                .undone
                .into_iter()
                .flat_map(|undone| undone.because)
                .filter_map(|because| match because {
                    BecauseDocument::Permission { project } => Some(project),
                    _ => None,
                }),
        );
        projects.extend(tracker.commits_undone.into_iter().filter_map(|undone| match undone.because {
            CommitBecauseDocument::Permission { project } => Some(project),
            _ => None,
        }));
    }
    (prepared.draft.writes(), projects)
}

#[test]
fn a_right_that_was_lost_is_found_out_by_one_refusal_and_one_that_was_given_back_by_the_next_plan() {
    let rig = rig(&town(&[]), terms("off"), "1 2\n21 22\n");
    lets_bot_maintain(&rig, &["beta"]);
    assert_eq!(rig.apply(Pulling::Stored).unwrap().refused_projects, [ALPHA].into());
    let bot = UserName("bot".to_owned());
    let projects = rig.stored().snapshot.projects;
    assert_eq!(
        [ALPHA, BETA].map(|project| projects[&project].maintainers.contains(&bot)),
        [false, true]
    );
    assert_eq!(planned(&rig), (0, vec!["alpha".to_owned()]));
    rig.simulator().clear_log();
    assert_eq!(rig.apply(Pulling::Stored).unwrap().refused_projects, [].into());
    assert_eq!(writes(&rig.log()), 0);
    lets_bot_maintain(&rig, &["alpha", "beta"]);
    assert_eq!(planned(&rig), (1, vec![]));
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2], &[21, 22]]));
}

#[test]
fn so_it_is_for_commits() {
    let rig = rig(&town(&[]), terms("fill"), &format!("1 => {ONE}\n21 => 2222222\n"));
    lets_bot_maintain(&rig, &["beta"]);
    assert_eq!(rig.apply(Pulling::Stored).unwrap().refused_commits.projects, [ALPHA].into());
    assert_eq!(planned(&rig), (0, vec!["alpha".to_owned()]));
    rig.simulator().clear_log();
    assert!(rig.apply(Pulling::Stored).unwrap().refused_commits.is_empty());
    assert_eq!(writes(&rig.log()), 0);
    lets_bot_maintain(&rig, &["alpha", "beta"]);
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(said(&rig)[&1], ONE);
}

#[test]
fn somebody_who_maintained_nothing_is_known_as_soon_as_they_maintain_what_is_wanted() {
    for (groups, commit_ref) in [("1 2\n", "off"), ("1 => 1111111\n", "fill")] {
        let rig = rig(&bot_maintaining(&[]), terms(commit_ref), groups);
        let before = rig.plan(Pulling::Stored).unwrap();
        assert_eq!((before.draft.writes(), &before.identity), (0, &Identity::NoneOf));
        let refused = before.require_maintainer(rig.tracker()).unwrap_err();
        assert!(matches!(refused, Error::NoMaintainer { .. }), "{refused:?}");
        lets_bot_maintain(&rig, &["alpha"]);
        let after = rig.plan(Pulling::Stored).unwrap();
        assert_eq!(
            (after.draft.writes(), &after.identity),
            (1, &Identity::User(UserName("bot".to_owned())))
        );
        after.require_maintainer(rig.tracker()).unwrap();
    }
}

/// What others did is counted once, however often the plan is made.
#[test]
fn a_plan_that_is_made_anew_for_a_right_still_tells_what_others_did() {
    let rig = rig(&bot_maintaining(&["beta"]), terms("off"), "1 2\n");
    rig.plan(Pulling::Stored).unwrap();
    lets_bot_maintain(&rig, &["alpha", "beta"]);
    rig.human_writes(3, &[4]);
    rig.simulator().clear_log();
    let prepared = rig.plan(Pulling::Fresh(Extent::Due)).unwrap();
    assert_eq!((prepared.draft.foreign, prepared.draft.writes() > 0), (2, true));
    assert_eq!(asked_for_projects(&rig), 1, "and no sweep");
}

#[test]
fn only_projects_that_something_is_held_back_in_are_asked_for() {
    let alice = Terms {
        token: "t-alice",
        ..terms("fill")
    };
    for (groups, asked) in [
        ("1 2\n", 0),
        ("1 2\n21 22\n", 1),
        ("1 2\n21 22\n23 => 1111111\n", 1),
        ("21 => 1111111\n", 1),
    ] {
        let rig = rig(&town(&[]), alice, groups);
        rig.plan(Pulling::Stored).unwrap();
        assert_eq!(asked_for_projects(&rig), asked, "{groups}");
    }
}

#[test]
fn however_many_commits_are_refused_at_once_their_project_is_read_once() {
    let terms = Terms {
        concurrent_requests: 8,
        ..terms("fill")
    };
    let groups: String = (1..=20).map(|patch| format!("{patch} => {patch:07}\n")).collect();
    let rig = rig(&town(&[]), terms, &groups);
    lets_bot_maintain(&rig, &["beta"]);
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!((asked_for_projects(&rig), said(&rig)), (1, says([])));
}

/// A refusal of another kind: the tracker still says that the user maintains the project.
#[test]
fn a_refusal_that_the_maintainers_do_not_explain_is_forgotten_by_the_next_plan() {
    let rig = rig(&town(&[]), terms("fill"), &format!("1 2\n3 => {ONE}\n"));
    rig.simulator()
        .set_faults([Fault::new(FaultKind::Forbid, When::every(1)).on_writes()]);
    let applied = rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!(
        (applied.refused_projects, applied.refused_commits.projects),
        ([ALPHA].into(), [ALPHA].into())
    );
    assert_eq!(planned(&rig), (2, vec![]));
}

#[test]
fn a_right_that_is_lost_in_mid_run_is_known_afterwards() {
    let rig = rig(&town(&[]), terms("off"), "1 2\n3 4\n21 22\n");
    rig.at_write(2, Moment::Before, |rules| change_users(rules, &bot_maintaining(&["beta"])));
    rig.apply(Pulling::Stored).unwrap();
    rig.leave_alone();
    assert_eq!(rig.relations(), classes(&[&[1, 2], &[21, 22]]));
    assert_eq!(planned(&rig), (0, vec!["alpha".to_owned()]));
    assert!(rig.stored().snapshot.patches.contains_key(&PatchId(3)));
}

#[test]
fn a_right_that_was_lost_costs_one_refusal_however_many_relations_there_are_and_keeps_nobody_from_other_projects() {
    let rig = rig(&town(&[&[7, 8, 27]]), terms("off"), "1 2\n3 4\n5 6\n7 8\n21 22\n9 23\n24 25 26\n");
    lets_bot_maintain(&rig, &["beta"]);
    rig.simulator().clear_log();
    let applied = rig.apply(Pulling::Stored).unwrap();
    let log = rig.log();
    let refused = log.iter().filter(|request| request.status == Some(403)).count();
    assert_eq!((writes(&log) - refused, refused), (2, 1));
    assert_eq!((applied.rounds, applied.refused_projects), (1, [ALPHA].into()));
    // Clearing 27 is refused as well, for it is related to patches of alpha.
    rig.assert_at_rest(&classes(&[&[7, 8, 27], &[21, 22], &[24, 25, 26]]));
}
