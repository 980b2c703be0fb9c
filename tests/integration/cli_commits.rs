//! What the command line tells of upstream commits.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::cli_support::{Place, Tracker, world};

const ONE: &str = "1111111111111111111111111111111111111111";

/// A tracker whose patches say these, and a folder with an analysis.
fn place(commit_ref: &str, says: &[(usize, &str)], groups: &str) -> (Tracker, Place) {
    let mut world = world(&[]);
    for (patch, commit) in says {
        world["patches"][patch - 1]["commit_ref"] = json!(commit);
    }
    let tracker = Tracker::serving(world);
    let config = tracker
        .config()
        .replace("token_file", &format!("commit_ref = \"{commit_ref}\"\ntoken_file"));
    let place = Place::configured(&config, groups);
    (tracker, place)
}

#[test]
fn a_plan_tells_of_commits_apart_from_relations() {
    let groups = format!("1 2 => {ONE}\n3 => {ONE}0 {ONE}1\n4 => 0123abcd\n");
    let (tracker, place) = place("overwrite", &[(2, "v5.3"), (4, "0123ABC")], &groups);
    assert_snapshot!(place.run("plan"), @"");
    assert_snapshot!(place.run("apply --yes"), @"");
    assert_eq!(tracker.writes(), 3);
    assert_snapshot!(place.run("status"), @"");
    assert_snapshot!(place.run("plan --detailed-exitcode"), @"");
}

#[test]
fn commits_alone_are_a_plan_too() {
    let (_tracker, place) = place(
        "fill",
        &[(2, "v5.3"), (4, "v5.4")],
        &format!("1 => {ONE}\n2 => 0123abcd\n4 => 4567abcd\n"),
    );
    assert!(place.run("plan --detailed-exitcode").starts_with("exit 2"));
    assert_snapshot!(place.run("apply --yes"), @"");
    assert_snapshot!(place.run("apply --yes"), @"");
    let status: Value = serde_json::from_str(&place.data("status --format json")).unwrap();
    assert_eq!(status[0]["last_cycle"]["commit_refs"], 0);
    assert_eq!(status[0]["last_run"]["done"], 1);
}

#[test]
fn what_a_tracker_and_an_analysis_say_cannot_reach_the_terminal() {
    let (_tracker, place) = place("overwrite", &[(1, "\u{1b}[2Kv5.3")], "1 => \u{9b}31m\n");
    assert_snapshot!(place.run("plan"), @"");
}

#[test]
fn a_guard_tells_how_much_would_be_overwritten() {
    let says: Vec<(usize, &str)> = (1..=12).map(|patch| (patch, "v5.3")).collect();
    let groups: String = (1..=12).map(|patch| format!("{patch} => {patch:040}\n")).collect();
    let (tracker, place) = place("overwrite", &says, &groups);
    let told = place.run("apply --yes");
    assert_eq!(tracker.writes(), 0);
    assert_snapshot!(told.split_once("--- stderr\n").unwrap().1, @"");
}

#[test]
fn what_the_tracker_refuses_of_commits_is_told() {
    use kinset::tracker::simulator::{Fault, FaultKind, When};
    let (tracker, place) = place("fill", &[], &format!("1 => {ONE}\n2 => 0123abcd\n"));
    for kind in [FaultKind::Forbid, FaultKind::status(400)] {
        tracker.simulator().set_faults([Fault::new(kind, When::every(1)).on_writes()]);
        let told = place.run("apply --yes");
        assert!(told.starts_with("exit 1"));
        let told = told.split_once("--- stderr\n").unwrap().1;
        let last = told
            .lines()
            .filter(|line| line.starts_with("kernel: the tracker refused"))
            .collect::<Vec<_>>();
        assert_eq!(last.len(), 1, "{told}");
    }
}
