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
    assert_snapshot!(place.run("plan"), @"");
    assert!(place.run("apply --yes").starts_with("exit 0"));
    assert_eq!(tracker.writes(), 1);
    assert_snapshot!(place.run("plan --detailed-exitcode"), @"");
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
    assert_snapshot!(collection(), @"");
    end(&place);
    assert_snapshot!(collection(), @"");
    let status: Value = serde_json::from_str(&place.data("status --format json")).unwrap();
    assert_eq!(
        status[0]["collections"],
        json!([{"project": "beta", "collection": "fedora/f40", "status": "rejected"}])
    );
    place.write("kinset.toml", place.read("kinset.toml").replace("f40", "f49"));
    assert_snapshot!(collection(), @"");
    let status: Value = serde_json::from_str(&place.data("status --format json")).unwrap();
    assert_eq!(status[0]["collections"][0]["status"], Value::Null);
}

#[test]
fn a_collection_that_is_not_known_is_told_with_what_to_do() {
    let (tracker, place) = place();
    place.write("kinset.toml", place.read("kinset.toml").replace("f40", "f49"));
    let told = place.run("plan");
    assert_snapshot!(told, @"");
    assert_eq!(place.run("apply --yes"), told);
    place.write("kinset.toml", place.read("kinset.toml").replace("fedora/", "debian/"));
    assert_snapshot!(place.run("plan"), @"");
    assert_eq!(tracker.writes(), 0);
    assert!(place.run("pull").starts_with("exit 0"));
}

#[test]
fn a_saved_plan_is_refused_once_a_collection_has_ended() {
    let (tracker, place) = place();
    assert!(place.run("plan --out plan.json").starts_with("exit 0"));
    end(&place);
    assert_snapshot!(place.run("apply --plan plan.json --yes"), @"");
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
