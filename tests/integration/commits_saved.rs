//! Saved plans with commits in them: applied as they were read, or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use kinset::model::PatchId;
use kinset::reconcile::{Error, OperationDocument, PlanDocument, Pulling};
use kinset::tracker::simulator::Moment;
use serde_json::Value;

use super::commits::{ONE, OTHER, TWO, assert_at_rest, human_writes, rig, said, saying, says, terms, write_as_human};
use crate::support::log::writes;
use crate::support::rig::{Rig, Terms};
use crate::support::town::town;

/// A rig with a plan for it in a file: a relation and two commits, one of them in place of another.
fn with_saved_plan() -> (Rig, PathBuf) {
    let rig = rig(&saying([(3, OTHER)]), terms("overwrite"), &format!("1 2 => {ONE}\n3 => {TWO}\n2\n"));
    let file = rig.file("plan.json");
    let plan = rig.document(&rig.plan(Pulling::Stored).unwrap());
    fs::write(&file, serde_json::to_vec(&plan).unwrap()).unwrap();
    (rig, file)
}

/// Why a saved plan is stale; nothing was written because of it.
fn staleness(rig: &Rig, file: &Path) -> String {
    rig.simulator().clear_log();
    let error = rig.apply_saved(file).unwrap_err();
    assert_eq!((writes(&rig.log()), rig.open_entries()), (0, vec![]));
    match error {
        Error::Stale { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_saved_plan_is_applied_as_it_was_read() {
    let (rig, file) = with_saved_plan();
    rig.apply_saved(&file).unwrap();
    assert!(staleness(&rig, &file).contains("written since"));
    assert_at_rest(&rig, &[&[1, 2]], &says([(1, ONE), (2, ONE), (3, TWO)]));
}

#[test]
fn a_commit_that_somebody_wrote_makes_a_saved_plan_stale() {
    for (patch, commit) in [(1, OTHER), (2, ONE), (3, ONE)] {
        let (rig, file) = with_saved_plan();
        human_writes(&rig, patch, commit);
        assert_eq!(
            staleness(&rig, &file),
            format!("the commit that patch {patch} names is not what it was computed from")
        );
        rig.pull().unwrap();
        assert!(staleness(&rig, &file).starts_with("it was computed from the pull of "));
    }
}

#[test]
fn a_commit_that_no_plan_touches_makes_no_saved_plan_stale() {
    let (rig, file) = with_saved_plan();
    human_writes(&rig, 7, OTHER);
    rig.pull().unwrap();
    rig.apply_saved(&file).unwrap();
    assert_at_rest(&rig, &[&[1, 2]], &says([(1, ONE), (2, ONE), (3, TWO), (7, OTHER)]));
}

#[test]
fn another_analysis_or_another_wish_makes_a_saved_plan_stale() {
    let (mut rig, file) = with_saved_plan();
    rig.want(&format!("1 2 => {OTHER}\n3 => {TWO}\n"));
    assert!(staleness(&rig, &file).starts_with("the analysis, the configuration"));
    rig.want(&format!("1 2 => {ONE}\n3 => {TWO}\n"));
    for policy in ["off", "fill"] {
        rig.reconfigure(terms(policy));
        assert!(staleness(&rig, &file).starts_with("the analysis, the configuration"));
    }
    rig.reconfigure(terms("overwrite"));
    rig.apply_saved(&file).unwrap();
}

/// A commit that moves while a saved plan is applied is left as it is.
#[test]
fn a_saved_plan_that_is_overtaken_in_mid_run_is_not_planned_anew() {
    let (rig, file) = with_saved_plan();
    rig.at_write(1, Moment::Before, |rules| write_as_human(rules, 2, OTHER));
    let error = rig.apply_saved(&file).unwrap_err();
    assert!(matches!(error, Error::MovedMeanwhile { patch: PatchId(2), .. }), "{error:?}");
    rig.leave_alone();
    assert_eq!(said(&rig), says([(1, ONE), (2, OTHER), (3, TWO)]));
    rig.apply(Pulling::Stored).unwrap();
    assert_at_rest(&rig, &[&[1, 2]], &says([(1, ONE), (2, ONE), (3, TWO)]));
}

/// As it was saved by a kinset that knew nothing of commits.
#[test]
fn a_saved_plan_without_a_word_of_commits_is_applied_where_they_are_left_alone() {
    let rig = rig(&town(&[]), Terms::default(), &format!("1 2 => {ONE}\n"));
    let mut plan = serde_json::to_value(rig.document(&rig.plan(Pulling::Stored).unwrap())).unwrap();
    let tracker = plan["trackers"][0].as_object_mut().unwrap();
    for field in ["commit_refs", "commits_undone"] {
        assert!(tracker.remove(field).is_some());
    }
    let file = rig.file("plan.json");
    fs::write(&file, plan.to_string()).unwrap();
    rig.apply_saved(&file).unwrap();
    assert_at_rest(&rig, &[&[1, 2]], &says([]));
}

#[test]
fn where_commits_are_left_alone_they_make_no_saved_plan_stale() {
    let rig = rig(&town(&[]), Terms::default(), &format!("1 2 => {ONE}\n"));
    let plan = rig.document(&rig.plan(Pulling::Stored).unwrap());
    let file = rig.file("plan.json");
    fs::write(&file, serde_json::to_vec(&plan).unwrap()).unwrap();
    rig.want(&format!("1 2 => {TWO}\n"));
    human_writes(&rig, 1, OTHER);
    rig.pull().unwrap();
    rig.apply_saved(&file).unwrap();
    assert_at_rest(&rig, &[&[1, 2]], &says([(1, OTHER)]));
}

#[test]
fn a_saved_plan_is_the_same_when_it_is_read_again() {
    let (_rig, file) = with_saved_plan();
    let saved: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let plan = PlanDocument::load(&file).unwrap();
    let is_commit = |operation: &OperationDocument| matches!(operation, OperationDocument::CommitRef { .. });
    assert_eq!(plan.steps.iter().filter(|step| is_commit(&step.operation)).count(), 3);
    assert_eq!(serde_json::to_value(plan).unwrap(), saved);
}
