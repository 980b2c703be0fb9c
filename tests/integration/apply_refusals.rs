//! What is not applied: plans that something has overtaken, and plans that are too drastic. Nothing is written then, and what was known stays.

use std::fs;
use std::path::{Path, PathBuf};

use kinset::model::{PatchId, ProjectName};
use kinset::reconcile::{Error, Extent, PlanDocument, Pulling};
use kinset::remedy::Remedy as _;
use kinset::tracker::simulator::{Moment, World};
use serde_json::{Value, json};

use crate::support::log::writes;
use crate::support::rig::{Rig, Terms, write_as_human};
use crate::support::town::{classes, town};

const BEFORE: &[&[u64]] = &[&[1, 2], &[21, 22]];

/// A rig that was pulled, with the plan for it in a file.
fn with_saved_plan() -> (Rig, PathBuf) {
    let rig = Rig::serving(&town(BEFORE), Terms::default());
    rig.want("1 2 3\n21 22\n4 5\n");
    rig.pull().unwrap();
    let file = rig.file("plan.json");
    let plan = rig.document(&rig.plan(Pulling::Stored).unwrap());
    fs::write(&file, serde_json::to_vec(&plan).unwrap()).unwrap();
    (rig, file)
}

/// Why a saved plan is stale; nothing was written because of it.
fn staleness(rig: &Rig, file: &Path) -> String {
    rig.simulator().clear_log();
    let error = rig.apply_saved(file).unwrap_err();
    assert_eq!(writes(&rig.log()), 0);
    assert_eq!(rig.open_entries(), []);
    match error {
        Error::Stale { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_saved_plan_is_applied_as_it_was_read() {
    let (rig, file) = with_saved_plan();
    rig.apply_saved(&file).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2, 3], &[21, 22], &[4, 5]]));
}

#[test]
fn a_saved_plan_outlives_a_pull_that_finds_nothing_new() {
    let (rig, file) = with_saved_plan();
    rig.pull().unwrap();
    rig.apply_saved(&file).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2, 3], &[21, 22], &[4, 5]]));
}

#[test]
fn an_edit_of_what_it_touches_makes_a_saved_plan_stale() {
    let (rig, file) = with_saved_plan();
    rig.human_writes(3, &[6]);
    assert_eq!(
        staleness(&rig, &file),
        "the tracker's relations around patch 1 are not what it was computed from"
    );
}

/// Nobody has read what another plan would write.
#[test]
fn a_saved_plan_that_is_overtaken_in_mid_run_is_not_planned_anew() {
    let (rig, file) = with_saved_plan();
    rig.at_write(1, Moment::Before, |rules| {
        write_as_human(rules, 3, &[6]);
        write_as_human(rules, 5, &[7]);
    });
    let error = rig.apply_saved(&file).unwrap_err();
    assert!(matches!(error, Error::MovedMeanwhile { .. }), "{error:?}");
    assert!(error.remedy().is_some());
    assert!(writes(&rig.log()) <= 2);
    assert_eq!(rig.open_entries(), []);
    rig.leave_alone();
    rig.apply(Pulling::Fresh(Extent::Full)).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2, 3], &[21, 22], &[4, 5]]));
}

#[test]
fn an_edit_of_what_it_does_not_touch_is_no_concern_of_a_saved_plan() {
    let (rig, file) = with_saved_plan();
    rig.human_writes(23, &[21]);
    rig.apply_saved(&file).unwrap();
    assert_eq!(rig.relations(), classes(&[&[1, 2, 3], &[21, 22, 23], &[4, 5]]));
    rig.apply(Pulling::Fresh(Extent::Full)).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2, 3], &[21, 22], &[4, 5]]));
}

#[test]
fn another_pull_that_finds_other_relations_makes_a_saved_plan_stale() {
    let (rig, file) = with_saved_plan();
    rig.human_writes(23, &[21]);
    rig.pull().unwrap();
    let what = staleness(&rig, &file);
    assert!(
        what.starts_with("it was computed from the pull of ") && what.contains("pulled again at"),
        "{what}"
    );
}

#[test]
fn another_analysis_makes_a_saved_plan_stale() {
    let (rig, file) = with_saved_plan();
    rig.want("1 2 3\n21 22\n4 5 6\n");
    assert_eq!(
        staleness(&rig, &file),
        "the analysis, the configuration or relations written since are not what it was computed from"
    );
}

#[test]
fn another_configuration_makes_a_saved_plan_stale() {
    let others = [
        Terms {
            limits: "attach_limit = 7",
            ..Terms::default()
        },
        Terms {
            limits: "max_relation_size = 7",
            ..Terms::default()
        },
        Terms {
            guard: "min_clears = 7",
            ..Terms::default()
        },
        Terms {
            policy: "additive",
            ..Terms::default()
        },
        Terms {
            token: "t-alice",
            ..Terms::default()
        },
    ];
    for terms in others {
        let (mut rig, file) = with_saved_plan();
        rig.reconfigure(terms);
        assert!(staleness(&rig, &file).starts_with("the analysis, the configuration"));
    }
}

#[test]
fn a_plan_that_was_applied_is_stale() {
    let (rig, file) = with_saved_plan();
    rig.apply_saved(&file).unwrap();
    assert!(staleness(&rig, &file).contains("relations written since"));
    rig.assert_at_rest(&classes(&[&[1, 2, 3], &[21, 22], &[4, 5]]));
}

/// Changes a saved plan by hand.
fn tamper(file: &Path, change: impl FnOnce(&mut Value)) {
    let mut plan: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    change(&mut plan);
    fs::write(file, plan.to_string()).unwrap();
}

#[test]
fn steps_that_were_changed_by_hand_make_a_saved_plan_stale() {
    let changes: [fn(&mut Value); 3] = [
        |plan| plan["steps"][0]["related"] = json!([21]),
        |plan| drop(plan["steps"].as_array_mut().unwrap().pop()),
        |plan| plan["steps"].as_array_mut().unwrap().reverse(),
    ];
    for change in changes {
        let (rig, file) = with_saved_plan();
        tamper(&file, change);
        assert_eq!(staleness(&rig, &file), "its steps are not those that its digest stands for");
    }
}

#[test]
fn a_plan_for_another_tracker_or_of_another_layout_is_refused() {
    type Tampering = fn(&mut Value);
    type Refusal = fn(&Error) -> bool;
    let cases: [(Tampering, Refusal); 3] = [
        (
            |plan| plan["trackers"][0]["name"] = json!("other"),
            |error| matches!(error, Error::NotPlanned { .. }),
        ),
        (
            |plan| plan["format"] = json!(99),
            |error| matches!(error, Error::OtherPlanFormat { found: 99, .. }),
        ),
        (|plan| *plan = json!([]), |error| matches!(error, Error::NoPlan { .. })),
    ];
    for (change, is_refusal) in cases {
        let (rig, file) = with_saved_plan();
        tamper(&file, change);
        let error = rig.apply_saved(&file).unwrap_err();
        assert!(is_refusal(&error), "{error:?}");
        assert!(error.remedy().is_some());
        assert_eq!(writes(&rig.log()), 0);
    }
}

/// Six pairs, twelve related patches: enough for the guard of clears to look at.
fn six_pairs() -> World {
    town(&[&[1, 2], &[3, 4], &[5, 6], &[7, 8], &[9, 10], &[11, 12]])
}

/// The option that lets a plan through which a guard holds back; nothing was written, and what was known stays.
fn guarded_by(rig: &Rig) -> Vec<String> {
    let (known, relations) = (rig.stored(), rig.relations());
    rig.simulator().clear_log();
    let error = rig.apply(Pulling::Stored).unwrap_err();
    assert_eq!(writes(&rig.log()), 0);
    assert_eq!((rig.stored(), rig.relations()), (known, relations));
    assert!(error.remedy().is_some());
    match error {
        Error::Guarded { tripped, .. } => tripped.iter().map(|tripped| tripped.option().to_owned()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_that_clears_too_much_is_held_back_until_that_is_allowed() {
    let mut rig = Rig::serving(&six_pairs(), Terms::default());
    rig.want("1\n3\n");
    rig.pull().unwrap();
    assert_eq!(guarded_by(&rig), ["max_clear_fraction"]);
    rig.reconfigure(Terms {
        guard: "max_clear_fraction = 1.0",
        ..Terms::default()
    });
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[]));
}

#[test]
fn an_analysis_of_other_mails_is_held_back_until_that_is_allowed() {
    let mut rig = Rig::serving(&town(&[]), Terms::default());
    rig.want("1 2\n101 102 103\n");
    rig.pull().unwrap();
    assert_eq!(guarded_by(&rig), ["min_resolved_fraction"]);
    rig.reconfigure(Terms {
        guard: "min_resolved_fraction = 0.1",
        ..Terms::default()
    });
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[&[1, 2]]));
}

#[test]
fn an_empty_analysis_is_held_back_until_that_is_allowed() {
    let mut rig = Rig::serving(&six_pairs(), Terms::default());
    rig.want("");
    rig.pull().unwrap();
    let (known, error) = (rig.stored(), rig.apply(Pulling::Stored).unwrap_err());
    assert!(matches!(error, Error::Groups(_)), "{error:?}");
    assert!(error.remedy().is_some());
    assert_eq!((rig.stored(), writes(&rig.log())), (known, 0));
    rig.reconfigure(Terms {
        guard: "allow_empty = true\nmax_clear_fraction = 1.0",
        ..Terms::default()
    });
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&classes(&[]));
}

/// A guard looks at every round: what moves under a plan may make it drastic.
#[test]
fn a_plan_that_becomes_too_drastic_in_mid_run_is_held_back() {
    let rig = Rig::serving(&town(&[]), Terms::default());
    let whole: Vec<u64> = (1..=12).collect();
    rig.want("1\n2\n3\n13 14\n");
    rig.pull().unwrap();
    let error = rig.apply_after(Pulling::Stored, |_| rig.human_writes(13, &whole)).unwrap_err();
    assert!(matches!(error, Error::Guarded { .. }), "{error:?}");
    assert_eq!((writes(&rig.log()), rig.open_entries()), (0, vec![]));
}

#[test]
fn a_tracker_that_shows_only_a_part_of_itself_is_not_believed() {
    let rig = Rig::serving(&town(BEFORE), Terms::default());
    rig.want("1 2\n21 22\n");
    rig.pull().unwrap();
    let known = rig.stored();
    rig.simulator().with_rules(|rules| {
        for patch in (3..=7).map(PatchId) {
            rules.remove_patch(patch).unwrap();
        }
    });
    for error in [rig.pull().unwrap_err(), rig.apply(Pulling::Fresh(Extent::Full)).unwrap_err()] {
        assert!(matches!(error, Error::Shrunk(_)), "{error:?}");
        assert!(error.remedy().is_some());
    }
    assert_eq!((rig.stored(), writes(&rig.log())), (known, 0));
}

#[test]
fn a_project_that_is_configured_no_longer_does_not_count_as_gone() {
    let mut rig = Rig::serving(&town(&[&[1, 2]]), Terms::default());
    rig.want("1 2\n");
    for projects in [&["alpha", "beta"][..], &["alpha"], &["beta"], &["alpha", "beta"]] {
        rig.reconfigure(Terms {
            projects,
            ..Terms::default()
        });
        rig.pull().unwrap();
    }
    rig.assert_at_rest(&classes(&[&[1, 2]]));
}

#[test]
fn a_project_that_the_tracker_does_not_have_keeps_what_was_known() {
    let mut rig = Rig::serving(&town(BEFORE), Terms::default());
    rig.want("1 2\n21 22\n");
    rig.pull().unwrap();
    let known = rig.stored();
    rig.reconfigure(Terms {
        projects: &["alpha", "betta"],
        ..Terms::default()
    });
    match rig.pull().unwrap_err() {
        Error::UnknownProject { project, nearest, .. } => {
            assert_eq!((project.as_str(), nearest), ("betta", Some(ProjectName("beta".to_owned()))));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((rig.stored(), writes(&rig.log())), (known, 0));
}

#[test]
fn there_is_no_plan_for_a_tracker_that_was_never_pulled() {
    let rig = Rig::serving(&town(BEFORE), Terms::default());
    rig.want("1 2\n");
    assert!(matches!(rig.plan(Pulling::Stored), Err(Error::NeverPulled { .. })));
    assert!(matches!(
        PlanDocument::load(&rig.file("plan.json")),
        Err(Error::PlanUnreadable { .. })
    ));
}
