//! What the command line tells of people's work: decisions, history, status, exports, feedback.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use super::cli_support::{Place, Tracker, world};

/// A tracker that follows its analysis under `preserve`, where somebody then takes 1 out of a relation and joins 8 and 9.
fn edited() -> (Tracker, Place) {
    let tracker = Tracker::serving(world(&[]));
    let config = tracker
        .config()
        .replace("\"ids\"", "\"pasta\"")
        .replace("authoritative", "preserve");
    let config = config.replace("token_file", "feedback = \"fp\"\ntoken_file");
    let groups = "<m1@example.org> <m2@example.org> <m3@example.org>\n<m4@example.org> <m5@example.org>\n";
    let place = Place::configured(&config, groups);
    assert!(place.run("apply --yes").starts_with("exit 0"));
    tracker.somebody_writes(1, &[]);
    tracker.somebody_writes(8, &[9]);
    (tracker, place)
}

#[test]
fn a_cycle_leaves_people_alone_and_tells_the_analysis() {
    let (tracker, place) = edited();
    let writes = tracker.writes();
    assert_snapshot!(place.run("apply --yes"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy preserve, as bot
      undone 1 2 3  # kept in separate relations: somebody decided otherwise by hand (see `kinset decisions list`)
      undone 8 9  # relation kept as it is: somebody decided otherwise by hand (see `kinset decisions list`)
    nothing to write; 2 wanted changes left undone
    unmatched: 0 of 5 elements only in the analysis, 7 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    kernel: what people decided was written to DIR/fp/mbox-patch-stack
    kernel: what people decided was written to DIR/fp/joined.patch-groups
    kernel: what people decided was written to DIR/fp/decisions.json
    ");
    assert_eq!(tracker.writes(), writes);
    assert_snapshot!(place.read("fp/mbox-patch-stack"), @r"
    <m1@example.org> <m2@example.org> <m3@example.org>
    <m2@example.org> <m1@example.org>
    <m3@example.org> <m1@example.org>
    ");
    assert_eq!(place.read("fp/joined.patch-groups"), "<m8@example.org> <m9@example.org>\n");
    let document: Value = serde_json::from_str(&place.read("fp/decisions.json")).unwrap();
    assert_eq!(document["decisions"].as_array().unwrap().len(), 3);
    let before = fs::metadata(place.path("fp/decisions.json")).unwrap().modified().unwrap();
    assert!(place.run("apply --yes").starts_with("exit 0"));
    assert_eq!(fs::metadata(place.path("fp/decisions.json")).unwrap().modified().unwrap(), before);
}

#[test]
fn decisions_are_listed_exported_and_dropped() {
    let (_tracker, place) = edited();
    assert_snapshot!(place.run("pull"), @r"
    exit 0
    --- stderr
    kernel: 12 patches in 1 project, 6 of them related; read whole
    kernel: somebody else has changed the relations of 5 patches since the last pull
    ");
    assert_snapshot!(place.run("decisions list"), @r"
    exit 0
    --- stdout
    kernel: 3 decisions
      1 joined by bot, seen TIME
        8 <m8@example.org>
        9 <m9@example.org>
      2 parted by bot, seen TIME
        1 <m1@example.org>
        2 <m2@example.org>
      3 parted by bot, seen TIME
        1 <m1@example.org>
        3 <m3@example.org>
    ");
    assert_snapshot!(place.run("decisions drop kernel 77"), @r"
    exit 1
    --- stderr
    error: tracker kernel has no decision 77 that stands
      help: nothing was dropped; `kinset decisions list kernel` shows those that stand, by their numbers
    ");
    assert_snapshot!(place.run("decisions drop kernel --patch 4"), @r"
    exit 1
    --- stderr
    error: no decision that stands is about patch 4
      help: nothing was dropped; `kinset decisions list` shows those that stand
    ");
    assert_snapshot!(place.run("decisions drop kernel --patch 1"), @r"
    exit 0
    --- stdout
    kernel: 2 decisions
      2 parted by bot, seen TIME, dropped TIME
        1 <m1@example.org>
        2 <m2@example.org>
      3 parted by bot, seen TIME, dropped TIME
        1 <m1@example.org>
        3 <m3@example.org>
    --- stderr
    kernel: 2 decisions dropped; the next plan goes by the analysis there
    ");
    assert_snapshot!(place.run("plan --no-pull"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy preserve, as bot
      relate 1 with 2  # <m1@example.org>: joins a relation
      undone 8 9  # relation kept as it is: somebody decided otherwise by hand (see `kinset decisions list`)
    1 write: 0 clears, 1 relate; 3 relations become 3; 1 wanted change left undone
    unmatched: 0 of 5 elements only in the analysis, 7 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
    let exported: Value = serde_json::from_str(&place.data("decisions export")).unwrap();
    let decisions = exported[0]["decisions"].as_array().unwrap();
    let ended: Vec<&Value> = decisions.iter().map(|decision| &decision["ended"]["because"]).collect();
    assert_eq!(ended, [&Value::Null, &"dropped".into(), &"dropped".into()]);
    assert!(
        place.run("decisions drop kernel").starts_with("exit 1"),
        "which ones has to be said"
    );
}

/// What was fed back is taken back when the decision is dropped.
#[test]
fn a_dropped_parting_is_taken_out_of_the_false_positives() {
    let (_tracker, place) = edited();
    fs::create_dir(place.path("fp")).unwrap();
    place.write("fp/mbox-patch-stack", "<x@example.org> <y@example.org>\n");
    assert!(place.run("apply --yes").starts_with("exit 0"));
    assert_eq!(place.read("fp/mbox-patch-stack").lines().count(), 4);
    assert!(place.run("decisions drop kernel --all").starts_with("exit 0"));
    assert!(place.run("apply --yes").starts_with("exit 0"));
    assert_eq!(place.read("fp/mbox-patch-stack"), "<x@example.org> <y@example.org>\n");
}

#[test]
fn history_tells_whose_writes_made_the_relations_of_a_patch() {
    let (_tracker, place) = edited();
    assert!(place.run("pull").starts_with("exit 0"));
    assert_snapshot!(place.run("relations history 1"), @r"
    exit 0
    --- stdout
    kernel: patch 1 <m1@example.org>
      TIME  with 2 3  # by kinset, run 1
      TIME  on its own  # by bot
    ");
    assert_eq!(place.data("relations history <m1@example.org>"), place.data("relations history 1"));
    assert_eq!(place.data("relations history m1@example.org"), place.data("relations history 1"));
    assert_snapshot!(place.run("relations history 99"), @r"
    exit 1
    --- stderr
    error: tracker kernel has no patch 99 in its projects
      help: name it by Patchwork's number or by its message id; `kinset pull kernel` learns of new ones
    ");
    let history: Value = serde_json::from_str(&place.data("relations history 8 --format json")).unwrap();
    assert_eq!(history[0]["relations"][0]["by"], "other");
}

#[test]
fn status_tells_how_a_tracker_stands() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    assert!(place.run("config check").starts_with("exit 0"));
    assert!(place.run("plan").starts_with("exit 0"));
    assert_snapshot!(place.run("status"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/, policy authoritative
      pulled      TIME: 12 patches in 1 project; read whole TIME
      last cycle  TIME: 1 write: 0 clears, 1 relate, 0 undone, 0 patches moved by others
      last run    none
      decisions   0 standing
    ");
    assert!(place.run("apply --yes").starts_with("exit 0"));
    assert_snapshot!(place.run("status --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "tracker": "kernel",
        "url": "http://TRACKER/",
        "policy": "authoritative",
        "pulled": {
          "swept_at": "TIME",
          "pulled_at": "TIME",
          "missed_by_events": null,
          "patches": 12,
          "projects": [
            "alpha"
          ]
        },
        "elsewhere": null,
        "last_cycle": {
          "at": "TIME",
          "drift": 0,
          "clears": 0,
          "relates": 0,
          "commit_refs": 0,
          "undone": 0,
          "foreign_changes": 0,
          "guarded": false,
          "blocked": []
        },
        "last_run": {
          "run": 1,
          "began_at": "TIME",
          "ended_at": "TIME",
          "outcome": "completed",
          "reason": null,
          "done": 1
        },
        "collections": [],
        "decisions": 0,
        "open_writes": 0,
        "jobs": [],
        "waiting": null
      }
    ]
    "#);
}
