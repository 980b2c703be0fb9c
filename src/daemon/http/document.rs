//! How everything stands, as one document: what `/api/status` prints and the first page shows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::desk::Material;
use super::problem::Problem;
use super::trouble::{TroubleDocument, troubles};
use crate::config::{Config, Distribution, Follows, SourceKind, Tracker};
use crate::daemon::{ClockSet, LiveRun};
use crate::model::JobSubject;
use crate::reconcile::{
    DaemonJobDocument, DaemonRunDocument, GuardDocument, Keeper, StatusDocument, WaitingDocument, WaitingPlanDocument,
    daemon_job_documents, daemon_runs, status, waiting_plan,
};
use crate::store::StoreError;

/// As many runs are told of each tracker and distribution.
const RUNS: u32 = 5;

/// As many plans are drawn.
pub(super) const DRAWN: u32 = 2000;

/// How everything stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverviewDocument {
    /// The version of kinset that tells it.
    pub version: &'static str,
    /// When this was read. It is read again whenever something has changed.
    pub as_of: Timestamp,
    /// Whether nothing is wrong.
    pub well: bool,
    /// What needs a person, or is tried again by itself and may come to need one; what stands in the way of everything first.
    pub troubles: Vec<TroubleDocument>,
    /// The run under way.
    pub running: Option<LiveRun>,
    /// That the clock was set, if it was in the last day.
    pub clock_set: Option<ClockSet>,
    /// The trackers, in the order of the configuration.
    pub trackers: Vec<TrackerOverview>,
    /// The distributions: those of the configuration in its order, then others that the state has.
    pub distributions: Vec<DistributionOverview>,
}

/// How a tracker stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrackerOverview {
    /// What `kinset status --format json` tells of it.
    #[serde(flatten)]
    pub status: StatusDocument,
    /// What a sync may do: `plan-only` or `apply`.
    pub mode: &'static str,
    /// The last runs, latest first.
    pub runs: Vec<DaemonRunDocument>,
    /// What the plan is made of that waits.
    pub plan: Option<WaitingOverview>,
}

/// What a plan that waits is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaitingOverview {
    /// That it waits.
    #[serde(skip)]
    pub waiting: WaitingDocument,
    /// How many of its writes are clears.
    pub clears: usize,
    /// How many are relates.
    pub relates: usize,
    /// How many are of commits.
    pub commit_refs: usize,
    /// How much of what is wanted it leaves undone.
    pub undone: usize,
    /// The guards that it trips.
    pub guards: Vec<GuardDocument>,
}

/// How a distribution stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DistributionOverview {
    /// Its name.
    pub name: String,
    /// The file that it is kept in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The services that it follows.
    pub sources: Vec<SourceOverview>,
    /// How many series the state has of it; `null` where it has none yet.
    pub series: Option<usize>,
    /// What is done with it, and when next.
    pub jobs: Vec<DaemonJobDocument>,
    /// The last runs, latest first.
    pub runs: Vec<DaemonRunDocument>,
}

/// A service that a distribution follows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceOverview {
    /// Its name.
    pub name: String,
    /// What it is, in the word of the configuration.
    pub kind: &'static str,
    /// When it last said something that was taken in.
    pub read_at: Option<Timestamp>,
}

/// Reads how everything stands.
pub(super) async fn overview(material: &Material) -> Result<OverviewDocument, Problem> {
    let keeper = material.keeper().await?;
    let config = &material.config;
    let mut trackers = Vec::new();
    for tracker in &config.trackers {
        trackers.push(tracker_overview(tracker, &keeper).await?);
    }
    let mut distributions = Vec::new();
    for name in distributions_of(config, &keeper).await? {
        let followed = config.distributions.iter().find(|distribution| distribution.name.as_str() == name);
        distributions.push(distribution_overview(name, followed, &keeper).await?);
    }
    let troubles = troubles(material, &trackers, &distributions);
    Ok(OverviewDocument {
        version: env!("CARGO_PKG_VERSION"),
        as_of: (material.sight.clock)(),
        well: troubles.is_empty(),
        troubles,
        running: material.live.running.clone(),
        clock_set: material.live.clock_set,
        trackers,
        distributions,
    })
}

/// How a tracker stands.
pub(super) async fn tracker_overview(tracker: &Tracker, keeper: &Keeper) -> Result<TrackerOverview, Problem> {
    let subject = JobSubject::Tracker(tracker.name.to_string());
    Ok(TrackerOverview {
        status: status(keeper, tracker).await?,
        mode: tracker.sync.as_str(),
        runs: daemon_runs(keeper, Some(subject), RUNS).await?,
        plan: waiting_plan(keeper, tracker).await?.as_ref().map(WaitingOverview::of),
    })
}

impl WaitingOverview {
    pub(super) fn of(waiting: &WaitingPlanDocument) -> Self {
        let of = |count: fn(&crate::reconcile::TrackerDocument) -> usize| waiting.plan.trackers.iter().map(count).sum();
        Self {
            waiting: waiting.waiting.clone(),
            clears: of(|tracker| tracker.clears),
            relates: of(|tracker| tracker.relates),
            commit_refs: of(|tracker| tracker.commit_refs),
            undone: of(|tracker| tracker.undone.len() + tracker.commits_undone.len()),
            guards: waiting.plan.trackers.iter().flat_map(|tracker| tracker.guards.clone()).collect(),
        }
    }
}

/// The distributions of the configuration, then those that the state has besides.
async fn distributions_of(config: &Config, keeper: &Keeper) -> Result<Vec<String>, Problem> {
    let known = keeper.with(|store, _| {
        store.ask(None, |view| {
            let rows = view.distributions()?.into_iter();
            Ok(rows.map(|row| row.name.to_string()).collect::<Vec<_>>())
        })
    });
    let known = known.await?;
    let mut names: Vec<String> = config
        .distributions
        .iter()
        .map(|distribution| distribution.name.to_string())
        .collect();
    for name in known {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// How a distribution stands.
pub(super) async fn distribution_overview(
    name: String,
    followed: Option<&Distribution>,
    keeper: &Keeper,
) -> Result<DistributionOverview, Problem> {
    let subject = JobSubject::Distribution(name.clone());
    let (file, sources) = match followed.map(|distribution| (distribution, &distribution.follows)) {
        None => (None, Vec::new()),
        Some((_, Follows::File(path))) => (Some(path.display().to_string()), Vec::new()),
        Some((distribution, Follows::Services(services))) => {
            let name = distribution.name.clone();
            let read = keeper.with(move |store, _| store.read_at(&name)).await?;
            let source = |source: &crate::config::Source| SourceOverview {
                name: source.name.clone(),
                kind: kind(&source.kind),
                read_at: read.get(&source.name).copied(),
            };
            (None, services.sources.iter().map(source).collect())
        }
    };
    let wanted = name.clone();
    let series = keeper.with(move |store, _| count_series(store, &wanted)).await?;
    Ok(DistributionOverview {
        name,
        file,
        sources,
        series,
        jobs: daemon_job_documents(keeper, subject.clone()).await?,
        runs: daemon_runs(keeper, Some(subject), RUNS).await?,
    })
}

fn count_series(store: &crate::store::Store, name: &str) -> Result<Option<usize>, StoreError> {
    store.ask(None, |view| {
        let rows = view.distributions()?;
        let row = rows.into_iter().find(|row| row.name.as_str() == name);
        row.map(|row| view.series_of(&row).map(|series| series.len())).transpose()
    })
}

const fn kind(kind: &SourceKind) -> &'static str {
    match kind {
        SourceKind::Launchpad { .. } => "launchpad",
        SourceKind::Bodhi { .. } => "bodhi",
        SourceKind::Distgit { .. } => "distgit",
        SourceKind::DistroInfo { .. } => "distro-info",
        SourceKind::Local { .. } => "local",
        SourceKind::Modulemd { .. } => "modulemd",
    }
}

/// What a browser may do with a picture: apply the style that it brings along, and nothing else.
pub(super) fn picture_policy(svg: &str) -> String {
    let style = svg.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    let style = style.map_or_else(
        || "'none'".to_owned(),
        |(style, _)| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style))),
    );
    format!("default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}
