//! `kinset pull`, `plan`, `apply` and `relations unmatched` with a tracker: what is printed when all goes well, and what is left undone.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;

use insta::assert_snapshot;
use kinset::tracker::simulator::{Fault, FaultKind, When};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
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
    unmatched: 1 of 8 elements only in the analysis, 5 of 12 patches only in the tracker (see `kinset relations unmatched`)
    $ kinset apply --yes
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      clear  3  # <m3@example.org>: wanted in another relation
      relate 3 with 4  # <m3@example.org>: joins a relation
      relate 6 with 7  # <m6@example.org>: new relation
    3 writes: 1 clear, 2 relates; 2 relations become 3
    unmatched: 1 of 8 elements only in the analysis, 5 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    kernel: 3 writes took effect
    kernel: 3 relations as planned, verified
    $ kinset plan
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
    nothing to do: 3 relations are as wanted
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
    kernel: 12 patches in 1 project, 3 of them related
    ");
    let one = json!({"projects": ["alpha"], "patches": [{"id": 1, "project": "alpha", "msgid": "<m1@example.org>"}],
                     "users": {"bot": {"token": SECRET}}});
    assert_snapshot!(Tracker::serving(one).place("1 2\n").run("pull"), @r"
    exit 0
    --- stderr
    kernel: 1 patch in 1 project, 0 of them related
    ");
}

/// From these to the other, every reason for a step occurs once.
const RELATIONS: &[&[u64]] = &[&[1, 2, 3], &[4, 5, 6, 7]];
const GROUPS: &str = "1 2 8\n4 5\n6\n3 9 10 11\n";

#[test]
fn each_step_of_a_plan_gives_its_reason() {
    let tracker = Tracker::serving(world(RELATIONS));
    let place = Place::configured(&format!("{}attach_limit = 2\n", tracker.config()), GROUPS);
    assert_snapshot!(place.run("plan"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      clear  3  # <m3@example.org>: wanted in another relation
      relate 8 with 1  # <m8@example.org>: joins a relation
      relate 3 with 9 10  # <m3@example.org>: new relation
      relate 11 with 3  # <m11@example.org>: joins the relation begun above
      clear  6  # <m6@example.org>: wanted on its own
      clear  7  # <m7@example.org>: not named by the analysis
    6 writes: 3 clears, 3 relates; 2 relations become 3
    unmatched: 0 of 10 elements only in the analysis, 2 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
}

#[test]
fn a_plan_as_json_holds_the_same_and_all_that_it_was_computed_from() {
    let tracker = Tracker::serving(world(&[&[1, 2], &[3, 21]]));
    assert_snapshot!(tracker.place("1 4\n3 5\n99\n").run("plan --format json"), @r#"
    exit 0
    --- stdout
    {
      "writes": 2,
      "steps": [
        {
          "tracker": "kernel",
          "component": 0,
          "op": "clear",
          "patch": 1,
          "reason": "moves",
          "message_id": "<m1@example.org>"
        },
        {
          "tracker": "kernel",
          "component": 0,
          "op": "relate",
          "patch": 1,
          "related": [
            4
          ],
          "reason": "forms",
          "message_id": "<m1@example.org>"
        }
      ],
      "trackers": [
        {
          "name": "kernel",
          "url": "http://TRACKER/",
          "policy": "authoritative",
          "pulled_at": "TIME",
          "identity": "maintainer",
          "user": "bot",
          "clears": 1,
          "relates": 1,
          "patches": 12,
          "relations": 2,
          "relations_after": 2,
          "named": 5,
          "only_in_analysis": 1,
          "only_in_tracker": 8,
          "undone": [
            {
              "left": "relation-kept",
              "patches": [
                3,
                21
              ],
              "because": [
                {
                  "reason": "out-of-scope"
                }
              ]
            }
          ],
          "guards": [],
          "digest": "DIGEST"
        }
      ],
      "format": 1
    }
    "#);
}

/// The plan for relations and groups under a changed configuration.
fn plan_with(relations: &[&[u64]], groups: &str, changes: &[(&str, &str)]) -> String {
    let tracker = Tracker::serving(world(relations));
    let mut config = tracker.config();
    for (old, new) in changes {
        assert_eq!(config.matches(old).count(), 1, "{old}");
        config = config.replace(old, new);
    }
    Place::configured(&config, groups).run("plan")
}

#[test]
fn what_the_policy_leaves_undone_is_told() {
    assert_snapshot!(plan_with(
        &[&[1, 2, 3], &[4, 5], &[6, 7]],
        "1 2\n4 6 8\n5\n7\n",
        &[("authoritative", "additive")]
    ), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy additive, as bot
      relate 8 with 4  # <m8@example.org>: joins a relation
      undone 1 2 3  # relation kept as it is: the policy is additive
      undone 4 5  # relation kept as it is: the policy is additive
      undone 4 6 8  # kept in separate relations: the policy is additive
      undone 6 7  # relation kept as it is: the policy is additive
    1 write: 0 clears, 1 relate; 3 relations become 3; 4 wanted changes left undone
    unmatched: 0 of 7 elements only in the analysis, 5 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
}

#[test]
fn what_is_out_of_scope_is_left_undone_and_told() {
    assert_snapshot!(plan_with(&[&[1, 2, 21], &[3, 4]], "1 2\n3 4 5\n", &[]), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 5 with 3  # <m5@example.org>: joins a relation
      undone 1 2 21  # relation kept as it is: a patch is outside the tracker's projects
    1 write: 0 clears, 1 relate; 2 relations become 2; 1 wanted change left undone
    unmatched: 0 of 5 elements only in the analysis, 7 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
}

#[test]
fn what_is_too_large_is_left_undone_and_told() {
    let limit = ("patience_seconds", "max_relation_size = 3\npatience_seconds");
    assert_snapshot!(plan_with(&[&[1, 2, 3]], "1 2 3 4\n5 6\n", &[limit]), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 5 with 6  # <m5@example.org>: new relation
      undone 1 2 3 4  # not related: the wanted relation would have 4 members, at most 3 are allowed (max_relation_size)
    1 write: 0 clears, 1 relate; 1 relation becomes 2; 1 wanted change left undone
    unmatched: 0 of 6 elements only in the analysis, 6 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
    let additive = ("authoritative", "additive");
    assert_snapshot!(plan_with(&[&[1, 2, 9]], "1 2 4 5\n9\n", &[limit, additive]), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy additive, as bot
      undone 1 2 4 5  # not related: the wanted relation would have 4 members, at most 3 are allowed (max_relation_size)
      undone 1 2 9  # relation kept as it is: the wanted relation would have 4 members, at most 3 are allowed (max_relation_size)
    nothing to write; 2 wanted changes left undone
    unmatched: 0 of 5 elements only in the analysis, 7 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
    assert_snapshot!(plan_with(&[&[1, 2, 9]], "1 2 4\n9\n", &[limit, additive]), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy additive, as bot
      undone 1 2 9  # relation kept as it is: the policy is additive
      undone 4  # left out of their class: the wanted relation would have 4 members, at most 3 are allowed (max_relation_size)
    nothing to write; 2 wanted changes left undone
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
    let both = ("[\"alpha\"]", "[\"alpha\", \"beta\"]");
    assert_snapshot!(plan_with(&[], "1 2 3 4 5 6 7 8 9 10 11 12 21 22 99\n", &[limit, both]), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 16 patches as of TIME, policy authoritative, as bot
      undone 1 2 3 4 5 6 7 8 9 10 11 12 and 2 more  # not related: the wanted relation would have 14 members, at most 3 are allowed (max_relation_size)
    nothing to write; 1 wanted change left undone
    unmatched: 1 of 15 elements only in the analysis, 2 of 16 patches only in the tracker (see `kinset relations unmatched`)
    ");
}

#[test]
fn what_the_user_may_not_write_is_left_undone_and_told() {
    let tracker = Tracker::serving(world(&[&[1, 2], &[3, 21], &[22, 23]]));
    let place = Place::configured(
        &tracker.config().replace("[\"alpha\"]", "[\"alpha\", \"beta\"]"),
        "1 2 4\n3 5\n6 24\n",
    );
    place.write_token("t-half", 0o600);
    assert_snapshot!(place.run("plan"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 16 patches as of TIME, policy authoritative, as half
      relate 4 with 1  # <m4@example.org>: joins a relation
      undone 3 21  # relation kept as it is: the token's user does not maintain project beta
      undone 22 23  # relation kept as it is: the token's user does not maintain project beta
      undone 24  # left out of their class: the token's user does not maintain project beta
    1 write: 0 clears, 1 relate; 3 relations become 3; 3 wanted changes left undone
    unmatched: 0 of 7 elements only in the analysis, 9 of 16 patches only in the tracker (see `kinset relations unmatched`)
    ");
    assert_snapshot!(place.run("apply --yes"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 16 patches as of TIME, policy authoritative, as half
      relate 4 with 1  # <m4@example.org>: joins a relation
      undone 3 21  # relation kept as it is: the token's user does not maintain project beta
      undone 22 23  # relation kept as it is: the token's user does not maintain project beta
      undone 24  # left out of their class: the token's user does not maintain project beta
    1 write: 0 clears, 1 relate; 3 relations become 3; 3 wanted changes left undone
    unmatched: 0 of 7 elements only in the analysis, 9 of 16 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    kernel: 1 write took effect
    kernel: 3 relations as planned, verified
    ");
    assert_snapshot!(place.run("plan"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 16 patches as of TIME, policy authoritative, as half
      undone 3 21  # relation kept as it is: the token's user does not maintain project beta
      undone 22 23  # relation kept as it is: the token's user does not maintain project beta
      undone 24  # left out of their class: the token's user does not maintain project beta
    nothing to write; 3 wanted changes left undone
    unmatched: 0 of 7 elements only in the analysis, 9 of 16 patches only in the tracker (see `kinset relations unmatched`)
    ");
}

#[test]
fn a_user_who_maintains_nothing_may_plan_and_is_told_when_applying() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = tracker.place("1 2\n3 4\n");
    place.write_token("t-nobody", 0o600);
    assert_snapshot!(place.run("plan"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as a user who maintains none of its projects
      undone 3 4  # left out of their class: the token's user does not maintain project alpha
    nothing to write; 1 wanted change left undone
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
    assert_snapshot!(place.run("apply --yes"), @r"
    exit 1
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as a user who maintains none of its projects
      undone 3 4  # left out of their class: the token's user does not maintain project alpha
    nothing to write; 1 wanted change left undone
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    error: the token's user maintains none of the projects of tracker kernel (alpha), so nothing can be written to it
      help: have the tracker's administrators make the token's user a maintainer of these projects, or use the token of one
    ");
    place.write("patch-groups", "1 2\n");
    assert!(place.run("apply --yes").starts_with("exit 0"), "nothing has to be written");
}

#[test]
fn without_a_token_there_is_a_plan_but_no_write() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = Place::configured(&tracker.config().replace("token_file = \"token\"\n", ""), "1 2\n3 4\n");
    assert_snapshot!(place.run("apply --yes"), @r"
    exit 1
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, without a token
      relate 3 with 4  # <m3@example.org>: new relation
    1 write: 0 clears, 1 relate; 1 relation becomes 2
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    error: tracker kernel has no token, so nothing can be written to it
      help: create a token on your Patchwork profile page and name its file with `token_file` under [[tracker]]
    ");
    assert_eq!(tracker.writes(), 0);
}

#[test]
fn a_guard_that_trips_is_part_of_the_plan_and_stops_apply() {
    let tracker = Tracker::serving(world(&[&[1, 2], &[3, 4], &[5, 6], &[7, 8], &[9, 10], &[11, 12]]));
    let place = tracker.place("11 12 98 99 100\n");
    let plan = place.run("plan");
    assert_snapshot!(plan, @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      clear  1  # <m1@example.org>: not named by the analysis
      clear  3  # <m3@example.org>: not named by the analysis
      clear  5  # <m5@example.org>: not named by the analysis
      clear  7  # <m7@example.org>: not named by the analysis
      clear  9  # <m9@example.org>: not named by the analysis
    5 writes: 5 clears, 0 relates; 6 relations become 1
    unmatched: 3 of 5 elements only in the analysis, 10 of 12 patches only in the tracker (see `kinset relations unmatched`)
    GUARD: 2 of 5 elements of the analysis (40.0 %) are in the tracker's projects, at least 50.0 % are needed; as it stands this plan will not be applied
      help: check that the analysis covers the lists of the tracker's projects (`kinset relations unmatched`); if this is meant, set `min_resolved_fraction` under [tracker.guard]
    GUARD: 10 of 12 related patches (83.3 %) would lose their relation, at most 25.0 % are allowed; as it stands this plan will not be applied
      help: look at the plan and at the analysis it comes from; if this is meant, set `max_clear_fraction` under [tracker.guard]
    ");
    let apply = place.run("apply --yes");
    assert_snapshot!(apply.split_once("--- stderr\n").unwrap().1, @r"
    error: tracker kernel: 2 of 5 elements of the analysis (40.0 %) are in the tracker's projects, at least 50.0 % are needed; 10 of 12 related patches (83.3 %) would lose their relation, at most 25.0 % are allowed
      help: check that the analysis covers the lists of the tracker's projects (`kinset relations unmatched`); if this is meant, set `min_resolved_fraction` under [tracker.guard]
            look at the plan and at the analysis it comes from; if this is meant, set `max_clear_fraction` under [tracker.guard]
    ");
    assert_eq!(tracker.writes(), 0);
    let eased = "[tracker.guard]\nmax_clear_fraction = 1\nmin_resolved_fraction = 0.4\n";
    place.write("kinset.toml", format!("{}{eased}", tracker.config()));
    assert!(place.run("apply --yes").starts_with("exit 0"));
    assert_eq!(tracker.writes(), 5);
}

#[test]
fn an_empty_analysis_has_to_be_allowed() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = tracker.place("");
    assert_snapshot!(place.run("plan"), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups holds no groups
      help: an empty analysis would clear every relation; if that is meant, set `allow_empty = true` under [tracker.guard]
    ");
    place.write("kinset.toml", format!("{}[tracker.guard]\nallow_empty = true\n", tracker.config()));
    assert_snapshot!(place.run("plan"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      clear  1  # <m1@example.org>: not named by the analysis
    1 write: 1 clear, 0 relates; 1 relation becomes 0
    unmatched: 0 of 0 elements only in the analysis, 12 of 12 patches only in the tracker (see `kinset relations unmatched`)
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
      because: the tracker shows 1 patches where the last pull saw 12 (91.7 % gone), at most 10.0 % may be
      help: check the tracker; kinset keeps what it saw last; if this is meant, set `max_shrink_fraction` under [tracker.guard]
    ");
}

#[test]
fn a_detailed_exit_code_tells_whether_there_is_something_to_write() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = tracker.place("1 2\n");
    let exit = |groups: &str| {
        place.write("patch-groups", groups);
        place.run("plan --detailed-exitcode").lines().next().unwrap().to_owned()
    };
    assert_eq!(exit("1 2\n"), "exit 0");
    assert_eq!(exit("1 2 3\n"), "exit 2");
    assert_eq!(exit("1 2"), "exit 1");
}

#[test]
fn no_pull_plans_from_what_was_pulled_last() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    assert_snapshot!(place.run("plan --no-pull"), @r"
    exit 1
    --- stderr
    error: tracker kernel was never pulled from http://TRACKER/
      help: run `kinset pull kernel` first
    ");
    assert!(place.run("pull").starts_with("exit 0"));
    tracker.simulator().clear_log();
    assert!(place.run("plan --no-pull").contains("1 write:"));
    let asked_for_patches = |request: &kinset::tracker::simulator::LoggedRequest| request.path_and_query.contains("/patches/");
    assert!(!tracker.simulator().log().iter().any(asked_for_patches));
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
        ]
      }
    ]
    "#);
}

#[test]
fn without_a_terminal_apply_wants_to_be_told_yes() {
    let tracker = Tracker::serving(world(&[]));
    assert_snapshot!(tracker.place("1 2\n").run("apply"), @r"
    exit 1
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 1 with 2  # <m1@example.org>: new relation
    1 write: 0 clears, 1 relate; 0 relations become 1
    unmatched: 0 of 2 elements only in the analysis, 10 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    error: nothing was written: there is no terminal to ask on
      help: read the plan with `kinset plan`, then apply it with `kinset apply --yes`
    ");
    assert_eq!(tracker.writes(), 0);
}

/// A terminal: what is typed on it goes into the first, whatever reads from it gets the second.
fn terminal() -> (File, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    (File::from(ours), theirs)
}

#[test]
fn on_a_terminal_apply_asks_and_only_yes_means_yes() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    let answer = |typed: &str| {
        let (mut keyboard, stdin) = terminal();
        keyboard.write_all(typed.as_bytes()).unwrap();
        let output = place.command("apply").stdin(stdin).output().unwrap();
        place.tell(&output).split_once("--- stderr\n").unwrap().1.to_owned()
    };
    assert_snapshot!(answer("n\n"), @"Send 1 write to kernel? [y/N] nothing was written");
    let end_of_input = "\u{4}";
    for typed in ["\n", "yesterday\n", end_of_input] {
        assert_eq!(answer(typed), answer("n\n"), "{typed:?}");
    }
    assert_eq!(tracker.writes(), 0);
    assert_snapshot!(answer("Yes\n"), @r"
    Send 1 write to kernel? [y/N] kernel: 1 write took effect
    kernel: 1 relation as planned, verified
    ");
    assert_eq!(tracker.writes(), 1);
}

#[test]
fn nothing_is_written_when_nobody_reads_the_plan() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = place.command("apply --yes").stdout(writer).output().unwrap();
    assert_snapshot!(place.tell(&output), @r"
    exit 1
    --- stderr
    error: nothing was written: standard output was closed before all of the plan was shown
      help: let all of the plan be read, or send it to a file
    ");
    assert_eq!(tracker.writes(), 0);
}

#[test]
fn projects_that_the_tracker_refuses_to_have_written_to_are_named() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    tracker
        .simulator()
        .set_faults([Fault::new(FaultKind::Forbid, When::every(1)).on_writes()]);
    assert_snapshot!(tracker.place("1 2 3\n4 5\n").run("apply --yes"), @r#"
    exit 1
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 3 with 1  # <m3@example.org>: joins a relation
      relate 4 with 5  # <m4@example.org>: new relation
    2 writes: 0 clears, 2 relates; 1 relation becomes 2
    unmatched: 0 of 5 elements only in the analysis, 7 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    TIME  WARN the projects of this write are left alone from here on tracker="kernel" patch=3 error=http://TRACKER/api/1.3/patches/3/ refused the write: You do not have permission to perform this action.
    TIME  WARN the projects of this write are left alone from here on tracker="kernel" patch=4 error=http://TRACKER/api/1.3/patches/4/ refused the write: You do not have permission to perform this action.
    kernel: 0 writes took effect
    kernel: the tracker refused writes to these projects: alpha; `kinset plan` shows what is left
    "#);
}

#[test]
fn when_the_tracker_stops_taking_writes_it_is_told_how_many_there_were() {
    let tracker = Tracker::serving(world(&[]));
    let failing = Fault::new(FaultKind::status(503), When::At(vec![2, 3, 4])).on_writes();
    tracker.simulator().set_faults([failing]);
    let place = Place::configured(&format!("{}concurrent_requests = 1\n", tracker.config()), "1 2\n3 4\n5 6\n");
    let apply = place.run("apply --yes");
    assert_snapshot!(apply.split_once("--- stderr\n").unwrap().1, @r#"
    kernel: 1 write took effect before it failed
    error: the tracker takes no writes
      because: it was left open whether http://TRACKER/api/1.3/patches/3/ was written
      because: http://TRACKER/api/1.3/patches/3/ answered 503 Service Unavailable (text/html; charset=utf-8): <!doctype html> <html lang="en"> <head><title>Something is wrong in front of Patchwork</title></head> <body><h1>Something is wrong in front of Patchwork</h1></body> </html>
      help: the next run reads the patch first and goes on from what it finds
    "#);
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
    kernel: 12 patches in 1 project, 2 of them related
    qemu: 4 patches in 1 project, 0 of them related
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
    kernel: 12 patches in 1 project, 0 of them related
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
