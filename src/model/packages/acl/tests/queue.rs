//! Launchpad's `canAdministerQueue`, and maintainers of a tracker's projects.

use std::collections::BTreeSet;

use super::*;
use crate::model::{Project, ProjectId, ProjectName, UserName};

fn queue(of: Queue) -> What {
    What::Queue {
        series: "noble".parse().unwrap(),
        of,
    }
}

fn waiting(component: Option<&str>, pocket: Option<Pocket>) -> What {
    queue(Queue::Upload {
        component: component.map(|component| component.parse().unwrap()),
        pocket,
    })
}

#[test]
fn the_right_to_the_component_or_to_the_pocket_will_do() {
    let facts = facts(&["alice queue-admin component:main", "bob queue-admin pocket:proposed"]);
    let asked = || waiting(Some("main"), Some(Pocket::Proposed));
    assert_eq!(answer(&facts, "alice", asked()), "allowed: alice has queue-admin on component main");
    assert_eq!(answer(&facts, "bob", asked()), "allowed: bob has queue-admin on pocket proposed");
    assert_eq!(
        answer(&facts, "alice", waiting(Some("universe"), Some(Pocket::Proposed))),
        "refused: nothing permits it\n  alice has queue-admin on component main, but not for component universe"
    );
    assert_eq!(
        answer(&facts, "bob", waiting(Some("main"), Some(Pocket::Updates))),
        "refused: nothing permits it\n  bob has queue-admin on pocket proposed, but not for pocket updates"
    );
    assert_eq!(
        answer(&facts, "bob", waiting(Some("main"), None)),
        "refused: nothing permits it",
        "no pocket was asked for"
    );
}

#[test]
fn the_component_is_told_before_the_pocket() {
    let facts = facts(&["alice queue-admin pocket:proposed", "alice queue-admin component:main"]);
    assert_eq!(
        answer(&facts, "alice", waiting(Some("main"), Some(Pocket::Proposed))),
        "allowed: alice has queue-admin on component main"
    );
}

#[test]
fn where_no_component_is_asked_for_the_right_to_any_will_do() {
    let facts = facts(&["alice queue-admin component:universe"]);
    assert!(answer(&facts, "alice", waiting(None, Some(Pocket::Updates))).starts_with("allowed"));
}

#[test]
fn a_right_to_a_pocket_is_of_the_series_that_it_names_or_of_all() {
    let facts = facts(&[
        "alice queue-admin pocket:noble/updates",
        "bob queue-admin pocket:jammy/updates",
        "carol queue-admin pocket:updates",
    ]);
    let asked = || waiting(None, Some(Pocket::Updates));
    assert!(answer(&facts, "alice", asked()).starts_with("allowed"));
    assert_eq!(
        answer(&facts, "bob", asked()),
        "refused: nothing permits it\n  bob has queue-admin on pocket updates of jammy, but not for series noble"
    );
    assert!(answer(&facts, "carol", asked()).starts_with("allowed"));
}

#[test]
fn a_right_to_upload_is_none_to_the_queue() {
    let facts = facts(&["alice upload component:main", "alice upload pocket:updates"]);
    assert_eq!(
        answer(&facts, "alice", waiting(None, Some(Pocket::Updates))),
        "refused: nothing permits it"
    );
}

#[test]
fn the_queue_knows_no_closed_pocket_and_no_disabled_archive() {
    let facts = Facts {
        status: Some(CollectionStatus::Eol),
        archive: Archive {
            is_enabled: false,
            takes_ended_series: false,
        },
        ..facts(&["alice queue-admin pocket:release"])
    };
    assert!(answer(&facts, "alice", waiting(None, Some(Pocket::Release))).starts_with("allowed"));
}

#[test]
fn a_right_to_a_set_is_one_to_the_sets_and_packages_in_it_and_explicit_is_none_of_its_matters() {
    let rows = [
        "set core kernel",
        "set kernel",
        "alice queue-admin set:core",
        "bob queue-admin set:kernel explicit",
        "carol queue-admin package:linux",
        "dave queue-admin set:desktop",
        "erin queue-admin component:main",
    ];
    let facts = facts(&rows);
    let package = || queue(Queue::Package("linux".parse().unwrap()));
    let set = || queue(Queue::Set("kernel".parse().unwrap()));
    let core = "allowed: alice has queue-admin on package set core in noble, which includes kernel";
    for (who, of_package, of_set) in [
        ("alice", core, core),
        (
            "bob",
            "allowed: bob has explicit queue-admin on package set kernel in noble",
            "allowed: bob has explicit queue-admin on package set kernel in noble",
        ),
        (
            "carol",
            "allowed: carol has queue-admin on package linux",
            "refused: nothing permits it",
        ),
        ("dave", "refused: nothing permits it", "refused: nothing permits it"),
        ("erin", "refused: nothing permits it", "refused: nothing permits it"),
    ] {
        assert_eq!(answer(&facts, who, package()), of_package);
        assert_eq!(answer(&facts, who, set()), of_set);
    }
}

#[test]
fn a_set_that_is_asked_about_needs_no_facts_about_itself() {
    let facts = facts(&["alice queue-admin set:kernel"]);
    let asked = queue(Queue::Set("kernel".parse().unwrap()));
    assert_eq!(
        answer(&facts, "alice", asked),
        "allowed: alice has queue-admin on package set kernel in noble"
    );
}

fn maintain(tracker: &str, project: &str) -> What {
    What::Maintain {
        tracker: tracker.to_owned(),
        project: ProjectName(project.to_owned()),
    }
}

#[test]
fn a_maintainer_maintains_that_project_of_that_tracker() {
    let project = Project {
        id: ProjectId(1),
        name: ProjectName("alpha".to_owned()),
        maintainers: ["alice", "bob"].map(|name| UserName(name.to_owned())).into(),
    };
    let facts = Facts::of_project("kernel", &project);
    assert_eq!(
        answer(&facts, "alice", maintain("kernel", "alpha")),
        "allowed: alice has maintain on project alpha of tracker kernel"
    );
    for (who, tracker, project) in [
        ("carol", "kernel", "alpha"),
        ("alice", "kernel", "beta"),
        ("alice", "other", "alpha"),
    ] {
        assert_eq!(
            answer(&facts, who, maintain(tracker, project)),
            "refused: nothing permits it",
            "{who} {tracker} {project}"
        );
    }
}

#[test]
fn a_maintainer_is_one_whatever_the_tracker_calls_them() {
    let names: BTreeSet<UserName> = ["@alice", "a b", "%40alice", "", "x\u{1b}"]
        .map(|name| UserName(name.to_owned()))
        .into();
    for name in &names {
        let project = Project {
            id: ProjectId(1),
            name: ProjectName("alpha".to_owned()),
            maintainers: [name.clone()].into(),
        };
        let facts = Facts::of_project("kernel", &project);
        for other in &names {
            let question = Question {
                who: Party::Person(other.into()),
                what: maintain("kernel", "alpha"),
            };
            assert_eq!(decide(&facts, &question).is_allowed(), name == other, "{name:?} {other:?}");
        }
    }
}
