//! What the state keeps of the daemon.

use std::fs;

use jiff::Timestamp;
use kinset::model::{Job, JobKind, JobSubject, PatchId};
use kinset::remedy::Remedy as _;
use kinset::store::{
    Cycle, DaemonEnd, DaemonJob, DaemonLock, DaemonOutcome, DaemonRunId, JournalOperation, JournalStep, Outcome, RunOutcome, Store,
    StoreError, WaitingBecause, WaitingPlan,
};
use tempfile::TempDir;

use crate::support::rig::open;

fn at(minute: u8) -> Timestamp {
    format!("2026-06-10T12:{minute:02}:00Z").parse().unwrap()
}

fn state() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    (folder, store)
}

fn end(outcome: DaemonOutcome) -> DaemonEnd {
    DaemonEnd {
        outcome,
        message: Some("as it was".to_owned()),
        remedy: Some("look".to_owned()),
        guards: "[]".to_owned(),
        changes: 3,
    }
}

fn sync(tracker: &str) -> Job {
    Job::of_tracker(tracker, JobKind::Sync)
}

/// A run of writes, of which some took effect.
fn write(store: &mut Store, tracker: &str) {
    let run = store.journal().begin_run(tracker, at(1), "3 writes").unwrap();
    let operations = [
        (JournalOperation::Clear, Outcome::Done),
        (JournalOperation::Relate(vec![PatchId(2)]), Outcome::Done),
        (JournalOperation::Relate(vec![PatchId(3)]), Outcome::Done),
        (JournalOperation::Relate(vec![PatchId(4)]), Outcome::Refused("no".to_owned())),
        (JournalOperation::CommitRef("abc".to_owned()), Outcome::Done),
    ];
    for (operation, outcome) in operations {
        let step = JournalStep {
            component: 0,
            patch: PatchId(1),
            operation,
        };
        let entry = store.journal().intend(run, &step, at(2)).unwrap();
        store.journal().settle(entry, &outcome, at(2)).unwrap();
    }
    store.journal().end_run(run, at(3), &RunOutcome::Completed).unwrap();
}

#[test]
fn a_run_counts_what_was_written_in_it_and_nothing_else() {
    let (_folder, mut store) = state();
    write(&mut store, "t");
    let run = store.begin_daemon_run(&sync("t"), at(0)).unwrap();
    write(&mut store, "t");
    write(&mut store, "other");
    let cycle = |clears, undone| Cycle {
        clears,
        undone,
        relates: 1,
        ..Cycle::default()
    };
    store.record_cycle("t", &cycle(9, 9), at(3)).unwrap();
    store.record_cycle("t", &cycle(1, 4), at(3)).unwrap();
    store.record_cycle("other", &cycle(7, 7), at(3)).unwrap();
    let ended = store.end_daemon_run(run, &end(DaemonOutcome::Changed), at(4), 10).unwrap();
    assert_eq!((ended.clears, ended.relates, ended.commit_refs), (1, 2, 1));
    assert_eq!((ended.drift, ended.undone), (Some(2), Some(4)));
    assert_eq!(ended.journal_run.map(|run| run.0), Some(2));
    assert_eq!(ended.ended, Some((at(4), end(DaemonOutcome::Changed))));
    assert_eq!(store.daemon_runs(None, 10).unwrap(), [ended]);
}

#[test]
fn a_run_whose_end_is_entered_late_counts_nothing_that_came_after_it() {
    let (_folder, mut store) = state();
    let [wrote, wrote_not] = [(); 2].map(|()| store.begin_daemon_run(&sync("t"), at(0)).unwrap());
    write(&mut store, "t");
    store.record_cycle("t", &Cycle::default(), at(3)).unwrap();
    let later = store.journal().begin_run("t", at(7), "1 write").unwrap();
    store.journal().end_run(later, at(8), &RunOutcome::Completed).unwrap();
    store
        .record_cycle(
            "t",
            &Cycle {
                clears: 9,
                ..Cycle::default()
            },
            at(8),
        )
        .unwrap();
    let ended = store.end_daemon_run(wrote, &end(DaemonOutcome::Changed), at(4), 10).unwrap();
    assert_eq!(
        (ended.journal_run.map(|run| run.0), ended.relates, ended.drift),
        (Some(1), 2, Some(0))
    );
    let ended = store.end_daemon_run(wrote_not, &end(DaemonOutcome::Failed), at(0), 10).unwrap();
    assert_eq!((ended.journal_run, ended.relates, ended.drift), (None, 0, None));
}

#[test]
fn a_run_ends_once() {
    let (_folder, mut store) = state();
    let run = store.begin_daemon_run(&sync("t"), at(0)).unwrap();
    store.end_daemon_run(run, &end(DaemonOutcome::Changed), at(1), 10).unwrap();
    for run in [run, DaemonRunId(99)] {
        let error = store.end_daemon_run(run, &end(DaemonOutcome::Changed), at(2), 10).unwrap_err();
        assert_eq!(error.to_string(), format!("run {run} of the daemon is not under way"));
    }
}

#[test]
fn of_each_job_so_many_runs_stay() {
    let (_folder, mut store) = state();
    let other = store.begin_daemon_run(&sync("other"), at(0)).unwrap();
    store.end_daemon_run(other, &end(DaemonOutcome::Changed), at(1), 2).unwrap();
    for _ in 0..5 {
        let run = store.begin_daemon_run(&sync("t"), at(0)).unwrap();
        store.end_daemon_run(run, &end(DaemonOutcome::Changed), at(1), 2).unwrap();
    }
    let numbers = |subject: Option<&JobSubject>| {
        store
            .daemon_runs(subject, 10)
            .unwrap()
            .iter()
            .map(|run| run.id.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(None), [6, 5, 1]);
    assert_eq!(numbers(Some(&JobSubject::Tracker("t".to_owned()))), [6, 5]);
    assert!(numbers(Some(&JobSubject::Distribution("t".to_owned()))).is_empty());
    assert_eq!(store.last_daemon_run(&sync("t")).unwrap().unwrap().id, DaemonRunId(6));
    assert_eq!(store.last_daemon_run(&Job::of_tracker("t", JobKind::Pull)).unwrap(), None);
}

#[test]
fn runs_that_an_earlier_daemon_left_are_cut_short_with_what_was_written_in_them() {
    let (_folder, mut store) = state();
    let run = store.begin_daemon_run(&sync("t"), at(0)).unwrap();
    write(&mut store, "t");
    assert_eq!(store.cut_short_daemon_runs(at(5)).unwrap(), [run]);
    let [left] = &store.daemon_runs(None, 10).unwrap()[..] else {
        panic!()
    };
    assert_eq!(left.ended.as_ref().unwrap().1.outcome, DaemonOutcome::CutShort);
    assert_eq!((left.clears, left.relates), (1, 2));
    assert_eq!(store.cut_short_daemon_runs(at(6)).unwrap(), []);
}

#[test]
fn jobs_are_kept_as_they_are_and_others_are_forgotten() {
    let (_folder, mut store) = state();
    let job = |job: Job, failures| DaemonJob {
        job,
        next_due: Some(at(9)),
        failures,
        told: "{\"failing\":true}".to_owned(),
    };
    let both = [job(sync("t"), 2), job(Job::of_distribution("d"), 0)];
    store.save_daemon_jobs(&both).unwrap();
    assert_eq!(store.daemon_jobs().unwrap(), both);
    let one = [job(sync("t"), 0)];
    store.save_daemon_jobs(&one).unwrap();
    assert_eq!(store.daemon_jobs().unwrap(), one);
}

#[test]
fn one_plan_of_a_tracker_waits_and_it_is_of_its_address() {
    let (_folder, mut store) = state();
    let waiting = |because, writes| WaitingPlan {
        run: DaemonRunId(1),
        planned_at: at(3),
        url: "https://example.org/".to_owned(),
        because,
        writes,
        plan: "{}".to_owned(),
    };
    for because in [WaitingBecause::PlanOnly, WaitingBecause::Guard, WaitingBecause::Quiet] {
        store.save_waiting_plan("t", Some(&waiting(because, 7))).unwrap();
        assert_eq!(store.waiting_plan("t", "https://example.org/").unwrap(), Some(waiting(because, 7)));
    }
    assert_eq!(store.waiting_plan("t", "https://elsewhere.example.org/").unwrap(), None);
    assert_eq!(store.waiting_plan("other", "https://example.org/").unwrap(), None);
    store.save_waiting_plan("t", None).unwrap();
    assert_eq!(store.waiting_plan("t", "https://example.org/").unwrap(), None);
}

#[test]
fn who_finds_the_daemon_in_the_middle_of_a_run_is_told_to_wait_for_the_run_and_not_for_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |by_daemon: bool| {
        let error = Store::open(folder.path()).unwrap_err();
        assert!(
            matches!(error, StoreError::InUse { is_daemon, .. } if is_daemon == by_daemon),
            "{error:?}"
        );
        error.remedy().unwrap()
    };
    let at_work = open(folder.path());
    assert!(refused(false).starts_with("wait until process "));
    let lock = DaemonLock::acquire(folder.path(), at(0)).unwrap();
    assert_eq!(
        refused(true),
        "the daemon is in the middle of a run; try again when it is over, `kinset status` shows it"
    );
    drop(lock);
    // A number alone says nothing: it may have been given to another process since.
    fs::write(
        folder.path().join("daemon.lock"),
        format!("{}\nkinset daemon\n", std::process::id()),
    )
    .unwrap();
    refused(false);
    drop(at_work);
}

#[test]
fn a_state_has_one_daemon_and_others_work_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let lock = DaemonLock::acquire(&state, at(0)).unwrap();
    drop(open(&state));
    let error = DaemonLock::acquire(&state, at(1)).unwrap_err();
    assert!(matches!(error, StoreError::DaemonRuns { .. }), "{error}");
    let told = error.to_string();
    assert!(told.starts_with(&format!("process {} (", std::process::id())), "{told}");
    assert!(
        told.contains(", since 2026-06-10T12:00:00Z) is the daemon of the state in "),
        "{told}"
    );
    drop(lock);
    // A process that another test has just started may have a copy of the lock for a moment.
    let free = (0..100_000).any(|_| {
        std::thread::yield_now();
        DaemonLock::acquire(&state, at(2)).is_ok()
    });
    assert!(free);
}
