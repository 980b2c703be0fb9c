//! `kinset pull`, `plan`, `apply` and `relations unmatched` with one tracker and with several.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::cli_support::{Place, SECRET, Tracker, world};

#[test]
fn plan_apply_plan() {
    let tracker = Tracker::serving(world(&[&[1, 2, 3], &[4, 5]]));
    let groups = "<m1@example.org> <m2@example.org>\n<m3@example.org> <m4@example.org> <m5@example.org>\n\
                  <m6@example.org> <m7@example.org> <lost@example.org>\n";
    let place = Place::configured(&tracker.config().replace("\"ids\"", "\"pasta\""), groups);
    let session: String = ["plan", "apply --yes", "plan"]
        .map(|command| format!("$ kinset {command}\n{}", place.run(command)))
        .concat();
    assert_snapshot!(session, @r"
    $ kinset plan
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      clear  3  # <m3@example.org>: wanted in another relation
      relate 3 with 4  # <m3@example.org>: joins a relation
      relate 6 with 7  # <m6@example.org>: new relation
    3 writes: 1 clear, 2 relates; 2 relations become 3
    overruled: 1 of 2 decisions of people (see `kinset decisions list`)
    unmatched: 1 of 8 elements only in the analysis, 5 of 12 patches only in the tracker (see `kinset relations unmatched`)
    $ kinset apply --yes
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      clear  3  # <m3@example.org>: wanted in another relation
      relate 3 with 4  # <m3@example.org>: joins a relation
      relate 6 with 7  # <m6@example.org>: new relation
    3 writes: 1 clear, 2 relates; 2 relations become 3
    overruled: 1 of 2 decisions of people (see `kinset decisions list`)
    unmatched: 1 of 8 elements only in the analysis, 5 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    kernel: 3 writes took effect
    kernel: 3 relations as planned, verified
    $ kinset plan
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
    nothing to do: 3 relations are as wanted
    overruled: 1 of 1 decision of people (see `kinset decisions list`)
    unmatched: 1 of 8 elements only in the analysis, 5 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
    assert_eq!(tracker.writes(), 3);
}

#[test]
fn pull_tells_what_it_found() {
    let tracker = Tracker::serving(world(&[&[1, 2, 3]]));
    assert_snapshot!(tracker.place("1 2\n").run("pull"), @r"
    exit 0
    --- stderr
    kernel: 12 patches in 1 project, 3 of them related; read whole
    ");
    let one = json!({"projects": ["alpha"], "patches": [{"id": 1, "project": "alpha", "msgid": "<m1@example.org>"}],
                     "users": {"bot": {"token": SECRET}}});
    assert_snapshot!(Tracker::serving(one).place("1 2\n").run("pull"), @r"
    exit 0
    --- stderr
    kernel: 1 patch in 1 project, 0 of them related; read whole
    ");
}

#[test]
fn a_tracker_that_shows_far_fewer_patches_than_before_is_not_believed() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    assert!(place.run("pull").starts_with("exit 0"));
    let mut shrunk = world(&[]);
    shrunk["patches"] = json!([{"id": 1, "project": "alpha", "msgid": "<m1@example.org>"}]);
    let smaller = Tracker::serving(shrunk);
    place.write("kinset.toml", tracker.config().replace(&tracker.url(), &smaller.url()));
    assert_snapshot!(place.run("pull"), @r"
    exit 1
    --- stderr
    error: the pull was not kept
      because: the tracker shows fewer patches than the last pull saw, 1 where there were 12 (91.7 % gone), at most 10.0 % may be
      help: check the tracker; kinset keeps what it saw last; if this is meant, set `max_shrink_fraction` under [tracker.guard]
    ");
}

#[test]
fn unmatched_relations_are_listed_both_ways() {
    let tracker = Tracker::serving(world(&[]));
    let config = tracker.config().replace("\"ids\"", "\"pasta\"");
    let groups: String = (2..=11).map(|id| format!("<m{id}@example.org>\n")).collect();
    let place = Place::configured(&config, &format!("{groups}<lost$1%+=/@example.org> <verloren-ä@example.org>\n"));
    assert_snapshot!(place.run("relations unmatched"), @r"
    exit 1
    --- stderr
    error: there is no state at DIR/state/kinset.sqlite3 yet
      help: run `kinset pull` first; the folder is set with `state_dir` in the configuration
    ");
    assert!(!place.path("state").exists(), "looking makes no state");
    assert!(place.run("pull").starts_with("exit 0"));
    assert_snapshot!(place.run("relations unmatched"), @r"
    exit 0
    --- stdout
    kernel: (no project known) (no month known): 2 only in the analysis, 0 only in the tracker
    kernel: alpha 2026-01: 0 only in the analysis, 2 only in the tracker
    kernel: only in the analysis: 2 of 12 elements
      <lost$1%+=/@example.org>
      <verloren-ä@example.org>
    kernel: only in the tracker: 2 patches
      1 alpha <m1@example.org>
      12 alpha <m12@example.org>
    ");
    assert_snapshot!(place.run("relations unmatched --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "tracker": "kernel",
        "named": 12,
        "only_in_analysis": [
          "<lost$1%+=/@example.org>",
          "<verloren-ä@example.org>"
        ],
        "only_in_tracker": [
          {
            "patch": 1,
            "project": "alpha",
            "message_id": "<m1@example.org>"
          },
          {
            "patch": 12,
            "project": "alpha",
            "message_id": "<m12@example.org>"
          }
        ],
        "counts": [
          {
            "project": null,
            "month": null,
            "only_in_analysis": 2,
            "only_in_tracker": 0
          },
          {
            "project": "alpha",
            "month": "2026-01",
            "only_in_analysis": 0,
            "only_in_tracker": 2
          }
        ]
      }
    ]
    "#);
}

/// `pull` with more or less in the log.
fn pull_logging(what: &str) -> String {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    let output = place.command("pull").env("KINSET_LOG", what).output().unwrap();
    place.tell(&output)
}

#[test]
fn no_log_shows_the_token() {
    let told = pull_logging("trace");
    assert!(told.starts_with("exit 0"), "{told}");
    assert!(told.contains("DEBUG"), "{told}");
}

#[test]
fn a_log_that_cannot_be_understood_is_the_usual_one() {
    assert_snapshot!(pull_logging("kinset=loud"), @r#"
    exit 0
    --- stderr
    warning: KINSET_LOG is passed over, as it cannot be read: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
    kernel: 12 patches in 1 project, 0 of them related; read whole
    "#);
    assert_eq!(pull_logging(""), pull_logging("warn"));
}

/// Two trackers at one address: `kernel` with `alpha`, and `qemu` with `beta`.
fn two_trackers(tracker: &Tracker) -> String {
    let config = tracker.config();
    let (_, kernel) = config.split_once("[[tracker]]").unwrap();
    let qemu = kernel
        .replace("kernel", "qemu")
        .replace("alpha", "beta")
        .replace("patch-groups", "qemu-groups");
    format!("{config}[[tracker]]{qemu}")
}

#[test]
fn several_trackers_are_planned_for_and_applied_in_the_order_of_the_configuration() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = Place::configured(&two_trackers(&tracker), "1 2 3\n").with("qemu-groups", "21 22\n23\n24\n");
    assert_snapshot!(place.run("pull"), @r"
    exit 0
    --- stderr
    kernel: 12 patches in 1 project, 2 of them related; read whole
    qemu: 4 patches in 1 project, 0 of them related; read whole
    ");
    assert_snapshot!(place.run("plan"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 3 with 1  # <m3@example.org>: joins a relation
    1 write: 0 clears, 1 relate; 1 relation becomes 1
    unmatched: 0 of 3 elements only in the analysis, 9 of 12 patches only in the tracker (see `kinset relations unmatched`)

    tracker qemu at http://TRACKER/: 4 patches as of TIME, policy authoritative, as bot
      relate 21 with 22  # <m21@example.org>: new relation
    1 write: 0 clears, 1 relate; 0 relations become 1
    ");
    let plan: Value = serde_json::from_str(&place.data("plan --format json")).unwrap();
    assert_eq!(plan["writes"], 2);
    assert_eq!(
        (&plan["steps"][0]["tracker"], &plan["steps"][1]["tracker"]),
        (&"kernel".into(), &"qemu".into())
    );
    assert!(!place.run("plan qemu").contains("kernel"));
    assert_snapshot!(place.run("apply --yes"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 3 with 1  # <m3@example.org>: joins a relation
    1 write: 0 clears, 1 relate; 1 relation becomes 1
    unmatched: 0 of 3 elements only in the analysis, 9 of 12 patches only in the tracker (see `kinset relations unmatched`)
    tracker qemu at http://TRACKER/: 4 patches as of TIME, policy authoritative, as bot
      relate 21 with 22  # <m21@example.org>: new relation
    1 write: 0 clears, 1 relate; 0 relations become 1
    --- stderr
    kernel: 1 write took effect
    kernel: 1 relation as planned, verified
    qemu: 1 write took effect
    qemu: 1 relation as planned, verified
    ");
    assert!(place.run("plan --detailed-exitcode").starts_with("exit 0"));
}

#[test]
fn a_tracker_that_fails_is_named_and_the_others_have_their_turn() {
    let tracker = Tracker::serving(world(&[]));
    let place = Place::configured(&two_trackers(&tracker).replace("beta", "betta"), "1 2\n").with("qemu-groups", "21 22\n");
    assert_snapshot!(place.run("pull"), @r"
    exit 1
    --- stderr
    kernel: 12 patches in 1 project, 0 of them related; read whole
    tracker qemu:
    error: tracker qemu has no project betta, did you mean beta?
      help: nothing was changed; correct `projects` under [[tracker]]: a project's name is the word that stands for it in its address, as in /project/NAME/list/
    ");
    assert_snapshot!(place.run("plan --out plan.json"), @r"
    exit 1
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 1 with 2  # <m1@example.org>: new relation
    1 write: 0 clears, 1 relate; 0 relations become 1
    unmatched: 0 of 2 elements only in the analysis, 10 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    tracker qemu:
    error: tracker qemu has no project betta, did you mean beta?
      help: nothing was changed; correct `projects` under [[tracker]]: a project's name is the word that stands for it in its address, as in /project/NAME/list/
    plan.json was not written, as the plan is not whole
    ");
    assert!(!place.path("plan.json").exists());
    assert_snapshot!(place.run("plan --format json"), @r"
    exit 1
    --- stderr
    tracker qemu:
    error: tracker qemu has no project betta, did you mean beta?
      help: nothing was changed; correct `projects` under [[tracker]]: a project's name is the word that stands for it in its address, as in /project/NAME/list/
    ");
    assert_snapshot!(place.run("apply --yes"), @r"
    exit 1
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 1 with 2  # <m1@example.org>: new relation
    1 write: 0 clears, 1 relate; 0 relations become 1
    unmatched: 0 of 2 elements only in the analysis, 10 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    kernel: 1 write took effect
    kernel: 1 relation as planned, verified
    tracker qemu:
    error: tracker qemu has no project betta, did you mean beta?
      help: nothing was changed; correct `projects` under [[tracker]]: a project's name is the word that stands for it in its address, as in /project/NAME/list/
    ");
}
