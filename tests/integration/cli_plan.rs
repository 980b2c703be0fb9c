//! `kinset plan` with a tracker: what is planned and why, and what is left undone and why.

use insta::assert_snapshot;
use kinset::tracker::simulator::LoggedRequest;

use super::cli_support::{Place, Tracker, world};

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
    overruled: 2 of 2 decisions of people (see `kinset decisions list`)
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
          "commit_refs": 0,
          "patches": 12,
          "relations": 2,
          "relations_after": 2,
          "named": 5,
          "only_in_analysis": 1,
          "only_in_tracker": 8,
          "decisions": 2,
          "overruled": [
            {
              "kind": "joined",
              "patches": [
                1,
                2
              ]
            }
          ],
          "ended": [],
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
          "commits_undone": [],
          "guards": [],
          "digest": "DIGEST"
        }
      ],
      "format": 2
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
    overruled: 5 of 6 decisions of people (see `kinset decisions list`)
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
    overruled: 1 of 1 decision of people (see `kinset decisions list`)
    unmatched: 0 of 0 elements only in the analysis, 12 of 12 patches only in the tracker (see `kinset relations unmatched`)
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
    let asked_for_patches = |request: &LoggedRequest| request.path_and_query.contains("/patches/");
    assert!(!tracker.simulator().log().iter().any(asked_for_patches));
}
