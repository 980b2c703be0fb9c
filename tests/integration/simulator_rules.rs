//! What holds for Patchwork's rules whatever is written.

use std::collections::BTreeSet;

use kinset::model::{PatchId, ProjectId, UserName};
use kinset::tracker::simulator::{Category, Event, Refusal, Rules, SetupError, World, Written};
use proptest::prelude::*;

use crate::support::patchwork::message;

const PATCHES: u64 = 9;
type Class = BTreeSet<PatchId>;

/// Patches of two projects; `both` maintains the two, `one` the first, `none` neither, but sent patch 1 and is the delegate of patch 4.
fn rules() -> Rules {
    let world = World::default().with_project("alpha").with_project("beta");
    let world = world
        .with_user("both", "t-both", &["alpha", "beta"])
        .with_user("one", "t-one", &["alpha"])
        .with_user("none", "t-none", &[]);
    let place = |id: u64| if id.is_multiple_of(4) { "beta" } else { "alpha" };
    let mut world = (1..=PATCHES).fold(world, |world, id| world.with_patch(PatchId(id), place(id), message(id)));
    let none = || Some(UserName("none".to_owned()));
    world.patches[0].submitter = none();
    world.patches[3].delegate = none();
    world.rules().unwrap()
}

#[derive(Clone, Debug)]
struct Write {
    user: Option<UserName>,
    patch: PatchId,
    related: Vec<PatchId>,
}

fn write() -> impl Strategy<Value = Write> {
    let user = prop_oneof![
        12 => Just(Some("both")),
        4 => Just(Some("one")),
        2 => Just(Some("none")),
        1 => Just(None),
    ];
    // One past the last: a patch that is not there.
    let patch = || prop_oneof![30 => 1..=PATCHES, 1 => Just(PATCHES + 1)].prop_map(PatchId);
    let related = prop_oneof![2 => Just(Vec::new()), 5 => proptest::collection::vec(patch(), 1..5)];
    (user, patch(), related).prop_map(|(user, patch, related)| Write {
        user: user.map(|name| UserName(name.to_owned())),
        patch,
        related,
    })
}

/// All that can be seen of relations, those of one included.
fn classes(rules: &Rules) -> BTreeSet<Class> {
    let hidden = rules.hidden_relations().into_iter().map(|patch| Class::from([patch]));
    rules.relations().into_iter().chain(hidden).collect()
}

fn carry_out(rules: &mut Rules, write: &Write) -> Result<Written, Refusal> {
    rules.write(write.user.as_ref(), write.patch, &write.related)
}

fn maintains(user: &Option<UserName>, patch: PatchId) -> bool {
    let is_beta = patch.0.is_multiple_of(4);
    user.as_ref().is_some_and(|name| name.0 == "both" || (name.0 == "one" && !is_beta))
}

/// Whether a patch is a user's to change, but for its relation.
fn is_theirs(user: &Option<UserName>, patch: PatchId) -> bool {
    user.as_ref().is_some_and(|name| name.0 == "none") && matches!(patch.0, 1 | 4)
}

/// The documented rules, said a second time, over plain sets of sets.
fn expected(before: &BTreeSet<Class>, write: &Write) -> Result<BTreeSet<Class>, Refusal> {
    let is_patch = |patch: &PatchId| patch.0 <= PATCHES;
    let own = before
        .iter()
        .find(|class| class.contains(&write.patch))
        .cloned()
        .unwrap_or_default();
    if !is_patch(&write.patch) {
        return Err(Refusal::UnknownPatch);
    }
    if write.user.is_none() {
        return Err(Refusal::Anonymous);
    }
    if !maintains(&write.user, write.patch) && !is_theirs(&write.user, write.patch) {
        return Err(Refusal::Powerless);
    }
    if let Some(unknown) = write.related.iter().find(|patch| !is_patch(patch)) {
        return Err(Refusal::UnknownRelated(*unknown));
    }
    let concerned = own.iter().chain(&write.related).chain([&write.patch]);
    if !concerned.into_iter().all(|&patch| maintains(&write.user, patch)) {
        return Err(Refusal::ForeignProject);
    }
    if write.related.is_empty() {
        let rest: Class = own.iter().copied().filter(|&patch| patch != write.patch).collect();
        let others = before.iter().filter(|&class| *class != own).cloned();
        return Ok(others
            .chain([rest].into_iter().filter(|rest| !rest.is_empty() && own.len() != 2))
            .collect());
    }
    let named: Class = write.related.iter().copied().chain([write.patch]).collect();
    let (touched, others): (Vec<&Class>, Vec<&Class>) = before.iter().partition(|class| !class.is_disjoint(&named));
    if touched.len() > 1 {
        return Err(Refusal::Conflict);
    }
    let joined: Class = touched.into_iter().flatten().copied().chain(named).collect();
    Ok(others.into_iter().cloned().chain([joined]).collect())
}

proptest! {
    #[test]
    fn writes_do_what_the_documented_rules_say_and_nothing_when_refused(writes in proptest::collection::vec(write(), 1..40)) {
        let mut rules = rules();
        for write in &writes {
            let before = classes(&rules);
            let events = rules.events().len();
            let outcome = carry_out(&mut rules, write);
            match expected(&before, write) {
                Ok(after) => {
                    prop_assert!(outcome.is_ok(), "{write:?} was refused: {outcome:?}");
                    prop_assert_eq!(classes(&rules), after);
                }
                Err(refusal) => {
                    prop_assert_eq!(outcome, Err(refusal));
                    prop_assert_eq!(classes(&rules), before);
                    prop_assert_eq!(rules.events().len(), events);
                }
            }
        }
    }

    #[test]
    fn relations_are_disjoint_and_every_member_names_all_others(writes in proptest::collection::vec(write(), 1..40)) {
        let mut rules = rules();
        for write in &writes {
            // Refused or not.
            let _ = carry_out(&mut rules, write);
            let classes = classes(&rules);
            let members: usize = classes.iter().map(BTreeSet::len).sum();
            prop_assert_eq!(members, classes.iter().flatten().collect::<BTreeSet<_>>().len());
            for class in &classes {
                for &member in class {
                    let named: Class = rules.related(member).into_iter().chain([member]).collect();
                    prop_assert_eq!(&named, class);
                }
            }
        }
    }

    #[test]
    fn clearing_twice_is_clearing_once(writes in proptest::collection::vec(write(), 1..20), patch in 1..=PATCHES) {
        let mut rules = rules();
        for write in &writes {
            let _ = carry_out(&mut rules, write);
        }
        let clear = Write { user: Some(UserName("both".to_owned())), patch: PatchId(patch), related: Vec::new() };
        prop_assert_eq!(carry_out(&mut rules, &clear), Ok(Written { related: None }));
        let (once, events) = (classes(&rules), rules.events().len());
        prop_assert_eq!(carry_out(&mut rules, &clear), Ok(Written { related: None }));
        prop_assert_eq!(classes(&rules), once);
        prop_assert_eq!(rules.events().len(), events);
    }

    #[test]
    fn events_tell_of_changed_patches_only_and_of_all_but_dissolved_pairs(writes in proptest::collection::vec(write(), 1..40)) {
        let mut rules = rules();
        for write in &writes {
            let before = classes(&rules);
            let events = rules.events().len();
            let _ = carry_out(&mut rules, write);
            let after = classes(&rules);
            let is_in = |classes: &BTreeSet<Class>, patch: PatchId| classes.iter().any(|class| class.contains(&patch));
            let changed: Class = (1..=PATCHES).map(PatchId).filter(|&patch| is_in(&before, patch) != is_in(&after, patch)).collect();
            let told = &rules.events()[events..];
            let is_dissolved_pair = write.related.is_empty() && changed.len() == 2;
            let expected = if is_dissolved_pair { Class::new() } else { changed };
            prop_assert_eq!(told.iter().map(|event| event.patch).collect::<Class>(), expected);
            prop_assert!(told.iter().all(|event| event.actor.is_none() || (event.patch == write.patch && event.actor == write.user)));
        }
    }
}

#[test]
fn replacing_relations_leaves_no_event_and_passes_over_groups_of_one() {
    let mut rules = rules();
    let both = UserName("both".to_owned());
    rules.write(Some(&both), PatchId(1), &[PatchId(1)]).unwrap();
    let events = rules.events().len();
    rules.replace_relations([&[PatchId(2), PatchId(3)][..], &[PatchId(5)]]).unwrap();
    assert_eq!(classes(&rules), BTreeSet::from([Class::from([PatchId(2), PatchId(3)])]));
    assert_eq!(rules.events().len(), events);
}

#[test]
fn relations_that_overlap_or_name_nobody_replace_nothing() {
    let mut rules = rules();
    rules.replace_relations([&[PatchId(2), PatchId(3)][..]]).unwrap();
    let before = classes(&rules);
    for wrong in [[PatchId(4), PatchId(3)], [PatchId(4), PatchId(99)], [PatchId(4), PatchId(4)]] {
        assert!(rules.replace_relations([&[PatchId(3), PatchId(1)][..], &wrong]).is_err());
        assert_eq!(classes(&rules), before);
    }
}

#[test]
fn a_patch_that_is_deleted_takes_its_events_and_leaves_the_rest_of_its_relation() {
    let mut rules = rules();
    rules.replace_relations([&[PatchId(2), PatchId(3)][..]]).unwrap();
    rules.remove_patch(PatchId(2)).unwrap();
    assert_eq!(rules.hidden_relations(), Class::from([PatchId(3)]));
    let created: Vec<u64> = rules.events().iter().map(|event: &Event| event.patch.0).collect();
    assert_eq!(created, [1, 3, 4, 5, 6, 7, 8, 9]);
    assert!(rules.events().iter().all(|event| event.category == Category::PatchCreated));
}

#[test]
fn a_commit_is_written_down_by_maintainer_submitter_or_delegate_and_touches_nothing_else() {
    let mut rules = rules();
    rules.replace_relations([&[PatchId(3), PatchId(4)][..]]).unwrap();
    let (before, events) = (classes(&rules), rules.events().len());
    let commit = Some("0123abc".to_owned());
    // Patch 4 of the same relation is of a project that `one` does not maintain.
    let one = UserName("one".to_owned());
    rules.set_commit_ref(Some(&one), PatchId(3), commit.clone()).unwrap();
    for (user, patch, refusal) in [
        (Some(one), PatchId(4), Refusal::Powerless),
        (None, PatchId(3), Refusal::Anonymous),
        (Some(UserName("both".to_owned())), PatchId(99), Refusal::UnknownPatch),
    ] {
        assert_eq!(rules.set_commit_ref(user.as_ref(), patch, None), Err(refusal));
    }
    let written = |rules: &Rules, id| rules.catalogue().patch(PatchId(id)).unwrap().commit_ref.clone();
    assert_eq!((written(&rules, 3), written(&rules, 4)), (commit.clone(), None));
    // Patch 4 is theirs to look after, and patch 1 they sent.
    let none = UserName("none".to_owned());
    for patch in [1, 4] {
        rules.set_commit_ref(Some(&none), PatchId(patch), commit.clone()).unwrap();
        assert_eq!(written(&rules, patch), commit);
    }
    assert_eq!(rules.set_commit_ref(Some(&none), PatchId(2), None), Err(Refusal::Powerless));
    assert_eq!((classes(&rules), rules.events().len()), (before, events));
}

#[test]
fn a_patch_that_moves_keeps_its_relation_and_leaves_its_events_behind() {
    let mut rules = rules();
    let (alpha, beta) = (ProjectId(1), ProjectId(2));
    rules.replace_relations([&[PatchId(2), PatchId(3)][..]]).unwrap();
    let (before, events) = (classes(&rules), rules.events().to_vec());
    rules.move_patch(PatchId(3), beta).unwrap();
    assert_eq!(rules.catalogue().patch(PatchId(3)).unwrap().project, beta);
    assert_eq!(*rules.catalogue().patches_of(Some(&[beta].into())), [3, 4, 8].map(PatchId));
    assert_eq!((classes(&rules), rules.events()), (before, &events[..]));
    assert_eq!(rules.events()[2].project, alpha);
    rules.add_comment(PatchId(3)).unwrap();
    assert_eq!(rules.events().last().unwrap().project, beta);
}

#[test]
fn a_patch_that_cannot_move_stays() {
    let mut rules = rules();
    let patch = rules.catalogue().patch(PatchId(1)).unwrap().clone();
    rules
        .add_patch(kinset::tracker::simulator::Patch {
            id: PatchId(10),
            project: ProjectId(2),
            ..patch
        })
        .unwrap();
    let patches = rules.catalogue().patches().cloned().collect::<Vec<_>>();
    assert!(matches!(
        rules.move_patch(PatchId(10), ProjectId(1)),
        Err(SetupError::MessageTaken { .. })
    ));
    assert!(matches!(
        rules.move_patch(PatchId(10), ProjectId(3)),
        Err(SetupError::UnknownProject { .. })
    ));
    assert_eq!(
        rules.move_patch(PatchId(99), ProjectId(1)),
        Err(SetupError::UnknownPatch(PatchId(99)))
    );
    assert_eq!(rules.catalogue().patches().cloned().collect::<Vec<_>>(), patches);
}
