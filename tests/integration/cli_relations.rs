//! The relations of the last pull: listed, looked up, exported, and what they were before.

use std::num::NonZeroU64;

use insta::assert_snapshot;
use kinset::model::{MessageId, PatchId};
use kinset::tracker::simulator::{Fault, FaultKind, Patch, Requests, When};
use serde_json::{Value, json};

use super::cli_support::{Place, Tracker, world};

/// Patches 21 and 22 in `beta` came with the same mails as 1 and 2 in `alpha`, and both projects are read.
fn of_two_projects(relations: &[&[u64]]) -> (Tracker, Place) {
    let mut world = world(relations);
    for (patch, twin) in [(1, 21), (2, 22)] {
        let patches = world["patches"].as_array_mut().unwrap();
        let row = patches.iter_mut().find(|row| row["id"] == twin).unwrap();
        row["msgid"] = json!(format!("<m{patch}@example.org>"));
    }
    let tracker = Tracker::serving(world);
    let config = tracker.config().replace("[\"alpha\"]", "[\"alpha\", \"beta\"]");
    let place = Place::configured(&config, "1 2\n");
    assert!(place.run("pull").starts_with("exit 0"));
    (tracker, place)
}

#[test]
fn relations_are_listed() {
    let tracker = Tracker::serving(world(&[&[1, 2, 3], &[4, 21]]));
    let place = tracker.place("1 2\n");
    assert!(place.run("pull").starts_with("exit 0"));
    assert_snapshot!(place.run("relations list"), @r"
    exit 0
    --- stdout
    kernel: 2 relations of 5 patches, as of TIME
      SIZE  PROJECTS          PATCHES
      3     alpha             1 2 3
      2     alpha, (another)  4 21
    ");
    assert_snapshot!(place.run("relations list kernel --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "tracker": "kernel",
        "pulled_at": "TIME",
        "relations": [
          {
            "patches": [
              {
                "patch": 1,
                "project": "alpha",
                "message_id": "<m1@example.org>"
              },
              {
                "patch": 2,
                "project": "alpha",
                "message_id": "<m2@example.org>"
              },
              {
                "patch": 3,
                "project": "alpha",
                "message_id": "<m3@example.org>"
              }
            ]
          },
          {
            "patches": [
              {
                "patch": 4,
                "project": "alpha",
                "message_id": "<m4@example.org>"
              },
              {
                "patch": 21,
                "project": null,
                "message_id": null
              }
            ]
          }
        ]
      }
    ]
    "#);
}

#[test]
fn a_tracker_without_relations_has_an_empty_list() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    assert!(place.run("pull").starts_with("exit 0"));
    assert_snapshot!(place.run("relations list"), @r"
    exit 0
    --- stdout
    kernel: 0 relations, as of TIME
    ");
}

#[test]
fn the_relation_of_a_patch_is_shown_by_its_number_and_by_its_mail() {
    let tracker = Tracker::serving(world(&[&[1, 2, 3], &[4, 21]]));
    let place = tracker.place("1 2\n");
    assert!(place.run("pull").starts_with("exit 0"));
    assert_snapshot!(place.run("relations show 2"), @r"
    exit 0
    --- stdout
    kernel: patch 2 is in a relation of 3 patches, as of TIME
      PATCH  PROJECT  MAIL
      1      alpha    <m1@example.org>
      2      alpha    <m2@example.org>
      3      alpha    <m3@example.org>
    ");
    assert_eq!(place.data("relations show m2@example.org"), place.data("relations show 2"));
    assert_eq!(place.data("relations show <m2@example.org> kernel"), place.data("relations show 2"));
    assert_snapshot!(place.run("relations show 4"), @r"
    exit 0
    --- stdout
    kernel: patch 4 is in a relation of 2 patches, as of TIME
      PATCH  PROJECT    MAIL
      4      alpha      <m4@example.org>
      21     (another)  not known
    ");
    assert_snapshot!(place.run("relations show 5"), @r"
    exit 0
    --- stdout
    kernel: patch 5 is in no relation, as of TIME
      PATCH  PROJECT  MAIL
      5      alpha    <m5@example.org>
    ");
    assert_snapshot!(place.run("relations show 5 --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "tracker": "kernel",
        "pulled_at": "TIME",
        "named": [
          5
        ],
        "patches": [
          {
            "patch": 5,
            "project": "alpha",
            "message_id": "<m5@example.org>"
          }
        ]
      }
    ]
    "#);
    for stranger in ["21", "99", "<m99@example.org>", "no mail"] {
        let words = place.tell(&place.command("relations show").arg(stranger).output().unwrap());
        assert_eq!(
            words,
            format!(
                "exit 1\n--- stderr\nerror: tracker kernel has no patch {stranger} in its projects\n  help: name it by Patchwork's number or by \
                 its message id; `kinset pull kernel` learns of new ones\n"
            )
        );
    }
}

#[test]
fn a_mail_that_is_several_patches_shows_each_relation_once() {
    let (_tracker, place) = of_two_projects(&[&[1, 3], &[21, 23]]);
    assert_snapshot!(place.run("relations show <m1@example.org>"), @r"
    exit 0
    --- stdout
    kernel: patch 1 is in a relation of 2 patches, as of TIME
      PATCH  PROJECT  MAIL
      1      alpha    <m1@example.org>
      3      alpha    <m3@example.org>
    kernel: patch 21 is in a relation of 2 patches, as of TIME
      PATCH  PROJECT  MAIL
      21     beta     <m1@example.org>
      23     beta     <m23@example.org>
    ");
    let (_tracker, place) = of_two_projects(&[&[1, 3, 21]]);
    assert_snapshot!(place.run("relations show <m1@example.org>"), @r"
    exit 0
    --- stdout
    kernel: patches 1 and 21 are in a relation of 3 patches, as of TIME
      PATCH  PROJECT  MAIL
      1      alpha    <m1@example.org>
      3      alpha    <m3@example.org>
      21     beta     <m1@example.org>
    ");
}

#[test]
fn a_mail_that_is_several_patches_has_the_history_of_each() {
    let (_tracker, place) = of_two_projects(&[&[1, 3], &[21, 23]]);
    assert_snapshot!(place.run("relations history <m1@example.org>"), @r"
    exit 0
    --- stdout
    kernel: patch 1 <m1@example.org>
      TIME  with 3  # found when the tracker was first read
    kernel: patch 21 <m1@example.org>
      TIME  with 23  # found when the tracker was first read
    ");
}

#[test]
fn a_patch_that_is_gone_has_its_history_still() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = tracker.place("1 2\n");
    assert!(place.run("pull").starts_with("exit 0"));
    tracker.simulator().with_rules(|rules| rules.remove_patch(PatchId(2)).unwrap());
    assert!(place.run("pull --full").starts_with("exit 0"));
    assert_snapshot!(place.run("relations history <m2@example.org>"), @r"
    exit 0
    --- stdout
    kernel: patch 2 <m2@example.org> (no longer in the tracker's projects)
      TIME  with 1  # found when the tracker was first read
    ");
    assert_eq!(place.data("relations history 2"), place.data("relations history m2@example.org"));
    let history: Value = serde_json::from_str(&place.data("relations history 2 --format json")).unwrap();
    assert_eq!(history[0]["gone"], true);
    assert!(place.run("relations show 2").starts_with("exit 1"), "it is in no relation any more");
}

#[test]
fn a_patch_is_looked_for_in_every_tracker() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let config = tracker.config();
    let (_, kernel) = config.split_once("[[tracker]]").unwrap();
    let qemu = kernel.replace("kernel", "qemu").replace("alpha", "beta");
    let place = Place::configured(&format!("{config}[[tracker]]{qemu}"), "1 2\n");
    assert!(place.run("pull kernel").starts_with("exit 0"));
    for command in ["history", "show"] {
        let words = place.run(&format!("relations {command} 1"));
        assert!(words.starts_with("exit 0\n--- stdout\nkernel: patch 1"), "{words}");
        assert!(!words.contains("qemu"), "{words}");
    }
    assert_snapshot!(place.run("relations show 21"), @r"
    exit 1
    --- stderr
    tracker kernel:
    error: tracker kernel has no patch 21 in its projects
      help: name it by Patchwork's number or by its message id; `kinset pull kernel` learns of new ones
    tracker qemu:
    error: tracker qemu was never pulled from http://TRACKER/
      help: run `kinset pull qemu` first
    ");
}

#[test]
fn relations_are_exported_as_groups_that_are_wanted_as_they_are() {
    let tracker = Tracker::serving(world(&[&[1, 2, 3], &[4, 21]]));
    let place = tracker.place("1 2\n");
    assert!(place.run("pull").starts_with("exit 0"));
    assert_snapshot!(place.run("relations export kernel --format pasta"), @r"
    exit 0
    --- stdout
    <m1@example.org> <m2@example.org> <m3@example.org>
    --- stderr
    kernel: without 1 patch outside the tracker's projects
    kernel: without 1 relation of which only one mail is known, <m4@example.org> for one
    ");
    assert_snapshot!(place.run("relations export kernel --format ids"), @r"
    exit 0
    --- stdout
    1 2 3
    4 21
    ");
    assert_snapshot!(place.run("relations export kernel --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "patches": [
          {
            "patch": 1,
            "project": "alpha",
            "message_id": "<m1@example.org>"
          },
          {
            "patch": 2,
            "project": "alpha",
            "message_id": "<m2@example.org>"
          },
          {
            "patch": 3,
            "project": "alpha",
            "message_id": "<m3@example.org>"
          }
        ]
      },
      {
        "patches": [
          {
            "patch": 4,
            "project": "alpha",
            "message_id": "<m4@example.org>"
          },
          {
            "patch": 21,
            "project": null,
            "message_id": null
          }
        ]
      }
    ]
    "#);
    place.write("patch-groups", place.data("relations export kernel --format ids"));
    assert!(place.run("plan --no-pull --detailed-exitcode").starts_with("exit 0"));
}

#[test]
fn mails_of_new_patches_are_exported_once() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    assert!(place.run("pull").starts_with("exit 0"));
    assert_snapshot!(place.run("relations export kernel --format mbox --out new.mbox --limit 5"), @r"
    exit 0
    --- stderr
    kernel: 5 mails added to new.mbox
    kernel: 7 mails left for the next export
    ");
    let mails = |mbox: String| mbox.lines().filter(|line| line.starts_with("From ")).count();
    assert_eq!(mails(place.read("new.mbox")), 5);
    assert!(
        place
            .run("relations export kernel --format mbox --out new.mbox")
            .starts_with("exit 0")
    );
    assert_eq!(mails(place.read("new.mbox")), 12);
    assert_snapshot!(place.run("relations export kernel --format mbox --out new.mbox"), @r"
    exit 0
    --- stderr
    kernel: 0 mails added to new.mbox
    ");
    assert_eq!(mails(place.read("new.mbox")), 12);
    let groups_over_mails = place.run("relations export kernel --format ids --out new.mbox");
    assert!(groups_over_mails.starts_with("exit 1"), "{groups_over_mails}");
    assert_eq!(mails(place.read("new.mbox")), 12);
    assert!(
        place.run("relations export kernel --format mbox").starts_with("exit 1"),
        "the file has to be named"
    );
}

#[test]
fn groups_of_mails_say_what_they_cannot_tell() {
    // The mail of 1 and 21 joins two relations; 2 and 22 are one mail.
    let (_tracker, place) = of_two_projects(&[&[1, 3], &[21, 23], &[2, 22], &[4, 5]]);
    assert_snapshot!(place.run("relations export kernel --format pasta"), @r"
    exit 0
    --- stdout
    <m1@example.org> <m23@example.org>
    <m1@example.org> <m3@example.org>
    <m4@example.org> <m5@example.org>
    --- stderr
    kernel: without 1 relation of which only one mail is known, <m2@example.org> for one
    kernel: different relations have 1 mail in common, <m1@example.org> for one: an analysis reads those relations as one group
    ");
    let (_tracker, place) = of_two_projects(&[&[1, 2], &[21, 22]]);
    assert_snapshot!(place.run("relations export kernel --format pasta"), @r"
    exit 0
    --- stdout
    <m1@example.org> <m2@example.org>
    --- stderr
    kernel: different relations have 2 mails in common, <m1@example.org> for one: an analysis reads those relations as one group
    ");
}

#[test]
fn an_export_of_mails_can_begin_with_what_arrives_from_now_on() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    assert_snapshot!(place.run("relations export kernel --format mbox --skip"), @r"
    exit 1
    --- stderr
    error: tracker kernel was never pulled from http://TRACKER/
      help: run `kinset pull kernel` first
    ");
    assert!(place.run("pull").starts_with("exit 0"));
    tracker.simulator().clear_log();
    assert_snapshot!(place.run("relations export kernel --format mbox --skip"), @r"
    exit 0
    --- stderr
    kernel: 12 mails skipped; the next export begins with the patches that arrive from now on
    ");
    assert!(tracker.simulator().log().is_empty(), "nothing is fetched");
    tracker.simulator().with_rules(|rules| {
        let project = rules.catalogue().project_named("alpha").unwrap().id;
        let mail = MessageId::parse("<m13@example.org>").unwrap();
        rules.add_patch(Patch::plain(PatchId(13), project, mail)).unwrap();
    });
    assert!(place.run("pull").starts_with("exit 0"));
    assert_snapshot!(place.run("relations export kernel --format mbox --out new.mbox"), @r"
    exit 0
    --- stderr
    kernel: 1 mail added to new.mbox
    ");
    assert!(place.read("new.mbox").contains("X-Patchwork-Id: 13\n"));
}

#[test]
fn what_goes_with_mails_only_is_refused_elsewhere() {
    let place = Place::new();
    assert_snapshot!(place.run("relations export kernel --format pasta --limit 5"), @r"
    exit 1
    --- stderr
    error: the argument '--limit' can only be used with '--format mbox'
      help: leave it out: relations are exported as a whole
    ");
    assert_snapshot!(place.run("relations export kernel --format ids --skip"), @r"
    exit 1
    --- stderr
    error: the argument '--skip' can only be used with '--format mbox'
      help: leave it out: relations are exported as a whole
    ");
    assert_snapshot!(place.run("relations export kernel --format mbox"), @r"
    exit 1
    --- stderr
    error: mails are added to a file, and none is named
      help: name the mbox with --out, or begin with the patches that arrive from now on with --skip
    ");
    assert_snapshot!(place.run("relations export kernel --format mbox --skip --limit 5"), @r"
    exit 1
    --- stderr
    error: the argument '--skip' cannot be used with '--limit <N>'

    Usage: kinset relations export --format <FORMAT> --skip <NAME>

    For more information, try '--help'.
    ");
}

#[test]
fn a_mail_that_the_tracker_does_not_have_is_told_and_not_asked_for_again() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    assert!(place.run("pull").starts_with("exit 0"));
    // One patch is gone; of another, its mail.
    tracker.simulator().with_rules(|rules| rules.remove_patch(PatchId(3)).unwrap());
    let not_found = FaultKind::Status {
        code: 404,
        retry_after_s: None,
    };
    tracker.simulator().set_faults([Fault {
        requests: Requests::Reads,
        path: Some("m5@example.org/mbox/".to_owned()),
        ..Fault::new(not_found, When::Every(NonZeroU64::MIN))
    }]);
    assert_snapshot!(place.run("relations export kernel --format mbox --out new.mbox"), @r"
    exit 0
    --- stderr
    kernel: 10 mails added to new.mbox
    kernel: the tracker has no mail of 2 patches
    ");
    let mails = place.read("new.mbox");
    for (patch, is_there) in [(2, true), (3, false), (4, true), (5, false), (12, true)] {
        assert_eq!(mails.contains(&format!("X-Patchwork-Id: {patch}\n")), is_there, "{patch}");
    }
    tracker.simulator().clear_log();
    assert_snapshot!(place.run("relations export kernel --format mbox --out new.mbox"), @r"
    exit 0
    --- stderr
    kernel: 0 mails added to new.mbox
    ");
    assert!(
        tracker
            .simulator()
            .log()
            .iter()
            .all(|request| !request.path_and_query.contains("mbox"))
    );
}
