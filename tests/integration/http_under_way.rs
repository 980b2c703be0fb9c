//! How things stand over HTTP while something is being done: what was wrong before, whom it asks in vain, and what becomes of plans.

use jiff::SignedDuration;
use kinset::daemon::LiveRun;
use kinset::http::RequestOutcome;
use kinset::model::{Job, JobKind, PatchId};
use kinset::store::{DaemonEnd, DaemonJob, DaemonOutcome, DaemonRunId, JournalOperation, JournalStep};
use serde_json::Value;

use super::support::watched::{Watched, now};

const URL: &str = "https://patchwork.example.org/";

fn qemu() -> Job {
    Job::of_tracker("qemu", JobKind::Sync)
}

impl Watched {
    /// What is told on a page once what was done before is seen.
    async fn told(&self, path: &str) -> String {
        self.later().await;
        self.get(path).await.body
    }

    async fn heading(&self) -> String {
        let page = self.told("/").await;
        let (_, heading) = page.split_once("<h1>").unwrap();
        heading.split("</h1>").next().unwrap().to_owned()
    }

    fn begin(&self, job: &Job) -> DaemonRunId {
        let run = self.store().begin_daemon_run(job, now()).unwrap();
        self.live
            .send_modify(|live| live.running = Some(LiveRun::beginning(run.0, job.clone(), now())));
        run
    }

    fn end(&self, run: DaemonRunId, outcome: DaemonOutcome) {
        let end = DaemonEnd {
            outcome,
            message: Some("it went so".to_owned()),
            remedy: None,
            guards: "[]".to_owned(),
            changes: 0,
        };
        self.store().end_daemon_run(run, &end, now(), 1000).unwrap();
        self.live.send_modify(|live| live.running = None);
    }

    /// Enters how often a job failed in a row.
    fn failed(&self, job: &Job, failures: u32) {
        let mut jobs = self.store().daemon_jobs().unwrap();
        for known in jobs.iter_mut().filter(|known| known.job == *job) {
            known.failures = failures;
        }
        self.store().save_daemon_jobs(&jobs).unwrap();
        self.live.send_modify(|live| {
            for known in live.jobs.iter_mut().filter(|known| known.job == *job) {
                known.failures = failures;
            }
        });
    }

    /// Has the run under way make requests of which this comes.
    fn requested(&self, source: Option<&str>, outcomes: &[RequestOutcome]) {
        self.live.send_modify(|live| {
            for outcome in outcomes {
                live.running.as_mut().unwrap().requested(source, *outcome);
            }
        });
    }

    /// All that was wrong is mended.
    async fn mend(&self) {
        for job in [qemu(), Job::of_distribution("ubuntu")] {
            let run = self.begin(&job);
            self.end(run, DaemonOutcome::Changed);
            self.failed(&job, 0);
        }
        assert_eq!(self.heading().await, "All is well");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_wrong_before_a_run_began_is_told_until_one_ends_by_itself() {
    let watched = Watched::filled();
    let wrong = [
        "the sync failed 3 times in a row: cannot read",
        "the last pull was refused: a guard tripped",
    ];
    for job in [qemu(), Job::of_distribution("ubuntu")] {
        let run = watched.begin(&job);
        assert_eq!(watched.heading().await, "2 things need a person", "{job} is under way");
        let page = watched.told("/").await;
        assert!(wrong.iter().all(|wrong| page.contains(wrong)), "{page}");
        let status: Value = serde_json::from_str(&watched.told("/api/status").await).unwrap();
        assert_eq!(
            (status["well"].clone(), status["troubles"].as_array().unwrap().len()),
            (false.into(), 2)
        );
        watched.end(run, DaemonOutcome::Stopped);
        assert_eq!(watched.heading().await, "2 things need a person", "{job} was stopped");
    }
    watched.mend().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_again_by_itself_does_not_need_a_person_yet() {
    let watched = Watched::filled();
    watched.failed(&qemu(), 1);
    assert_eq!(watched.heading().await, "1 thing needs a person, 1 is being tried again");
    watched.mend().await;
    for (outcome, failures, heading) in [
        (DaemonOutcome::CutShort, 1, "1 thing is being tried again"),
        (DaemonOutcome::CutShort, 2, "1 thing needs a person"),
        (DaemonOutcome::Failed, 1, "1 thing is being tried again"),
        (DaemonOutcome::Failed, 2, "1 thing needs a person"),
    ] {
        let run = watched.begin(&qemu());
        watched.end(run, outcome);
        watched.failed(&qemu(), failures);
        assert_eq!(watched.heading().await, heading, "{outcome} {failures}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_fail_in_a_row_are_told_while_the_run_still_tries() {
    use RequestOutcome::{Abandoned, Redirected, ServerError, Success, TimedOut, Unreachable};
    let watched = Watched::filled();
    watched.mend().await;
    // An earlier kinset did not keep what is known of jobs until a run had ended.
    watched.store().save_daemon_jobs(&[]).unwrap();
    let run = watched.begin(&qemu());
    watched.requested(None, &[Success, ServerError, TimedOut]);
    let page = watched.told("/").await;
    assert!(page.contains("<h1>All is well</h1>"), "two are a hiccup: {page}");
    assert!(page.contains("2 requests failed in a row, the last one: timed-out"), "{page}");

    watched.requested(None, &[Unreachable, Redirected, Abandoned]);
    let page = watched.told("/").await;
    assert!(page.contains("<h1>1 thing is being tried again</h1>"), "{page}");
    let told = "the tracker does not answer the sync under way: 3 requests failed in a row, the last one: unreachable";
    assert!(page.contains(told), "{page}");
    assert!(watched.told("/metrics").await.contains("\nkinset_failed_requests_in_a_row 3.0\n"));
    let status: Value = serde_json::from_str(&watched.told("/api/status").await).unwrap();
    let asked = serde_json::json!([{"source": null, "times": 3, "outcome": "unreachable"}]);
    assert_eq!(status["running"]["asked_in_vain"], asked);

    watched.end(run, DaemonOutcome::Failed);
    let known = |job| DaemonJob {
        job,
        next_due: None,
        failures: 1,
        told: "{}".to_owned(),
    };
    watched.store().save_daemon_jobs(&[known(qemu())]).unwrap();
    watched.failed(&qemu(), 1);
    let run = watched.begin(&qemu());
    watched.requested(None, &[Unreachable; 5]);
    assert_eq!(watched.heading().await, "1 thing is being tried again", "one outage is one thing");
    watched.end(run, DaemonOutcome::Changed);
    watched.failed(&qemu(), 0);

    watched.begin(&qemu());
    watched.requested(None, &[Unreachable; 3]);
    watched.requested(None, &[Success]);
    let page = watched.told("/").await;
    assert!(page.contains("<h1>All is well</h1>") && !page.contains("in vain"), "{page}");
    assert!(watched.told("/metrics").await.contains("\nkinset_failed_requests_in_a_row 0.0\n"));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_answer_is_told_though_another_does() {
    let watched = Watched::filled();
    watched.mend().await;
    watched.begin(&Job::of_distribution("ubuntu"));
    for _ in 0..3 {
        watched.requested(Some("launchpad"), &[RequestOutcome::ServerError]);
        watched.requested(Some("dates"), &[RequestOutcome::Unchanged]);
    }
    let page = watched.told("/").await;
    let told = "source launchpad does not answer the pull under way: 3 requests failed in a row";
    assert!(page.contains(told), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_being_carried_out_is_not_said_to_wait() {
    let watched = Watched::filled();
    let waiting = watched.store().waiting_plan("kernel", URL).unwrap().unwrap();
    let mut of_qemu = waiting.clone();
    of_qemu.url = format!("{URL}qemu/");
    watched.store().save_waiting_plan("qemu", Some(&of_qemu)).unwrap();
    let page = watched.told("/trackers/qemu").await;
    assert!(
        !page.contains("nothing is to be written to this tracker"),
        "its mode is apply: {page}"
    );
    assert!(page.contains("wait for the next sync, because nothing was to be written"), "{page}");

    let run = watched.store().journal().begin_run("qemu", now(), "apply").unwrap();
    let step = JournalStep {
        component: 0,
        patch: PatchId(1),
        operation: JournalOperation::Clear,
    };
    watched.store().journal().intend(run, &step, now()).unwrap();
    assert!(
        watched
            .told("/")
            .await
            .contains("1 write of unknown outcome: the next run finds out")
    );
    watched.begin(&qemu());
    for address in ["/", "/trackers/qemu"] {
        let page = watched.told(address).await;
        assert!(
            page.contains("the sync under way plans anew and writes what may be written"),
            "{address}: {page}"
        );
        assert!(
            page.contains("Plan that waited") || page.contains("The plan that waited"),
            "{address}"
        );
        assert!(!page.contains("the next run finds out"), "{address}: {page}");
    }
    let page = watched.told("/").await;
    assert!(
        page.contains("1 write in flight or of unknown outcome: the sync under way finds out"),
        "{page}"
    );
    assert!(
        page.contains("because nothing is to be written to this tracker"),
        "the other tracker's plan waits: {page}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_comes_next_is_something_else_than_the_run_under_way() {
    let watched = Watched::filled();
    let first = Job::of_tracker("kernel", JobKind::Sync);
    let next = |page: &str| {
        let (_, next) = page.split_once("Next: ").unwrap();
        regex::Regex::new("<[^>]*>")
            .unwrap()
            .replace_all(next.split("</p>").next().unwrap(), "")
            .into_owned()
    };
    assert_eq!(next(&watched.told("/").await), "the sync of tracker kernel at 2026-11-21 03:05:00.");
    watched.begin(&first);
    assert_eq!(next(&watched.told("/").await), "the pull of tracker kernel at 2026-11-21 03:07:00.");
    watched.live.send_modify(|live| {
        for job in &mut live.jobs {
            job.next_due = Some(now() - SignedDuration::from_mins(2));
        }
    });
    assert_eq!(
        next(&watched.told("/").await),
        "the pull of tracker kernel, due since 2026-11-21 02:58:00."
    );
    watched.live.send_modify(|live| live.jobs.retain(|job| job.job == first));
    assert!(watched.told("/").await.contains("Nothing else is due."));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_under_way_is_not_said_to_be_due_when_it_began() {
    let watched = Watched::filled();
    for (address, job) in [
        ("/trackers/kernel", Job::of_tracker("kernel", JobKind::Sync)),
        ("/distributions/ubuntu", Job::of_distribution("ubuntu")),
    ] {
        let cell = "<td>under way</td>";
        assert!(!watched.told(address).await.contains(cell), "{address}");
        let run = watched.begin(&job);
        for address in ["/", address] {
            assert_eq!(watched.told(address).await.matches(cell).count(), 1, "{address}");
        }
        watched.end(run, DaemonOutcome::Changed);
    }
}
