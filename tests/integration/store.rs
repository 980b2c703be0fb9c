//! Snapshots: what is saved is what is loaded, and single reads change exactly what they tell.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::Timestamp;
use kinset::model::{MessageId, Patch, PatchId, Project, ProjectId, ProjectName, Snapshot, UserName};
use kinset::remedy::Remedy;
use kinset::store::{Inconsistency, Store, StoreError};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

pub(crate) const URL: &str = "https://patchwork.example.org/";

/// A moment; later ones for larger numbers.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

fn message_id(id: u64) -> MessageId {
    MessageId::parse(&format!("<{id}@example.org>")).unwrap()
}

fn ids(ids: &[u64]) -> BTreeSet<PatchId> {
    ids.iter().copied().map(PatchId).collect()
}

/// What a read of a patch of project 1 tells.
fn patch(id: u64, related: &[u64]) -> Patch {
    Patch {
        id: PatchId(id),
        project: ProjectId(1),
        message_id: message_id(id),
        date: None,
        commit_ref: None,
        related: ids(related),
    }
}

fn project(id: u64) -> Project {
    Project {
        id: ProjectId(id),
        name: ProjectName(format!("project-{id}")),
        maintainers: BTreeSet::from([UserName("bot".into())]),
    }
}

pub(crate) fn snapshot(patches: impl IntoIterator<Item = (u64, &'static [u64])>) -> Snapshot {
    Snapshot {
        projects: BTreeMap::from([(ProjectId(1), project(1))]),
        patches: patches.into_iter().map(|(id, related)| (PatchId(id), patch(id, related))).collect(),
    }
}

fn saved(folder: &Path, snapshot: &Snapshot) -> Store {
    let mut store = Store::open(folder).unwrap();
    store.save_snapshot("t", URL, snapshot, at(0)).unwrap();
    store
}

pub(crate) fn loaded(store: &Store) -> Snapshot {
    store.snapshot("t").unwrap().unwrap().snapshot
}

#[test]
fn a_new_state_is_made_with_its_folder_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let state_dir = folder.path().join("a/b");
    let store = saved(&state_dir, &snapshot([(1, &[][..])]));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state_dir), 0o700);
    for file in ["kinset.lock", "kinset.sqlite3", "kinset.sqlite3-wal", "kinset.sqlite3-shm"] {
        assert_eq!(mode(&state_dir.join(file)), 0o600, "{file}");
    }
    drop(store);
}

#[test]
fn a_tracker_that_was_never_pulled_has_no_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &Snapshot::default());
    assert_eq!(store.snapshot("other").unwrap(), None);
    assert_eq!(store.patch_count("other").unwrap(), None);
    assert_eq!(store.patch_count("t").unwrap(), Some(0));
    store.journal().begin_run("other", at(1), "apply").unwrap();
    assert_eq!(store.snapshot("other").unwrap(), None, "a run is no pull");
    assert_eq!(store.patch_count("other").unwrap(), None, "a run is no pull");
}

#[test]
fn a_snapshot_outlasts_the_process_with_its_place_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = snapshot([(1, &[2, 99][..]), (2, &[1, 99]), (3, &[])]);
    drop(saved(folder.path(), &first));
    for store in [Store::open(folder.path()), Store::open_read_only(folder.path())] {
        let stored = store.unwrap().snapshot("t").unwrap().unwrap();
        assert_eq!((stored.snapshot, stored.url.as_str()), (first.clone(), URL));
        assert_eq!((stored.pulled_at, stored.refreshed_at), (at(0), None));
    }
}

#[test]
fn a_new_snapshot_replaces_the_whole_old_one_of_its_tracker_only() {
    let folder = tempfile::tempdir().unwrap();
    let old = snapshot([(1, &[2][..]), (2, &[1]), (3, &[])]);
    let mut store = saved(folder.path(), &old);
    store.save_snapshot("other", URL, &old, at(1)).unwrap();
    store.record_reads("t", &[patch(3, &[1])], &[], at(2)).unwrap();
    let new = Snapshot {
        projects: BTreeMap::from([(ProjectId(2), project(2))]),
        patches: BTreeMap::new(),
    };
    store.save_snapshot("t", "https://other.example.org/", &new, at(3)).unwrap();
    let stored = store.snapshot("t").unwrap().unwrap();
    assert_eq!((stored.snapshot, stored.url.as_str()), (new, "https://other.example.org/"));
    assert_eq!((stored.pulled_at, stored.refreshed_at), (at(3), None));
    assert_eq!(store.snapshot("other").unwrap().unwrap().snapshot, old);
    assert_eq!(store.patch_count("other").unwrap(), Some(3));
}

#[test]
fn a_snapshot_that_contradicts_itself_is_refused_and_the_old_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    let old = snapshot([(1, &[2][..]), (2, &[1])]);
    let mut store = saved(folder.path(), &old);
    let torn = |patch: u64, other: u64| Inconsistency::Torn {
        patch: PatchId(patch),
        other: PatchId(other),
    };
    let mut stray = old.clone();
    stray.projects.clear();
    let cases = [
        (snapshot([(1, &[2][..]), (2, &[])]), torn(1, 2)),
        (snapshot([(1, &[][..]), (2, &[1])]), torn(1, 2)),
        (snapshot([(1, &[2][..]), (2, &[1, 3]), (3, &[2, 1])]), torn(1, 2)),
        (snapshot([(1, &[9][..]), (2, &[9])]), torn(1, 2)),
        (
            stray,
            Inconsistency::StrayPatch {
                patch: PatchId(1),
                project: ProjectId(1),
            },
        ),
    ];
    for (contradictory, expected) in cases {
        match store.save_snapshot("t", URL, &contradictory, at(1)) {
            Err(StoreError::Inconsistent { source, .. }) => assert_eq!(source, expected, "{contradictory:?}"),
            other => panic!("{other:?} for {contradictory:?}"),
        }
        assert_eq!(loaded(&store), old);
    }
}

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
fn a_large_tracker_is_stored_and_loaded_whole() {
    let folder = tempfile::tempdir().unwrap();
    // Every third patch stands alone; the others are in relations of eight, of which one member is in no project that is read.
    let class = |id: u64| {
        (id - id % 10..id - id % 10 + 10)
            .filter(|member| !member.is_multiple_of(3))
            .map(PatchId)
    };
    let related = |id: u64| class(id).filter(|member| !id.is_multiple_of(3) && member.0 != id).collect();
    let patch = |id: u64| Patch {
        id: PatchId(id),
        project: ProjectId(id % 2),
        message_id: message_id(id),
        date: None,
        commit_ref: None,
        related: related(id),
    };
    let large = Snapshot {
        projects: [0, 1].map(|id| (ProjectId(id), project(id))).into(),
        patches: (10..50_010).filter(|id| id % 10 != 4).map(|id| (PatchId(id), patch(id))).collect(),
    };
    let store = saved(folder.path(), &large);
    assert_eq!(store.patch_count("t").unwrap(), Some(45_000));
    assert_eq!(loaded(&store), large);
}

#[test]
fn a_store_can_be_handed_to_another_thread() {
    const fn assert_send<T: Send>() {}
    assert_send::<Store>();
}

/// Projects of any name, patches of any number and message id, in any relations, with members in no project that is read.
fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let any_id = || 0..=i64::MAX.unsigned_abs();
    let projects = btree_map(any_id(), (".{0,8}", btree_set(".{0,8}", 0..3)), 1..4);
    let patches = btree_map(
        any_id(),
        (any::<prop::sample::Index>(), "[!-~]{1,12}", 0..12_usize, prop::bool::weighted(0.8)),
        0..40,
    );
    (projects, patches).prop_map(|(projects, patches)| {
        let projects: BTreeMap<_, _> = projects
            .into_iter()
            .map(|(id, (name, users))| {
                let maintainers = users.into_iter().map(UserName).collect();
                (
                    ProjectId(id),
                    Project {
                        id: ProjectId(id),
                        name: ProjectName(name),
                        maintainers,
                    },
                )
            })
            .collect();
        let numbers: Vec<ProjectId> = projects.keys().copied().collect();
        // The higher labels stand for no relation.
        let class = |label: usize| {
            patches
                .iter()
                .filter(move |(_, row)| label < 6 && row.2 == label)
                .map(|(id, _)| PatchId(*id))
        };
        let inside = patches.iter().filter(|(_, row)| row.3).map(|(&id, (project, text, label, _))| {
            let related = class(*label).filter(|member| member.0 != id).collect();
            let message_id = MessageId::parse(&format!("<{text}>")).unwrap();
            (
                PatchId(id),
                Patch {
                    id: PatchId(id),
                    project: *project.get(&numbers),
                    message_id,
                    date: None,
                    commit_ref: None,
                    related,
                },
            )
        });
        Snapshot {
            patches: inside.collect(),
            projects,
        }
    })
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
    fn what_is_loaded_is_what_was_saved(first in any_snapshot(), second in any_snapshot()) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = saved(folder.path(), &first);
        prop_assert_eq!(&loaded(&store), &first);
        prop_assert_eq!(store.patch_count("t").unwrap(), Some(first.patches.len() as u64));
        store.save_snapshot("t", URL, &second, at(1)).unwrap();
        prop_assert_eq!(loaded(&store), second);
    }

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
            // What is disjoint can be saved: save_snapshot refuses all else.
            store.save_snapshot("again", URL, &after, at(2)).unwrap();
        }
    }
}
