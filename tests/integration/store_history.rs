//! History: every relation that a patch was seen in, and who brought it about.

use std::collections::BTreeSet;

use kinset::model::{PatchId, UserName};
use kinset::store::{Author, RunId, Settlement, Sighted, Sighting, Store};

use super::store::{URL, at, ids, message_id, save, saved, snapshot};
use super::store_accounts::{MOVED, nothing_new};

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
    assert_eq!(store.history("t", URL, PatchId(1)).unwrap(), expected);
    assert_eq!(store.history("t", URL, PatchId(5)).unwrap(), expected[4..]);
    assert_eq!(store.history("t", URL, PatchId(77)).unwrap(), []);
    assert_eq!(store.history("never-pulled", URL, PatchId(1)).unwrap(), []);
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

#[test]
fn the_mail_of_a_patch_with_a_history_outlasts_the_patch() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[2][..]), (2, &[1]), (3, &[]), (4, &[])]));
    settle(
        &mut store,
        "t",
        &[sighting(&[1, 2], Author::Found), sighting(&[4], Author::Found)],
        1,
    );
    let gone = |store: &Store, patch| store.mail_of_gone("t", URL, PatchId(patch)).unwrap();
    assert_eq!(gone(&store, 1), None, "it is still there");
    // By a read, and by a sweep.
    store.record_reads("t", &[], &[PatchId(1)], at(2)).unwrap();
    save(&mut store, "t", &snapshot([(2, &[][..])]), 3).unwrap();
    assert_eq!(gone(&store, 1), Some(message_id(1)));
    assert_eq!(gone(&store, 3), None, "no history leads to it");
    assert_eq!(gone(&store, 4), Some(message_id(4)));
    assert_eq!(store.patches_of_mail("t", URL, &message_id(1)).unwrap(), [PatchId(1)]);
    assert_eq!(store.patches_of_mail("t", MOVED, &message_id(1)).unwrap(), []);
    assert_eq!(store.patches_of_mail("t", URL, &message_id(2)).unwrap(), [PatchId(2)]);
    assert_eq!(store.patches_of_mail("other", URL, &message_id(2)).unwrap(), []);
    // It comes back, and goes again.
    save(&mut store, "t", &snapshot([(1, &[][..]), (2, &[])]), 4).unwrap();
    assert_eq!(store.patches_of_mail("t", URL, &message_id(1)).unwrap(), [PatchId(1)]);
    store.record_reads("t", &[], &[PatchId(1)], at(5)).unwrap();
    assert_eq!(gone(&store, 1), Some(message_id(1)));
}
