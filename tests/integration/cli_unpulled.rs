//! What is told of a tracker of which nothing is known: before the first pull, and where its address has changed since the last.

use insta::assert_snapshot;
use serde_json::Value;

use super::cli_support::{Place, Tracker, world};

#[test]
fn before_the_first_pull_status_and_decisions_are_told_and_make_no_state() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    assert_snapshot!(place.run("status"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/, policy authoritative
      pulled      never
      last cycle  none
      last run    none
      decisions   0 standing
    ");
    let status: Value = serde_json::from_str(&place.data("status --format json")).unwrap();
    assert_eq!(status[0]["pulled"], Value::Null);
    assert_snapshot!(place.run("decisions list"), @r"
    exit 0
    --- stdout
    kernel: 0 decisions
    --- stderr
    tracker kernel was never pulled from http://TRACKER/
    ");
    assert_eq!(
        place.data("decisions export"),
        "[\n  {\n    \"tracker\": \"kernel\",\n    \"decisions\": []\n  }\n]\n"
    );
    assert_snapshot!(place.run("relations history 1"), @r"
    exit 1
    --- stderr
    error: there is no state at DIR/state/kinset.sqlite3 yet
      help: run `kinset pull` first; the folder is set with `state_dir` in the configuration
    ");
    assert!(!place.path("state").exists(), "looking makes no state");
}

/// A tracker whose relation somebody took apart, and the same folder with another Patchwork's address in its configuration.
fn moved() -> (Tracker, Tracker, Place) {
    let here = Tracker::serving(world(&[&[1, 2]]));
    let place = Place::configured(&here.config().replace("authoritative", "preserve"), "1 2\n3 4\n");
    assert!(place.run("apply --yes").starts_with("exit 0"));
    here.somebody_writes(3, &[]);
    assert!(place.run("plan").starts_with("exit 0"));
    let there = Tracker::serving(world(&[&[5, 6]]));
    place.write("kinset.toml", place.read("kinset.toml").replace(&here.url(), &there.url()));
    (here, there, place)
}

/// The addresses of both in words.
fn told(place: &Place, here: &Tracker, arguments: &str) -> String {
    let output = place.command(arguments).output().unwrap();
    let replace = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&here.url(), "http://OLD/").into_bytes();
    place.tell(&std::process::Output {
        status: output.status,
        stdout: replace(&output.stdout),
        stderr: replace(&output.stderr),
    })
}

#[test]
fn at_another_address_nothing_is_told_that_was_known_of_the_old_one() {
    let (here, _there, place) = moved();
    assert_snapshot!(told(&place, &here, "status"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/, policy preserve
      pulled      never, only from http://OLD/
      last cycle  none
      last run    none
      decisions   0 standing
    ");
    assert_snapshot!(told(&place, &here, "decisions list"), @r"
    exit 0
    --- stdout
    kernel: 0 decisions
    --- stderr
    tracker kernel was never pulled from http://TRACKER/, only from http://OLD/
    ");
    assert_snapshot!(told(&place, &here, "decisions list --all"), @r"
    exit 0
    --- stdout
    kernel: 2 decisions
      1 joined at http://OLD/, seen TIME, agreed TIME
        1 <m1@example.org>
        2 <m2@example.org>
      2 parted by bot at http://OLD/, seen TIME
        3 <m3@example.org>
        4 <m4@example.org>
    --- stderr
    tracker kernel was never pulled from http://TRACKER/, only from http://OLD/
    ");
    assert_snapshot!(told(&place, &here, "decisions drop kernel 2"), @r"
    exit 1
    --- stderr
    error: tracker kernel has no decision 2 that stands
      help: nothing was dropped; `kinset decisions list kernel` shows those that stand, by their numbers
    ");
    for command in [
        "relations history 1",
        "relations show 1",
        "relations list",
        "relations unmatched",
        "plan --no-pull",
    ] {
        assert_eq!(
            told(&place, &here, command),
            "exit 1\n--- stderr\nerror: tracker kernel was never pulled from http://TRACKER/, only from http://OLD/\n  help: run `kinset pull \
             kernel` first\n"
        );
    }
}

#[test]
fn after_a_pull_from_another_address_only_that_one_is_told_of() {
    let (here, there, place) = moved();
    assert!(place.run("pull").starts_with("exit 0"));
    assert_snapshot!(told(&place, &here, "status"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/, policy preserve
      pulled      TIME: 12 patches in 1 project; read whole TIME
      last cycle  none
      last run    none
      decisions   1 standing
    ");
    assert_snapshot!(told(&place, &here, "decisions list --all"), @r"
    exit 0
    --- stdout
    kernel: 3 decisions
      1 joined at http://OLD/, seen TIME, agreed TIME
        1 <m1@example.org>
        2 <m2@example.org>
      2 parted by bot at http://OLD/, seen TIME, vanished TIME
        3 <m3@example.org>
        4 <m4@example.org>
      3 joined, seen TIME
        5 <m5@example.org>
        6 <m6@example.org>
    ");
    assert_snapshot!(told(&place, &here, "relations history 1"), @r"
    exit 0
    --- stdout
    kernel: patch 1 <m1@example.org>
      was never seen in a relation
    ");
    assert_snapshot!(told(&place, &here, "relations history 5"), @r"
    exit 0
    --- stdout
    kernel: patch 5 <m5@example.org>
      TIME  with 6  # found when the tracker was first read
    ");
    // And back again: what was done there is known.
    place.write("kinset.toml", place.read("kinset.toml").replace(&there.url(), &here.url()));
    assert!(place.run("pull").starts_with("exit 0"));
    let status: Value = serde_json::from_str(&place.data("status --format json")).unwrap();
    assert_eq!(status[0]["last_run"]["done"], 1);
    assert_eq!(status[0]["elsewhere"], Value::Null);
}
