//! Whether it is alive, and whether it is of use.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::Service;
use super::desk::{Answer, Material};
use super::document::overview;
use super::trouble::of_daemon;
use crate::daemon::agenda::scheduled;
use crate::model::JobSubject;

/// What `/healthz` tells.
#[derive(Debug, Serialize)]
struct Alive {
    /// Whether the worker gives signs of life.
    alive: bool,
    /// How long ago the last one was.
    silence_seconds: u64,
}

/// Whether the worker goes on. Nothing but memory is looked at.
pub(super) async fn alive(State(service): State<Service>) -> Response {
    let heart = &service.sight.heart;
    let alive = heart.is_beating();
    let status = if alive { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let document = Alive {
        alive,
        silence_seconds: heart.silence().as_secs(),
    };
    Answer::json(status, &document).into_response().into_response()
}

/// What `/readyz` tells.
#[derive(Debug, Serialize)]
struct Ready {
    /// Whether nothing stands in the way.
    ready: bool,
    /// What does.
    reasons: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct Reason {
    /// What stands in the way.
    message: String,
    /// What to do about it.
    remedy: Option<String>,
}

/// Whether the configuration is good, the state can be read, and everything that has a schedule was looked at once.
pub(super) async fn ready(State(service): State<Service>) -> Response {
    let make = |material: Material| async move {
        let reasons = reasons(&material).await;
        let status = if reasons.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let document = Ready {
            ready: reasons.is_empty(),
            reasons,
        };
        Ok(Answer::json(status, &document))
    };
    service.desk.answer("/readyz", make).await
}

async fn reasons(material: &Material) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = of_daemon(material)
        .into_iter()
        .map(|trouble| Reason {
            message: trouble.message,
            remedy: trouble.remedy,
        })
        .collect();
    let document = match overview(material).await {
        Ok(document) => document,
        Err(problem) => {
            reasons.push(Reason {
                message: problem.message().to_owned(),
                remedy: problem.remedy().map(str::to_owned),
            });
            return reasons;
        }
    };
    let scheduled: BTreeSet<JobSubject> = scheduled(&material.config).into_iter().map(|(job, ..)| job.subject).collect();
    let wait = || Some("wait for the first run, or look into the log for why it fails".to_owned());
    for tracker in &document.trackers {
        if tracker.status.pulled.is_none() && scheduled.contains(&JobSubject::Tracker(tracker.status.tracker.clone())) {
            reasons.push(Reason {
                message: format!("tracker {} was never read", tracker.status.tracker),
                remedy: wait(),
            });
        }
    }
    for distribution in &document.distributions {
        if distribution.series.is_none() && scheduled.contains(&JobSubject::Distribution(distribution.name.clone())) {
            reasons.push(Reason {
                message: format!("nothing was ever taken in of distribution {}", distribution.name),
                remedy: wait(),
            });
        }
    }
    reasons
}
