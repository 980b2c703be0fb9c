use proptest::prelude::*;

use super::*;
use crate::model::MessageId;

const HASH: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba98";

fn patch(id: u64, says: Option<&str>) -> Patch {
    Patch {
        id: PatchId(id),
        project: ProjectId(1),
        message_id: MessageId::parse(&format!("<{id}@example.org>")).unwrap(),
        date: None,
        commit_ref: says.map(str::to_owned),
        related: BTreeSet::new(),
    }
}

/// The plan for patch 1 that says this, where these commits are wanted for it.
fn planned(policy: CommitPolicy, says: Option<&str>, commits: &[&str]) -> CommitPlan {
    plan_commits(&CommitWish {
        patches: &[(PatchId(1), patch(1, says))].into(),
        wanted: &[(PatchId(1), commits.iter().copied().collect())].into(),
        policy,
        held: &BTreeMap::new(),
    })
}

/// What is written, if anything, and why it is not.
fn outcome(plan: &CommitPlan) -> (Option<&str>, Option<CommitBecause>) {
    assert!(plan.steps.len() + plan.undone.len() <= 1);
    (
        plan.steps.first().map(|step| step.to.as_str()),
        plan.undone.first().map(|undone| undone.because),
    )
}

#[track_caller]
fn assert_outcomes(says: Option<&str>, commits: &[&str], outcomes: [(Option<&str>, Option<CommitBecause>); 2]) {
    for (policy, expected) in [CommitPolicy::Fill, CommitPolicy::Overwrite].into_iter().zip(outcomes) {
        assert_eq!(outcome(&planned(policy, says, commits)), expected, "{policy}");
    }
    assert_eq!(planned(CommitPolicy::Off, says, commits), CommitPlan::default());
}

#[test]
fn what_is_empty_is_filled_in() {
    for empty in [None, Some(""), Some(" ")] {
        assert_outcomes(empty, &[HASH], [(Some(HASH), None), (Some(HASH), None)]);
        assert_eq!(planned(CommitPolicy::Overwrite, empty, &[HASH]).overwrites(), 0);
    }
}

#[test]
fn what_says_something_else_is_overwritten_only_where_that_is_the_policy() {
    let kept = (None, Some(CommitBecause::SaysOtherwise));
    assert_outcomes(Some(OTHER), &[HASH], [kept, (Some(HASH), None)]);
    assert_outcomes(Some("v5.3-rc1"), &[HASH], [kept, (Some(HASH), None)]);
    let plan = planned(CommitPolicy::Overwrite, Some(OTHER), &[HASH]);
    assert_eq!((plan.overwrites(), plan.steps[0].from.as_deref()), (1, Some(OTHER)));
}

#[test]
fn what_says_the_same_in_another_form_is_left_alone() {
    let longer = format!("{HASH}0123456789abcdef01234567");
    for says in [HASH, &HASH.to_uppercase(), &HASH[..7], &HASH[..12], &longer, &format!(" {HASH}\n")] {
        assert_outcomes(Some(says), &[HASH], [(None, None), (None, None)]);
    }
    assert_outcomes(Some("a name"), &["a name"], [(None, None), (None, None)]);
}

#[test]
fn what_is_too_short_or_no_hash_is_no_other_form_of_a_commit() {
    for says in [&HASH[..6], "0123456x", "01234567x"] {
        assert!(!is_same_commit(says, HASH), "{says}");
    }
    assert!(!is_same_commit("release", "release-2"));
    assert!(!is_same_commit("Release", "release"));
    assert!(!is_same_commit("", HASH));
}

#[test]
fn of_several_commits_none_is_chosen() {
    let several = (None, Some(CommitBecause::Several));
    assert_outcomes(None, &[HASH, OTHER], [several, several]);
    assert_outcomes(Some("elsewhere"), &[HASH, OTHER], [several, several]);
    assert_outcomes(Some(OTHER), &[HASH, OTHER], [(None, None), (None, None)]);
}

#[test]
fn forms_of_one_commit_are_not_several_and_the_longest_is_written() {
    let forms = [&HASH[..7], &HASH[..20], HASH];
    assert_outcomes(None, &forms, [(Some(HASH), None), (Some(HASH), None)]);
    let several = (None, Some(CommitBecause::Several));
    assert_outcomes(None, &["abcdef1", "abcdef12", "abcdef13"], [several, several]);
}

#[test]
fn a_commit_is_as_long_as_patchwork_takes_it() {
    let (longest, longer) = ("é".repeat(LONGEST_COMMIT), "é".repeat(LONGEST_COMMIT + 1));
    assert_outcomes(None, &[&longest], [(Some(&longest), None), (Some(&longest), None)]);
    let too_long = (None, Some(CommitBecause::TooLong));
    assert_outcomes(None, &[&longer], [too_long, too_long]);
}

#[test]
fn what_must_not_be_written_is_told() {
    let patches = (1..=3).map(|id| (PatchId(id), patch(id, None))).collect();
    let wanted = (1..=4).map(|id| (PatchId(id), [HASH].into())).collect();
    let held = [
        (PatchId(1), CommitBecause::Permission(ProjectId(1))),
        (PatchId(2), CommitBecause::Refused),
    ];
    let plan = plan_commits(&CommitWish {
        patches: &patches,
        wanted: &wanted,
        policy: CommitPolicy::Fill,
        held: &held.into(),
    });
    let undone: Vec<_> = plan.undone.iter().map(|undone| (undone.patch, undone.because)).collect();
    assert_eq!(undone, held);
    let step = CommitStep {
        patch: PatchId(3),
        from: None,
        to: HASH.to_owned(),
    };
    assert_eq!(plan.steps, [step]);
}

/// What a patch may say and what may be wanted: few, so that they meet.
const WORDS: [&str; 8] = [
    HASH,
    OTHER,
    "0123456",
    "0123456789AB",
    "012345",
    "fedcba98765",
    "v1.0",
    "0123456789abcdef0123456789abcdef0123456f",
];

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&WORDS[..])
}

fn held() -> impl Strategy<Value = CommitBecause> {
    prop_oneof![
        Just(CommitBecause::Permission(ProjectId(1))),
        Just(CommitBecause::Ended(ProjectId(1))),
        Just(CommitBecause::Refused)
    ]
}

proptest! {
    #[test]
    fn what_a_plan_leads_to_leaves_nothing_to_do_and_nothing_else_changed(
        says in prop::collection::btree_map(0..12_u64, prop::option::of(word()), 0..12),
        wanted in prop::collection::btree_map((0..14_u64).prop_map(PatchId), prop::collection::btree_set(word(), 0..3), 0..12),
        held in prop::collection::btree_map((0..12_u64).prop_map(PatchId), held(), 0..3),
        policy in prop::sample::select(&[CommitPolicy::Off, CommitPolicy::Fill, CommitPolicy::Overwrite][..]),
    ) {
        let mut patches: BTreeMap<PatchId, Patch> = says.iter().map(|(&id, says)| (PatchId(id), patch(id, *says))).collect();
        let before = patches.clone();
        let plan = plan_commits(&CommitWish { patches: &patches, wanted: &wanted, policy, held: &held });
        for step in &plan.steps {
            let row = patches.get_mut(&step.patch).unwrap();
            prop_assert_eq!(&row.commit_ref, &step.from);
            prop_assert!(policy == CommitPolicy::Overwrite || (policy == CommitPolicy::Fill && step.from.is_none()));
            prop_assert!(!held.contains_key(&step.patch));
            row.commit_ref = Some(step.to.clone());
        }
        for (id, row) in &patches {
            let says = row.commit_ref.as_deref();
            let steps = plan.steps.iter().filter(|step| step.patch == *id).count();
            let undone = plan.undone.iter().filter(|undone| undone.patch == *id).count();
            let is_wanted = wanted.get(id).is_some_and(|commits| !commits.is_empty());
            let is_as_wanted = wanted.get(id).is_some_and(|commits| commits.iter().any(|commit| says.is_some_and(|says| is_same_commit(says, commit))));
            prop_assert_eq!(undone, usize::from(is_wanted && !is_as_wanted && policy != CommitPolicy::Off));
            prop_assert!(steps <= usize::from(is_as_wanted));
            prop_assert!(steps == 1 || row == &before[id]);
        }
        let again = plan_commits(&CommitWish { patches: &patches, wanted: &wanted, policy, held: &held });
        prop_assert_eq!(again.steps, []);
        prop_assert_eq!(again.undone, plan.undone);
    }
}

/// As Patchwork cuts it off.
#[test]
fn what_python_takes_for_space_around_a_commit_is_no_part_of_it() {
    for around in [" ", "\n", "\u{85}", "\u{a0}", "\u{2003}", "\u{1c}", "\u{1d}", "\u{1e}", "\u{1f}"] {
        let text = format!("{around}{HASH}{around}");
        assert_eq!(trimmed(&text), HASH, "{around:?}");
        assert!(is_same_commit(&text, &HASH[..12]), "{around:?}");
        assert_outcomes(Some(around), &[HASH], [(Some(HASH), None), (Some(HASH), None)]);
    }
    for around in ["\u{1b}", "\u{200b}", "\u{feff}"] {
        assert!(!is_same_commit(&format!("{around}{HASH}"), HASH), "{around:?}");
    }
}
