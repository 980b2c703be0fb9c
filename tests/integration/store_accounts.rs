//! What tracker and kinset last agreed on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kinset::model::PatchId;
use kinset::store::{Accounts, Author, Base, DecisionFilter, Ended, JournalId, JournalOperation, JournalStep, Settlement, Sighting, Store};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use rusqlite::Connection;

use super::store::{URL, at, ids, saved, snapshot};
use super::store_decisions::{joined, parted};

pub(crate) const MOVED: &str = "https://moved.example.org/";

/// A settlement in which nothing is new.
pub(crate) fn nothing_new() -> Settlement {
    Settlement {
        journal: JournalId(0),
        regrouped: Vec::new(),
        ended: Vec::new(),
        made: Vec::new(),
        sightings: Vec::new(),
    }
}

/// A settlement that brings these classes into the base.
fn regrouped(classes: &[&[u64]]) -> Settlement {
    Settlement {
        regrouped: classes.iter().map(|class| ids(class)).collect(),
        ..nothing_new()
    }
}

/// The classes of the base at an address, from the lowest patch up.
fn base(store: &Store, url: &str) -> Vec<BTreeSet<PatchId>> {
    let base: Option<Base> = store.accounts("t", url).unwrap().base;
    let classes: BTreeSet<_> = base.unwrap().classes.into_iter().collect();
    classes.into_iter().collect()
}

fn when(store: &Store) -> (Timestamp, JournalId) {
    let Accounts { base, journal, .. } = store.accounts("t", URL).unwrap();
    (base.unwrap().agreed_at, journal)
}

#[test]
fn before_the_first_agreement_there_is_no_base() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[2][..]), (2, &[1])]));
    assert_eq!(store.accounts("t", URL).unwrap(), Accounts::default());
    store.settle_accounts("t", URL, &nothing_new(), at(1)).unwrap();
    let accounts = store.accounts("t", URL).unwrap();
    assert_eq!(
        accounts.base.unwrap().classes,
        Vec::<BTreeSet<PatchId>>::new(),
        "an agreement on nothing is one"
    );
    assert_eq!(store.accounts("other", URL).unwrap(), Accounts::default());
}

#[test]
fn the_base_is_what_was_last_agreed_on_and_tells_when() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let first = Settlement {
        journal: JournalId(4),
        ..regrouped(&[&[1, 2, 3], &[4, 5]])
    };
    store.settle_accounts("t", URL, &first, at(1)).unwrap();
    assert_eq!(when(&store), (at(1), JournalId(4)));
    let second = Settlement {
        journal: JournalId(9),
        ..regrouped(&[&[3, 4], &[6]])
    };
    store.settle_accounts("t", URL, &second, at(2)).unwrap();
    drop(store);
    let store = Store::open_read_only(folder.path()).unwrap();
    assert_eq!(when(&store), (at(2), JournalId(9)));
    assert_eq!(base(&store, URL), [ids(&[1, 2]), ids(&[3, 4])]);
}

#[test]
fn a_patch_on_its_own_has_left_its_class() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.settle_accounts("t", URL, &regrouped(&[&[1, 2, 3], &[4, 5]]), at(1)).unwrap();
    store.settle_accounts("t", URL, &regrouped(&[&[1], &[4]]), at(2)).unwrap();
    assert_eq!(base(&store, URL), [ids(&[2, 3])]);
}

#[test]
fn at_another_address_everything_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let first = Settlement {
        made: vec![joined(&[1, 2]), parted(3, 4)],
        sightings: vec![Sighting {
            patches: ids(&[1, 2]),
            writer: Author::Found,
        }],
        ..regrouped(&[&[1, 2]])
    };
    store.settle_accounts("t", URL, &first, at(1)).unwrap();
    assert_eq!(store.accounts("t", MOVED).unwrap(), Accounts::default());

    let second = Settlement {
        made: vec![joined(&[2, 3])],
        ..regrouped(&[&[2, 3]])
    };
    store.settle_accounts("t", MOVED, &second, at(2)).unwrap();
    assert_eq!(store.accounts("t", URL).unwrap(), Accounts::default());
    assert_eq!(base(&store, MOVED), [ids(&[2, 3])]);
    let all = store.decisions("t", DecisionFilter::All).unwrap();
    let vanished = Some((at(2), Ended::Vanished));
    assert_eq!(
        all.iter().map(|decision| decision.ended).collect::<Vec<_>>(),
        [vanished, vanished, None]
    );
    assert_eq!(
        all.iter().map(|decision| decision.url.as_str()).collect::<Vec<_>>(),
        [URL, URL, MOVED]
    );
    assert_eq!(store.accounts("t", MOVED).unwrap().decisions, all[2..]);
    assert_eq!(
        store.history("t", MOVED, PatchId(1)).unwrap(),
        [],
        "the same number is another patch there"
    );

    store.settle_accounts("t", URL, &nothing_new(), at(3)).unwrap();
    assert_eq!(
        base(&store, URL),
        Vec::<BTreeSet<PatchId>>::new(),
        "what was agreed on long ago is not taken up again"
    );
    assert_eq!(store.accounts("t", URL).unwrap().decisions, []);
    assert_eq!(store.history("t", URL, PatchId(1)).unwrap().len(), 1);
}

#[test]
fn accounts_outlast_a_snapshot_that_is_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[2][..]), (2, &[1])]));
    let settlement = Settlement {
        made: vec![joined(&[1, 2])],
        ..regrouped(&[&[1, 2]])
    };
    store.settle_accounts("t", URL, &settlement, at(1)).unwrap();
    let before = store.accounts("t", URL).unwrap();
    drop(store);
    let connection = Connection::open(folder.path().join("kinset.sqlite3")).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    connection
        .execute_batch("DELETE FROM relation_member; DELETE FROM patch; DELETE FROM maintainer; DELETE FROM project; DELETE FROM snapshot")
        .unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.snapshot("t").unwrap(), None);
    assert_eq!(store.accounts("t", URL).unwrap(), before);
}

#[test]
fn of_a_settlement_that_cannot_be_stored_nothing_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.settle_accounts("t", URL, &regrouped(&[&[1, 2]]), at(1)).unwrap();
    let before = store.accounts("t", URL).unwrap();
    // No database holds a number as high as this.
    let impossible = Settlement {
        made: vec![joined(&[1, u64::MAX])],
        ..regrouped(&[&[3, 4]])
    };
    store.settle_accounts("t", URL, &impossible, at(2)).unwrap_err();
    assert_eq!(store.accounts("t", URL).unwrap(), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn regrouping_the_base_leads_to_the_plainest_partition(
        settlements in vec(vec(btree_set(1..=12_u64, 1..5), 0..5), 1..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        // A label for each patch that is in a class; the next one is always new.
        let mut labels: BTreeMap<u64, usize> = BTreeMap::new();
        let mut next = 0;
        for classes in &settlements {
            for class in classes {
                next += 1;
                labels.extend(class.iter().map(|patch| (*patch, next)));
            }
            let classes: Vec<Vec<u64>> = classes.iter().map(|class| class.iter().copied().collect()).collect();
            let classes: Vec<&[u64]> = classes.iter().map(Vec::as_slice).collect();
            store.settle_accounts("t", URL, &regrouped(&classes), at(1)).unwrap();
            let mut expected: BTreeMap<usize, BTreeSet<PatchId>> = BTreeMap::new();
            for (patch, label) in &labels {
                expected.entry(*label).or_default().insert(PatchId(*patch));
            }
            let expected: BTreeSet<_> = expected.into_values().filter(|class| class.len() > 1).collect();
            prop_assert_eq!(base(&store, URL), Vec::from_iter(expected));
        }
    }
}
#[test]
fn what_was_written_at_one_address_was_not_written_at_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let mut journal = store.journal();
    let run = journal.begin_run("t", at(0), "apply").unwrap();
    let clear = JournalStep {
        component: 0,
        patch: PatchId(1),
        operation: JournalOperation::Clear,
    };
    let written = [(); 2].map(|()| journal.intend(run, &clear, at(1)).unwrap());
    assert_eq!(
        store.accounts("t", MOVED).unwrap().journal,
        JournalId(0),
        "before the first agreement there is one address"
    );
    let settlement = Settlement {
        journal: written[0],
        ..nothing_new()
    };
    store.settle_accounts("t", URL, &settlement, at(2)).unwrap();
    assert_eq!(store.accounts("t", URL).unwrap().journal, written[0]);
    assert_eq!(store.accounts("t", MOVED).unwrap().journal, written[1]);
    assert_eq!(store.accounts("other", MOVED).unwrap().journal, JournalId(0));
}
