//! What the command line tells of upstream commits.

use insta::assert_snapshot;
use kinset::tracker::simulator::{Fault, FaultKind, When};
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
    assert_snapshot!(place.run("plan"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 1 with 2  # <m1@example.org>: new relation
      commit 1 1111111111111111111111111111111111111111  # <m1@example.org>: filled in
      commit 2 1111111111111111111111111111111111111111  # <m2@example.org>: in place of v5.3
      undone 3  # commit not written down: the analysis names several, and Patchwork holds one
    3 writes: 0 clears, 1 relate, 2 commits; 0 relations become 1; 1 wanted commit not written down
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
    let status = place.run("status");
    let last_cycle = status.lines().find(|line| line.contains("last cycle")).unwrap().trim();
    assert_snapshot!(last_cycle, @"last cycle  TIME: 3 writes: 0 clears, 1 relate, 2 commits, 1 undone, 0 patches moved by others");
    assert_snapshot!(place.run("apply --yes"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 1 with 2  # <m1@example.org>: new relation
      commit 1 1111111111111111111111111111111111111111  # <m1@example.org>: filled in
      commit 2 1111111111111111111111111111111111111111  # <m2@example.org>: in place of v5.3
      undone 3  # commit not written down: the analysis names several, and Patchwork holds one
    3 writes: 0 clears, 1 relate, 2 commits; 0 relations become 1; 1 wanted commit not written down
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    kernel: 3 writes took effect
    kernel: 1 relation and 2 commits as planned, verified
    ");
    assert_eq!(tracker.writes(), 3);
    assert_snapshot!(place.run("status"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/, policy authoritative
      pulled      TIME: 12 patches in 1 project; read whole TIME
      last cycle  TIME: nothing to write, 1 undone, 0 patches moved by others
      last run    1, TIME: completed, 3 writes took effect
      decisions   0 standing
    ");
    assert_snapshot!(place.run("plan --detailed-exitcode"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      undone 3  # commit not written down: the analysis names several, and Patchwork holds one
    nothing to write; 1 wanted commit not written down
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
}

#[test]
fn commits_alone_are_a_plan_too() {
    let (_tracker, place) = place(
        "fill",
        &[(2, "v5.3"), (4, "v5.4")],
        &format!("1 => {ONE}\n2 => 0123abcd\n4 => 4567abcd\n"),
    );
    assert!(place.run("plan --detailed-exitcode").starts_with("exit 2"));
    assert_snapshot!(place.run("apply --yes"), @r#"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      commit 1 1111111111111111111111111111111111111111  # <m1@example.org>: filled in
      undone 2 4  # commit not written down: the patch names another (commit_ref is "fill")
    1 write: 0 clears, 0 relates, 1 commit; 0 relations stay; 2 wanted commits not written down
    unmatched: 0 of 3 elements only in the analysis, 9 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    kernel: 1 write took effect
    kernel: 0 relations and 1 commit as planned, verified
    "#);
    assert_snapshot!(place.run("apply --yes"), @r#"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      undone 2 4  # commit not written down: the patch names another (commit_ref is "fill")
    nothing to write; 2 wanted commits not written down
    unmatched: 0 of 3 elements only in the analysis, 9 of 12 patches only in the tracker (see `kinset relations unmatched`)
    "#);
    let status: Value = serde_json::from_str(&place.data("status --format json")).unwrap();
    assert_eq!(status[0]["last_cycle"]["commit_refs"], 0);
    assert_eq!(status[0]["last_run"]["done"], 1);
}

#[test]
fn what_a_tracker_and_an_analysis_say_cannot_reach_the_terminal() {
    let (_tracker, place) = place("overwrite", &[(1, "\u{1b}[2Kv5.3")], "1 => \u{9b}31m\n");
    assert_snapshot!(place.run("plan"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      commit 1 \u{9b}31m  # <m1@example.org>: in place of \u{1b}[2Kv5.3
    1 write: 0 clears, 0 relates, 1 commit; 0 relations stay
    unmatched: 0 of 1 element only in the analysis, 11 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
}

#[test]
fn a_guard_tells_how_much_would_be_overwritten() {
    let says: Vec<(usize, &str)> = (1..=12).map(|patch| (patch, "v5.3")).collect();
    let groups: String = (1..=12).map(|patch| format!("{patch} => {patch:040}\n")).collect();
    let (tracker, place) = place("overwrite", &says, &groups);
    let told = place.run("apply --yes");
    assert_eq!(tracker.writes(), 0);
    assert_snapshot!(told.split_once("--- stderr\n").unwrap().1, @r"
    error: tracker kernel: 12 of 12 patches that name a commit (100.0 %) would name another, at most 25.0 % are allowed
      help: look at the plan and at the analysis it comes from; if this is meant, set `max_overwrite_fraction` under [tracker.guard]
    ");
}

#[test]
fn what_the_tracker_refuses_of_commits_is_told() {
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
