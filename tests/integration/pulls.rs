//! What pulls ask of a tracker, and that they know afterwards what it has.

use std::cell::Cell;
use std::collections::BTreeSet;

use kinset::model::PatchId;
use kinset::reconcile::{Extent, Pulled, Pulling, Reading};
use kinset::tracker::simulator::{Fault, FaultKind, LoggedRequest, Moment, When, World};

use crate::support::change::{Classes, mail};
use crate::support::log::Asked;
use crate::support::rig::{Rig, Terms};
use crate::support::town::{BETA, town};

const PER_PAGE: usize = 250;

/// A tracker of so many patches in one project, the first hundred in relations of two.
fn tracker(patches: u64) -> Rig {
    tracker_as(patches, Terms::default())
}

/// The same, read by one request at a time.
fn one_by_one(patches: u64) -> Rig {
    let terms = Terms {
        concurrent_requests: 1,
        ..Terms::default()
    };
    tracker_as(patches, terms)
}

fn tracker_as(patches: u64, terms: Terms) -> Rig {
    let mut world = World::default()
        .with_project("alpha")
        .with_user("bot", "t-bot", &["alpha"])
        .with_user("human", "t-human", &["alpha"]);
    for patch in (1..=patches).map(PatchId) {
        world = world.with_patch(patch, "alpha", mail(patch));
    }
    for first in (1..100).step_by(2) {
        world = world.with_relation([first, first + 1].map(PatchId));
    }
    let terms = Terms {
        projects: &["alpha"],
        ..terms
    };
    let rig = Rig::serving(&world, terms);
    rig.want("1 2\n");
    rig
}

fn pull(rig: &Rig, extent: Extent) -> (Pulled, Vec<LoggedRequest>) {
    rig.simulator().clear_log();
    let pulled = rig.pull_to(extent).unwrap();
    (pulled, rig.log())
}

/// Somebody changes `k` relations: pairs are made of patches from `first` on.
fn change(rig: &Rig, first: u64, k: u64) {
    for pair in 0..k {
        rig.human_writes(first + 2 * pair, &[first + 2 * pair + 1]);
    }
}

fn assert_known(rig: &Rig) {
    let has: Classes = rig.relations();
    assert_eq!(rig.known_relations(), has);
}

#[test]
fn a_pull_asks_for_no_more_than_what_changed_and_a_sweep_for_no_more_than_its_pages() {
    let patches = 100_000;
    let rig = tracker(patches);
    let (_, log) = pull(&rig, Extent::Due);
    let pages = usize::try_from(patches).unwrap().div_ceil(PER_PAGE);
    assert_eq!(log.len(), pages + 3, "a sweep");
    let mut first = 1_001;
    for k in [0, 1, 10, 1_000_usize] {
        let before = rig.simulator().with_rules(|rules| rules.events().len());
        change(&rig, first, k as u64);
        first += 2 * k as u64;
        let events = rig.simulator().with_rules(|rules| rules.events().len()) - before;
        let (pulled, log) = pull(&rig, Extent::Due);
        let most = 2 + events.div_ceil(PER_PAGE) + k;
        assert!(
            log.len() <= most,
            "{} requests for {k} changes, at most {most} are allowed",
            log.len()
        );
        assert_eq!(matches!(pulled.reading, Reading::Events { .. }), k < 1_000, "{:?}", pulled.reading);
        assert_known(&rig);
    }
}

fn event_pages(log: &[LoggedRequest]) -> usize {
    log.iter().filter(|request| request.path_and_query.contains("/events/")).count()
}

#[test]
fn a_relation_that_kinset_made_takes_one_read_however_many_patches_it_has() {
    let terms = Terms {
        policy: "additive",
        ..Terms::default()
    };
    let rig = tracker_as(300, terms);
    let large: Vec<String> = (101..=150).map(|patch| patch.to_string()).collect();
    rig.want(&format!("{}\n", large.join(" ")));
    pull(&rig, Extent::Full);
    rig.apply(Pulling::Stored).unwrap();
    let (pulled, log) = pull(&rig, Extent::Due);
    let reading = Reading::Events {
        events: 50,
        arrived: 0,
        reread: 1,
    };
    assert_eq!(pulled.reading, reading);
    // The index, a glance, the page of events and the one before, the patch.
    assert_eq!(log.len(), 5);
    assert_known(&rig);
}

#[test]
fn a_sweep_that_events_lead_to_does_not_walk_them_again() {
    let rig = tracker(300);
    pull(&rig, Extent::Full);
    // The glance, and 40 events with the overlap.
    change(&rig, 101, 20);
    let (pulled, log) = pull(&rig, Extent::Due);
    assert_eq!(pulled.reading, Reading::Sweep { missed_by_events: Some(0) });
    assert_eq!(event_pages(&log), 2);
    assert_known(&rig);
    // More events than are walked.
    for _ in 0..600 {
        rig.human_writes(201, &[202]);
        rig.human_writes(201, &[]);
    }
    rig.human_writes(201, &[202]);
    let (pulled, log) = pull(&rig, Extent::Due);
    assert_eq!(pulled.reading, Reading::Sweep { missed_by_events: None });
    assert_eq!(event_pages(&log), 5);
    assert_known(&rig);
    let (pulled, log) = pull(&rig, Extent::Due);
    let quiet = Reading::Events {
        events: 0,
        arrived: 0,
        reread: 0,
    };
    assert_eq!((pulled.reading, event_pages(&log)), (quiet, 1));
    rig.human_writes(203, &[204]);
    pull(&rig, Extent::Due);
    assert_known(&rig);
}

#[test]
fn what_left_a_relation_and_what_stayed_are_both_read() {
    let rig = tracker(1_000);
    pull(&rig, Extent::Full);
    rig.human_writes(200, &[201, 202, 203]);
    pull(&rig, Extent::Due);
    rig.human_writes(201, &[]);
    rig.human_writes(201, &[1]);
    let (pulled, log) = pull(&rig, Extent::Due);
    assert!(matches!(pulled.reading, Reading::Events { .. }));
    let mails = log.iter().filter(|request| matches!(Asked::of(request), Asked::Mail(_))).count();
    assert_eq!(mails, 2, "one for each relation");
    assert_eq!(pulled.foreign, 6, "201 left three and came to two");
    assert_known(&rig);
}

#[test]
fn events_that_are_gone_lead_to_a_sweep() {
    let rig = tracker(300);
    rig.human_writes(200, &[201]);
    pull(&rig, Extent::Full);
    // With the patches go all events that there ever were.
    rig.simulator().with_rules(|rules| {
        for patch in [200, 201].map(PatchId) {
            rules.remove_patch(patch).unwrap();
        }
    });
    let (pulled, _) = pull(&rig, Extent::Due);
    assert!(matches!(pulled.reading, Reading::Sweep { .. }));
    assert_known(&rig);
    let patches: BTreeSet<PatchId> = rig.stored().snapshot.patches.into_keys().collect();
    assert_eq!(patches.len(), 298);
}

#[test]
fn a_sweep_that_was_cut_short_is_gone_on_with() {
    let rig = one_by_one(2_000);
    let mut cuts = 0;
    // Each time the sixth request is answered with nonsense: the index, the project and at first the events come before the pages.
    rig.simulator().set_faults([Fault::new(FaultKind::WrongType, When::At(vec![6]))]);
    while rig.pull_to(Extent::Full).is_err() {
        cuts += 1;
        rig.simulator().set_faults([Fault::new(FaultKind::WrongType, When::At(vec![6]))]);
    }
    rig.leave_alone();
    assert!(cuts > 1, "{cuts}");
    let log = rig.log();
    let pages = log.iter().filter(|request| Asked::of(request) == Asked::Page).count();
    // At each cut one page is lost, and one is read again to see that nothing is missing in between.
    assert!(pages <= 8 + 2 * cuts, "{pages} pages with {cuts} cuts");
    assert_eq!(rig.stored().snapshot.patches.len(), 2_000);
    assert_known(&rig);
}

#[test]
fn a_patch_hidden_by_another_that_is_deleted_in_mid_sweep_is_not_taken_for_gone() {
    let rig = tracker(1_000);
    pull(&rig, Extent::Full);
    // After the first page, a patch of it goes: the first row of each further page moves to the page before.
    let first_page = Cell::new(true);
    rig.simulator().on_request(move |request, moment, rules| {
        let is_second = Asked::of(request) == Asked::Page && request.path_and_query.contains("page=2");
        if is_second && moment == Moment::Before && first_page.replace(false) {
            rules.remove_patch(PatchId(150)).unwrap();
        }
    });
    pull(&rig, Extent::Full);
    rig.leave_alone();
    let patches = rig.stored().snapshot.patches;
    let missing: Vec<u64> = (1..=1_000).filter(|&patch| !patches.contains_key(&PatchId(patch))).collect();
    assert_eq!(missing, [150]);
}

#[test]
fn patches_arrive_move_and_vanish_between_sweeps() {
    let rig = Rig::serving(&town(&[&[1, 2], &[3, 21]]), Terms::default());
    rig.want("1 2\n");
    pull(&rig, Extent::Full);
    rig.simulator().with_rules(|rules| {
        rules.move_patch(PatchId(3), BETA).unwrap();
        rules.remove_patch(PatchId(5)).unwrap();
    });
    pull(&rig, Extent::Full);
    let patches = rig.stored().snapshot.patches;
    assert_eq!(patches[&PatchId(3)].project.0, 2);
    assert!(!patches.contains_key(&PatchId(5)));
    assert_known(&rig);
}
