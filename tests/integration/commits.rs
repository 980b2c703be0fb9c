//! Upstream commits: what the analysis names behind `=>` is written down with the patches, as far as the configuration wants it.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::commits::CommitBecause;
use kinset::model::relations::guard::Tripped;
use kinset::model::{PatchId, UserName};
use kinset::reconcile::{CommitBecauseDocument, Error, Extent, Pulling, Shutdown};
use kinset::store::Outcome;
use kinset::tracker::simulator::{Moment, Requests, Rules, World};
use serde_json::json;

use crate::support::change::mail;
use crate::support::log::{Asked, writes};
use crate::support::rig::{Rig, Terms};
use crate::support::town::{ALPHA, classes, town};

pub(crate) const ONE: &str = "1111111111111111111111111111111111111111";
pub(crate) const TWO: &str = "2222222222222222222222222222222222222222";
pub(crate) const OTHER: &str = "0123456789abcdef0123456789abcdef01234567";

/// What patches say, by their numbers.
pub(crate) type Says = BTreeMap<u64, String>;

pub(crate) fn says<const N: usize>(says: [(u64, &str); N]) -> Says {
    says.map(|(patch, commit)| (patch, commit.to_owned())).into()
}

/// The town with no relations, where patches say this.
pub(crate) fn saying<const N: usize>(commits: [(u64, &str); N]) -> World {
    let mut world = town(&[]);
    for (patch, commit) in commits {
        let patch = world.patches.iter_mut().find(|known| known.id == PatchId(patch)).unwrap();
        patch.commit_ref = Some(commit.to_owned());
    }
    world
}

/// One request at a time, so that "the n-th write" means something.
pub(crate) fn terms(commit_ref: &'static str) -> Terms {
    Terms {
        commit_ref,
        concurrent_requests: 1,
        guard: "min_resolved_fraction = 0.0",
        ..Terms::default()
    }
}

/// A rig that was pulled, with an analysis.
pub(crate) fn rig(world: &World, terms: Terms, groups: &str) -> Rig {
    let rig = Rig::serving(world, terms);
    rig.want(groups);
    rig.pull().unwrap();
    rig.simulator().clear_log();
    rig
}

/// What the tracker's patches say.
pub(crate) fn said(rig: &Rig) -> Says {
    rig.simulator().with_rules(|rules| {
        let patches = rules.catalogue().patches();
        let said = patches.filter_map(|patch| Some((patch.id.0, patch.commit_ref.clone()?)));
        said.filter(|(_, commit)| !commit.is_empty()).collect()
    })
}

/// What they are known to say.
fn known(rig: &Rig) -> Says {
    let patches = rig.stored().snapshot.patches.into_values();
    patches.filter_map(|patch| Some((patch.id.0, patch.commit_ref?))).collect()
}

/// Asserts that the tracker has these relations and commits, that this is known, and that there is nothing to do.
#[track_caller]
pub(crate) fn assert_at_rest(rig: &Rig, relations: &[&[u64]], commits: &Says) {
    assert_eq!(said(rig), *commits);
    assert_eq!(known(rig), *commits);
    rig.assert_at_rest(&classes(relations));
}

/// Lets `human` write down a commit from within a hook.
pub(crate) fn write_as_human(rules: &mut Rules, patch: u64, commit: &str) {
    let human = UserName("human".to_owned());
    rules.set_commit_ref(Some(&human), PatchId(patch), Some(commit.to_owned())).unwrap();
}

pub(crate) fn human_writes(rig: &Rig, patch: u64, commit: &str) {
    rig.simulator().with_rules(|rules| write_as_human(rules, patch, commit));
}

/// What a plan leaves undone of commits.
fn undone(rig: &Rig) -> Vec<(u64, CommitBecauseDocument)> {
    let plan = rig.document(&rig.plan(Pulling::Stored).unwrap());
    let undone = plan.trackers[0].commits_undone.iter();
    undone.map(|undone| (undone.patch.0, undone.because.clone())).collect()
}

#[test]
fn by_default_commits_are_left_alone() {
    let rig = rig(&saying([(3, OTHER)]), Terms::default(), &format!("1 2 => {ONE}\n3 => {TWO}\n"));
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(undone(&rig), []);
    assert_at_rest(&rig, &[&[1, 2]], &says([(3, OTHER)]));
}

#[test]
fn what_is_empty_is_filled_in_and_what_says_otherwise_is_told() {
    let rig = rig(
        &saying([(2, OTHER), (3, "")]),
        terms("fill"),
        &format!("1 2 => {ONE}\n3 => {TWO}\n4\n"),
    );
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!((applied.commits, applied.rounds), (2, 1));
    assert_eq!(undone(&rig), [(2, CommitBecauseDocument::SaysOtherwise)]);
    assert_at_rest(&rig, &[&[1, 2]], &says([(1, ONE), (2, OTHER), (3, TWO)]));
}

#[test]
fn what_says_otherwise_is_overwritten_where_that_is_wanted() {
    let rig = rig(&saying([(2, OTHER), (5, OTHER)]), terms("overwrite"), &format!("1 2 => {ONE}\n"));
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(undone(&rig), []);
    assert_at_rest(&rig, &[&[1, 2]], &says([(1, ONE), (2, ONE), (5, OTHER)]));
}

#[test]
fn what_says_the_same_in_another_form_is_left_alone() {
    for policy in ["fill", "overwrite"] {
        let rig = rig(
            &saying([(1, "1111111"), (2, "1111111111AB")]),
            terms(policy),
            "1 => 1111111111\n2 => 1111111111ab\n",
        );
        rig.apply(Pulling::Stored).unwrap();
        assert_eq!((writes(&rig.log()), undone(&rig)), (0, vec![]));
        assert_at_rest(&rig, &[], &says([(1, "1111111"), (2, "1111111111AB")]));
    }
}

#[test]
fn a_plan_shows_what_is_written_and_writes_nothing() {
    let rig = rig(&saying([(2, OTHER)]), terms("overwrite"), &format!("1 2 => {ONE}\n"));
    let prepared = rig.plan(Pulling::Stored).unwrap();
    assert_eq!((writes(&rig.log()), prepared.draft.writes()), (0, 3));
    let plan = serde_json::to_value(rig.document(&prepared)).unwrap();
    assert_eq!(plan["writes"], 3);
    let tracker = &plan["trackers"][0];
    assert_eq!(
        (&tracker["clears"], &tracker["relates"], &tracker["commit_refs"]),
        (&json!(0), &json!(1), &json!(2))
    );
    assert_eq!(
        plan["steps"].as_array().unwrap()[1..],
        [
            json!({"tracker": "pw", "component": 1, "op": "commit-ref", "patch": 1, "from": null, "to": ONE, "message_id": mail(PatchId(1))}),
            json!({"tracker": "pw", "component": 2, "op": "commit-ref", "patch": 2, "from": OTHER, "to": ONE, "message_id": mail(PatchId(2))}),
        ]
    );
}

#[test]
fn every_patch_of_a_mail_gets_its_commit() {
    let world = town(&[]).with_patch(PatchId(41), "beta", mail(PatchId(1)));
    let groups = format!("{} {} => {ONE}\n", mail(PatchId(1)), mail(PatchId(2)));
    let rig = rig(
        &world,
        Terms {
            format: "pasta",
            ..terms("fill")
        },
        &groups,
    );
    rig.apply(Pulling::Stored).unwrap();
    assert_at_rest(&rig, &[&[1, 2, 41]], &says([(1, ONE), (2, ONE), (41, ONE)]));
}

/// Other ways into a tracker than its API leave it there.
#[test]
fn what_patchwork_would_take_away_around_a_commit_is_no_part_of_it() {
    let kept = " 2222222\u{1f}";
    let rig = rig(
        &saying([(2, kept), (3, "\u{1f}")]),
        terms("fill"),
        &format!("2 => 2222222\n3 => {ONE}\n"),
    );
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(undone(&rig), []);
    assert_at_rest(&rig, &[], &says([(2, kept), (3, ONE)]));
}

#[test]
fn a_commit_with_no_mail_that_the_tracker_knows_is_no_concern_of_it() {
    let rig = rig(&town(&[]), terms("fill"), &format!("99 => {ONE}\n => {TWO}\n1 2\n"));
    rig.apply(Pulling::Stored).unwrap();
    assert_at_rest(&rig, &[&[1, 2]], &says([]));
}

/// Lines that share a commit are one group, which then has the commits of both.
#[test]
fn of_several_commits_none_is_chosen() {
    for policy in ["fill", "overwrite"] {
        let groups = format!("1 2 => {ONE}\n3 => {ONE} {TWO}\n4 => {OTHER}\n");
        let rig = rig(&saying([(2, TWO), (3, OTHER)]), terms(policy), &groups);
        rig.apply(Pulling::Stored).unwrap();
        let several = CommitBecauseDocument::Several;
        assert_eq!(undone(&rig), [(1, several.clone()), (3, several)]);
        assert_at_rest(&rig, &[&[1, 2, 3]], &says([(2, TWO), (3, OTHER), (4, OTHER)]));
    }
}

#[test]
fn what_patchwork_would_not_take_is_not_sent() {
    let (longest, longer) = ("1".repeat(255), "2".repeat(256));
    let rig = rig(&town(&[]), terms("fill"), &format!("1 => {longest}\n2 => {longer}\n"));
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(undone(&rig), [(2, CommitBecauseDocument::TooLong)]);
    assert_at_rest(&rig, &[], &says([(1, &longest)]));
}

#[test]
fn commits_are_written_after_all_relations_and_each_is_read_before_and_after() {
    let rig = rig(&town(&[&[5, 6]]), terms("fill"), &format!("1 2 3 => {ONE}\n7 8\n"));
    let applied = rig.apply(Pulling::Stored).unwrap();
    assert_eq!((rig.own_writes(), applied.commits), ((1, 2), 3));
    let asked: Vec<Asked> = rig.log().iter().map(Asked::of).collect();
    let tail: Vec<Asked> = (1..=3)
        .map(PatchId)
        .flat_map(|patch| {
            let read = Asked::Mail(mail(patch).bare().to_owned());
            [read.clone(), Asked::Write(patch), read]
        })
        .collect();
    assert_eq!(asked[asked.len() - tail.len()..], tail);
    assert_at_rest(&rig, &[&[1, 2, 3], &[7, 8]], &says([(1, ONE), (2, ONE), (3, ONE)]));
}

#[test]
fn commits_of_many_patches_go_side_by_side() {
    let numbers: Vec<String> = (1..=40).map(|patch: u64| patch.to_string()).collect();
    let terms = Terms {
        concurrent_requests: 8,
        limits: "max_relation_size = 2",
        ..terms("fill")
    };
    let rig = rig(&town(&[]), terms, &format!("{} => {ONE}\n", numbers.join(" ")));
    assert_eq!(rig.apply(Pulling::Stored).unwrap().commits, 40);
    assert_at_rest(&rig, &[], &(1..=40).map(|patch| (patch, ONE.to_owned())).collect());
}

#[test]
fn what_a_person_writes_between_plan_and_application_is_heeded() {
    for (policy, commit) in [("fill", OTHER), ("overwrite", ONE)] {
        let rig = rig(&town(&[]), terms(policy), &format!("1 => {ONE}\n2 => {TWO}\n"));
        let applied = rig.apply_after(Pulling::Stored, |_| human_writes(&rig, 1, OTHER)).unwrap();
        assert_eq!(applied.rounds, if policy == "fill" { 1 } else { 2 }, "{policy}");
        assert_at_rest(&rig, &[], &says([(1, commit), (2, TWO)]));
    }
}

#[test]
fn what_a_person_has_written_already_is_not_written_again() {
    for policy in ["fill", "overwrite"] {
        let rig = rig(&town(&[]), terms(policy), &format!("1 => {ONE}\n"));
        rig.apply_after(Pulling::Stored, |_| human_writes(&rig, 1, &ONE[..12])).unwrap();
        assert_eq!(writes(&rig.log()), 0);
        assert_at_rest(&rig, &[], &says([(1, &ONE[..12])]));
    }
}

#[test]
fn what_a_person_writes_right_after_kinset_is_noticed() {
    for (policy, commit) in [("fill", OTHER), ("overwrite", ONE)] {
        let rig = rig(&town(&[]), terms(policy), &format!("1 => {ONE}\n"));
        rig.at_write(1, Moment::After, |rules| write_as_human(rules, 1, OTHER));
        rig.apply(Pulling::Stored).unwrap();
        rig.leave_alone();
        assert_at_rest(&rig, &[], &says([(1, commit)]));
    }
}

#[test]
fn a_patch_that_is_gone_is_passed_over() {
    let rig = rig(&town(&[]), terms("fill"), &format!("1 => {ONE}\n2 => {ONE}\n"));
    rig.at_write(1, Moment::Before, |rules| rules.remove_patch(PatchId(1)).unwrap());
    rig.apply_after(Pulling::Stored, |_| {
        rig.simulator().with_rules(|rules| rules.remove_patch(PatchId(2)).unwrap());
    })
    .unwrap();
    rig.leave_alone();
    assert_at_rest(&rig, &[], &says([]));
}

#[test]
fn where_the_user_maintains_nothing_commits_are_left_alone_and_told() {
    let alice = Terms {
        token: "t-alice",
        ..terms("fill")
    };
    let rig = rig(&town(&[]), alice, &format!("1 => {ONE}\n21 => {TWO}\n"));
    rig.apply(Pulling::Stored).unwrap();
    let beta = CommitBecauseDocument::Permission {
        project: "beta".to_owned(),
    };
    assert_eq!(undone(&rig), [(21, beta)]);
    assert_at_rest(&rig, &[], &says([(1, ONE)]));
}

#[test]
fn somebody_who_maintains_none_of_the_projects_is_told_so_for_commits_alone() {
    let nobody = Terms {
        token: "t-nobody",
        ..terms("fill")
    };
    let rig = rig(&town(&[]), nobody, &format!("1 => {ONE}\n"));
    let prepared = rig.plan(Pulling::Stored).unwrap();
    assert_eq!(
        prepared
            .draft
            .commits
            .undone
            .iter()
            .map(|undone| undone.because)
            .collect::<Vec<_>>(),
        [CommitBecause::Permission(ALPHA)]
    );
    assert!(matches!(
        prepared.require_maintainer(rig.tracker()),
        Err(Error::NoMaintainer { .. })
    ));
}

/// Twelve patches, which name another commit, or none.
fn twelve(commit: Option<&str>) -> (World, String) {
    let mut world = town(&[]);
    for patch in &mut world.patches[..12] {
        patch.commit_ref = commit.map(str::to_owned);
    }
    let groups = (1..=12).map(|patch| format!("{patch} => {ONE}\n")).collect();
    (world, groups)
}

#[test]
fn a_plan_that_overwrites_too_much_is_held_back_until_that_is_allowed() {
    let (world, groups) = twelve(Some(OTHER));
    let terms = Terms {
        limits: "max_relation_size = 2",
        ..terms("overwrite")
    };
    let mut rig = rig(&world, terms, &groups);
    match rig.apply(Pulling::Stored).unwrap_err() {
        Error::Guarded { tripped, .. } => {
            let options: Vec<&str> = tripped.iter().map(Tripped::option).collect();
            assert_eq!(options, ["max_overwrite_fraction"]);
            assert_eq!(
                tripped[0].to_string(),
                "12 of 12 patches that name a commit (100.0 %) would name another, at most 25.0 % are allowed"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((writes(&rig.log()), rig.open_entries()), (0, vec![]));
    rig.reconfigure(Terms {
        guard: "max_overwrite_fraction = 1.0\nmin_resolved_fraction = 0.0",
        ..terms
    });
    rig.apply(Pulling::Stored).unwrap();
    assert_at_rest(&rig, &[], &(1..=12).map(|patch| (patch, ONE.to_owned())).collect());
}

#[test]
fn filling_in_is_never_too_much() {
    let (world, groups) = twelve(None);
    let rig = rig(
        &world,
        Terms {
            limits: "max_relation_size = 2",
            ..terms("overwrite")
        },
        &groups,
    );
    assert_eq!(rig.apply(Pulling::Stored).unwrap().commits, 12);
    assert_at_rest(&rig, &[], &(1..=12).map(|patch| (patch, ONE.to_owned())).collect());
}

#[test]
fn a_shutdown_lets_the_commit_in_flight_end_and_begins_no_other() {
    let rig = rig(&town(&[]), terms("fill"), &format!("1 2 => {ONE}\n3 => {TWO}\n"));
    for written in 1..=3 {
        let (request, shutdown) = Shutdown::new();
        rig.at_write(1, Moment::Before, move |_| {
            request.send_replace(true);
        });
        assert!(rig.apply_until(&shutdown).unwrap().stopped);
        assert_eq!((writes(&rig.log()), rig.open_entries()), (written, vec![]));
        assert_eq!(known(&rig), said(&rig));
    }
    rig.leave_alone();
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(writes(&rig.log()), 4);
    assert_at_rest(&rig, &[&[1, 2]], &says([(1, ONE), (2, ONE), (3, TWO)]));
}

#[test]
fn death_at_any_write_is_made_up_for() {
    for moment in [Moment::Before, Moment::After] {
        for n in 1..=4 {
            let rig = rig(&town(&[]), terms("fill"), &format!("1 2 => {ONE}\n3 => {TWO}\n"));
            assert!(rig.apply_dying_at(n, Requests::Writes, moment));
            assert_eq!(rig.open_entries().len(), 1);
            rig.apply(Pulling::Stored).unwrap();
            assert_eq!(writes(&rig.log()), 4 + usize::from(moment == Moment::Before), "{moment:?} {n}");
            assert_at_rest(&rig, &[&[1, 2]], &says([(1, ONE), (2, ONE), (3, TWO)]));
        }
    }
}

/// A write of a commit is none of a relation: whoever related the patch meanwhile is still known by name.
#[test]
fn a_commit_takes_no_persons_edit_for_kinsets_own() {
    let preserve = Terms {
        policy: "preserve",
        ..terms("fill")
    };
    let rig = rig(&town(&[]), preserve, &format!("1 => {ONE}\n"));
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    rig.want(&format!("1 => {ONE}\n2 => {TWO}\n"));
    assert!(rig.apply_dying_at(1, Requests::Writes, Moment::After));
    rig.human_writes(2, &[3]);
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    assert_eq!(rig.deciders(), [Some(UserName("human".to_owned()))]);
    assert_eq!(rig.own_writes(), (0, 0));
    let done: BTreeSet<u64> = rig
        .settled_entries()
        .iter()
        .filter(|entry| entry.outcome == Outcome::Done)
        .map(|entry| entry.step.patch.0)
        .collect();
    assert_eq!(done, [1, 2].into());
    assert_at_rest(&rig, &[&[2, 3]], &says([(1, ONE), (2, TWO)]));
}
