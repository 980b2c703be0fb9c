//! Applying plans in worlds that nobody thought of.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::PatchId;
use kinset::reconcile::Pulling;
use kinset::tracker::simulator::World;
use proptest::prelude::*;

use crate::support::change::{Class, Classes, mail};
use crate::support::log::{Asked, writes};
use crate::support::rig::{Rig, Terms, target};
use crate::support::town::groups;

const PATCHES: u64 = 14;

/// A small Patchwork, and what is wanted of it.
#[derive(Clone, Debug)]
struct Case {
    /// Whether each patch is in `beta`; the others are in `alpha`.
    in_beta: Vec<bool>,
    /// Whether a patch in one project and the one seven numbers on in the other came by the same mail.
    cross_posts: bool,
    /// Each patch's relation; those of 0 are in none.
    current: Vec<u8>,
    /// Each patch's class; those of 0 are not named.
    desired: Vec<u8>,
    /// Patches that are in a relation of one, as far as they are in no other.
    hidden: BTreeSet<u64>,
    maintained: &'static [&'static str],
    configured: &'static [&'static str],
    policy: &'static str,
    limits: &'static str,
    concurrent_requests: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let patches = PATCHES as usize;
    let labels = || prop::collection::vec(0_u8..6, patches);
    let any_of = |projects: &'static [&'static [&'static str]]| prop::sample::select(projects);
    (
        prop::collection::vec(prop::bool::weighted(0.3), patches),
        any::<bool>(),
        labels(),
        labels(),
        prop::collection::btree_set(1..=PATCHES, 0..5),
        any_of(&[&["alpha", "beta"], &["alpha", "beta"], &["alpha"], &["beta"], &[]]),
        any_of(&[&["alpha", "beta"], &["alpha", "beta"], &["alpha"]]),
        prop::sample::select(vec!["authoritative", "authoritative", "additive"]),
        prop::sample::select(vec!["", "attach_limit = 1", "attach_limit = 2", "max_relation_size = 3"]),
        1_usize..5,
    )
        .prop_map(
            |(in_beta, cross_posts, current, desired, hidden, maintained, configured, policy, limits, concurrent_requests)| Case {
                in_beta,
                cross_posts,
                current,
                desired,
                hidden,
                maintained,
                configured,
                policy,
                limits,
                concurrent_requests,
            },
        )
}

/// The classes of two and more that the labels make.
fn classes(labels: &[u8]) -> Classes {
    let mut classes: BTreeMap<u8, Class> = BTreeMap::new();
    for (patch, &label) in (1..).map(PatchId).zip(labels) {
        if label > 0 {
            classes.entry(label).or_default().insert(patch);
        }
    }
    classes.into_values().filter(|class| class.len() > 1).collect()
}

impl Case {
    fn world(&self) -> World {
        let mut world = World::default()
            .with_project("alpha")
            .with_project("beta")
            .with_user("bot", "t-bot", self.maintained)
            .with_user("human", "t-human", &["alpha", "beta"]);
        for (place, &in_beta) in self.in_beta.iter().enumerate() {
            let patch = PatchId(place as u64 + 1);
            let project = if in_beta { "beta" } else { "alpha" };
            let elsewhere = place
                .checked_sub(7)
                .filter(|&other| self.cross_posts && self.in_beta[other] != in_beta);
            let mail = mail(elsewhere.map_or(patch, |other| PatchId(other as u64 + 1)));
            world = world.with_patch(patch, project, mail);
        }
        let relations = classes(&self.current);
        let related: Class = relations.iter().flatten().copied().collect();
        world.hidden_relations = self.hidden().difference(&related).copied().collect();
        relations.into_iter().fold(world, World::with_relation)
    }

    fn hidden(&self) -> Class {
        self.hidden.iter().copied().map(PatchId).collect()
    }

    fn terms(&self) -> Terms {
        Terms {
            projects: self.configured,
            policy: self.policy,
            limits: self.limits,
            concurrent_requests: self.concurrent_requests,
            guard: "allow_empty = true\nmin_resolved_fraction = 0.0\nmax_clear_fraction = 1.0",
            ..Terms::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_planned_is_what_comes_of_it_and_nobody_is_asked_for_what_they_forbid(case in cases()) {
        let rig = Rig::serving(&case.world(), case.terms());
        rig.want(&groups(&classes(&case.desired)));
        rig.pull().unwrap();
        let (everywhere, hidden) = rig.simulator().with_rules(|rules| (rules.relations(), rules.hidden_relations()));
        let out_of_sight = &everywhere - &rig.relations();
        let mut planned = None;
        let applied = rig.apply_after(Pulling::Stored, |prepared| {
            planned = Some((target(&prepared.draft), prepared.draft.plan.writes()));
        }).unwrap();
        let (goal, planned_writes) = planned.unwrap();

        prop_assert_eq!(rig.relations(), goal.clone());
        prop_assert_eq!(target(&applied.draft), goal.clone());
        prop_assert!(applied.refused_projects.is_empty() && applied.refused_patches.is_empty());
        let log = rig.log();
        for request in log.iter().filter(|request| Asked::of(request).is_write()) {
            let allowed: &[u16] = if hidden.is_empty() { &[200] } else { &[200, 409] };
            prop_assert!(allowed.contains(&request.status.unwrap()), "{:?}", request);
        }
        if hidden.is_empty() {
            prop_assert_eq!((writes(&log), applied.rounds), (planned_writes, usize::from(planned_writes > 0)));
        }
        rig.assert_at_rest(&goal);
        let everywhere = rig.simulator().with_rules(|rules| rules.relations());
        prop_assert_eq!(&everywhere - &rig.relations(), out_of_sight);
    }
}
