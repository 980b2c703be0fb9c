//! How things stand, over HTTP: pages for people, documents and numbers for programs.
//!
//! | address | what is told | where |
//! | --- | --- | --- |
//! | `/healthz` | whether the worker goes on | `health` |
//! | `/readyz` | whether it can do what the configuration says | `health` |
//! | `/metrics` | numbers, for Prometheus | `metrics` |
//! | `/api/status` | what the first page tells, as JSON | `document` |
//! | `/`, `/trackers/…`, `/distributions/…` | pages | `overview`, `tracker`, `distribution`, `sets` |
//!
//! Nothing is changed here: whatever is not GET or HEAD is refused. `/healthz` and `/metrics` tell what is in memory, so they answer when the disk is
//! full and the state damaged. The rest reads the state as `kinset status` does, without its lock and on threads that may block, and no page is made
//! twice as long as nothing has changed (`Desk`). Every answer goes through `manners`, and what stands in pages goes through `Frame`.

mod address;
mod desk;
mod distribution;
mod document;
mod health;
mod layout;
mod manners;
mod metrics;
mod overview;
mod problem;
mod server;
mod sets;
mod teller;
mod tracker;
mod tracker_parts;
mod trouble;
mod who;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::sync::watch;

use super::{Heart, LiveDocument, Reloads};
use crate::config::Config;
use crate::reconcile::Clock;

pub use document::{DistributionOverview, OverviewDocument, SourceOverview, TrackerOverview, WaitingOverview};
pub use manners::Manners;
pub use server::{Connections, ServeError, accept, bind};
pub use teller::Teller;
pub use trouble::TroubleDocument;

use desk::Desk;
use problem::Problem;

/// All that there is to tell, and where it comes from.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The first configuration.
    pub config: Arc<Config>,
    /// Those that replace it.
    pub reloads: Reloads,
    /// What the daemon is doing.
    pub live: watch::Receiver<LiveDocument>,
    /// Whether the worker goes on.
    pub heart: Arc<Heart>,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Sight {
    /// The configuration in effect.
    fn config(&self) -> Arc<Config> {
        let last = self.reloads.borrow().clone();
        last.unwrap_or_else(|| Arc::clone(&self.config))
    }
}

/// What each answer is made from.
#[derive(Clone, Debug)]
struct Service {
    sight: Sight,
    desk: Arc<Desk>,
}

/// All addresses, and what is answered there.
pub fn router(sight: Sight, manners: Manners) -> Router {
    let service = Service {
        desk: Arc::new(Desk::new(sight.clone())),
        sight,
    };
    let pages = Router::new()
        .route("/", get(overview::page))
        .route("/api/status", get(overview::json))
        .route("/readyz", get(health::ready))
        .route("/trackers/{tracker}", get(tracker::page))
        .route("/trackers/{tracker}/drift.svg", get(tracker::drift))
        .route("/trackers/{tracker}/runs/{run}", get(tracker::run))
        .route("/trackers/{tracker}/patches/{patch}", get(tracker::patch))
        .route("/distributions/{distribution}", get(distribution::page))
        .route("/distributions/{distribution}/runs/{run}", get(distribution::run))
        .route("/distributions/{distribution}/timeline.svg", get(distribution::timeline))
        .route("/distributions/{distribution}/modules.svg", get(distribution::modules))
        .route("/distributions/{distribution}/who", get(who::page))
        .route("/distributions/{distribution}/series/{series}/sets", get(sets::list))
        .route("/distributions/{distribution}/series/{series}/sets/{set}", get(sets::page));
    let at_any_time = Router::new()
        .route("/healthz", get(health::alive))
        .route("/metrics", get(metrics::page))
        .route(layout::STYLE_ROUTE, get(layout::style))
        .route("/icon.svg", get(layout::icon));
    manners::bounded(pages)
        .merge(at_any_time)
        .fallback(nothing_there)
        .with_state(service)
        .layer(axum::middleware::from_fn_with_state(manners, manners::keep))
}

async fn nothing_there(State(_): State<Service>, uri: Uri) -> Response {
    Problem::nothing_at(uri.path()).into_response()
}
