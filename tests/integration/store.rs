//! Snapshots: what is saved is what is loaded, and only what differs is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use kinset::model::{EventCursor, EventId, MessageId, Patch, PatchId, Project, ProjectId, ProjectName, Snapshot, UserName};
use kinset::store::{Inconsistency, Store, StoreError, Sweep};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

pub(crate) const URL: &str = "https://patchwork.example.org/";

/// A moment; later ones for larger numbers.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

pub(crate) fn message_id(id: u64) -> MessageId {
    MessageId::parse(&format!("<{id}@example.org>")).unwrap()
}

pub(crate) fn ids(ids: &[u64]) -> BTreeSet<PatchId> {
    ids.iter().copied().map(PatchId).collect()
}

/// What a read of a patch of project 1 tells.
pub(crate) fn patch(id: u64, related: &[u64]) -> Patch {
    Patch {
        id: PatchId(id),
        project: ProjectId(1),
        message_id: message_id(id),
        date: None,
        commit_ref: None,
        related: ids(related),
    }
}

pub(crate) fn project(id: u64) -> Project {
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

/// Saves what a full read saw that knew nothing of events.
pub(crate) fn save(store: &mut Store, tracker: &str, snapshot: &Snapshot, second: i64) -> Result<(), StoreError> {
    store.save_snapshot(tracker, URL, snapshot, &Sweep::default(), at(second))
}

pub(crate) fn saved(folder: &Path, snapshot: &Snapshot) -> Store {
    let mut store = Store::open(folder).unwrap();
    save(&mut store, "t", snapshot, 0).unwrap();
    store
}

/// A cursor that has seen these events, the last of them being the newest.
pub(crate) fn cursor(events: &[u64]) -> EventCursor {
    EventCursor {
        newest: events.last().copied().map(EventId),
        recent: events.iter().copied().map(EventId).collect(),
    }
}

/// The patches whose mails are still to be exported.
pub(crate) fn unexported(store: &Store) -> Vec<u64> {
    let mails = store.unexported("t", u32::MAX).unwrap();
    mails.into_iter().map(|(patch, _)| patch.0).collect()
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
    assert_eq!(store.pull_state("other").unwrap(), None);
    assert_eq!(store.pull_state("t").unwrap().unwrap().patches, 0);
    store.journal().begin_run("other", at(1), "apply").unwrap();
    assert_eq!(store.snapshot("other").unwrap(), None, "a run is no pull");
    assert_eq!(store.pull_state("other").unwrap(), None, "a run is no pull");
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
    save(&mut store, "other", &old, 1).unwrap();
    store.record_reads("t", &[patch(3, &[1])], &[], at(2)).unwrap();
    let new = Snapshot {
        projects: BTreeMap::from([(ProjectId(2), project(2))]),
        patches: BTreeMap::new(),
    };
    save(&mut store, "t", &new, 3).unwrap();
    let stored = store.snapshot("t").unwrap().unwrap();
    assert_eq!((stored.snapshot, stored.url.as_str()), (new, URL));
    assert_eq!((stored.pulled_at, stored.refreshed_at), (at(3), None));
    assert_eq!(store.snapshot("other").unwrap().unwrap().snapshot, old);
}

#[test]
fn a_snapshot_of_another_address_replaces_all_that_was_known_of_the_tracker() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = snapshot([(1, &[2][..]), (2, &[1])]);
    let mut store = saved(folder.path(), &snapshot);
    store.record_pull("t", &[], &[], &cursor(&[7]), at(1)).unwrap();
    store.mark_exported("t", &[PatchId(1)]).unwrap();
    let moved = "https://moved.example.org/";
    store.save_snapshot("t", moved, &snapshot, &Sweep::default(), at(2)).unwrap();
    let stored = store.snapshot("t").unwrap().unwrap();
    assert_eq!((stored.snapshot, stored.url.as_str()), (snapshot, moved));
    let state = store.pull_state("t").unwrap().unwrap();
    assert_eq!((state.url.as_str(), state.events_at, state.cursor), (moved, None, None));
    assert_eq!(unexported(&store), [1, 2], "the same numbers are other patches");
    assert_eq!(store.count_unexported("t").unwrap(), 2);
    let same = loaded(&store);
    save(&mut store, "t", &same, 3).unwrap();
    assert_eq!(unexported(&store), [2], "it is back where it was");
}

#[test]
fn what_was_exported_is_known_of_each_mail_and_also_when_its_patch_was_gone_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[][..]), (2, &[]), (3, &[]), (4, &[])]));
    store.mark_exported("t", &[1, 2, 3, 77].map(PatchId)).unwrap();
    store.mark_exported("never-pulled", &[PatchId(1)]).unwrap();
    assert_eq!(unexported(&store), [4]);
    let mut new = snapshot([(1, &[3][..]), (3, &[1]), (4, &[])]);
    new.patches.get_mut(&PatchId(1)).unwrap().commit_ref = Some("abcdef".into());
    new.patches.get_mut(&PatchId(3)).unwrap().message_id = message_id(33);
    save(&mut store, "t", &new, 1).unwrap();
    assert_eq!(unexported(&store), [3, 4], "3 stands for another mail now");
    save(&mut store, "t", &snapshot([(1, &[][..]), (2, &[]), (4, &[])]), 2).unwrap();
    assert_eq!(unexported(&store), [4], "2 was gone, and is the same mail still");
    store.record_reads("t", &[patch(1, &[4])], &[], at(3)).unwrap();
    assert_eq!(unexported(&store), [4]);
    assert_eq!(
        (store.mark_all_exported("t").unwrap(), store.count_unexported("t").unwrap()),
        (1, 0)
    );
    assert_eq!(store.mark_all_exported("never-pulled").unwrap(), 0);
}

#[test]
fn mails_are_exported_from_the_lowest_number_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = saved(folder.path(), &snapshot([(30, &[][..]), (4, &[]), (100, &[])]));
    let mail = |id| (PatchId(id), message_id(id));
    assert_eq!(store.unexported("t", 2).unwrap(), [mail(4), mail(30)]);
    assert_eq!(store.unexported("t", 9).unwrap(), [mail(4), mail(30), mail(100)]);
    assert_eq!(store.unexported("never-pulled", 9).unwrap(), []);
}

#[test]
fn a_full_read_tells_how_far_it_covers_the_events_and_what_they_had_missed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = saved(folder.path(), &snapshot([(1, &[][..])]));
    for (second, cursor, missed_by_events) in [
        (10, Some(cursor(&[3, 5, 8])), Some(2)),
        (20, Some(EventCursor::default()), Some(0)),
        (30, None, None),
    ] {
        let sweep = Sweep { cursor, missed_by_events };
        store
            .save_snapshot("t", URL, &snapshot([(1, &[][..])]), &sweep, at(second))
            .unwrap();
        let state = store.pull_state("t").unwrap().unwrap();
        assert_eq!((state.swept_at, state.missed_by_events), (at(second), missed_by_events));
        assert_eq!(state.cursor, sweep.cursor);
    }
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
        match save(&mut store, "t", &contradictory, 1) {
            Err(StoreError::Inconsistent { source, .. }) => assert_eq!(source, expected, "{contradictory:?}"),
            other => panic!("{other:?} for {contradictory:?}"),
        }
        assert_eq!(loaded(&store), old);
    }
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
    assert_eq!(store.pull_state("t").unwrap().unwrap().patches, 45_000);
    assert_eq!(loaded(&store), large);
}

#[test]
fn a_store_can_be_handed_to_another_thread() {
    const fn assert_send<T: Send>() {}
    assert_send::<Store>();
}

/// Projects of any name, patches of any message id, in any relations, with members in no project that is read. Their numbers are below these.
fn any_snapshot(projects_below: u64, patches_below: u64) -> impl Strategy<Value = Snapshot> {
    let projects = btree_map(0..projects_below, (".{0,8}", btree_set(".{0,8}", 0..3)), 1..4);
    let patch = (any::<prop::sample::Index>(), "[!-~]{1,2}", any_day(), option::of(".{0,2}"));
    // The higher labels stand for no relation.
    let patches = btree_map(0..patches_below, (patch, 0..12_usize, prop::bool::weighted(0.8)), 0..40);
    (projects, patches).prop_map(|(projects, patches)| {
        let projects: BTreeMap<_, _> = projects
            .into_iter()
            .map(|(id, (name, users))| {
                let maintainers = users.into_iter().map(UserName).collect();
                let (id, name) = (ProjectId(id), ProjectName(name));
                (id, Project { id, name, maintainers })
            })
            .collect();
        let numbers: Vec<ProjectId> = projects.keys().copied().collect();
        let class = |label: usize| {
            patches
                .iter()
                .filter(move |(_, (_, other, _))| label < 6 && *other == label)
                .map(|(id, _)| PatchId(*id))
        };
        let inside =
            patches
                .iter()
                .filter(|(_, (_, _, is_inside))| *is_inside)
                .map(|(&id, ((project, text, date, commit_ref), label, _))| Patch {
                    id: PatchId(id),
                    project: *project.get(&numbers),
                    message_id: MessageId::parse(&format!("<{text}>")).unwrap(),
                    date: *date,
                    commit_ref: commit_ref.clone(),
                    related: class(*label).filter(|member| member.0 != id).collect(),
                });
        Snapshot {
            patches: inside.map(|patch| (patch.id, patch)).collect(),
            projects,
        }
    })
}

fn any_day() -> impl Strategy<Value = Option<Date>> {
    option::of((1_i16..=9999, 1_i8..=12, 1_i8..=28).prop_map(|(year, month, day)| date(year, month, day)))
}

const ANY: u64 = i64::MAX.unsigned_abs();

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_loaded_is_what_was_saved(snapshot in any_snapshot(ANY, ANY)) {
        let folder = tempfile::tempdir().unwrap();
        let store = saved(folder.path(), &snapshot);
        prop_assert_eq!(&loaded(&store), &snapshot);
        let state = store.pull_state("t").unwrap().unwrap();
        prop_assert_eq!((state.patches, state.projects), (snapshot.patches.len() as u64, snapshot.projects));
    }

    #[test]
    fn exactly_those_snapshots_are_refused_that_tell_of_no_partition(
        tales in vec(btree_map(0..5_u64, btree_set(0..7_u64, 0..3), 0..5), 20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        for tale in tales {
            let class = |id: &u64| tale[id].iter().copied().chain([*id]).collect::<BTreeSet<u64>>();
            let agree = |one: &u64, other: &u64| class(one) == class(other) || class(one).is_disjoint(&class(other));
            let is_partition = tale.keys().all(|one| tale.keys().all(|other| agree(one, other)));
            let rows = tale.iter().map(|(&id, related)| {
                let related: Vec<u64> = related.iter().copied().filter(|other| *other != id).collect();
                (PatchId(id), patch(id, &related))
            });
            let snapshot = Snapshot { patches: rows.collect(), ..snapshot([]) };
            prop_assert_eq!(save(&mut store, "t", &snapshot, 0).is_ok(), is_partition, "{:?}", tale);
        }
    }

    #[test]
    fn to_save_what_differs_is_to_save_afresh(snapshots in vec(any_snapshot(4, 30), 2..5), exported in btree_set(0..30_u64, 0..30)) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = saved(folder.path(), &snapshots[0]);
        let exported: Vec<PatchId> = exported.into_iter().map(PatchId).collect();
        store.mark_exported("t", &exported).unwrap();
        let marked: BTreeMap<PatchId, MessageId> = snapshots[0]
            .patches
            .values()
            .filter(|patch| exported.contains(&patch.id))
            .map(|patch| (patch.id, patch.message_id.clone()))
            .collect();
        for snapshot in &snapshots[1..] {
            save(&mut store, "t", snapshot, 1).unwrap();
            prop_assert_eq!(&loaded(&store), snapshot);
            let is_new = |patch: &&Patch| marked.get(&patch.id) != Some(&patch.message_id);
            let expected: Vec<u64> = snapshot.patches.values().filter(is_new).map(|patch| patch.id.0).collect();
            prop_assert_eq!(unexported(&store), expected);
        }
    }
}
