//! A state as a daemon leaves it after some days, and who tells of it over HTTP. It stands alone, so that other test binaries can have it too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kinset::config::Config;
use kinset::daemon::http::{Manners, Sight, router};
use kinset::daemon::{Heart, LiveDocument, LiveJob, Tally, Unwatched};
use kinset::model::packages::Operation;
use kinset::model::{Job, JobKind, MessageId, Patch, PatchId, Project, ProjectId, ProjectName, Snapshot, UserName};
use kinset::reconcile::DaemonRunDocument;
use kinset::store::packages::{Force, Hand};
use kinset::store::{
    Cycle, DaemonEnd, DaemonJob, DaemonOutcome, Decided, DecisionKind, JournalId, NewDecision, Settlement, Store, Sweep, WaitingBecause,
    WaitingPlan,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;

/// What somebody calls a patch who wants more than that.
pub(crate) const EVIL: &str = "<script>alert(1)</script>";

const URL: &str = "https://patchwork.example.org/";

/// The time in tests: three in the morning.
pub(crate) fn now() -> Timestamp {
    "2026-11-21T03:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

/// A state, and who tells of it.
pub(crate) struct Watched {
    pub(crate) folder: TempDir,
    pub(crate) live: watch::Sender<LiveDocument>,
    pub(crate) heart: Arc<Heart>,
    pub(crate) router: axum::Router,
    pub(crate) config: Arc<Config>,
    /// Held, because nobody replaces the configuration.
    _reloads: watch::Sender<Option<Arc<Config>>>,
}

fn config(folder: &Path) -> Config {
    let text = format!(
        r#"
state_dir = "state"

[[tracker]]
name = "kernel"
url = "{URL}"
projects = ["linux-kernel", "linux-mm"]
policy = "preserve"
token_env = "KINSET_TOKEN"
[tracker.desired]
path = "patch-groups"
format = "pasta"
[tracker.schedule]
pull = "*/10 * * * *"
sync = "5 * * * *"

[[tracker]]
name = "qemu"
url = "{URL}qemu/"
projects = ["qemu-devel"]
policy = "authoritative"
sync = "apply"
[tracker.desired]
path = "patch-groups"
format = "pasta"
[tracker.schedule]
sync = "20 * * * *"

[[distribution]]
name = "ubuntu"
[[distribution.source]]
kind = "distro-info"
name = "dates"
file = "ubuntu.csv"
[distribution.schedule]
pull = "0 4 * * *"
"#
    );
    Config::parse(&text, &folder.join("kinset.toml")).unwrap()
}

impl Watched {
    /// Nothing has happened yet.
    pub(crate) fn empty() -> Self {
        Self::over(tempfile::tempdir().unwrap())
    }

    /// Some days have passed.
    pub(crate) fn filled() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fill(&folder.path().join("state"));
        let watched = Self::over(folder);
        let mut live = live();
        for run in watched.store().daemon_runs(None, 100).unwrap() {
            live.tally.ran(&DaemonRunDocument::from(run));
        }
        watched.live.send_replace(live);
        watched
    }

    fn over(folder: TempDir) -> Self {
        let heart = Arc::new(Heart::new(Arc::new(Unwatched)));
        let (live, seen) = watch::channel(LiveDocument::beginning(ago(600)));
        let (reloads, reloaded) = watch::channel(None);
        let config = Arc::new(config(folder.path()));
        let sight = Sight {
            config: Arc::clone(&config),
            reloads: reloaded,
            live: seen,
            heart: Arc::clone(&heart),
            clock: now,
        };
        Self {
            folder,
            live,
            heart,
            config,
            router: router(sight, Manners::ThisMachine),
            _reloads: reloads,
        }
    }

    pub(crate) fn state_dir(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.state_dir()).unwrap()
    }
}

fn live() -> LiveDocument {
    let job = |job: Job, minutes: i64, failures| LiveJob {
        job,
        next_due: Some(ago(-minutes)),
        failures,
        held_by: None,
        failed_notices: 0,
    };
    LiveDocument {
        running: None,
        jobs: vec![
            job(Job::of_tracker("kernel", JobKind::Pull), 7, 0),
            job(Job::of_tracker("kernel", JobKind::Sync), 5, 0),
            job(Job::of_tracker("qemu", JobKind::Sync), 20, 3),
            job(Job::of_distribution("ubuntu"), 60, 0),
        ],
        unrecorded: None,
        clock_set: None,
        tally: Tally::new(ago(600)),
    }
}

fn mail(id: u64) -> MessageId {
    match id {
        7 => MessageId::parse(EVIL).unwrap(),
        _ => MessageId::parse(&format!("<20261120{id}.12345-1-maintainer@example.org>")).unwrap(),
    }
}

fn snapshot() -> Snapshot {
    let project = Project {
        id: ProjectId(1),
        name: ProjectName("linux-kernel".into()),
        maintainers: BTreeSet::from([UserName("bot".into())]),
    };
    let patch = |id| Patch {
        id: PatchId(id),
        project: ProjectId(1),
        message_id: mail(id),
        date: None,
        commit_ref: None,
        related: BTreeSet::new(),
    };
    Snapshot {
        projects: BTreeMap::from([(ProjectId(1), project)]),
        patches: (1..=300).map(|id| (PatchId(id), patch(id))).collect(),
    }
}

fn plan() -> serde_json::Value {
    let steps: Vec<serde_json::Value> = (1..=240_u64)
        .map(|id| match id {
            1..=9 => json!({"tracker": "kernel", "component": id, "op": "clear", "patch": id, "reason": "alone", "message_id": mail(id)}),
            _ => {
                let with: Vec<u64> = (id..id + id % 4 + 2).collect();
                json!({"tracker": "kernel", "component": id, "op": "relate", "patch": id, "related": with, "reason": "forms", "message_id": mail(id)})
            }
        })
        .collect();
    json!({
        "writes": 240, "steps": steps, "format": 2,
        "trackers": [{
            "name": "kernel", "url": URL, "policy": "preserve", "pulled_at": ago(65), "identity": "maintainer", "user": "bot",
            "clears": 9, "relates": 231, "commit_refs": 0, "patches": 300, "relations": 12, "relations_after": 243, "named": 320,
            "only_in_analysis": 20, "only_in_tracker": 31, "decisions": 2, "overruled": [], "undone": [], "guards": [], "digest": "d",
        }],
    })
}

fn fill(state_dir: &Path) {
    let mut store = Store::open(state_dir).unwrap();
    store
        .save_snapshot("kernel", URL, &snapshot(), &Sweep::default(), ago(3 * 1440))
        .unwrap();
    let qemu = format!("{URL}qemu/");
    store
        .save_snapshot("qemu", &qemu, &snapshot(), &Sweep::default(), ago(1440))
        .unwrap();
    for hour in (0..72).rev() {
        let cycle = Cycle {
            clears: 9,
            relates: 20 + (hour * 37 % 71) * 3,
            undone: 4,
            foreign_changes: hour % 3,
            guarded: hour == 40,
            ..Cycle::default()
        };
        store
            .record_cycle("kernel", &cycle, ago(i64::try_from(hour).unwrap() * 60 + 55))
            .unwrap();
    }
    decide(&mut store);
    let last = runs(&mut store);
    let waiting = WaitingPlan {
        run: last,
        planned_at: ago(55),
        url: URL.to_owned(),
        because: WaitingBecause::PlanOnly,
        writes: 240,
        plan: plan().to_string(),
    };
    store.save_waiting_plan("kernel", Some(&waiting)).unwrap();
    let jobs: Vec<DaemonJob> = live()
        .jobs
        .into_iter()
        .map(|job| DaemonJob {
            job: job.job,
            next_due: job.next_due,
            failures: job.failures,
            told: "{}".to_owned(),
        })
        .collect();
    store.save_daemon_jobs(&jobs).unwrap();
    packages(&mut store);
}

fn decide(store: &mut Store) {
    let decided = |ids: &[u64]| -> BTreeMap<PatchId, Decided> {
        let decided = |id: u64| Decided {
            project: Some(ProjectId(1)),
            message_id: Some(mail(id)),
        };
        ids.iter().map(|&id| (PatchId(id), decided(id))).collect()
    };
    let settlement = Settlement {
        journal: JournalId(0),
        regrouped: Vec::new(),
        ended: Vec::new(),
        made: vec![
            NewDecision {
                kind: DecisionKind::Joined,
                patches: decided(&[5, 6, 7]),
                seen_at: None,
                who: Some(UserName("maya".into())),
            },
            NewDecision {
                kind: DecisionKind::Parted,
                patches: decided(&[11, 12]),
                seen_at: None,
                who: None,
            },
        ],
        sightings: Vec::new(),
    };
    store.settle_accounts("kernel", URL, &settlement, ago(300)).unwrap();
}

/// The runs of two days; returns the last one of a plan.
fn runs(store: &mut Store) -> kinset::store::DaemonRunId {
    let end = |outcome, message: Option<&str>, remedy: Option<&str>| DaemonEnd {
        outcome,
        message: message.map(str::to_owned),
        remedy: remedy.map(str::to_owned),
        guards: "[]".to_owned(),
        changes: 2,
    };
    let mut ran = |job: Job, minutes: i64, end: DaemonEnd| {
        let run = store.begin_daemon_run(&job, ago(minutes)).unwrap();
        store
            .end_daemon_run(run, &end, ago(minutes) + SignedDuration::from_secs(41), 1000)
            .unwrap();
        run
    };
    for hour in (1..48).rev() {
        ran(
            Job::of_tracker("kernel", JobKind::Pull),
            hour * 60 + 30,
            end(DaemonOutcome::Changed, None, None),
        );
        ran(
            Job::of_tracker("qemu", JobKind::Sync),
            hour * 60 + 40,
            end(
                DaemonOutcome::Failed,
                Some("cannot read https://patchwork.example.org/qemu/api/1.3/patches/: operation timed out"),
                Some("check that the site can be reached from this machine"),
            ),
        );
        ran(
            Job::of_tracker("kernel", JobKind::Sync),
            hour * 60 + 55,
            end(DaemonOutcome::Waiting, None, None),
        );
    }
    ran(Job::of_distribution("ubuntu"), 1380, end(DaemonOutcome::NothingToDo, None, None));
    let guards = json!([{
        "option": "max_removed_fraction",
        "message": format!("31 of 40 packages would leave set {EVIL}, more than 25 % of them"),
        "remedy": "look at what the service says, then run `kinset pull ubuntu --force`",
    }]);
    ran(
        Job::of_distribution("ubuntu"),
        58,
        DaemonEnd {
            guards: guards.to_string(),
            ..end(
                DaemonOutcome::Refused,
                Some("a guard tripped: 31 of 40 packages would go"),
                Some("see the guard"),
            )
        },
    );
    ran(
        Job::of_tracker("kernel", JobKind::Sync),
        55,
        end(DaemonOutcome::Waiting, None, None),
    )
}

fn packages(store: &mut Store) {
    let mut operations: Vec<serde_json::Value> = vec![
        json!({"op": "create-distribution", "distribution": "ubuntu", "sharing": "copy-on-write", "versions": "debian"}),
        json!({"op": "create-series", "in": "ubuntu/jammy", "owner": "ann", "version": "22.04", "status": "maintenance",
               "dates": {"released": "2022-04-21", "eol": "2027-04-01"}}),
        json!({"op": "create-series", "in": "ubuntu/noble", "owner": "ann", "version": "24.04", "status": "active",
               "dates": {"released": "2024-04-25", "eol": "2029-05-31"}}),
        json!({"op": "create-series", "in": "ubuntu/raccoon", "owner": "ann", "version": "27.04", "status": "development",
               "dates": {"released": "2027-04-22"}}),
        json!({"op": "add-packages", "distribution": "ubuntu", "packages": ["bash", "linux", "g++-13", "zsh", "nodejs"]}),
    ];
    let names: Vec<String> = (0..250).map(|number| format!("lib{number}")).collect();
    operations.push(json!({"op": "add-packages", "distribution": "ubuntu", "packages": names}));
    for set in ["core", "kernel", "shells"] {
        let description = if set == "core" { EVIL } else { "What the distribution stands on" };
        operations.push(json!({"op": "create-set", "in": "ubuntu/noble", "set": set, "owner": "@techboard", "description": description}));
    }
    operations.push(json!({"op": "add-sources", "in": "ubuntu/noble", "set": "kernel", "sources": ["linux"]}));
    operations.push(json!({"op": "add-sources", "in": "ubuntu/noble", "set": "shells", "sources": ["bash", "zsh"]}));
    operations.push(json!({"op": "add-sources", "in": "ubuntu/noble", "set": "core", "sources": names}));
    operations.push(json!({"op": "add-subsets", "in": "ubuntu/noble", "set": "core", "subsets": ["kernel", "shells"]}));
    operations.push(
        json!({"op": "grant", "distribution": "ubuntu", "party": "@kernel-team", "action": "upload",
        "on": "package-set", "series": "noble", "set": "kernel", "status": "approved"}),
    );
    operations.push(json!({"op": "add-members", "distribution": "ubuntu", "team": "kernel-team", "members": ["maya"]}));
    for stream in ["nodejs:20", "nodejs:22"] {
        operations.push(json!({"op": "set-stream", "distribution": "ubuntu", "stream": stream,
            "contexts": {"": {"version": 0, "platforms": [], "packages": ["nodejs"]}}}));
    }
    operations.push(json!({"op": "set-default", "distribution": "ubuntu", "module": "nodejs", "stream": "22"}));
    let operations: Vec<Operation> = operations
        .into_iter()
        .map(|operation| serde_json::from_value(operation.clone()).unwrap_or_else(|error| panic!("{operation}: {error}")))
        .collect();
    let hand = Hand {
        actor: "ann".to_owned(),
        at: ago(2000),
        force: Force::Not,
    };
    store.perform(&hand, &operations).unwrap();
}
