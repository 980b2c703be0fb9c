//! The daemon over hours of its schedule, with a clock that goes as fast as there is nothing to do. Runs are real ones, on a simulated Patchwork.

use std::fs;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::HOST;
use jiff::{SignedDuration, Timestamp};
use kinset::config::Config;
use kinset::daemon::http::{Manners, Sight, router};
use kinset::daemon::{Heart, LiveDocument, Start, Supervisor, run};
use kinset::model::JobKind;
use kinset::reconcile::{Clock, Shutdown};
use kinset::store::{DaemonOutcome, DaemonRun, Store};
use kinset::tracker::simulator::{Fault, FaultKind, When};
use rusqlite::Connection;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

use crate::client_support::Log;
use crate::support::older::put_back_to_version_8;
use crate::support::rig::{Rig, Terms, open};
use crate::support::town::{classes, groups, town};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A clock of a test's own: tokio's, and as many seconds more as somebody has set it by.
macro_rules! own_clock {
    () => {{
        static SET_BY: AtomicI64 = AtomicI64::new(0);
        fn clock() -> Timestamp {
            static FIRST_LOOK: OnceLock<Instant> = OnceLock::new();
            let gone = FIRST_LOOK.get_or_init(Instant::now).elapsed();
            let start: Timestamp = "2026-06-10T08:00:30Z".parse().unwrap();
            start + gone + SignedDuration::from_secs(SET_BY.load(Ordering::Relaxed))
        }
        (clock as Clock, &SET_BY)
    }};
}

/// Keeps tokio's clock where it is while a run is under way: what it waits for is real.
#[derive(Debug, Default)]
struct Hold {
    run: Mutex<Option<mpsc::Sender<()>>>,
    statuses: Mutex<Vec<String>>,
}

impl Supervisor for Hold {
    fn ready(&self) {}
    fn reloading(&self) {}
    fn stopping(&self) {}

    fn status(&self, status: &str) {
        self.statuses.lock().unwrap().push(status.to_owned());
        let mut run = self.run.lock().unwrap();
        if status.starts_with("run ") {
            let (release, released) = mpsc::channel::<()>();
            // The clock does not go on by itself while such a task is there. It is released by being dropped.
            tokio::task::spawn_blocking(move || released.recv().unwrap_err());
            *run = Some(release);
        } else {
            *run = None;
        }
    }

    fn beat(&self) {}

    fn patience(&self) -> Option<Duration> {
        None
    }
}

/// What the daemon of a test left behind.
struct Left {
    runs: Vec<DaemonRun>,
    statuses: Vec<String>,
}

impl Left {
    fn outcomes(&self, kind: JobKind) -> Vec<DaemonOutcome> {
        let of_kind = self.runs.iter().filter(|run| run.job.kind == kind);
        of_kind.filter_map(|run| Some(run.ended.as_ref()?.1.outcome)).collect()
    }
}

/// Whom the daemon of a test tells how things stand.
struct Visitor(Router);

impl Visitor {
    async fn told(&self, path: &str) -> String {
        let request = Request::get(path).header(HOST, "localhost").body(Body::empty()).unwrap();
        let answer = self.0.clone().oneshot(request).await.unwrap();
        let body = to_bytes(answer.into_body(), 32 << 20).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }
}

/// Lets the daemon work until a story is told. Its runs come in their order.
fn daemon_during(rig: &Rig, clock: Clock, story: impl AsyncFnOnce()) -> Left {
    daemon_told(rig, clock, async |_| story().await)
}

/// The same, for a story in which somebody asks how things stand.
fn daemon_told(rig: &Rig, clock: Clock, story: impl AsyncFnOnce(Visitor)) -> Left {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let supervisor = Arc::new(Hold::default());
    runtime.block_on(async {
        let (request, shutdown) = Shutdown::new();
        let (_reloads, reloaded) = watch::channel(None);
        let (live, seen) = watch::channel(LiveDocument::default());
        let heart = Arc::new(Heart::new(Arc::clone(&supervisor) as Arc<dyn Supervisor>));
        let sight = Sight {
            config: Arc::new(rig.config.clone()),
            reloads: reloaded.clone(),
            live: seen,
            heart: Arc::clone(&heart),
            clock,
        };
        let start = Start {
            config: rig.config.clone(),
            clock,
            seed: 7,
            supervisor: heart,
            shutdown,
            reloads: reloaded,
            live,
        };
        let story = async {
            story(Visitor(router(sight, Manners::ThisMachine))).await;
            request.send_replace(true);
        };
        let (worked, ()) = tokio::join!(run(start), story);
        worked.unwrap();
    });
    let mut runs = rig.state().daemon_runs(None, 1000).unwrap();
    runs.reverse();
    let statuses = supervisor.statuses.lock().unwrap().clone();
    Left { runs, statuses }
}

fn terms(sync: &'static str, tables: &'static str) -> Terms {
    Terms {
        sync,
        tables,
        limits: "patience_seconds = 0",
        ..Terms::default()
    }
}

const OFTEN: &str =
    "[tracker.schedule]\npull = \"*/10 * * * *\"\nsync = \"5 * * * *\"\nsweep = \"30 */4 * * *\"\n[daemon]\njitter_seconds = 20\n";

#[test]
fn eight_hours_bring_each_job_as_often_as_its_rule_says_and_the_tracker_to_rest() {
    let rig = Rig::serving(&town(&[&[1, 2, 3]]), terms("apply", OFTEN));
    rig.want("1 2\n4 5\n");
    let (clock, _) = own_clock!();
    let left = daemon_during(&rig, clock, async || {
        // Between a sync and a pull.
        sleep(3 * HOUR + HOUR / 10).await;
        rig.want("1 2\n4 5 6\n");
        rig.human_writes(20, &[19]);
        sleep(5 * HOUR - HOUR / 10).await;
    });
    let count = |kind, outcome| left.outcomes(kind).iter().filter(|found| **found == outcome).count();
    use DaemonOutcome::{Changed, NothingToDo};
    assert_eq!((count(JobKind::Sync, Changed), count(JobKind::Sync, NothingToDo)), (2, 6));
    assert_eq!(
        (count(JobKind::Pull, Changed), count(JobKind::Pull, NothingToDo)),
        (1, 47),
        "somebody wrote once"
    );
    assert_eq!(left.outcomes(JobKind::Sweep).len(), 2);
    assert_eq!(left.runs.len(), 58);
    let writes: u64 = left.runs.iter().map(DaemonRun::writes).sum();
    assert_eq!(writes as usize, rig.own_writes().0 + rig.own_writes().1);
    assert!(left.runs.iter().any(|run| run.journal_run == Some(rig.last_run().id)));
    rig.assert_at_rest(&classes(&[&[1, 2], &[4, 5, 6]]));
}

#[test]
fn a_clock_that_is_set_back_or_forward_brings_neither_silence_nor_a_burst() {
    let rig = Rig::serving(&town(&[]), terms("plan-only", OFTEN));
    rig.want("1 2\n");
    let (clock, set_by) = own_clock!();
    let syncs = || {
        let runs = rig.state().daemon_runs(None, 1000).unwrap();
        runs.iter().filter(|run| run.job.kind == JobKind::Sync).count()
    };
    let (log, _listening) = Log::listen();
    daemon_told(&rig, clock, async |visitor| {
        sleep(2 * HOUR).await;
        assert_eq!(syncs(), 2);
        set_by.fetch_sub(6 * 60 * 60, Ordering::Relaxed);
        sleep(2 * HOUR).await;
        assert_eq!(syncs(), 4);
        let back = "the clock was set back by 6h; what is due was reckoned anew";
        assert!(visitor.told("/").await.contains(back));
        assert!(
            visitor
                .told("/metrics")
                .await
                .contains("kinset_clock_set_total{direction=\"back\"} 1\n")
        );
        set_by.fetch_add(30 * 24 * 60 * 60, Ordering::Relaxed);
        sleep(HOUR).await;
        assert_eq!(syncs(), 6, "once for all that was passed over, and once for the hour");
        let forward = "the clock was set forward by 720h, or the machine slept; what was passed over is done once";
        assert!(visitor.told("/").await.contains(forward));
        assert!(
            visitor
                .told("/metrics")
                .await
                .contains("kinset_clock_set_total{direction=\"forward\"} 1\n")
        );
        let told: Vec<String> = log.warnings().into_iter().filter(|line| line.contains("the clock")).collect();
        assert!(
            matches!(&told[..], [first, second] if first.contains(back) && second.contains(forward)),
            "{told:?}"
        );
    });
    assert_eq!(rig.own_writes(), (0, 0));
}

#[test]
fn that_the_clock_was_set_is_told_for_a_day() {
    let tables = "[tracker.schedule]\nsweep = \"30 8 * * *\"\n[daemon]\njitter_seconds = 0\n";
    let rig = Rig::serving(&town(&[]), terms("plan-only", tables));
    rig.want("1 2\n");
    let (clock, set_by) = own_clock!();
    // Whoever comes first to a line of the log and does not listen silences it for another test that does.
    let (_log, _listening) = Log::listen();
    daemon_told(&rig, clock, async |visitor| {
        sleep(HOUR).await;
        assert!(!visitor.told("/").await.contains("the clock was set"));
        set_by.fetch_sub(60, Ordering::Relaxed);
        sleep(23 * HOUR).await;
        let page = visitor.told("/").await;
        assert!(
            page.contains("<h1>All is well</h1>") && page.contains("the clock was set back by 1m; "),
            "{page}"
        );
        sleep(2 * HOUR).await;
        assert!(!visitor.told("/").await.contains("the clock was set"));
    });
}

#[test]
fn a_tracker_that_is_down_for_an_hour_is_asked_ever_more_rarely_and_all_mends_itself() {
    let tables =
        "[tracker.schedule]\nsync = \"*/5 * * * *\"\n[daemon]\njitter_seconds = 0\nbackoff_seconds = 60\nmax_backoff_seconds = 1200\n";
    let rig = Rig::serving(&town(&[]), terms("apply", tables));
    rig.want("1 2\n");
    let (clock, _) = own_clock!();
    let down = [Fault::new(FaultKind::status(503), When::Every(std::num::NonZeroU64::MIN))];
    let left = daemon_told(&rig, clock, async |visitor| {
        sleep(HOUR / 2).await;
        rig.simulator().set_faults(down);
        rig.want("1 2 3\n");
        sleep(HOUR).await;
        let page = visitor.told("/").await;
        assert!(
            page.contains("<h1>1 thing needs a person</h1>") && page.contains("times in a row"),
            "{page}"
        );
        rig.simulator().set_faults([]);
        sleep(HOUR).await;
        assert!(visitor.told("/").await.contains("<h1>All is well</h1>"));
    });
    let outcomes = left.outcomes(JobKind::Sync);
    let failed = outcomes.iter().filter(|outcome| **outcome == DaemonOutcome::Failed).count();
    assert!((4..=8).contains(&failed), "{failed} failures in an hour: {outcomes:?}");
    assert_eq!(outcomes.last(), Some(&DaemonOutcome::NothingToDo));
    let begun: Vec<Timestamp> = left.runs.iter().map(|run| run.began_at).collect();
    let longest = begun.windows(2).map(|pair| pair[1].duration_since(pair[0])).max().unwrap();
    assert!(longest <= SignedDuration::from_mins(21), "{longest:?}");
    let failure = left.runs.iter().find_map(|run| run.ended.as_ref()?.1.message.clone()).unwrap();
    assert!(failure.contains("503"), "{failure}");
    assert!(
        left.statuses.iter().any(|status| status.starts_with("1 job fails; next: sync")),
        "{:?}",
        left.statuses
    );
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

#[test]
fn nothing_is_written_in_a_quiet_time_and_what_waited_is_written_after_it() {
    let tables = "[tracker.schedule]\nsync = \"5 * * * *\"\nquiet = [\"10:00-12:00\"]\n[daemon]\njitter_seconds = 0\n";
    let rig = Rig::serving(&town(&[]), terms("apply", tables));
    rig.want("1 2\n");
    let (clock, _) = own_clock!();
    let left = daemon_during(&rig, clock, async || {
        sleep(2 * HOUR).await;
        rig.want("1 2 3\n");
        sleep(2 * HOUR).await;
        assert_eq!(rig.own_writes(), (0, 1));
        let waiting = rig.state().waiting_plan("pw", rig.tracker().url.as_str()).unwrap().unwrap();
        assert_eq!((waiting.because.as_str(), waiting.writes), ("quiet", 1));
        sleep(HOUR).await;
    });
    use DaemonOutcome::{Changed, NothingToDo, Waiting};
    assert_eq!(left.outcomes(JobKind::Sync), [Changed, NothingToDo, Waiting, Waiting, Changed]);
    assert_eq!(rig.state().waiting_plan("pw", rig.tracker().url.as_str()).unwrap(), None);
    rig.assert_at_rest(&classes(&[&[1, 2, 3]]));
}

#[test]
fn whoever_works_on_the_state_goes_first_and_the_daemon_says_whom_it_waits_for() {
    let rig = Rig::serving(&town(&[]), terms("apply", OFTEN));
    rig.want("1 2\n");
    let (clock, _) = own_clock!();
    let left = daemon_during(&rig, clock, async || {
        // Until the daemon has looked what there is.
        sleep(Duration::from_secs(60)).await;
        let store = open(&rig.config.state_dir);
        sleep(HOUR).await;
        drop(store);
        sleep(HOUR / 60).await;
    });
    assert_eq!(left.outcomes(JobKind::Sync), [DaemonOutcome::Changed]);
    let waits = format!("waits for process {}", std::process::id());
    assert!(left.statuses.iter().any(|status| status.starts_with(&waits)), "{:?}", left.statuses);
    assert!(left.runs.iter().all(|run| run.began_at >= "2026-06-10T09:01:00Z".parse().unwrap()));
}

#[test]
fn whoever_works_on_a_state_of_an_older_version_is_waited_for_and_no_run_is_needed_to_bring_it_up_to_date() {
    let rig = Rig::serving(&town(&[]), terms("apply", OFTEN));
    rig.want("1 2\n");
    let store = open(&rig.config.state_dir);
    put_back_to_version_8(&rig.config.state_dir);
    let (clock, _) = own_clock!();
    let left = daemon_during(&rig, clock, async || {
        sleep(Duration::from_secs(60)).await;
        assert!(Store::open_read_only(&rig.config.state_dir).is_err());
        drop(store);
        sleep(Duration::from_secs(60)).await;
        assert!(rig.state().daemon_runs(None, 1).unwrap().is_empty());
    });
    let waits = format!("waits for process {}", std::process::id());
    assert!(left.statuses.first().unwrap().starts_with(&waits), "{:?}", left.statuses);
    assert!(left.statuses.last().unwrap().starts_with("next"), "{:?}", left.statuses);
}

#[test]
fn failures_before_and_after_a_restart_are_in_a_row_though_the_state_cannot_be_read_at_first() {
    let rig = Rig::serving(&town(&[]), terms("apply", "[tracker.schedule]\nsync = \"5 * * * *\"\n"));
    rig.want("1 2\n");
    let down = [Fault::new(FaultKind::status(503), When::Every(std::num::NonZeroU64::MIN))];
    rig.simulator().set_faults(down);
    let (clock, _) = own_clock!();
    let before = daemon_during(&rig, clock, async || sleep(2 * HOUR).await).runs.len();
    assert!(before > 1, "{before}");
    let (database, aside) = (rig.config.state_dir.join("kinset.sqlite3"), rig.file("aside"));
    fs::rename(&database, &aside).unwrap();
    fs::create_dir(&database).unwrap();
    let (clock, _) = own_clock!();
    let left = daemon_during(&rig, clock, async || {
        sleep(Duration::from_secs(30)).await;
        fs::remove_dir(&database).unwrap();
        fs::rename(&aside, &database).unwrap();
        sleep(2 * HOUR).await;
    });
    assert!(left.runs.len() > before);
    assert_eq!(left.outcomes(JobKind::Sync), vec![DaemonOutcome::Failed; left.runs.len()]);
    assert_eq!(rig.state().daemon_jobs().unwrap()[0].failures as usize, left.runs.len());
}

#[test]
fn what_cannot_be_read_after_a_run_is_not_told_as_something_that_cannot_be_recorded() {
    let tables = "[tracker.schedule]\npull = \"*/10 * * * *\"\n[daemon]\njitter_seconds = 0\n";
    let rig = Rig::serving(&town(&[]), terms("plan-only", tables));
    drop(open(&rig.config.state_dir));
    let database = Connection::open(rig.config.state_dir.join("kinset.sqlite3")).unwrap();
    database.execute_batch("DROP TABLE waiting_plan").unwrap();
    let (clock, _) = own_clock!();
    let (log, _listening) = Log::listen();
    let left = daemon_told(&rig, clock, async |visitor| {
        sleep(HOUR / 4).await;
        assert!(visitor.told("/metrics").await.contains("kinset_unrecorded_runs 0.0\n"));
    });
    assert_eq!(left.outcomes(JobKind::Pull), [DaemonOutcome::NothingToDo]);
    assert!(log.text().contains("how the tracker stands cannot be read"), "{}", log.text());
}

#[test]
fn a_state_that_cannot_be_opened_is_a_failure_and_mends_itself() {
    let rig = Rig::serving(&town(&[]), terms("apply", OFTEN));
    rig.want("1 2\n");
    let database = rig.config.state_dir.join("kinset.sqlite3");
    let (clock, _) = own_clock!();
    let left = daemon_during(&rig, clock, async || {
        fs::create_dir_all(&database).unwrap();
        sleep(2 * HOUR).await;
        fs::remove_dir(&database).unwrap();
        sleep(2 * HOUR).await;
    });
    assert!(
        left.statuses.iter().any(|status| status.starts_with("3 jobs fail; next")),
        "{:?}",
        left.statuses
    );
    assert!(left.outcomes(JobKind::Sync).contains(&DaemonOutcome::Changed));
    assert!(left.statuses.last().unwrap().starts_with("next"), "{:?}", left.statuses.last());
    rig.assert_at_rest(&classes(&[&[1, 2]]));
}

#[test]
fn a_guard_that_trips_is_a_refusal_and_its_plan_waits() {
    let rig = Rig::serving(
        &town(&[&[1, 2], &[3, 4]]),
        Terms {
            guard: "min_clears = 1\nmax_clear_fraction = 0",
            ..terms("apply", OFTEN)
        },
    );
    rig.want("1 2\n");
    let (clock, _) = own_clock!();
    let left = daemon_during(&rig, clock, async || sleep(2 * HOUR).await);
    assert_eq!(left.outcomes(JobKind::Sync), [DaemonOutcome::Refused; 2]);
    let (_, end) = left
        .runs
        .iter()
        .find(|run| run.job.kind == JobKind::Sync)
        .unwrap()
        .ended
        .clone()
        .unwrap();
    assert!(end.guards.contains("\"max_clear_fraction\""), "{}", end.guards);
    assert!(end.remedy.is_some());
    let waiting = rig.state().waiting_plan("pw", rig.tracker().url.as_str()).unwrap().unwrap();
    assert_eq!(waiting.because.as_str(), "guard");
    assert_eq!(rig.own_writes(), (0, 0));
}

#[test]
fn as_many_runs_are_kept_as_the_configuration_says() {
    let tables = "[tracker.schedule]\npull = \"* * * * *\"\n[daemon]\njitter_seconds = 0\nkeep_runs = 5\n";
    let rig = Rig::serving(&town(&[]), terms("plan-only", tables));
    rig.want(&groups(&classes(&[&[1, 2]])));
    let (clock, _) = own_clock!();
    let left = daemon_during(&rig, clock, async || sleep(HOUR / 6).await);
    let numbers: Vec<u64> = left.runs.iter().map(|run| run.id.0).collect();
    assert_eq!(numbers, [6, 7, 8, 9, 10]);
}

#[test]
fn a_daemon_with_nothing_to_do_or_beside_another_does_not_begin() {
    let rig = Rig::serving(&town(&[]), terms("plan-only", OFTEN));
    rig.want("1 2\n");
    let (clock, _) = own_clock!();
    let begin = |config: Config| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (_request, shutdown) = Shutdown::new();
        let start = Start {
            config,
            clock,
            seed: 7,
            supervisor: Arc::new(Hold::default()),
            shutdown,
            reloads: watch::channel(None).1,
            live: watch::channel(LiveDocument::default()).0,
        };
        runtime.block_on(run(start)).unwrap_err().to_string()
    };
    let mut idle = rig.config.clone();
    idle.trackers[0].schedule = kinset::config::TrackerSchedule::default();
    assert!(begin(idle).ends_with("has no schedule, so there is nothing to do"));
    let _lock = kinset::store::DaemonLock::acquire(&rig.config.state_dir, clock()).unwrap();
    assert_eq!(begin(rig.config.clone()), "the daemon cannot look after the state");
    assert!(Store::open_read_only(&rig.config.state_dir).is_err(), "nothing was made");
}
