//! Full reads that do not come to their end: what they came to is kept apart, and for as long as it is good.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::{EventCursor, Patch, PatchId, ProjectId};
use kinset::remedy::Remedy;
use kinset::store::{StagedSweep, Store, StoreError};

use super::store::{URL, at, cursor, loaded, patch, save, saved, snapshot};

/// A patch of project 2, with all that a row can tell.
fn detailed(id: u64, related: &[u64]) -> Patch {
    Patch {
        project: ProjectId(2),
        date: Some("2026-02-28".parse().unwrap()),
        commit_ref: Some("abcdef".into()),
        ..patch(id, related)
    }
}

/// A state in which a full read has come to some patches.
fn begun(folder: &tempfile::TempDir) -> Store {
    let mut store = saved(folder.path(), &snapshot([(9, &[][..])]));
    store.begin_sweep("t", URL, Some(&cursor(&[3, 8])), at(10)).unwrap();
    store.stage("t", &[patch(1, &[2, 99]), patch(5, &[])]).unwrap();
    store.finish_project("t", ProjectId(1)).unwrap();
    store.stage("t", &[detailed(2, &[1, 99])]).unwrap();
    store
}

#[test]
fn a_full_read_that_was_cut_short_is_gone_on_with_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    drop(begun(&folder));
    let store = Store::open(folder.path()).unwrap();
    let staged = StagedSweep {
        url: URL.into(),
        began_at: at(10),
        cursor: Some(cursor(&[3, 8])),
        finished: BTreeSet::from([ProjectId(1)]),
        progress: BTreeMap::from([(ProjectId(1), (2, PatchId(5))), (ProjectId(2), (1, PatchId(2)))]),
    };
    assert_eq!(store.staged("t").unwrap(), Some(staged));
    let patches = [patch(1, &[2, 99]), detailed(2, &[1, 99]), patch(5, &[])];
    assert_eq!(
        store.staged_patches("t").unwrap(),
        patches.into_iter().map(|patch| (patch.id, patch)).collect()
    );
    assert_eq!(loaded(&store), snapshot([(9, &[][..])]), "what is known is as it was");
}

#[test]
fn a_patch_that_a_full_read_comes_to_again_is_what_it_was_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = begun(&folder);
    store.stage("t", &[detailed(5, &[2]), patch(6, &[])]).unwrap();
    let progress = BTreeMap::from([(ProjectId(1), (2, PatchId(6))), (ProjectId(2), (2, PatchId(5)))]);
    assert_eq!(store.staged("t").unwrap().unwrap().progress, progress, "5 has moved to project 2");
    assert_eq!(store.staged_patches("t").unwrap()[&PatchId(5)], detailed(5, &[2]));
}

#[test]
fn a_full_read_knows_whether_there_were_events_when_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    for cursor in [None, Some(EventCursor::default())] {
        store.begin_sweep("t", URL, cursor.as_ref(), at(0)).unwrap();
        assert_eq!(store.staged("t").unwrap().unwrap().cursor, cursor);
    }
}

/// Asserts that nothing of a full read is left.
fn assert_dropped(store: &mut Store) {
    assert_eq!(store.staged("t").unwrap(), None);
    assert_eq!(store.staged_patches("t").unwrap(), BTreeMap::new());
    store.begin_sweep("t", URL, None, at(20)).unwrap();
    let fresh = store.staged("t").unwrap().unwrap();
    assert_eq!((fresh.finished, fresh.progress), (BTreeSet::new(), BTreeMap::new()));
}

#[test]
fn a_full_read_that_begins_drops_one_that_was_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = begun(&folder);
    let moved = "https://moved.example.org/";
    store.begin_sweep("t", moved, None, at(20)).unwrap();
    let staged = StagedSweep {
        url: moved.into(),
        began_at: at(20),
        cursor: None,
        finished: BTreeSet::new(),
        progress: BTreeMap::new(),
    };
    assert_eq!(store.staged("t").unwrap(), Some(staged));
    assert_eq!(store.staged_patches("t").unwrap(), BTreeMap::new());
}

#[test]
fn a_full_read_is_over_when_a_snapshot_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = begun(&folder);
    save(&mut store, "t", &snapshot([(1, &[][..])]), 11).unwrap();
    assert_dropped(&mut store);
}

#[test]
fn a_snapshot_that_is_refused_leaves_the_full_read_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = begun(&folder);
    save(&mut store, "t", &snapshot([(1, &[2][..]), (2, &[])]), 11).unwrap_err();
    assert_eq!(store.staged_patches("t").unwrap().len(), 3);
}

#[test]
fn kinset_s_own_writes_make_a_full_read_stale() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = begun(&folder);
    store.journal().begin_run("t", at(11), "apply").unwrap();
    assert_dropped(&mut store);
}

#[test]
fn a_full_read_can_be_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = begun(&folder);
    store.drop_sweep("t").unwrap();
    assert_dropped(&mut store);
    store.drop_sweep("never-pulled").unwrap();
}

#[test]
fn trackers_are_read_apart_from_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = begun(&folder);
    store.begin_sweep("other", URL, None, at(0)).unwrap();
    store.stage("other", &[patch(1, &[])]).unwrap();
    store.journal().begin_run("other", at(1), "apply").unwrap();
    assert_eq!(store.staged("other").unwrap(), None);
    assert_eq!(store.staged_patches("t").unwrap().len(), 3);
}

#[test]
fn only_a_full_read_that_was_begun_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([]));
    for error in [
        store.stage("t", &[patch(1, &[])]).unwrap_err(),
        store.finish_project("t", ProjectId(1)).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::NotSweeping { .. }), "{error:?}");
        assert_eq!(error.to_string(), "no full read of tracker `t` is under way");
        assert_eq!(
            error.remedy().unwrap(),
            "run `kinset pull t` again: it reads the tracker from the beginning"
        );
    }
}
