//! Projects whose collection has ended: nothing is written there, whatever is wanted.

use std::fs;
use std::path::PathBuf;

use kinset::model::packages::Operation;
use kinset::reconcile::{BecauseDocument, CommitBecauseDocument, Error, Extent, PlanDocument, Pulling};
use kinset::remedy::Remedy as _;
use kinset::store::packages::{Force, Hand};

use super::commits::{ONE, OTHER, TWO, said, saying};
use crate::support::log::{Asked, writes};
use crate::support::rig::{Rig, Terms, open};
use crate::support::town::{classes, town};

pub(crate) const POLICIES: [&str; 3] = ["additive", "preserve", "authoritative"];

/// The table that says so.
pub(crate) const BETA_OF_F40: &str = "[[tracker.project]]\nname = \"beta\"\ncollection = \"fedora/f40\"";

fn terms(policy: &'static str) -> Terms {
    Terms {
        policy,
        commit_ref: "overwrite",
        guard: "min_resolved_fraction = 0.0\nmax_clear_fraction = 1.0",
        tables: BETA_OF_F40,
        ..Terms::default()
    }
}

fn perform(rig: &Rig, operations: &[String]) {
    let operations: Vec<Operation> = operations
        .iter()
        .map(|operation| serde_json::from_str(operation).unwrap())
        .collect();
    let hand = Hand {
        actor: "ann".to_owned(),
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
        force: Force::Insisted,
    };
    open(&rig.file("state")).perform(&hand, &operations).unwrap();
}

/// Brings the collection `fedora/f40` into a rig's state.
pub(crate) fn enter(rig: &Rig, status: &str) {
    let distribution = r#"{"op":"create-distribution","distribution":"fedora","sharing":"copy-on-write","versions":"rpm"}"#;
    let series = format!(r#"{{"op":"create-series","in":"fedora/f40","owner":"ann","status":"{status}"}}"#);
    perform(rig, &[distribution.to_owned(), series]);
}

/// Lets the collection come to another stage.
fn turn(rig: &Rig, status: &str) {
    let series = format!(r#"{{"op":"change-series","in":"fedora/f40","owner":"ann","status":"{status}"}}"#);
    perform(rig, &[series]);
}

/// A rig that was pulled, where `beta` is of a collection at this stage.
fn rig(relations: &[&[u64]], groups: &str, status: &str) -> Rig {
    let rig = Rig::serving(&town(relations), terms("authoritative"));
    rig.want(groups);
    enter(&rig, status);
    rig.pull().unwrap();
    rig.simulator().clear_log();
    rig
}

/// Whether a write went to a patch of `beta`, and how many went to others.
fn written(rig: &Rig) -> (bool, usize) {
    let patches = rig.log().into_iter().filter_map(|request| match Asked::of(&request) {
        Asked::Write(patch) => Some(patch.0 > 20),
        _ => None,
    });
    let patches: Vec<bool> = patches.collect();
    (patches.contains(&true), patches.iter().filter(|in_beta| !**in_beta).count())
}

/// Why the plan for the last pull leaves relations undone, and why commits.
fn reasons(rig: &Rig) -> (Vec<BecauseDocument>, Vec<CommitBecauseDocument>) {
    let document = rig.document(&rig.plan(Pulling::Stored).unwrap());
    let tracker = document.trackers.into_iter().next().unwrap();
    let relations = tracker.undone.into_iter().flat_map(|undone| undone.because);
    let commits = tracker.commits_undone.into_iter().map(|undone| undone.because);
    (relations.collect(), commits.collect())
}

fn relations_of_beta(rig: &Rig) -> Vec<Vec<u64>> {
    let relations = rig.relations().into_iter().filter(|class| class.iter().any(|patch| patch.0 > 20));
    relations.map(|class| class.iter().map(|patch| patch.0).collect()).collect()
}

/// Under each policy there is something to write in `beta` for as long as its collection lives, of relations and of commits.
#[test]
fn nothing_is_written_to_a_project_whose_collection_has_ended_under_any_policy() {
    let wanted = format!("1 4 => {ONE}\n21 22 24 => {TWO}\n3 5\n25 26\n6 7 27\n");
    for policy in POLICIES {
        for (status, is_ended) in [("active", false), ("maintenance", false), ("eol", true), ("rejected", true)] {
            let mut world = saying([(21, OTHER)]);
            for relation in classes(&[&[1, 2], &[21, 22], &[3, 23]]) {
                world = world.with_relation(relation);
            }
            let rig = Rig::serving(&world, terms(policy));
            rig.want(&wanted);
            enter(&rig, status);
            rig.pull().unwrap();
            let before = (relations_of_beta(&rig), said(&rig).split_off(&21));
            rig.simulator().clear_log();
            rig.apply(Pulling::Stored).unwrap();
            let (is_touched, others) = written(&rig);
            assert_eq!(is_touched, !is_ended, "{policy}, {status}");
            assert!(others > 0, "{policy}, {status}");
            if is_ended {
                assert_eq!((relations_of_beta(&rig), said(&rig).split_off(&21)), before, "{policy}, {status}");
                let ended = (
                    BecauseDocument::Ended {
                        project: "beta".to_owned(),
                        collection: "fedora/f40".parse().unwrap(),
                    },
                    CommitBecauseDocument::Ended {
                        project: "beta".to_owned(),
                        collection: "fedora/f40".parse().unwrap(),
                    },
                );
                let (relations, commits) = reasons(&rig);
                assert!(relations.contains(&ended.0), "{policy}, {status}: {relations:?}");
                assert_eq!(commits, vec![ended.1; 3], "{policy}, {status}");
            }
            rig.assert_at_rest(&rig.relations());
        }
    }
}

#[test]
fn a_relation_with_a_patch_of_an_ended_collection_is_left_alone_whole() {
    let rig = rig(&[&[3, 4, 23]], "3 5\n4 6\n7 8\n", "eol");
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(writes(&rig.log()), 1);
    rig.assert_at_rest(&classes(&[&[3, 4, 23], &[7, 8]]));
}

#[test]
fn a_collection_that_begins_again_is_kept_in_step_again() {
    let rig = rig(&[&[21, 22]], "21 23\n", "eol");
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[21, 22]]));
    turn(&rig, "maintenance");
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[21, 23]]));
}

/// Between two runs, with no pull: the state alone says so.
#[test]
fn a_collection_that_ends_is_left_alone_by_the_next_run() {
    let rig = rig(&[], "21 22\n", "active");
    rig.apply(Pulling::Stored).unwrap();
    turn(&rig, "eol");
    rig.want("23 24\n1 2\n");
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    rig.assert_at_rest(&classes(&[&[21, 22], &[1, 2]]));
}

#[test]
fn a_project_that_nothing_may_be_written_to_anyway_is_not_asked_for_its_maintainers() {
    for (status, asked) in [("active", 1), ("eol", 0)] {
        let mut rig = rig(&[], "1 2\n21 22\n", status);
        rig.reconfigure(Terms {
            token: "t-alice",
            ..terms("authoritative")
        });
        let (relations, _) = reasons(&rig);
        assert_eq!(relations.len(), 1);
        assert_eq!(matches!(relations[0], BecauseDocument::Ended { .. }), status == "eol");
        let projects = rig.log().iter().filter(|request| Asked::of(request) == Asked::Project).count();
        assert_eq!(projects, asked, "{status}");
    }
}

/// A rig with a saved plan that writes to `alpha` alone.
fn with_saved_plan(status: &str) -> (Rig, PathBuf) {
    let rig = rig(&[], "1 2\n", status);
    let file = rig.file("plan.json");
    let plan = rig.document(&rig.plan(Pulling::Stored).unwrap());
    fs::write(&file, serde_json::to_vec(&plan).unwrap()).unwrap();
    assert_eq!(PlanDocument::load(&file).unwrap(), plan);
    (rig, file)
}

#[test]
fn a_saved_plan_is_stale_once_a_collection_has_ended_or_begun_again() {
    for (before, after) in [("active", "eol"), ("eol", "active")] {
        let (rig, file) = with_saved_plan(before);
        turn(&rig, after);
        rig.simulator().clear_log();
        let error = rig.apply_saved(&file).unwrap_err();
        assert_eq!(writes(&rig.log()), 0);
        let expected = "the projects whose collections have ended are not those that it was computed from";
        assert!(matches!(&error, Error::Stale { what, .. } if what == expected), "{error:?}");
        turn(&rig, before);
        rig.apply_saved(&file).unwrap();
        rig.assert_at_rest(&classes(&[&[1, 2]]));
    }
}

#[test]
fn another_stage_of_a_living_collection_makes_no_saved_plan_stale() {
    let (rig, file) = with_saved_plan("active");
    turn(&rig, "maintenance");
    rig.apply_saved(&file).unwrap();
}

#[test]
fn a_collection_that_nobody_knows_ends_the_plan_before_the_tracker_is_read() {
    let rig = Rig::serving(&town(&[]), terms("additive"));
    rig.want("1 2\n");
    rig.pull().unwrap();
    rig.simulator().clear_log();
    let error = rig.plan(Pulling::Fresh(Extent::Full)).unwrap_err();
    assert!(
        rig.log().iter().all(|request| Asked::of(request) == Asked::Index),
        "{:?}",
        rig.log()
    );
    let Error::UnknownCollection { project, collection, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((project.as_str(), collection.to_string().as_str()), ("beta", "fedora/f40"));
    assert!(error.remedy().unwrap().contains("`kinset series list`"));
    assert!(matches!(rig.apply(Pulling::Stored), Err(Error::UnknownCollection { .. })));
    enter(&rig, "development");
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2]]));
}
