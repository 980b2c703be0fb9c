//! What a cycle beside people costs: an incremental pull after ten changes, a whole plan, and the merge of people's decisions alone, as trackers
//! grow. There is a decision for every hundredth patch.
//!
//! `cargo bench --bench beside`; `docs/performance.md` says what the figures mean. The tracker is the simulator, in this process.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to say")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::Timestamp;
use kinset::config::Config;
use kinset::model::relations::decisions::{Decisions, Verdict};
use kinset::model::relations::{Element, Partition};
use kinset::model::{EventCursor, EventId, MessageId, Patch, PatchId, Project, ProjectId, ProjectName, Snapshot, UserName};
use kinset::reconcile::{Extent, Keeper, Pulling, Reading, Session, SessionOptions, prepare, pull};
use kinset::store::{Store, Sweep};
use kinset::tracker::simulator::{Simulator, World, serve};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

/// How many relations change before each incremental pull.
const CHANGES: u64 = 10;

fn main() {
    divan::main();
}

/// A tracker that was read whole. A third of its patches are in relations of three that the analysis wants, and every hundredth begins one that it
/// does not want, which counts as a decision; the others are on their own.
struct Rig {
    patches: u64,
    runtime: Runtime,
    simulator: Arc<Simulator>,
    config: Config,
    keeper: Keeper,
    /// The next patch of those on their own that nobody has related.
    next: AtomicU64,
    _folder: TempDir,
}

impl Rig {
    fn of_size(patches: u64) -> &'static Self {
        static RIGS: Mutex<Vec<&'static Rig>> = Mutex::new(Vec::new());
        let mut rigs = RIGS.lock().unwrap();
        if let Some(rig) = rigs.iter().find(|rig| rig.patches == patches) {
            return rig;
        }
        let rig = Box::leak(Box::new(Self::new(patches)));
        rigs.push(rig);
        rig
    }

    fn new(patches: u64) -> Self {
        let (world, groups) = world(patches);
        let runtime = Runtime::new().unwrap();
        let simulator = Arc::new(Simulator::new(&world).unwrap());
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(serve(listener, Arc::clone(&simulator), std::future::pending()));
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("token", "t-bot");
        fs::set_permissions(folder.path().join("token"), fs::Permissions::from_mode(0o600)).unwrap();
        write("groups", &groups);
        write(
            "kinset.toml",
            &format!(
                "state_dir = \"state\"\n[[tracker]]\nname = \"t\"\nurl = \"http://{address}/\"\nprojects = [\"alpha\"]\npolicy = \"preserve\"\n\
                 token_file = \"token\"\n[tracker.desired]\npath = \"groups\"\nformat = \"ids\"\n\
                 [tracker.limits]\nrequests_per_second = 1000000\n"
            ),
        );
        let config = Config::load(&folder.path().join("kinset.toml")).unwrap();
        let mut store = Store::open(&config.state_dir).unwrap();
        let swept = Sweep {
            cursor: Some(cursor(&simulator)),
            missed_by_events: None,
        };
        let url = config.trackers[0].url.to_string();
        store
            .save_snapshot("t", &url, &snapshot(patches), &swept, Timestamp::now())
            .unwrap();
        let rig = Self {
            patches,
            runtime,
            simulator,
            config,
            keeper: Keeper::new(store, Timestamp::now),
            next: AtomicU64::new(patches / 2),
            _folder: folder,
        };
        rig.plan();
        rig
    }

    async fn session(&self) -> Session<'_> {
        Session::open(&self.config.trackers[0], SessionOptions::default()).await.unwrap()
    }

    fn pull(&self) {
        self.runtime.block_on(async {
            let session = self.session().await;
            let pulled = pull(&session, &self.keeper, Extent::Due, &|_| {}).await.unwrap();
            assert!(matches!(pulled.reading, Reading::Events { .. }), "{:?}", pulled.reading);
        });
    }

    fn plan(&self) -> usize {
        self.runtime.block_on(async {
            let session = self.session().await;
            let prepared = prepare(&session, &self.keeper, Pulling::Stored, &|_| {}).await.unwrap();
            prepared.draft.decisions
        })
    }

    /// Somebody relates patches that were on their own.
    fn change(&self) {
        let human = UserName("human".to_owned());
        for _ in 0..CHANGES {
            let first = self.next.fetch_add(2, Ordering::Relaxed);
            let related = [PatchId(first + 1)];
            self.simulator
                .with_rules(|rules| rules.write(Some(&human), PatchId(first), &related))
                .unwrap();
        }
    }
}

/// Where the events stand.
fn cursor(simulator: &Simulator) -> EventCursor {
    let ids: BTreeSet<EventId> = simulator.with_rules(|rules| rules.events().iter().map(|event| EventId(event.id.0)).collect());
    let newest = ids.last().copied();
    let recent = ids.into_iter().rev().take(100).collect();
    EventCursor { newest, recent }
}

fn message_id(patch: u64) -> MessageId {
    MessageId::parse(&format!("<20260101.{patch}@lists.example.org>")).unwrap()
}

/// The relations, by their first patches.
fn relations(patches: u64) -> impl Iterator<Item = [PatchId; 3]> {
    (0..patches / 9).map(|number| [1, 2, 3].map(|place| PatchId(3 * number + place)))
}

fn world(patches: u64) -> (World, String) {
    let mut world = World::default()
        .with_project("alpha")
        .with_user("bot", "t-bot", &["alpha"])
        .with_user("human", "t-human", &["alpha"]);
    for patch in 1..=patches {
        world = world.with_patch(PatchId(patch), "alpha", message_id(patch));
    }
    let mut groups = String::new();
    let decisions = usize::try_from(patches / 100).unwrap();
    for (number, relation) in relations(patches).enumerate() {
        world = world.with_relation(relation);
        if number >= decisions {
            let [first, second, third] = relation;
            writeln!(groups, "{first} {second} {third}").unwrap();
        }
    }
    (world, groups)
}

/// What a sweep of that world would keep. The simulator goes through all patches for each page, which would take an hour.
fn snapshot(patches: u64) -> Snapshot {
    let project = Project {
        id: ProjectId(1),
        name: ProjectName("alpha".to_owned()),
        maintainers: ["bot", "human"].map(|user| UserName(user.to_owned())).into(),
    };
    let patch = |id: u64| Patch {
        id: PatchId(id),
        project: project.id,
        message_id: message_id(id),
        date: None,
        commit_ref: None,
        related: BTreeSet::new(),
    };
    let mut rows: BTreeMap<PatchId, Patch> = (1..=patches).map(|id| (PatchId(id), patch(id))).collect();
    for relation in relations(patches) {
        for member in relation {
            rows.get_mut(&member).unwrap().related = relation.into_iter().filter(|other| *other != member).collect();
        }
    }
    Snapshot {
        projects: [(project.id, project)].into(),
        patches: rows,
    }
}

#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn incremental_pull_after_ten_changes(bencher: Bencher<'_, '_>, patches: u64) {
    let rig = Rig::of_size(patches);
    bencher
        .counter(ItemsCount::new(patches))
        .with_inputs(|| rig.change())
        .bench_values(|()| rig.pull());
}

#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn plan_from_the_last_pull(bencher: Bencher<'_, '_>, patches: u64) {
    let rig = Rig::of_size(patches);
    bencher.counter(ItemsCount::new(patches)).bench(|| rig.plan());
}

/// Half of the decisions join two classes of the analysis, half part two of one class.
#[divan::bench(args = SIZES, sample_count = 10)]
fn merge_of_decisions(bencher: Bencher<'_, '_>, patches: u64) {
    let classes = u32::try_from(patches).unwrap() / 3;
    let class = |number: u32| [3 * number, 3 * number + 1, 3 * number + 2].map(Element);
    let universe = usize::try_from(patches).unwrap();
    let all: Vec<[Element; 3]> = (0..classes).map(class).collect();
    let desired = Partition::from_classes(universe, all.iter().map(|class| &class[..]));
    let decisions: Decisions = (0..classes / 33)
        .map(|number| {
            let [first, second, _] = class(33 * number);
            if number % 2 == 0 {
                Verdict::Joined([first, class(33 * number + 1)[0]].into())
            } else {
                Verdict::Parted(first, second)
            }
        })
        .collect();
    bencher
        .counter(ItemsCount::new(patches))
        .bench(|| decisions.over(&desired, &desired).partition.len());
}
