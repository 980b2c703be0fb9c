//! What people and programs read, and who is named.

use super::*;

fn who(facts: &Facts, what: &What) -> String {
    let held = who_can(facts, what);
    assert!(held.iter().all(|held| held.teams.is_empty()));
    held.iter().map(Held::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn who_can_names_every_grant_once_in_the_order_in_which_they_decide() {
    let facts = facts(&[
        "@core-dev: alice",
        "set kernel",
        "set core kernel",
        "@core-dev upload component:main",
        "@core-dev upload component:main",
        "bob upload component:universe",
        "dave upload package:linux",
        "dave upload package:linux denied",
        "alice upload set:core",
        "alice upload set:kernel",
        "erin upload pocket:release",
    ]);
    insta::assert_snapshot!(who(&facts, &upload("main")), @"
    erin has upload on pocket release
    dave has upload on package linux
    alice has upload on package set kernel in noble
    alice has upload on package set core in noble, which includes kernel
    @core-dev has upload on component main
    ");
}

#[test]
fn nobody_can_what_nobody_may() {
    let facts = Facts {
        status: Some(CollectionStatus::Active),
        ..facts(&["alice upload component:main"])
    };
    assert_eq!(who_can(&facts, &upload("release")), []);
    assert_eq!(who_can(&facts, &upload("updates")).len(), 1);
}

#[test]
fn refusals_tell_what_stands_in_the_way() {
    let answers = [
        (CollectionStatus::Active, "release"),
        (CollectionStatus::Eol, "updates"),
        (CollectionStatus::Development, "universe"),
    ]
    .map(|(status, what)| {
        let facts = Facts {
            status: Some(status),
            ..facts(&["@core-dev: alice", "@core-dev upload component:main"])
        };
        answer(&facts, "alice", upload(what))
    });
    insta::assert_snapshot!(answers.join("\n"), @"
    refused: pocket release of noble is closed, which is active
      @core-dev has upload on component main, which would do otherwise
    refused: series noble has ended, which is eol
      @core-dev has upload on component main, which would do otherwise
    refused: no rights to component universe
      @core-dev has upload on component main, but not for component universe
    ");
}

#[test]
fn questions_read_as_what_would_be_done() {
    let series = || "noble".parse().unwrap();
    let questions = [
        upload("proposed main"),
        What::OnListing {
            action: Action::Commit,
            series: series(),
            package: "linux".parse().unwrap(),
        },
        What::Queue {
            series: series(),
            of: Queue::Upload {
                component: Some("main".parse().unwrap()),
                pocket: Some(Pocket::Proposed),
            },
        },
        What::Queue {
            series: series(),
            of: Queue::Upload {
                component: None,
                pocket: None,
            },
        },
        What::Queue {
            series: series(),
            of: Queue::Package("linux".parse().unwrap()),
        },
        What::Queue {
            series: series(),
            of: Queue::Set("kernel".parse().unwrap()),
        },
        What::Maintain {
            tracker: "kernel".to_owned(),
            project: crate::model::ProjectName("alpha".to_owned()),
        },
    ];
    insta::assert_snapshot!(questions.map(|what| what.to_string()).join("\n"), @"
    upload linux to pocket proposed of noble
    commit on package linux in noble
    queue-admin on component main or pocket proposed of noble
    queue-admin on any component of noble
    queue-admin on package linux in noble
    queue-admin on package set kernel in noble
    maintain project alpha of tracker kernel
    ");
}

#[test]
fn decisions_are_plain_data_in_json() {
    let facts = facts(&[
        "@core-dev: alice",
        "set core kernel",
        "@core-dev upload set:core",
        "bob upload component:main",
    ]);
    let json = |who: &str, what| {
        let who = who.parse().unwrap();
        serde_json::to_string(&decide(&facts, &Question { who, what })).unwrap()
    };
    insta::assert_snapshot!(json("alice", upload("")), @r#"{"answer":"allowed","by":{"grant":"permission","party":"@core-dev","action":"upload","on":"package-set","series":"noble","set":"core","status":"approved"},"teams":["core-dev"],"sets":["core","kernel"]}"#);
    insta::assert_snapshot!(json("bob", upload("universe")), @r#"{"answer":"refused","because":{"reason":"no-rights-for-component","component":"universe"},"nearest":[{"by":{"grant":"permission","party":"bob","action":"upload","on":"component","component":"main","status":"approved"},"teams":[],"sets":[],"but":{"other-component":"universe"}}]}"#);
}
