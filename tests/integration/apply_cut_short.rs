//! Applications that are cut short, by a wish to stop or by death, and the run that makes up for them.

use std::collections::BTreeSet;

use kinset::reconcile::{Extent, Pulling, Shutdown};
use kinset::store::RunOutcome;
use kinset::tracker::simulator::{Fault, FaultKind, Moment, Requests, When};

use crate::support::change::Change;
use crate::support::log::{Asked, writes};
use crate::support::rig::{Rig, Terms};
use crate::support::town::{classes, town};

/// A rig that was pulled.
fn rig(change: &Change, concurrent_requests: usize) -> Rig {
    let terms = Terms {
        concurrent_requests,
        ..Terms::for_pasta()
    };
    let rig = Rig::serving(&change.world(), terms);
    rig.want(&change.groups());
    rig.pull().unwrap();
    rig.simulator().clear_log();
    rig
}

fn change() -> Change {
    let change = Change::generated(4, 1000);
    assert!(change.fewest_writes() >= 25);
    change
}

/// Asks for a shutdown when the n-th write comes in.
fn shutdown_at_write(rig: &Rig, n: usize) -> Shutdown {
    let (request, shutdown) = Shutdown::new();
    rig.at_write(n, Moment::Before, move |_| {
        request.send_replace(true);
    });
    shutdown
}

#[test]
fn a_shutdown_lets_the_step_in_flight_end_and_begins_no_other() {
    let change = change();
    for (concurrent_requests, n) in [(1, 1), (1, 2), (1, 17), (4, 3), (4, 15)] {
        let rig = rig(&change, concurrent_requests);
        let applied = rig.apply_until(&shutdown_at_write(&rig, n)).unwrap();
        let written = writes(&rig.log());
        rig.leave_alone();

        assert!(applied.stopped);
        assert!((n..n + concurrent_requests).contains(&written), "{written} writes");
        assert_eq!(rig.open_entries(), []);
        assert!(matches!(rig.last_run().ended, Some((_, RunOutcome::Interrupted))));
        assert_eq!(rig.known_relations(), rig.relations());

        rig.apply(Pulling::Stored).unwrap();
        assert_eq!(writes(&rig.log()), change.fewest_writes());
        rig.assert_at_rest(&change.new);
    }
}

#[test]
fn a_shutdown_after_a_write_that_is_known_not_to_be_made_reads_nothing_more() {
    let change = change();
    let rig = rig(&change, 1);
    let throttled = Fault::new(FaultKind::status(429), When::At(vec![1]));
    rig.simulator().set_faults([throttled.on_writes()]);
    let applied = rig.apply_until(&shutdown_at_write(&rig, 1)).unwrap();
    assert!(applied.stopped);
    let log = rig.log();
    assert!(Asked::of(log.last().unwrap()).is_write(), "{:?}", log.last());
    assert_eq!(rig.open_entries(), []);
}

#[test]
fn a_component_that_was_stopped_half_way_is_known_as_it_is() {
    let one_by_one = Terms {
        concurrent_requests: 1,
        ..Terms::default()
    };
    let rig = Rig::serving(&town(&[&[1, 2, 3], &[4, 5]]), one_by_one);
    rig.want("1 2 6\n3 4 7\n5 8\n");
    rig.pull().unwrap();
    for n in 1..=4 {
        assert!(rig.apply_until(&shutdown_at_write(&rig, 1)).unwrap().stopped);
        assert_eq!(writes(&rig.log()), n);
        assert_eq!(rig.known_relations(), rig.relations());
    }
    rig.leave_alone();
    rig.apply(Pulling::Stored).unwrap();
    assert_eq!(writes(&rig.log()), 5);
    rig.assert_at_rest(&classes(&[&[1, 2, 6], &[3, 4, 7], &[5, 8]]));
}

#[test]
fn a_shutdown_before_anything_was_written_leaves_everything_as_it_was() {
    let change = change();
    let rig = rig(&change, 4);
    let (request, shutdown) = Shutdown::new();
    request.send_replace(true);
    assert!(rig.apply_until(&shutdown).unwrap().stopped);
    assert_eq!(writes(&rig.log()), 0);
    assert_eq!(rig.relations(), change.old);
    rig.apply(Pulling::Stored).unwrap();
    rig.assert_at_rest(&change.new);
}

/// Twenty writes to die at, the last one among them.
fn places(planned: usize) -> impl Iterator<Item = usize> {
    (1..=20).map(move |place| place * planned / 20)
}

/// Dies at the n-th write; then the next run finds out what became of it before it writes, and makes every other write once.
fn dies_and_recovers(change: &Change, n: usize, moment: Moment, pulling: Pulling) {
    let rig = rig(change, 4);
    assert!(rig.apply_dying_at(n, Requests::Writes, moment));
    let open = rig.open_entries();
    assert!((1..=4).contains(&open.len()));
    assert_eq!(rig.last_run().ended, None);

    rig.apply(pulling).unwrap();
    let log = rig.log();
    // What the dead sent arrives until the next run begins.
    let asked: Vec<Asked> = log.iter().map(Asked::of).collect();
    let begin = asked.iter().rposition(|asked| *asked == Asked::Index).unwrap() + 1;
    let looked_after: Vec<Asked> = open
        .iter()
        .map(|entry| Asked::Mail(change.mail(entry.step.patch).bare().to_owned()))
        .collect();
    assert_eq!(asked[begin..begin + looked_after.len()], looked_after);
    let in_vain = usize::from(moment == Moment::Before);
    assert_eq!(writes(&log), change.fewest_writes() + in_vain);
    rig.assert_at_rest(&change.new);
}

#[test]
fn death_before_a_write_takes_effect_is_made_up_for() {
    let change = change();
    for n in places(change.fewest_writes()) {
        dies_and_recovers(&change, n, Moment::Before, Pulling::Stored);
    }
}

#[test]
fn death_after_a_write_took_effect_is_made_up_for() {
    let change = change();
    for n in places(change.fewest_writes()) {
        dies_and_recovers(&change, n, Moment::After, Pulling::Stored);
    }
}

#[test]
fn death_is_made_up_for_by_a_run_that_pulls_first() {
    let change = change();
    dies_and_recovers(&change, 10, Moment::Before, Pulling::Fresh(Extent::Full));
    dies_and_recovers(&change, 11, Moment::After, Pulling::Fresh(Extent::Full));
}

/// What the dead wrote is kinset's, also where the analysis has thought better of it and a pull sees it first.
#[test]
fn what_a_dead_run_wrote_is_nobodys_decision() {
    for moment in [Moment::Before, Moment::After] {
        let old = [[1, 2, 3].as_slice(), &[4, 5]];
        let terms = Terms {
            policy: "preserve",
            ..Terms::default()
        };
        let rig = Rig::serving(&town(&old), terms);
        rig.want("1 2 3\n4 5\n");
        rig.apply(Pulling::Fresh(Extent::Full)).unwrap();
        rig.want("1 2\n3 4 5\n");
        assert!(rig.apply_dying_at(1, Requests::Writes, moment));
        assert!(!rig.open_entries().is_empty());

        rig.want("1 2 3\n4 5\n");
        rig.pull().unwrap();
        assert_eq!(rig.open_entries(), []);
        assert_eq!(rig.standing(), BTreeSet::new());
        rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
        rig.assert_at_rest(&classes(&old));
    }
}

/// Among the requests are those of the user and the last reads of all, when nothing is open.
#[test]
fn death_at_any_request_is_made_up_for() {
    let change = change();
    let requests = {
        let rig = rig(&change, 4);
        rig.apply(Pulling::Stored).unwrap();
        rig.log().len()
    };
    for place in 1..=20 {
        let moment = if place % 2 == 0 { Moment::Before } else { Moment::After };
        let rig = rig(&change, 4);
        assert!(rig.apply_dying_at(place * requests / 20, Requests::Any, moment));
        rig.apply(Pulling::Stored).unwrap();
        rig.assert_at_rest(&change.new);
    }
}

#[test]
fn death_upon_death_gets_there_in_the_end() {
    let change = change();
    let rig = rig(&change, 4);
    let mut deaths = 0;
    while rig.apply_dying_at(2, Requests::Writes, if deaths % 2 == 0 { Moment::Before } else { Moment::After }) {
        deaths += 1;
    }
    assert!(deaths >= 5, "{deaths}");
    rig.assert_at_rest(&change.new);
}
