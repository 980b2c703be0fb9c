//! Applying plans in worlds that nobody thought of, in peace and in turmoil.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::PatchId;
use kinset::reconcile::{Error, Extent, Pulling};
use kinset::tracker::simulator::{Fault, FaultKind, Moment, Requests, When, World};
use proptest::prelude::*;

use super::ended::{BETA_OF_F40, POLICIES, enter};
use crate::support::change::{Class, Classes, mail};
use crate::support::log::{Asked, writes};
use crate::support::rig::{Rig, Terms, target, try_as_human};
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
    /// Whether `beta` is of a collection that has ended, as far as it is configured.
    ended: bool,
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
        prop::bool::weighted(0.2),
    )
        .prop_map(
            |(in_beta, cross_posts, current, desired, hidden, maintained, configured, policy, limits, concurrent_requests, ended)| Case {
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
                ended,
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

    /// A rig that wants what is wanted.
    fn rig(&self) -> Rig {
        let rig = Rig::serving(&self.world(), self.terms());
        rig.want(&groups(&classes(&self.desired)));
        enter(&rig, if self.ended { "eol" } else { "active" });
        rig
    }

    /// All relations with a patch of `beta`.
    fn of_beta(&self, rig: &Rig) -> Classes {
        let is_in_beta = |patch: &PatchId| self.in_beta[patch.0 as usize - 1];
        let relations = rig.simulator().with_rules(|rules| rules.relations());
        relations.into_iter().filter(|class| class.iter().any(is_in_beta)).collect()
    }

    fn terms(&self) -> Terms {
        Terms {
            projects: self.configured,
            policy: self.policy,
            limits: self.limits,
            concurrent_requests: self.concurrent_requests,
            tables: if self.configured.contains(&"beta") { BETA_OF_F40 } else { "" },
            guard: "allow_empty = true\nmin_resolved_fraction = 0.0\nmax_clear_fraction = 1.0",
            ..Terms::default()
        }
    }
}

/// What goes on around an application: people write, and requests go wrong.
#[derive(Clone, Debug)]
struct Turmoil {
    /// At which requests `human` writes, to which patch, and what to relate it to.
    deeds: Vec<(u64, u64, Vec<u64>)>,
    fault: FaultKind,
    every: u64,
    death: Option<(usize, bool)>,
}

fn turmoils() -> impl Strategy<Value = Turmoil> {
    let patch = || 1..=PATCHES;
    let kinds = vec![
        FaultKind::status(502),
        FaultKind::status(429),
        FaultKind::Reset,
        FaultKind::Truncate,
        FaultKind::Html,
        FaultKind::LostReply,
        FaultKind::HalfWrite,
        FaultKind::WrongType,
        FaultKind::NoRelated,
        FaultKind::Forbid,
    ];
    (
        prop::collection::vec((1_u64..80, patch(), prop::collection::vec(patch(), 0..3)), 0..8),
        prop::sample::select(kinds),
        3_u64..20,
        prop::option::of((1_usize..40, any::<bool>())),
    )
        .prop_map(|(deeds, fault, every, death)| Turmoil {
            deeds,
            fault,
            every,
            death,
        })
}

impl Turmoil {
    /// Breaks out around a rig; whatever the rig is used for then is in the midst of it.
    fn break_out(&self, rig: &Rig) {
        rig.simulator().set_faults([Fault::new(self.fault, When::every(self.every))]);
        let deeds = self.deeds.clone();
        let begin = rig.log().last().map_or(0, |request| request.ordinal);
        rig.simulator().on_request(move |request, moment, rules| {
            for (_, patch, related) in deeds.iter().filter(|(at, ..)| begin + at == request.ordinal) {
                if moment == Moment::Before {
                    try_as_human(rules, *patch, related);
                }
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_planned_is_what_comes_of_it_and_nobody_is_asked_for_what_they_forbid(case in cases()) {
        let rig = case.rig();
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

    #[test]
    fn what_is_of_an_ended_collection_stays_as_it_is((case, policy) in (cases(), prop::sample::select(&POLICIES))) {
        let rig = Case { ended: true, configured: &["alpha", "beta"], policy, ..case.clone() }.rig();
        rig.pull().unwrap();
        let before = case.of_beta(&rig);
        rig.apply(Pulling::Stored).unwrap();
        prop_assert_eq!(case.of_beta(&rig), before);
        rig.assert_at_rest(&rig.relations());
    }

    /// Nothing that happens to a run harms the next one.
    #[test]
    fn whatever_happens_the_next_quiet_run_gets_there((case, turmoil) in (cases(), turmoils())) {
        let rig = case.rig();
        rig.pull().unwrap();
        if let Some((n, is_early)) = turmoil.death {
            rig.apply_dying_at(n, Requests::Any, if is_early { Moment::Before } else { Moment::After });
        }
        turmoil.break_out(&rig);
        for _ in 0..2 {
            if let Err(error) = rig.apply(Pulling::Stored) {
                let is_the_trackers_fault = matches!(error, Error::Tracker(_) | Error::Writes(_) | Error::Unsettled { .. });
                prop_assert!(is_the_trackers_fault, "{:?}", error);
            }
        }
        rig.leave_alone();

        let mut goal = None;
        let applied = rig.apply_after(Pulling::Fresh(Extent::Full), |prepared| goal = Some(target(&prepared.draft))).unwrap();
        prop_assert!(applied.refused_projects.is_empty() && applied.refused_patches.is_empty());
        rig.assert_at_rest(&goal.unwrap());
    }
}
