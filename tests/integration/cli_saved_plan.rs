//! `kinset plan --out FILE` and `kinset apply --plan FILE`: a plan that was read is applied as it was read, or not at all.

use insta::assert_snapshot;
use serde_json::Value;

use super::cli_support::{Place, Tracker, world};

/// A tracker, and a folder in which `plan.json` was saved for it.
struct Saved {
    tracker: Tracker,
    place: Place,
}

impl Saved {
    fn new() -> Self {
        let tracker = Tracker::serving(world(&[&[1, 2, 3]]));
        let place = tracker.place("1 2\n4 5\n");
        assert!(place.run("plan --out plan.json").starts_with("exit 0"));
        Self { tracker, place }
    }

    fn plan(&self) -> Value {
        serde_json::from_str(&self.place.read("plan.json")).unwrap()
    }

    /// Applies the plan, which must be refused, and hands over the reasons.
    fn refusal(&self) -> String {
        self.refusal_of("")
    }

    /// The same for these trackers alone.
    fn refusal_of(&self, trackers: &str) -> String {
        let told = self.place.run(&format!("apply {trackers} --plan plan.json --yes"));
        assert!(told.starts_with("exit 1"), "{told}");
        assert_eq!(self.tracker.writes(), 0);
        told.split_once("--- stderr\n").unwrap().1.to_owned()
    }
}

#[test]
fn a_saved_plan_is_what_plan_prints_as_json() {
    let Saved { place, tracker: _ } = &Saved::new();
    let printed: Value = serde_json::from_str(&place.data("plan --no-pull --format json")).unwrap();
    let saved: Value = serde_json::from_str(&place.read("plan.json")).unwrap();
    assert_eq!(saved, printed);
}

#[test]
fn a_saved_plan_is_applied_without_another_pull() {
    let Saved { place, tracker } = &Saved::new();
    tracker.simulator().clear_log();
    assert_snapshot!(place.run("apply --plan plan.json --yes"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      clear  3  # <m3@example.org>: not named by the analysis
      relate 4 with 5  # <m4@example.org>: new relation
    2 writes: 1 clear, 1 relate; 1 relation becomes 2
    overruled: 1 of 1 decision of people (see `kinset decisions list`)
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    kernel: 2 writes took effect
    kernel: 2 relations as planned, verified
    ");
    assert_eq!(tracker.writes(), 2);
    assert!(
        !tracker
            .simulator()
            .log()
            .iter()
            .any(|request| request.path_and_query.contains("order=id"))
    );
}

#[test]
fn a_plan_still_holds_after_a_pull_that_found_nothing_new_and_under_other_haste() {
    let Saved { place, tracker } = &Saved::new();
    place.write("kinset.toml", tracker.config().replace("= 1000", "= 999"));
    assert!(place.run("pull").starts_with("exit 0"));
    assert!(place.run("apply --plan plan.json --yes").starts_with("exit 0"));
}

#[test]
fn a_plan_is_stale_once_the_analysis_has_changed() {
    let saved = Saved::new();
    saved.place.write("patch-groups", "1 2\n4 6\n");
    assert_snapshot!(saved.refusal(), @r"
    error: the plan for tracker kernel is stale: the analysis, the configuration or relations written since are not what it was computed from
      help: nothing was written; make it anew with `kinset plan --out FILE` and read it again
    ");
}

#[test]
fn a_plan_is_stale_once_a_limit_that_it_was_made_under_has_changed() {
    let saved = Saved::new();
    saved
        .place
        .write("kinset.toml", format!("{}attach_limit = 1\n", saved.tracker.config()));
    assert_snapshot!(saved.refusal(), @r"
    error: the plan for tracker kernel is stale: the analysis, the configuration or relations written since are not what it was computed from
      help: nothing was written; make it anew with `kinset plan --out FILE` and read it again
    ");
}

#[test]
fn a_plan_is_stale_once_the_tracker_was_pulled_with_other_relations() {
    let saved = Saved::new();
    saved.tracker.somebody_writes(3, &[]);
    assert!(saved.place.run("pull").starts_with("exit 0"));
    assert_snapshot!(saved.refusal(), @r"
    error: the plan for tracker kernel is stale: it was computed from the pull of TIME, and the tracker was pulled again at TIME
      help: nothing was written; make it anew with `kinset plan --out FILE` and read it again
    ");
}

#[test]
fn a_plan_is_stale_once_somebody_moved_what_it_touches() {
    let saved = Saved::new();
    saved.tracker.somebody_writes(4, &[9]);
    assert_snapshot!(saved.refusal(), @r"
    error: the plan for tracker kernel is stale: the tracker's relations around patch 4 are not what it was computed from
      help: nothing was written; make it anew with `kinset plan --out FILE` and read it again
    ");
}

#[test]
fn a_plan_whose_steps_were_edited_is_refused() {
    let saved = Saved::new();
    let mut plan = saved.plan();
    plan["steps"][0]["patch"] = 2.into();
    saved.place.write("plan.json", plan.to_string());
    assert_snapshot!(saved.refusal(), @r"
    error: the plan for tracker kernel is stale: its steps are not those that its digest stands for
      help: nothing was written; make it anew with `kinset plan --out FILE` and read it again
    ");
}

#[test]
fn a_plan_for_other_trackers_is_refused() {
    let saved = Saved::new();
    let config = saved.tracker.config();
    let (_, kernel) = config.split_once("[[tracker]]").unwrap();
    saved.place.write(
        "kinset.toml",
        format!("{config}[[tracker]]{}", kernel.replace("kernel", "qemu").replace("alpha", "beta")),
    );
    assert!(saved.place.run("pull").starts_with("exit 0"));
    assert_snapshot!(saved.refusal_of("qemu"), @r"
    error: the plan says nothing about tracker qemu
      help: name the trackers that the plan was made for
    ");
    saved.place.write("kinset.toml", config.replace("kernel", "qemu"));
    assert_snapshot!(saved.refusal(), @r"
    error: the configuration DIR/kinset.toml has no tracker or distribution `kernel`
      help: the trackers and distributions it has: qemu
    ");
}

#[test]
fn a_plan_without_a_name_is_applied_to_its_trackers_and_no_other() {
    let Saved { place, tracker } = &Saved::new();
    let config = tracker.config();
    let (_, kernel) = config.split_once("[[tracker]]").unwrap();
    place.write(
        "kinset.toml",
        format!("{config}[[tracker]]{}", kernel.replace("kernel", "qemu").replace("alpha", "beta")),
    );
    assert!(place.run("apply --plan plan.json --yes").starts_with("exit 0"));
}

#[test]
fn a_file_that_is_no_plan_is_named() {
    let saved = Saved::new();
    saved.place.write("plan.json", "1 2\n");
    assert_snapshot!(saved.refusal(), @r"
    error: plan.json is no saved plan
      because: invalid type: integer `1`, expected a plan at line 1 column 1
      help: make it anew with `kinset plan --out FILE`
    ");
    saved.place.write("plan.json", "");
    assert_snapshot!(saved.refusal(), @r"
    error: plan.json is no saved plan
      because: EOF while parsing a value at line 1 column 0
      help: make it anew with `kinset plan --out FILE`
    ");
    saved.place.write("plan.json", "{\"format\": 2}");
    assert_snapshot!(saved.refusal(), @r"
    error: plan.json is no saved plan
      because: missing field `writes` at line 1 column 13
      help: make it anew with `kinset plan --out FILE`
    ");
    std::fs::remove_file(saved.place.path("plan.json")).unwrap();
    assert_snapshot!(saved.refusal(), @r"
    error: cannot read plan.json
      because: No such file or directory (os error 2)
      help: check the path given with --plan
    ");
}

#[test]
fn a_plan_of_another_kinset_is_refused() {
    let saved = Saved::new();
    let mut plan = saved.plan();
    plan["format"] = 1.into();
    saved.place.write("plan.json", plan.to_string());
    assert_snapshot!(saved.refusal(), @r"
    error: plan.json is a plan of format 1, expected format 2
      help: make it anew with `kinset plan --out FILE`
    ");
}

#[test]
fn a_plan_that_cannot_be_saved_is_not_shown() {
    let tracker = Tracker::serving(world(&[]));
    assert_snapshot!(tracker.place("1 2\n").run("plan --out nowhere/plan.json"), @r#"
    exit 1
    --- stderr
    error: cannot write nowhere/plan.json
      because: No such file or directory (os error 2) at path "DIR/nowhere/.tmpRANDOM"
      help: check that the folder exists and that this user may write there
    "#);
}
