//! Cycles: what the last ones came to.

use std::collections::BTreeSet;

use kinset::model::ProjectName;
use kinset::store::{Cycle, Store};
use rusqlite::Connection;

use super::store::{URL, at, save, snapshot};
use super::store_accounts::MOVED;

fn cycle(clears: u64) -> Cycle {
    Cycle {
        clears,
        relates: 2,
        commit_refs: 3,
        undone: 4,
        foreign_changes: 5,
        guarded: true,
        blocked: BTreeSet::from([ProjectName("alpha".into()), ProjectName("b\"eta".into())]),
    }
}

#[test]
fn cycles_are_told_latest_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    assert_eq!(store.cycles("t", URL, 9).unwrap(), []);
    store.record_cycle("t", &cycle(1), at(1)).unwrap();
    store.record_cycle("other", &Cycle::default(), at(2)).unwrap();
    store.record_cycle("t", &Cycle::default(), at(3)).unwrap();
    drop(store);
    let store = Store::open_read_only(folder.path()).unwrap();
    assert_eq!(store.cycles("t", URL, 9).unwrap(), [(at(3), Cycle::default()), (at(1), cycle(1))]);
    assert_eq!(store.cycles("t", URL, 1).unwrap(), [(at(3), Cycle::default())]);
    assert_eq!(store.cycles("other", URL, 9).unwrap(), [(at(2), Cycle::default())]);
}

#[test]
fn the_last_ten_thousand_cycles_of_each_tracker_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.record_cycle("other", &cycle(0), at(0)).unwrap();
    store.record_cycle("t", &cycle(1), at(1)).unwrap();
    Connection::open(folder.path().join("kinset.sqlite3"))
        .unwrap()
        .execute_batch(
            "WITH RECURSIVE number (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
             INSERT INTO cycle (tracker, planned_at, clears, relates, commit_refs, undone, foreign_changes, guarded, blocked)
             SELECT tracker, planned_at, n, relates, commit_refs, undone, foreign_changes, guarded, blocked FROM number
             JOIN cycle ON cycle.clears = 1",
        )
        .unwrap();
    store.record_cycle("t", &cycle(10_001), at(2)).unwrap();
    let kept = store.cycles("t", URL, u32::MAX).unwrap();
    let clears: Vec<u64> = kept.iter().map(|(_, cycle)| cycle.clears).collect();
    assert_eq!(clears, (2..=10_001).rev().collect::<Vec<_>>());
    assert_eq!(store.cycles("other", URL, 9).unwrap().len(), 1);
}

#[test]
fn a_cycle_belongs_to_the_address_that_was_read_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.record_cycle("t", &cycle(0), at(0)).unwrap();
    save(&mut store, "t", &snapshot([(1, &[][..])]), 1).unwrap();
    store.record_cycle("t", &cycle(1), at(2)).unwrap();
    assert_eq!(store.cycles("t", URL, 9).unwrap().len(), 2);
    assert_eq!(
        store.cycles("t", MOVED, 9).unwrap(),
        [(at(0), cycle(0))],
        "nobody knows where that was"
    );
}
