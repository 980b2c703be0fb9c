//! What the command line tells of projects whose collection has ended.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::cli_support::{Place, Tracker, world};

const TWO: &str = "2222222222222222222222222222222222222222";

/// A tracker whose project `beta` is of `fedora/f40`, which is in development, and a folder with an analysis.
fn place() -> (Tracker, Place) {
    let tracker = Tracker::serving(world(&[&[3, 21]]));
    let config = tracker
        .config()
        .replace("[\"alpha\"]", "[\"alpha\", \"beta\"]")
        .replace("token_file", "commit_ref = \"fill\"\ntoken_file");
    let config = format!("{config}[[tracker.project]]\nname = \"beta\"\ncollection = \"fedora/f40\"\n");
    let place = Place::configured(&config, &format!("1 2\n3 4\n22 23 => {TWO}\n"));
    for command in [
        "distribution create fedora --sharing copy-on-write --versions rpm --actor ann",
        "series create f40 --owner ann --actor ann",
    ] {
        let told = place.run(command);
        assert!(told.starts_with("exit 0"), "{told}");
    }
    (tracker, place)
}

/// The same where the collection has ended.
fn ended() -> (Tracker, Place) {
    let (tracker, place) = place();
    end(&place);
    (tracker, place)
}

fn end(place: &Place) {
    let told = place.run("series set --series f40 --status rejected --actor ann");
    assert!(told.starts_with("exit 0"), "{told}");
}

#[test]
fn a_plan_says_which_collection_has_ended_and_what_is_left_undone_because_of_it() {
    let (tracker, place) = ended();
    assert_snapshot!(place.run("plan"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 16 patches as of TIME, policy authoritative, as bot
      relate 1 with 2  # <m1@example.org>: new relation
      undone 3 21  # relation kept as it is: project beta is of fedora/f40, which has ended
      undone 22 23  # left out of their class: project beta is of fedora/f40, which has ended
      undone 22 23  # commit not written down: project beta is of fedora/f40, which has ended
    1 write: 0 clears, 1 relate; 1 relation becomes 2; 2 wanted changes left undone; 2 wanted commits not written down
    ended: fedora/f40, so nothing is written to project beta
    unmatched: 0 of 6 elements only in the analysis, 10 of 16 patches only in the tracker (see `kinset relations unmatched`)
    ");
    assert!(place.run("apply --yes").starts_with("exit 0"));
    assert_eq!(tracker.writes(), 1);
    assert_snapshot!(place.run("plan --detailed-exitcode"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 16 patches as of TIME, policy authoritative, as bot
      undone 3 21  # relation kept as it is: project beta is of fedora/f40, which has ended
      undone 22 23  # left out of their class: project beta is of fedora/f40, which has ended
      undone 22 23  # commit not written down: project beta is of fedora/f40, which has ended
    nothing to write; 2 wanted changes left undone; 2 wanted commits not written down
    ended: fedora/f40, so nothing is written to project beta
    unmatched: 0 of 6 elements only in the analysis, 10 of 16 patches only in the tracker (see `kinset relations unmatched`)
    ");
    assert_eq!(tracker.writes(), 1);
}

#[test]
fn a_plan_as_json_says_so_with_the_name_of_the_collection() {
    let (_tracker, place) = ended();
    let plan: Value = serde_json::from_str(&place.data("plan --format json")).unwrap();
    let [ended, undone, commits] = ["ended", "undone", "commits_undone"].map(|field| &plan["trackers"][0][field]);
    assert_eq!(*ended, json!([{"project": "beta", "collection": "fedora/f40"}]));
    let because = json!([{"reason": "ended", "project": "beta", "collection": "fedora/f40"}]);
    assert_eq!(
        *undone,
        json!([
            {"left": "relation-kept", "patches": [3, 21], "because": because},
            {"left": "left-out", "patches": [22, 23], "because": because},
        ])
    );
    let reasons = commits.as_array().unwrap().iter();
    let reasons: Vec<_> = reasons
        .map(|commit| [&commit["patch"], &commit["reason"], &commit["collection"]])
        .collect();
    assert_eq!(
        reasons,
        [
            [&json!(22), &json!("ended"), &json!("fedora/f40")],
            [&json!(23), &json!("ended"), &json!("fedora/f40")]
        ]
    );
}

#[test]
fn status_tells_the_stage_of_the_collections_of_projects() {
    let (_tracker, place) = place();
    let collection = || {
        let status = place.run("status");
        status
            .lines()
            .find(|line| line.starts_with("  collection  "))
            .unwrap()
            .trim()
            .to_owned()
    };
    assert_snapshot!(collection(), @"collection  beta is of fedora/f40 (development)");
    end(&place);
    assert_snapshot!(collection(), @"collection  beta is of fedora/f40 (rejected): nothing is written there");
    let status: Value = serde_json::from_str(&place.data("status --format json")).unwrap();
    assert_eq!(
        status[0]["collections"],
        json!([{"project": "beta", "collection": "fedora/f40", "status": "rejected"}])
    );
    place.write("kinset.toml", place.read("kinset.toml").replace("f40", "f49"));
    assert_snapshot!(collection(), @"collection  beta is of fedora/f49, of which nothing is known: nothing is planned");
    let status: Value = serde_json::from_str(&place.data("status --format json")).unwrap();
    assert_eq!(status[0]["collections"][0]["status"], Value::Null);
}

#[test]
fn a_collection_that_is_not_known_is_told_with_what_to_do() {
    let (tracker, place) = place();
    place.write("kinset.toml", place.read("kinset.toml").replace("f40", "f49"));
    let told = place.run("plan");
    assert_snapshot!(told, @r"
    exit 1
    --- stderr
    error: tracker kernel has a project beta of collection fedora/f49, and nothing is known of that collection
      because: distribution fedora has no series `f49`
      help: nothing was planned; did you mean `f40`? `kinset series list` shows the collections that there are: correct `collection` under [[tracker.project]], or bring it into the state first
    ");
    assert_eq!(place.run("apply --yes"), told);
    place.write("kinset.toml", place.read("kinset.toml").replace("fedora/", "debian/"));
    assert_snapshot!(place.run("plan"), @r"
    exit 1
    --- stderr
    error: tracker kernel has a project beta of collection debian/f49, and nothing is known of that collection
      because: there is no distribution `debian`
      help: nothing was planned; `kinset series list` shows the collections that there are: correct `collection` under [[tracker.project]], or bring it into the state first
    ");
    assert_eq!(tracker.writes(), 0);
    assert!(place.run("pull").starts_with("exit 0"));
}

#[test]
fn a_saved_plan_is_refused_once_a_collection_has_ended() {
    let (tracker, place) = place();
    assert!(place.run("plan --out plan.json").starts_with("exit 0"));
    end(&place);
    assert_snapshot!(place.run("apply --plan plan.json --yes"), @r"
    exit 1
    --- stderr
    error: the plan for tracker kernel is stale: the projects whose collections have ended are not those that it was computed from
      help: nothing was written; make it anew with `kinset plan --out FILE` and read it again
    ");
    assert_eq!(tracker.writes(), 0);
}

#[test]
fn the_effective_configuration_shows_the_collections_of_projects() {
    let (_tracker, place) = place();
    let shown = place.data("config show");
    assert!(
        shown.contains("\n[[tracker.project]]\nname = \"beta\"\ncollection = \"fedora/f40\"\n"),
        "{shown}"
    );
}
