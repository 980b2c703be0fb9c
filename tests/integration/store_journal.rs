//! The journal: what was meant to be written is known after any end.

use std::fs;
use std::path::Path;

use kinset::model::PatchId;
use kinset::store::{JournalEntry, JournalId, JournalOperation, JournalStep, Outcome, Run, RunId, RunOutcome, SettledEntry, Store};

use super::store::{URL, at, save, snapshot};
use super::store_accounts::MOVED;

fn clear(patch: u64) -> JournalStep {
    JournalStep {
        component: 3,
        patch: PatchId(patch),
        operation: JournalOperation::Clear,
    }
}

fn relate(patch: u64, related: &[u64]) -> JournalStep {
    let related = related.iter().copied().map(PatchId).collect();
    JournalStep {
        component: 4,
        patch: PatchId(patch),
        operation: JournalOperation::Relate(related),
    }
}

fn fill_in(patch: u64, commit: &str) -> JournalStep {
    JournalStep {
        component: 5,
        patch: PatchId(patch),
        operation: JournalOperation::CommitRef(commit.into()),
    }
}

fn open_ids(store: &mut Store, tracker: &str) -> Vec<JournalId> {
    store
        .journal()
        .open_entries(tracker)
        .unwrap()
        .into_iter()
        .map(|entry| entry.id)
        .collect()
}

/// What a process that is killed now leaves behind.
fn killed(folder: &Path) -> tempfile::TempDir {
    let left = tempfile::tempdir().unwrap();
    for file in ["kinset.sqlite3", "kinset.sqlite3-wal"] {
        fs::copy(folder.join(file), left.path().join(file)).unwrap();
    }
    left
}

#[test]
fn a_write_is_open_from_its_intent_until_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let mut journal = store.journal();
    let run = journal.begin_run("t", at(0), "apply").unwrap();
    let steps = [
        clear(1),
        relate(2, &[9, 5, 7]),
        relate(3, &[]),
        fill_in(4, "abcdef"),
        fill_in(5, ""),
    ];
    let mut entries = Vec::new();
    for (step, second) in steps.iter().zip(1..) {
        let id = journal.intend(run, step, at(second)).unwrap();
        entries.push(JournalEntry {
            id,
            run,
            step: step.clone(),
            intended_at: at(second),
        });
    }
    assert_eq!(journal.open_entries("t").unwrap(), entries);
    let outcomes = [
        Outcome::Done,
        Outcome::NotDone,
        Outcome::Refused("403".into()),
        Outcome::Unclear("moved on".into()),
    ];
    for (outcome, entry) in outcomes.iter().zip(&entries) {
        journal.settle(entry.id, outcome, at(10)).unwrap();
    }
    assert_eq!(journal.open_entries("t").unwrap(), entries[4..]);
}

#[test]
fn a_killed_process_leaves_its_open_writes_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let run = store.journal().begin_run("t", at(0), "apply").unwrap();
    let settled = store.journal().intend(run, &clear(1), at(1)).unwrap();
    store.journal().settle(settled, &Outcome::Done, at(2)).unwrap();
    let open = store.journal().intend(run, &relate(2, &[3]), at(3)).unwrap();
    let left = killed(folder.path());
    let mut next = Store::open(left.path()).unwrap();
    assert_eq!(open_ids(&mut next, "t"), [open]);
    assert_eq!(next.journal().runs("t", URL, 10).unwrap()[0].ended, None);
    next.journal().settle(open, &Outcome::Done, at(4)).unwrap();
    next.journal().end_run(run, at(5), &RunOutcome::Interrupted).unwrap();
    assert!(open_ids(&mut next, "t").is_empty());
}

#[test]
fn each_tracker_has_its_own_open_writes_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let run = store.journal().begin_run("one", at(0), "apply").unwrap();
    store.journal().intend(run, &clear(1), at(1)).unwrap();
    assert!(open_ids(&mut store, "two").is_empty());
    assert!(store.journal().runs("two", URL, 10).unwrap().is_empty());
}

#[test]
fn settled_writes_are_told_in_the_order_of_their_entry() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let mut journal = store.journal();
    let run = journal.begin_run("t", at(0), "apply").unwrap();
    let other = journal.begin_run("other", at(0), "apply").unwrap();
    let outcomes = [
        (clear(1), Outcome::Done),
        (relate(2, &[9, 5]), Outcome::NotDone),
        (relate(2, &[9, 5]), Outcome::Refused("409".into())),
        (fill_in(3, "abcdef"), Outcome::Unclear("moved on".into())),
    ];
    let mut settled = Vec::new();
    for (step, outcome) in outcomes {
        let id = journal.intend(run, &step, at(1)).unwrap();
        let elsewhere = journal.intend(other, &step, at(1)).unwrap();
        journal.settle(elsewhere, &Outcome::Done, at(1)).unwrap();
        let settled_at = at(100 - i64::try_from(id.0).unwrap());
        settled.push(SettledEntry {
            id,
            run,
            step,
            outcome,
            settled_at,
        });
    }
    let open = journal.intend(run, &clear(9), at(1)).unwrap();
    for SettledEntry {
        id, outcome, settled_at, ..
    } in settled.iter().rev()
    {
        journal.settle(*id, outcome, *settled_at).unwrap();
    }
    assert_eq!(journal.settled_after("t", JournalId(0)).unwrap(), settled);
    assert_eq!(journal.settled_after("t", settled[1].id).unwrap(), settled[2..]);
    assert_eq!(journal.settled_after("t", settled[3].id).unwrap(), []);
    journal.settle(open, &Outcome::Done, at(9)).unwrap();
    assert_eq!(journal.settled_after("t", settled[3].id).unwrap()[0].id, open);
}

#[test]
fn runs_are_told_latest_first_with_what_came_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let mut journal = store.journal();
    let outcomes = [
        RunOutcome::Completed,
        RunOutcome::Interrupted,
        RunOutcome::Failed("the tracker is down".into()),
    ];
    let mut expected = Vec::new();
    for (outcome, second) in outcomes.into_iter().zip([10, 20, 30]) {
        let id = journal.begin_run("t", at(second), "apply a.plan").unwrap();
        let first = journal.intend(id, &clear(1), at(second)).unwrap();
        let second_entry = journal.intend(id, &clear(2), at(second)).unwrap();
        journal.settle(first, &Outcome::Done, at(second)).unwrap();
        journal.settle(second_entry, &Outcome::NotDone, at(second)).unwrap();
        journal.end_run(id, at(second + 1), &outcome).unwrap();
        let ended = Some((at(second + 1), outcome));
        expected.insert(
            0,
            Run {
                id,
                what: "apply a.plan".into(),
                began_at: at(second),
                ended,
                intended: 2,
                done: 1,
            },
        );
    }
    assert_eq!(journal.runs("t", URL, 10).unwrap(), expected);
    assert_eq!(journal.runs("t", URL, 2).unwrap(), expected[..2]);
    drop(store);
    assert_eq!(
        Store::open_read_only(folder.path()).unwrap().journal().runs("t", URL, 10).unwrap(),
        expected
    );
}

#[test]
fn what_is_settled_or_ended_or_never_was_cannot_be_settled_or_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let mut journal = store.journal();
    let run = journal.begin_run("t", at(0), "apply").unwrap();
    let entry = journal.intend(run, &clear(1), at(1)).unwrap();
    journal.settle(entry, &Outcome::Done, at(2)).unwrap();
    journal.end_run(run, at(3), &RunOutcome::Completed).unwrap();
    let messages = [
        journal.settle(entry, &Outcome::NotDone, at(4)).unwrap_err().to_string(),
        journal.settle(JournalId(99), &Outcome::Done, at(4)).unwrap_err().to_string(),
        journal.end_run(run, at(4), &RunOutcome::Completed).unwrap_err().to_string(),
        journal.intend(run, &clear(2), at(4)).unwrap_err().to_string(),
        journal.intend(RunId(99), &clear(2), at(4)).unwrap_err().to_string(),
    ];
    assert_eq!(
        messages,
        [
            "journal entry 1 is not open",
            "journal entry 99 is not open",
            "run 1 is not under way",
            "run 1 is not under way",
            "run 99 is not under way"
        ]
    );
}

#[test]
fn a_moment_is_kept_to_the_nanosecond() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let moment = "2026-06-10T12:00:00.000000001Z".parse().unwrap();
    store.journal().begin_run("t", moment, "apply").unwrap();
    assert_eq!(store.journal().runs("t", URL, 1).unwrap()[0].began_at, moment);
}

#[test]
fn a_run_belongs_to_the_address_that_was_read_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    save(&mut store, "t", &snapshot([(1, &[][..])]), 1).unwrap();
    let mut journal = store.journal();
    let run = journal.begin_run("t", at(2), "apply").unwrap();
    journal.intend(run, &clear(1), at(2)).unwrap();
    assert_eq!(journal.runs("t", URL, 9).unwrap().len(), 1);
    assert_eq!(journal.runs("t", MOVED, 9).unwrap(), []);
    assert_eq!(journal.count_open("t", URL).unwrap(), 1);
    assert_eq!(journal.count_open("t", MOVED).unwrap(), 0);
    assert_eq!(journal.count_open("other", URL).unwrap(), 0);
}
