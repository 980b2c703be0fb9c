//! History: every relation that a patch was seen in, and who brought it about.

use std::collections::BTreeSet;

use kinset::model::{PatchId, UserName};
use kinset::store::{Author, RunId, Settlement, Sighted, Sighting, Store};

use super::store::{URL, at, ids};
use super::store_accounts::nothing_new;

fn sighting(patches: &[u64], writer: Author) -> Sighting {
    Sighting {
        patches: ids(patches),
        writer,
    }
}

fn settle(store: &mut Store, tracker: &str, sightings: &[Sighting], second: i64) {
    let settlement = Settlement {
        sightings: sightings.to_vec(),
        ..nothing_new()
    };
    store.settle_accounts(tracker, URL, &settlement, at(second)).unwrap();
}

#[test]
fn the_history_of_a_patch_names_every_relation_that_it_was_seen_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let run = store.journal().begin_run("t", at(0), "apply").unwrap();
    let maya = UserName("maya".into());
    let story = [
        (1, sighting(&[1, 2], Author::Found)),
        (2, sighting(&[1, 2, 3], Author::Kinset(Some(run)))),
        (2, sighting(&[1], Author::Other(Some(maya)))),
        (3, sighting(&[1, 4], Author::Other(None))),
        (4, sighting(&[1, 5], Author::Kinset(None))),
    ];
    let elsewhere = sighting(&[2, 3], Author::Other(None));
    for second in 1..=4 {
        let mut seen: Vec<Sighting> = story
            .iter()
            .filter(|(when, _)| *when == second)
            .map(|(_, seen)| seen.clone())
            .collect();
        seen.insert(0, elsewhere.clone());
        settle(&mut store, "t", &seen, second);
    }
    settle(&mut store, "other", &[sighting(&[1, 9], Author::Found)], 9);
    drop(store);
    let store = Store::open_read_only(folder.path()).unwrap();
    let expected = story.map(|(second, sighting)| Sighted {
        seen_at: at(second),
        sighting,
    });
    assert_eq!(store.history("t", PatchId(1)).unwrap(), expected);
    assert_eq!(store.history("t", PatchId(5)).unwrap(), expected[4..]);
    assert_eq!(store.history("t", PatchId(77)).unwrap(), []);
    assert_eq!(store.history("never-pulled", PatchId(1)).unwrap(), []);
}

#[test]
fn a_run_that_never_was_brings_nothing_about() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let settlement = Settlement {
        regrouped: vec![BTreeSet::from([PatchId(1), PatchId(2)])],
        sightings: vec![sighting(&[1, 2], Author::Kinset(Some(RunId(77))))],
        ..nothing_new()
    };
    store.settle_accounts("t", URL, &settlement, at(1)).unwrap_err();
    assert_eq!(store.accounts("t", URL).unwrap().base, None);
}
