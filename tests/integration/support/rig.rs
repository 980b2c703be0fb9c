//! Everything that a reconcile cycle needs: a simulated Patchwork, a configuration, an analysis, a state. Each call is a run of its own, with
//! a runtime and a turn at the state of its own, as if it were a process.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use kinset::config::{Config, Tracker};
use kinset::model::{PatchId, UserName};
use kinset::reconcile::{
    Applied, Apply, Draft, Error, Extent, Keeper, Patience, PlanDocument, Prepared, Pulled, Pulling, Session, SessionOptions, Shutdown,
    prepare, pull,
};
use kinset::store::{
    Decision, DecisionFilter, DecisionKind, JournalEntry, JournalId, JournalOperation, Outcome, Run, SettledEntry, Store, StoreError,
    StoredSnapshot,
};
use kinset::tracker::RetryPolicy;
use kinset::tracker::simulator::{Fault, FaultKind, LoggedRequest, Moment, Refusal, Requests, Rules, Simulator, When, World, Written};
use tempfile::TempDir;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;

use super::change::{Class, Classes};
use super::log::Asked;
use super::served::Served;

/// What the tracker is called in the configuration.
pub(crate) const TRACKER: &str = "pw";

/// What is particular about a configuration.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) projects: &'static [&'static str],
    pub(crate) policy: &'static str,
    pub(crate) format: &'static str,
    pub(crate) token: &'static str,
    pub(crate) commit_ref: &'static str,
    pub(crate) sync: &'static str,
    pub(crate) concurrent_requests: usize,
    /// Further lines of the table of limits.
    pub(crate) limits: &'static str,
    /// The lines of the table of guards.
    pub(crate) guard: &'static str,
    /// Further tables of the tracker.
    pub(crate) tables: &'static str,
    /// How long a request may take. No machine is so busy, unless a test says otherwise.
    pub(crate) timeout: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            projects: &["alpha", "beta"],
            policy: "authoritative",
            format: "ids",
            token: "t-bot",
            commit_ref: "off",
            sync: "plan-only",
            concurrent_requests: 4,
            limits: "",
            guard: "",
            tables: "",
            timeout: Duration::from_secs(60),
        }
    }
}

impl Terms {
    /// Message ids in the analysis, and no limit to speak of on the ids in one write.
    pub(crate) fn for_pasta() -> Self {
        Self {
            format: "pasta",
            limits: "attach_limit = 1000",
            ..Self::default()
        }
    }
}

/// A reconcile cycle with everything around it.
pub(crate) struct Rig {
    served: Served,
    folder: TempDir,
    pub(crate) config: Config,
    options: SessionOptions,
}

impl Rig {
    pub(crate) fn serving(world: &World, terms: Terms) -> Self {
        let served = Served::start(world);
        let folder = tempfile::tempdir().unwrap();
        let config = configure(folder.path(), &served, terms);
        Self {
            served,
            folder,
            config,
            options: options(terms),
        }
    }

    /// Goes on with another configuration.
    pub(crate) fn reconfigure(&mut self, terms: Terms) {
        self.config = configure(self.folder.path(), &self.served, terms);
        self.options = options(terms);
    }

    /// The file that the configuration stands in.
    pub(crate) fn config_file(&self) -> PathBuf {
        config_file(self.folder.path())
    }

    /// A file beside it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn tracker(&self) -> &Tracker {
        &self.config.trackers[0]
    }

    /// Lets the analysis want these groups.
    pub(crate) fn want(&self, groups: &str) {
        fs::write(&self.tracker().desired.path, groups).unwrap();
    }
}

/// The tracker.
impl Rig {
    pub(crate) fn simulator(&self) -> &Simulator {
        &self.served.simulator
    }

    /// The relations that the tracker has in the configured projects, be it in part.
    pub(crate) fn relations(&self) -> Classes {
        let projects = &self.tracker().projects;
        self.simulator().with_rules(|rules| {
            let catalogue = rules.catalogue();
            let project_of = |patch: &PatchId| &catalogue.project(catalogue.patch(*patch).unwrap().project).unwrap().name;
            let is_in_sight = |class: &Class| class.iter().any(|patch| projects.contains(project_of(patch)));
            rules.relations().into_iter().filter(is_in_sight).collect()
        })
    }

    /// What was asked of the tracker since it was last [forgotten](Simulator::clear_log).
    pub(crate) fn log(&self) -> Vec<LoggedRequest> {
        self.simulator().log()
    }

    /// Lets `human` write to the tracker, behind everybody's back.
    pub(crate) fn human_writes(&self, patch: u64, related: &[u64]) {
        self.simulator().with_rules(|rules| write_as_human(rules, patch, related));
    }

    /// Calls `act` at the n-th write from here on, before or after it is carried out.
    pub(crate) fn at_write(&self, n: usize, moment: Moment, act: impl Fn(&mut Rules) + Send + 'static) {
        self.at(n, Requests::Writes, moment, act);
    }

    /// Calls `act` at the n-th of the requests that count from here on, before or after it is carried out.
    pub(crate) fn at(&self, n: usize, requests: Requests, moment: Moment, act: impl Fn(&mut Rules) + Send + 'static) {
        let counts = move |request: &LoggedRequest| match requests {
            Requests::Any => true,
            Requests::Reads => !Asked::of(request).is_write(),
            Requests::Writes => Asked::of(request).is_write(),
        };
        let seen = Cell::new(0);
        self.simulator().on_request(move |request, now, rules| {
            if now == moment && counts(request) {
                seen.set(seen.get() + 1);
                if seen.get() == n {
                    act(rules);
                }
            }
        });
    }

    /// Nobody looks on any more.
    pub(crate) fn leave_alone(&self) {
        self.simulator().on_request(|_, _, _| {});
        self.simulator().set_faults([]);
    }
}

/// Lets `human` write to the tracker, from within a hook.
pub(crate) fn write_as_human(rules: &mut Rules, patch: u64, related: &[u64]) {
    as_human(rules, patch, related).unwrap();
}

/// The same, but the tracker may refuse it.
pub(crate) fn try_as_human(rules: &mut Rules, patch: u64, related: &[u64]) {
    let _ = as_human(rules, patch, related);
}

fn as_human(rules: &mut Rules, patch: u64, related: &[u64]) -> Result<Written, Refusal> {
    let related: Vec<PatchId> = related.iter().copied().map(PatchId).collect();
    rules.write(Some(&UserName("human".to_owned())), PatchId(patch), &related)
}

/// The cycle.
impl Rig {
    pub(crate) fn pull(&self) -> Result<Pulled, Error> {
        self.pull_to(Extent::Full)
    }

    pub(crate) fn pull_to(&self, extent: Extent) -> Result<Pulled, Error> {
        self.run(async |session, keeper| pull(&session, keeper, extent, &|_| {}).await)
    }

    pub(crate) fn plan(&self, pulling: Pulling) -> Result<Prepared, Error> {
        self.run(async |session, keeper| prepare(&session, keeper, pulling, &|_| {}).await)
    }

    /// The plan as it would be printed or saved.
    pub(crate) fn document(&self, prepared: &Prepared) -> PlanDocument {
        PlanDocument::new([prepared.document(self.tracker())])
    }

    pub(crate) fn apply(&self, pulling: Pulling) -> Result<Applied, Error> {
        self.apply_after(pulling, |_| {})
    }

    /// As [`Self::apply`], but `meanwhile` happens between the plan and the first request of its application.
    pub(crate) fn apply_after(&self, pulling: Pulling, meanwhile: impl FnOnce(&Prepared)) -> Result<Applied, Error> {
        let (_request, shutdown) = Shutdown::new();
        self.run(async |session, keeper| {
            let prepared = prepare(&session, keeper, pulling, &|_| {}).await?;
            meanwhile(&prepared);
            Apply::begin(session, keeper, PATIENCE, &shutdown)?.run(prepared, &|| {}).await
        })
    }

    /// As [`Self::apply`] of the last pull, but to be stopped by the simulator's hook when `stop` says so.
    pub(crate) fn apply_until(&self, shutdown: &Shutdown) -> Result<Applied, Error> {
        runtime().block_on(self.apply_in_turn(shutdown))
    }

    /// Applies a saved plan, as `apply --plan` does.
    pub(crate) fn apply_saved(&self, saved: &Path) -> Result<Applied, Error> {
        let (_request, shutdown) = Shutdown::new();
        let saved = PlanDocument::load(saved)?;
        self.run(async |session, keeper| {
            let prepared = prepare(&session, keeper, Pulling::Stored, &|_| {}).await?;
            let prepared = prepared.require_same(self.tracker(), &saved)?;
            let apply = Apply::begin(session, keeper, PATIENCE, &shutdown)?.of_saved_plan();
            apply.require_untouched(&prepared).await?;
            apply.run(prepared, &|| {}).await
        })
    }

    /// Applies the last pull's plan, and dies at the n-th of the requests that count: before that has any effect, or after that but before
    /// the answer. Returns whether it came to that.
    pub(crate) fn apply_dying_at(&self, n: usize, requests: Requests, moment: Moment) -> bool {
        let (_request, shutdown) = Shutdown::new();
        let Held { arrived, release } = self.hold_at(n, requests, moment);
        let runtime = runtime();
        let died = runtime.block_on(async {
            tokio::select! {
                applied = self.apply_in_turn(&shutdown) => { applied.unwrap(); false }
                _ = arrived => true,
            }
        });
        // What has begun at the state ends here, and with it the hold on it.
        drop(runtime);
        drop(release);
        self.leave_alone();
        died
    }

    async fn apply_in_turn(&self, shutdown: &Shutdown) -> Result<Applied, Error> {
        let keeper = self.keeper();
        let session = Session::open(self.tracker(), self.options.clone()).await?;
        let prepared = prepare(&session, &keeper, Pulling::Stored, &|_| {}).await?;
        Apply::begin(session, &keeper, PATIENCE, shutdown)?.run(prepared, &|| {}).await
    }

    /// Holds the tracker up at the n-th of the requests that count from here on. With [`Moment::Before`] that one is never carried out.
    pub(crate) fn hold_at(&self, n: usize, requests: Requests, moment: Moment) -> Held {
        let (arrive, arrived) = oneshot::channel();
        let (release, is_released) = mpsc::channel::<()>();
        let arrive = Cell::new(Some(arrive));
        if moment == Moment::Before {
            let lost = Fault::new(FaultKind::Reset, When::At(vec![n as u64]));
            self.simulator().set_faults([Fault { requests, ..lost }]);
        }
        self.at(n, requests, moment, move |_| {
            arrive.take().unwrap().send(()).unwrap();
            // Released by being dropped.
            is_released.recv().unwrap_err();
        });
        Held { arrived, release }
    }

    fn run<T>(&self, work: impl AsyncFnOnce(Session<'_>, &Keeper) -> Result<T, Error>) -> Result<T, Error> {
        let keeper = self.keeper();
        runtime().block_on(async { work(Session::open(self.tracker(), self.options.clone()).await?, &keeper).await })
    }

    fn keeper(&self) -> Keeper {
        Keeper::new(open(&self.config.state_dir), clock)
    }
}

/// A tracker that is held up.
pub(crate) struct Held {
    /// Comes once it is.
    pub(crate) arrived: oneshot::Receiver<()>,
    /// It goes on when this is dropped.
    pub(crate) release: mpsc::Sender<()>,
}

/// What is left behind.
impl Rig {
    /// The writes whose outcome nobody knows.
    pub(crate) fn open_entries(&self) -> Vec<JournalEntry> {
        self.state().journal().open_entries(TRACKER).unwrap()
    }

    /// What is known of the tracker.
    pub(crate) fn stored(&self) -> StoredSnapshot {
        self.state().snapshot(TRACKER).unwrap().unwrap()
    }

    /// The relations that the tracker is known to have.
    pub(crate) fn known_relations(&self) -> Classes {
        let patches = self.stored().snapshot.patches;
        let related = patches.into_values().filter(|patch| !patch.related.is_empty());
        related.map(|patch| patch.related.into_iter().chain([patch.id]).collect()).collect()
    }

    /// How many clears and relates of kinset's took effect until now.
    pub(crate) fn own_writes(&self) -> (usize, usize) {
        let entries = self.settled_entries();
        let done = || entries.iter().filter(|entry| entry.outcome == Outcome::Done);
        let clears = done()
            .filter(|entry| matches!(entry.step.operation, JournalOperation::Clear))
            .count();
        let relates = done()
            .filter(|entry| matches!(entry.step.operation, JournalOperation::Relate(_)))
            .count();
        (clears, relates)
    }

    /// All writes whose outcome is known.
    pub(crate) fn settled_entries(&self) -> Vec<SettledEntry> {
        self.state().journal().settled_after(TRACKER, JournalId::default()).unwrap()
    }

    /// Who made the decisions that stand, as far as that is known.
    pub(crate) fn deciders(&self) -> Vec<Option<UserName>> {
        let decisions = self.state().decisions(TRACKER, DecisionFilter::Open).unwrap();
        decisions.into_iter().map(|decision| decision.who).collect()
    }

    /// The decisions that stand, joined sets and parted pairs, by the numbers of their patches.
    pub(crate) fn standing(&self) -> BTreeSet<(DecisionKind, Vec<u64>)> {
        let decisions = self.state().decisions(TRACKER, DecisionFilter::Open).unwrap();
        let patches = |decision: &Decision| decision.patches.keys().map(|patch| patch.0).collect();
        decisions.iter().map(|decision| (decision.kind, patches(decision))).collect()
    }

    /// What the last full read missed to hear of by events.
    pub(crate) fn missed_by_events(&self) -> Option<u64> {
        self.state().pull_state(TRACKER).unwrap().unwrap().missed_by_events
    }

    /// The last run.
    pub(crate) fn last_run(&self) -> Run {
        self.state()
            .journal()
            .runs(TRACKER, self.tracker().url.as_str(), 1)
            .unwrap()
            .remove(0)
    }

    pub(crate) fn state(&self) -> Store {
        Store::open_read_only(&self.config.state_dir).unwrap()
    }

    /// Asserts that the tracker has these relations, that nothing is open, and that there is nothing to do: as far as the last pull and what
    /// was written since tell, and as a new pull tells.
    pub(crate) fn assert_at_rest(&self, relations: &Classes) {
        assert_eq!(self.relations(), *relations);
        assert_eq!(self.open_entries(), []);
        assert_eq!(self.known_relations(), *relations);
        for pulling in [Pulling::Stored, Pulling::Fresh(Extent::Due), Pulling::Fresh(Extent::Full)] {
            let prepared = self.plan(pulling).unwrap();
            assert_eq!(self.document(&prepared).steps, [], "{pulling:?}");
        }
    }
}

/// The relations that a draft leads to.
pub(crate) fn target(draft: &Draft) -> Classes {
    let target = &draft.merged.target;
    let members = |class| {
        target
            .members(class)
            .iter()
            .map(|&element| draft.scene.patch(element))
            .collect::<Class>()
    };
    target.classes().map(members).collect()
}

/// Patience without waiting.
const PATIENCE: Patience = Patience {
    attempts: 20,
    wait: Duration::ZERO,
    longest: Duration::ZERO,
};

/// Opens the state. A process that another test has just started has a copy of every lock of this one, for the moment until it becomes another
/// program: then a state is in use that was closed here already.
pub(crate) fn open(state_dir: &Path) -> Store {
    for _ in 0..100_000 {
        match Store::open(state_dir) {
            Err(StoreError::InUse { .. }) => thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
    panic!("the state in {} is in use for good", state_dir.display());
}

fn options(terms: Terms) -> SessionOptions {
    SessionOptions {
        timeout: terms.timeout,
        // The simulator is at work on nothing that nobody waits for.
        in_hand: Duration::ZERO,
        retry: RetryPolicy::without_waiting(NonZeroU32::new(20).unwrap()),
    }
}

fn runtime() -> Runtime {
    runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A clock that goes on by a second each time that somebody looks.
fn clock() -> Timestamp {
    static LOOKS: AtomicI64 = AtomicI64::new(1_750_000_000);
    Timestamp::from_second(LOOKS.fetch_add(1, Ordering::Relaxed)).unwrap()
}

fn configure(folder: &Path, served: &Served, terms: Terms) -> Config {
    let Terms {
        projects,
        policy,
        format,
        token,
        commit_ref,
        sync,
        concurrent_requests,
        limits,
        guard,
        tables,
        timeout: _,
    } = terms;
    let token_file = folder.join("token");
    fs::write(&token_file, token).unwrap();
    fs::set_permissions(&token_file, fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        r#"
state_dir = "state"
[[tracker]]
name = "{TRACKER}"
url = "http://{}/"
projects = {projects:?}
policy = "{policy}"
token_file = "token"
commit_ref = "{commit_ref}"
sync = "{sync}"
[tracker.desired]
path = "patch-groups"
format = "{format}"
[tracker.limits]
requests_per_second = 1000000
concurrent_requests = {concurrent_requests}
{limits}
[tracker.guard]
{guard}
{tables}
"#,
        served.address
    );
    let file = config_file(folder);
    fs::write(&file, text).unwrap();
    Config::load(&file).unwrap()
}

fn config_file(folder: &Path) -> PathBuf {
    folder.join("kinset.toml")
}
