//! Reads of single patches, and incremental pulls: they change exactly what they tell.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::{EventCursor, Patch, PatchId, Project, ProjectId, Snapshot, UserName};
use kinset::remedy::Remedy;
use kinset::store::{Store, StoreError};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::store::{at, cursor, ids, loaded, patch, project, save, saved, snapshot, unexported};

#[test]
fn a_fresh_row_speaks_for_all_patches_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(
        folder.path(),
        &snapshot([(1, &[3][..]), (2, &[4, 5]), (3, &[1]), (4, &[2, 5]), (5, &[2, 4]), (6, &[])]),
    );
    store.record_reads("t", &[patch(1, &[2])], &[], at(5)).unwrap();
    assert_eq!(
        loaded(&store),
        snapshot([(1, &[2][..]), (2, &[1]), (3, &[]), (4, &[5]), (5, &[4]), (6, &[])])
    );
    assert_eq!(store.snapshot("t").unwrap().unwrap().refreshed_at, Some(at(5)));
    assert_eq!(store.snapshot("t").unwrap().unwrap().pulled_at, at(0));
}

#[test]
fn an_absent_patch_is_gone_from_the_snapshot_and_from_its_relation() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[2][..]), (2, &[1]), (3, &[])]));
    store.record_reads("t", &[], &[PatchId(2), PatchId(77)], at(1)).unwrap();
    assert_eq!(loaded(&store), snapshot([(1, &[][..]), (3, &[])]));
}

#[test]
fn a_row_of_another_project_counts_for_its_relation_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[][..])]));
    let outside = Patch {
        project: ProjectId(2),
        ..patch(50, &[1])
    };
    store.record_reads("t", &[outside, patch(2, &[])], &[], at(1)).unwrap();
    assert_eq!(loaded(&store), snapshot([(1, &[50][..]), (2, &[])]));
}

#[test]
fn a_patch_that_was_moved_to_a_project_that_is_not_read_is_known_by_its_relatives_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[2][..]), (2, &[1]), (3, &[])]));
    let moved = |id, related| Patch {
        project: ProjectId(2),
        ..patch(id, related)
    };
    store.record_reads("t", &[moved(2, &[1])], &[], at(1)).unwrap();
    assert_eq!(loaded(&store), snapshot([(1, &[2][..]), (3, &[])]));
    store.record_pull("t", &[moved(3, &[])], &[], &cursor(&[1]), at(2)).unwrap();
    assert_eq!(loaded(&store), snapshot([(1, &[2][..])]));
}

#[test]
fn maintainers_are_those_that_were_read_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[][..])]));
    let maintained = |id, maintainers: &[&str]| Project {
        maintainers: maintainers.iter().map(|&name| UserName(name.to_owned())).collect(),
        ..project(id)
    };
    let fresh = [maintained(1, &["alice", "human"]), maintained(2, &["bot"])];
    store.record_maintainers("t", &fresh).unwrap();
    let stored = store.snapshot("t").unwrap().unwrap();
    assert_eq!(stored.snapshot.projects, BTreeMap::from([(ProjectId(1), fresh[0].clone())]));
    assert_eq!((stored.pulled_at, stored.refreshed_at), (at(0), None), "no patch was read");
    let refused = store.record_maintainers("kernel", &fresh).unwrap_err();
    assert!(matches!(refused, StoreError::NeverPulled { .. }), "{refused:?}");
}

#[test]
fn single_reads_of_a_tracker_that_was_never_pulled_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(folder.path())
        .unwrap()
        .record_reads("kernel", &[], &[], at(0))
        .unwrap_err();
    assert_eq!(error.to_string(), "tracker `kernel` was never pulled");
    assert_eq!(error.remedy().unwrap(), "run `kinset pull kernel` first");
}

#[test]
fn an_incremental_pull_is_kept_with_how_far_it_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[2][..]), (2, &[1]), (3, &[])]));
    store.mark_exported("t", &ids(&[1, 2, 3]).into_iter().collect::<Vec<_>>()).unwrap();
    let arrived = patch(4, &[]);
    store
        .record_pull("t", &[arrived, patch(3, &[1])], &[PatchId(2)], &cursor(&[3, 8]), at(5))
        .unwrap();
    assert_eq!(loaded(&store), snapshot([(1, &[3][..]), (3, &[1]), (4, &[])]));
    assert_eq!(unexported(&store), [4]);
    let state = store.pull_state("t").unwrap().unwrap();
    assert_eq!(
        (state.swept_at, state.events_at, state.refreshed_at),
        (at(0), Some(at(5)), Some(at(5)))
    );
    assert_eq!((state.cursor, state.patches), (Some(cursor(&[3, 8])), 3));
    store.record_pull("t", &[], &[], &EventCursor::default(), at(6)).unwrap();
    assert_eq!(store.pull_state("t").unwrap().unwrap().cursor, Some(EventCursor::default()));
}

#[test]
fn single_reads_do_not_change_how_far_events_were_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[][..])]));
    store.record_pull("t", &[], &[], &cursor(&[8]), at(5)).unwrap();
    store.record_reads("t", &[patch(1, &[])], &[], at(6)).unwrap();
    let state = store.pull_state("t").unwrap().unwrap();
    assert_eq!((state.events_at, state.refreshed_at), (Some(at(5)), Some(at(6))));
    assert_eq!(state.cursor, Some(cursor(&[8])));
}

#[test]
fn a_full_read_does_not_hide_when_events_were_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[][..])]));
    store.record_pull("t", &[], &[], &cursor(&[8]), at(5)).unwrap();
    save(&mut store, "t", &snapshot([(1, &[][..])]), 6).unwrap();
    let state = store.pull_state("t").unwrap().unwrap();
    assert_eq!((state.swept_at, state.events_at, state.refreshed_at), (at(6), Some(at(5)), None));
}

#[test]
fn an_incremental_pull_of_a_tracker_that_was_never_pulled_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let error = store.record_pull("kernel", &[], &[], &cursor(&[1]), at(0)).unwrap_err();
    assert!(matches!(error, StoreError::NeverPulled { .. }), "{error:?}");
}

#[test]
fn patches_are_known_with_all_their_relatives() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(
        folder.path(),
        &snapshot([(1, &[2, 99][..]), (2, &[1, 99]), (3, &[]), (4, &[5]), (5, &[4])]),
    );
    save(&mut store, "other", &snapshot([(1, &[3][..]), (3, &[1])]), 0).unwrap();
    let known = store.known("t", &ids(&[1, 3, 99, 77])).unwrap();
    assert_eq!(
        known,
        BTreeMap::from([(PatchId(1), patch(1, &[2, 99])), (PatchId(3), patch(3, &[]))])
    );
    assert_eq!(store.known("never-pulled", &ids(&[1])).unwrap(), BTreeMap::new());
}

/// A read of one patch: what it told, or that the patch is gone.
#[derive(Clone, Debug)]
enum Read {
    Row(u64, BTreeSet<u64>),
    Gone(u64),
}

fn any_read() -> impl Strategy<Value = Read> {
    prop_oneof![
        4 => (1..=12_u64, btree_set(1..=12_u64, 0..4)).prop_map(|(id, related)| Read::Row(id, related)),
        1 => (1..=12_u64).prop_map(Read::Gone),
    ]
}

/// Patches above this are in no project that is read.
const LAST_INSIDE: u64 = 8;

/// The plainest form of the same rules.
#[derive(Debug, Default)]
struct Naive {
    present: BTreeSet<u64>,
    classes: Vec<BTreeSet<u64>>,
}

impl Naive {
    fn regroup(&mut self, class: BTreeSet<u64>) {
        for other in &mut self.classes {
            *other = other.difference(&class).copied().collect();
        }
        self.classes.push(class);
        self.classes.retain(|class| class.len() > 1);
    }

    fn read(&mut self, read: &Read) {
        match read {
            Read::Row(id, related) => {
                if *id <= LAST_INSIDE {
                    self.present.insert(*id);
                }
                self.regroup(related.iter().copied().chain([*id]).collect());
            }
            Read::Gone(id) => {
                self.present.remove(id);
                self.regroup(BTreeSet::from([*id]));
            }
        }
    }

    fn snapshot(&self) -> Snapshot {
        let related = |id: &u64| -> Vec<u64> {
            let class = self.classes.iter().find(|class| class.contains(id));
            class.into_iter().flatten().copied().filter(|member| member != id).collect()
        };
        Snapshot {
            projects: BTreeMap::from([(ProjectId(1), project(1))]),
            patches: self.present.iter().map(|id| (PatchId(*id), patch(*id, &related(id)))).collect(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn single_reads_agree_with_the_plainest_form_of_the_rules(batches in vec(vec(any_read(), 0..6), 1..6)) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = saved(folder.path(), &snapshot([]));
        let mut naive = Naive::default();
        for batch in &batches {
            // Rows are taken in before absences, whatever their order.
            let (rows, gone): (Vec<&Read>, Vec<&Read>) = batch.iter().partition(|read| matches!(read, Read::Row(..)));
            rows.iter().chain(&gone).for_each(|read| naive.read(read));
            let fresh: Vec<Patch> = rows.iter().filter_map(|read| match read {
                Read::Row(id, related) => {
                    let others: Vec<u64> = related.iter().copied().filter(|other| other != id).collect();
                    let project = ProjectId(if *id <= LAST_INSIDE { 1 } else { 2 });
                    Some(Patch { project, ..patch(*id, &others) })
                }
                Read::Gone(_) => None,
            }).collect();
            let absent: Vec<PatchId> = gone.iter().filter_map(|read| match read {
                Read::Gone(id) => Some(PatchId(*id)),
                Read::Row(..) => None,
            }).collect();
            store.record_reads("t", &fresh, &absent, at(1)).unwrap();
            let after = loaded(&store);
            prop_assert_eq!(&after, &naive.snapshot());
            prop_assert_eq!(store.known("t", &ids(&Vec::from_iter(0..=12))).unwrap(), after.patches.clone());
            // What is disjoint can be saved: save_snapshot refuses all else.
            save(&mut store, "again", &after, 2).unwrap();
        }
    }
}
