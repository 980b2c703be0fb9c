//! How things stand over HTTP: who may ask, how, and what is answered when something is wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::HOST;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use kinset::daemon::http::{Manners, accept, bind};
use kinset::daemon::{Requests, Supervisor as _};
use kinset::http::RequestOutcome;
use kinset::model::{Job, JobKind};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use super::support::watched::Watched;

/// What came back.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Watched {
    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.ask(Method::GET, path, &[("host", "localhost:7319")]).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Seen {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 32 << 20).await.unwrap();
        Seen {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Lets so much time pass that somebody looks again whether something has changed.
    pub(crate) async fn later(&self) {
        tokio::time::advance(Duration::from_millis(150)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn only_get_and_head_are_answered_wherever_it_is() {
    let watched = Watched::filled();
    for path in ["/", "/metrics", "/nowhere", "/trackers/kernel"] {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let seen = watched.ask(method.clone(), path, &[("host", "localhost")]).await;
            assert_eq!(
                (seen.status, seen.header("allow")),
                (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"),
                "{method} {path}"
            );
        }
    }
    let head = watched.ask(Method::HEAD, "/", &[("host", "localhost")]).await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
}

#[tokio::test(start_paused = true)]
async fn a_question_to_another_host_learns_nothing() {
    let watched = Watched::filled();
    for hosts in [
        &[("host", "evil.example")][..],
        &[("host", "evil.example:7319")],
        &[("host", "localhost.evil.example")],
        &[],
        &[("host", "localhost"), ("host", "evil.example")],
    ] {
        for path in ["/", "/api/status", "/metrics", "/healthz"] {
            let seen = watched.ask(Method::GET, path, hosts).await;
            assert_eq!(seen.status, StatusCode::MISDIRECTED_REQUEST, "{hosts:?}");
            assert!(!seen.body.contains("kernel"), "{}", seen.body);
        }
    }
    for host in ["127.0.0.1:7319", "[::1]:7319", "localhost"] {
        assert_eq!(
            watched.ask(Method::GET, "/", &[("host", host)]).await.status,
            StatusCode::OK,
            "{host}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_too_long_and_one_that_leads_nowhere_are_pages_with_a_way_on() {
    let watched = Watched::filled();
    let long = format!("/trackers/kernel?runs={}", "1".repeat(3000));
    for (path, status) in [
        (long.as_str(), StatusCode::URI_TOO_LONG),
        ("/nowhere", StatusCode::NOT_FOUND),
        ("/trackers/none", StatusCode::NOT_FOUND),
        ("/trackers/kernel/runs/999999", StatusCode::NOT_FOUND),
        ("/trackers/kernel/runs/x", StatusCode::BAD_REQUEST),
        ("/trackers/kernel/patches/999999", StatusCode::NOT_FOUND),
        ("/trackers/kernel?runs=x", StatusCode::BAD_REQUEST),
        ("/trackers/%ff", StatusCode::BAD_REQUEST),
        ("/distributions/none", StatusCode::NOT_FOUND),
        ("/distributions/none/timeline.svg", StatusCode::NOT_FOUND),
        ("/distributions/ubuntu/series/none/sets", StatusCode::NOT_FOUND),
        ("/distributions/ubuntu/series/noble/sets/none", StatusCode::NOT_FOUND),
        ("/distributions/ubuntu/who?who=ann", StatusCode::BAD_REQUEST),
        (
            "/distributions/ubuntu/who?action=upload&series=noble&package=none",
            StatusCode::NOT_FOUND,
        ),
        ("/style/0.css", StatusCode::NOT_FOUND),
    ] {
        let seen = watched.get(path).await;
        assert_eq!(seen.status, status, "{path}: {}", seen.body);
        assert!(
            seen.body.contains("<h1>") && seen.body.contains("href=\"/\""),
            "{path}: {}",
            seen.body
        );
    }
    insta::assert_snapshot!(watched.get("/trackers/none").await.body.split_once("<main").unwrap().1, @r#" id="main" tabindex="-1"><h1>There is no such tracker</h1><p class="lead">there is no tracker none.</p><p><strong>What to do: </strong>The overview names those of the configuration.</p><p><a href="/">Overview of all that there is</a></p></main><footer><p>kinset 0.1.0. All times are in UTC.</p></footer></body></html>"#);
}

/// What a metric is called, of each of its lines.
fn families(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(['{', ' ']).next().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn numbers_are_told_in_both_forms_and_say_what_they_are() {
    let watched = Watched::filled();
    let open = [("host", "localhost"), ("accept", "application/openmetrics-text; version=1.0.0")];
    let open = watched.ask(Method::GET, "/metrics", &open).await;
    assert_eq!(
        open.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(open.body.ends_with("\n# EOF\n"), "{}", open.body);
    let classic = watched.get("/metrics").await;
    assert_eq!(classic.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(!classic.body.contains("# EOF") && classic.body.ends_with('\n'));
    assert_eq!(families(&open.body), families(&classic.body));
    let scrape = prometheus_parse::Scrape::parse(classic.body.lines().map(|line| Ok(line.to_owned()))).unwrap();
    let failures = scrape
        .samples
        .iter()
        .find(|sample| sample.metric == "kinset_failures_in_a_row" && sample.labels.get("name") == Some("qemu"));
    assert_eq!(failures.map(|sample| &sample.value), Some(&prometheus_parse::Value::Gauge(3.0)));
    insta::assert_snapshot!(classic.body, @r#"
    # HELP process_start_time_seconds When the process began, in seconds since 1970.
    # TYPE process_start_time_seconds gauge
    process_start_time_seconds 1795194000.0
    # HELP kinset_build_info What this is.
    # TYPE kinset_build_info gauge
    kinset_build_info{version="0.1.0"} 1
    # HELP kinset_run_under_way Whether something is being done at this moment.
    # TYPE kinset_run_under_way gauge
    kinset_run_under_way 0.0
    # HELP kinset_failed_requests_in_a_row How often in a row the run under way asked its tracker, or one of its sources, in vain.
    # TYPE kinset_failed_requests_in_a_row gauge
    kinset_failed_requests_in_a_row 0.0
    # HELP kinset_worker_silence_seconds How long the worker has given no sign of life.
    # TYPE kinset_worker_silence_seconds gauge
    kinset_worker_silence_seconds 0.0
    # HELP kinset_worker_alive Whether the worker gives signs of life as often as it has to.
    # TYPE kinset_worker_alive gauge
    kinset_worker_alive 1.0
    # HELP kinset_unrecorded_runs How many times in a row the state could not be told what was done.
    # TYPE kinset_unrecorded_runs gauge
    kinset_unrecorded_runs 0.0
    # HELP kinset_clock_set_total How often the clock was set, or the machine slept, by direction.
    # TYPE kinset_clock_set_total counter
    kinset_clock_set_total{direction="back"} 0
    kinset_clock_set_total{direction="forward"} 0
    # HELP kinset_configuration_refused Whether the configuration that was read last was refused and an older one is in effect.
    # TYPE kinset_configuration_refused gauge
    kinset_configuration_refused 0.0
    # HELP kinset_configuration_reloads_total How often the configuration was read again, by what came of it.
    # TYPE kinset_configuration_reloads_total counter
    kinset_configuration_reloads_total{outcome="refused"} 0
    kinset_configuration_reloads_total{outcome="taken"} 0
    # HELP kinset_failures_in_a_row How often a job failed in a row.
    # TYPE kinset_failures_in_a_row gauge
    kinset_failures_in_a_row{subject="distribution",name="ubuntu",job="pull"} 0.0
    kinset_failures_in_a_row{subject="tracker",name="kernel",job="pull"} 0.0
    kinset_failures_in_a_row{subject="tracker",name="kernel",job="sync"} 0.0
    kinset_failures_in_a_row{subject="tracker",name="qemu",job="sync"} 3.0
    # HELP kinset_next_due_timestamp_seconds When a job is due next, in seconds since 1970.
    # TYPE kinset_next_due_timestamp_seconds gauge
    kinset_next_due_timestamp_seconds{subject="distribution",name="ubuntu",job="pull"} 1795233600.0
    kinset_next_due_timestamp_seconds{subject="tracker",name="kernel",job="pull"} 1795230420.0
    kinset_next_due_timestamp_seconds{subject="tracker",name="kernel",job="sync"} 1795230300.0
    kinset_next_due_timestamp_seconds{subject="tracker",name="qemu",job="sync"} 1795231200.0
    # HELP kinset_held Whether another kinset keeps a job from the state.
    # TYPE kinset_held gauge
    kinset_held{subject="distribution",name="ubuntu",job="pull"} 0.0
    kinset_held{subject="tracker",name="kernel",job="pull"} 0.0
    kinset_held{subject="tracker",name="kernel",job="sync"} 0.0
    kinset_held{subject="tracker",name="qemu",job="sync"} 0.0
    # HELP kinset_failed_notices How often nobody could be told what a person should know of a job.
    # TYPE kinset_failed_notices gauge
    kinset_failed_notices{subject="distribution",name="ubuntu",job="pull"} 0.0
    kinset_failed_notices{subject="tracker",name="kernel",job="pull"} 0.0
    kinset_failed_notices{subject="tracker",name="kernel",job="sync"} 0.0
    kinset_failed_notices{subject="tracker",name="qemu",job="sync"} 0.0
    # HELP kinset_runs_total Runs of a job since the process began, by what they came to.
    # TYPE kinset_runs_total counter
    kinset_runs_total{subject="distribution",name="ubuntu",job="pull",outcome="nothing-to-do"} 1
    kinset_runs_total{subject="distribution",name="ubuntu",job="pull",outcome="refused"} 1
    kinset_runs_total{subject="tracker",name="kernel",job="pull",outcome="changed"} 32
    kinset_runs_total{subject="tracker",name="kernel",job="sync",outcome="waiting"} 34
    kinset_runs_total{subject="tracker",name="qemu",job="sync",outcome="failed"} 32
    # HELP kinset_guards_tripped_total How often a guard tripped, by the key that sets its limit.
    # TYPE kinset_guards_tripped_total counter
    kinset_guards_tripped_total{subject="distribution",name="ubuntu",job="pull",guard="max_removed_fraction"} 1
    # HELP kinset_changes_total What a job found other than before: patches, or things that services said.
    # TYPE kinset_changes_total counter
    kinset_changes_total{subject="distribution",name="ubuntu",job="pull"} 4
    kinset_changes_total{subject="tracker",name="kernel",job="pull"} 64
    kinset_changes_total{subject="tracker",name="kernel",job="sync"} 68
    kinset_changes_total{subject="tracker",name="qemu",job="sync"} 64
    # HELP kinset_last_success_timestamp_seconds When a job last came to a good end, in seconds since 1970.
    # TYPE kinset_last_success_timestamp_seconds gauge
    kinset_last_success_timestamp_seconds{subject="distribution",name="ubuntu",job="pull"} 1795147241.0
    kinset_last_success_timestamp_seconds{subject="tracker",name="kernel",job="pull"} 1795113041.0
    kinset_last_success_timestamp_seconds{subject="tracker",name="kernel",job="sync"} 1795107941.0
    # HELP kinset_run_duration_seconds_total How long the runs of a job took together.
    # TYPE kinset_run_duration_seconds_total counter
    kinset_run_duration_seconds_total{subject="distribution",name="ubuntu",job="pull"} 82.0
    kinset_run_duration_seconds_total{subject="tracker",name="kernel",job="pull"} 1312.0
    kinset_run_duration_seconds_total{subject="tracker",name="kernel",job="sync"} 1394.0
    kinset_run_duration_seconds_total{subject="tracker",name="qemu",job="sync"} 1312.0
    # HELP kinset_writes_total Writes that took effect on a tracker since the process began, by kind.
    # TYPE kinset_writes_total counter
    kinset_writes_total{tracker="kernel",kind="clear"} 0
    kinset_writes_total{tracker="kernel",kind="commit"} 0
    kinset_writes_total{tracker="kernel",kind="relate"} 0
    kinset_writes_total{tracker="qemu",kind="clear"} 0
    kinset_writes_total{tracker="qemu",kind="commit"} 0
    kinset_writes_total{tracker="qemu",kind="relate"} 0
    # HELP kinset_waiting_plan_writes How many writes the plan takes that waits, 0 where none does.
    # TYPE kinset_waiting_plan_writes gauge
    kinset_waiting_plan_writes{tracker="kernel"} 0.0
    kinset_waiting_plan_writes{tracker="qemu"} 0.0
    "#);
}

#[tokio::test(start_paused = true)]
async fn requests_are_told_as_they_are_made_by_job_source_and_outcome() {
    let watched = Watched::filled();
    for (job, source, outcome) in [
        (Job::of_tracker("kernel", JobKind::Sync), None, RequestOutcome::Success),
        (Job::of_distribution("ubuntu"), Some("launchpad"), RequestOutcome::Success),
        (Job::of_distribution("ubuntu"), Some("launchpad"), RequestOutcome::Success),
        (Job::of_distribution("ubuntu"), Some("launchpad"), RequestOutcome::TimedOut),
        (Job::of_distribution("ubuntu"), Some("dates"), RequestOutcome::Unchanged),
    ] {
        let source = source.map(str::to_owned);
        watched.heart.requested(Requests { job, source, outcome });
    }
    let numbers = watched.get("/metrics").await.body;
    let (_, numbers) = numbers.split_once("# TYPE kinset_requests_total counter\n").unwrap();
    insta::assert_snapshot!(numbers.split_once('#').unwrap().0, @r#"
    kinset_requests_total{subject="distribution",name="ubuntu",job="pull",source="dates",outcome="unchanged"} 1
    kinset_requests_total{subject="distribution",name="ubuntu",job="pull",source="launchpad",outcome="success"} 2
    kinset_requests_total{subject="distribution",name="ubuntu",job="pull",source="launchpad",outcome="timed-out"} 1
    kinset_requests_total{subject="tracker",name="kernel",job="sync",outcome="success"} 1
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_stuck_is_told_by_everything() {
    let watched = Watched::filled();
    assert_eq!(watched.get("/healthz").await.json()["alive"], true);
    assert_eq!(watched.get("/readyz").await.status, StatusCode::OK);
    tokio::time::advance(Duration::from_secs(600)).await;
    let seen = watched.get("/healthz").await;
    assert_eq!(
        (seen.status, seen.body.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "{\"alive\":false,\"silence_seconds\":600}\n")
    );
    assert!(watched.get("/").await.body.contains("no sign of life for more than 600 s"));
    assert!(watched.get("/metrics").await.body.contains("\nkinset_worker_alive 0.0\n"));
    let ready = watched.get("/readyz").await;
    assert_eq!(
        (ready.status, &ready.json()["ready"]),
        (StatusCode::SERVICE_UNAVAILABLE, &Value::from(false))
    );
    watched.heart.beat();
    watched.later().await;
    assert_eq!(watched.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(watched.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_was_refused_is_told_until_another_is_taken() {
    let watched = Watched::filled();
    watched.heart.reloaded(Some("line 3 is wrong"));
    assert!(
        watched
            .get("/")
            .await
            .body
            .contains("refused, so the old one is in effect: line 3 is wrong")
    );
    assert_eq!(watched.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(watched.get("/metrics").await.body.contains("\nkinset_configuration_refused 1.0\n"));
    watched.heart.reloaded(None);
    watched.later().await;
    assert!(!watched.get("/").await.body.contains("line 3"));
    assert_eq!(watched.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn before_the_first_run_nothing_is_ready_and_the_page_says_what_is_not_known() {
    let watched = Watched::empty();
    assert_eq!(watched.get("/healthz").await.status, StatusCode::OK);
    let seen = watched.get("/").await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(
        seen.body.contains("never") && seen.body.contains("no plan was made yet"),
        "{}",
        seen.body
    );
    let ready = watched.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    insta::assert_snapshot!(ready.body, @r#"{"ready":false,"reasons":[{"message":"tracker kernel was never read","remedy":"wait for the first run, or look into the log for why it fails"},{"message":"tracker qemu was never read","remedy":"wait for the first run, or look into the log for why it fails"},{"message":"nothing was ever taken in of distribution ubuntu","remedy":"wait for the first run, or look into the log for why it fails"}]}"#);
}

#[tokio::test(start_paused = true)]
async fn where_the_state_is_damaged_pages_say_so_and_what_is_in_memory_is_told_all_the_same() {
    let watched = Watched::filled();
    std::fs::write(watched.state_dir().join("kinset.sqlite3"), "not what it was".repeat(1000)).unwrap();
    for path in [
        "/",
        "/trackers/kernel",
        "/trackers/kernel/drift.svg",
        "/distributions/ubuntu",
        "/api/status",
        "/readyz",
    ] {
        let seen = watched.get(path).await;
        assert_eq!(seen.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(seen.body.contains("kinset.sqlite3"), "{path}: {}", seen.body);
    }
    let page = watched.get("/").await.body;
    assert!(page.contains("What to do") && page.contains("sync of tracker kernel"), "{page}");
    assert_eq!(watched.get("/healthz").await.status, StatusCode::OK);
    assert!(watched.get("/metrics").await.body.contains("kinset_failures_in_a_row"));
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_is_on_the_page_as_soon_as_somebody_looks_again() {
    let watched = Watched::filled();
    assert!(watched.get("/trackers/kernel").await.body.contains("240 writes"));
    watched.store().save_waiting_plan("kernel", None).unwrap();
    watched.later().await;
    assert!(watched.get("/trackers/kernel").await.body.contains("No plan waits."));
}

/// Answers as the daemon does, until it is told to stop.
async fn serve(listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    let connections = accept(&listener, router, async { _ = stopped.await }).await;
    drop(listener);
    connections.end().await;
}

#[tokio::test]
async fn connections_are_answered_one_question_after_the_other() {
    let watched = Watched::filled();
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(Manners::at(address), Manners::ThisMachine);
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, watched.router.clone(), stopped));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let question = format!("GET /healthz HTTP/1.1\r\n{HOST}: {address}\r\n\r\n");
    for _ in 0..2 {
        stream.write_all(question.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("}\n"), "{answer}");
    }
    stop.send(()).unwrap();
    served.await.unwrap();
    assert_eq!(
        stream.read(&mut [0; 8]).await.unwrap_or(0),
        0,
        "an open connection is closed at the end"
    );
    assert!(bind(address).await.is_ok());
}

#[tokio::test]
async fn what_was_asked_is_answered_though_nobody_listens_any_more() {
    let (arrive, mut arrived) = tokio::sync::mpsc::channel(1);
    let (release, released) = tokio::sync::watch::channel(false);
    let slow = async move || {
        arrive.send(()).await.unwrap();
        released.clone().wait_for(|released| *released).await.unwrap();
        "at last"
    };
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let router = Router::new().route("/", axum::routing::get(slow));
    let served = tokio::spawn(serve(listener, router, stopped));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let question = format!("GET / HTTP/1.1\r\n{HOST}: {address}\r\n\r\n");
    stream.write_all(question.as_bytes()).await.unwrap();
    arrived.recv().await.unwrap();
    stop.send(()).unwrap();
    while TcpStream::connect(address).await.is_ok() {}
    release.send_replace(true);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\r\n\r\nat last"), "{answer}");
    served.await.unwrap();
}
