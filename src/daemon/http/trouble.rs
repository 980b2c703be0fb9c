//! What needs a person, or may come to, found in how everything stands.

use serde::Serialize;

use super::desk::Material;
use super::document::{DistributionOverview, TrackerOverview};
use crate::daemon::{AskedInVain, LiveDocument, Unrecorded};
use crate::model::Job;
use crate::reconcile::{DaemonJobDocument, DaemonRunDocument, GuardDocument};
use crate::text::count;

/// So many requests in a row that fail are more than a hiccup.
const HICCUPS: u32 = 2;

/// Something that needs a person, or may come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TroubleDocument {
    /// `daemon`, `tracker kernel`, `distribution ubuntu`.
    pub subject: String,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Whether it is tried again by itself, and it is too early to say that a person is needed.
    pub tried_again: bool,
    /// The guards that tripped.
    pub guards: Vec<GuardDocument>,
    /// The address of the page that tells more.
    pub page: String,
}

impl TroubleDocument {
    fn of_daemon(message: impl Into<String>, remedy: &str) -> Self {
        Self {
            subject: "daemon".to_owned(),
            message: message.into(),
            remedy: Some(remedy.to_owned()),
            tried_again: false,
            guards: Vec::new(),
            page: "/".to_owned(),
        }
    }
}

/// What needs a person or may come to, what stands in the way of everything first.
pub(super) fn troubles(material: &Material, trackers: &[TrackerOverview], distributions: &[DistributionOverview]) -> Vec<TroubleDocument> {
    let mut troubles = of_daemon(material);
    for tracker in trackers {
        let name = &tracker.status.tracker;
        let page = super::layout::tracker_address(name);
        let subject = format!("tracker {name}");
        troubles.extend(of_jobs(&subject, &page, &tracker.status.jobs));
        troubles.extend(of_run(&subject, &page, &material.live, &tracker.runs));
        if let Some(elsewhere) = &tracker.status.elsewhere {
            troubles.push(TroubleDocument {
                message: format!("it was only ever read from {elsewhere}, which is not the address that the configuration names now"),
                remedy: Some(format!("run `kinset pull {name}` if the new address is right")),
                tried_again: false,
                subject: subject.clone(),
                guards: Vec::new(),
                page: page.clone(),
            });
        }
        if let Some(cycle) = tracker.status.last_cycle.as_ref().filter(|cycle| !cycle.blocked.is_empty()) {
            let blocked: Vec<&str> = cycle.blocked.iter().map(crate::model::ProjectName::as_str).collect();
            troubles.push(TroubleDocument {
                message: format!("the token's user may not write to {}", blocked.join(", ")),
                remedy: Some("have an administrator of the tracker make the user a maintainer of these projects".to_owned()),
                tried_again: false,
                subject: subject.clone(),
                guards: Vec::new(),
                page: page.clone(),
            });
        }
    }
    for distribution in distributions {
        let page = super::layout::distribution_address(&distribution.name);
        let subject = format!("distribution {}", distribution.name);
        troubles.extend(of_jobs(&subject, &page, &distribution.jobs));
        troubles.extend(of_run(&subject, &page, &material.live, &distribution.runs));
    }
    troubles
}

/// What is wrong with the daemon itself, whatever is in the state.
pub(super) fn of_daemon(material: &Material) -> Vec<TroubleDocument> {
    let mut troubles = Vec::new();
    if !material.sight.heart.is_beating() {
        let silence = material.sight.heart.silence().as_secs();
        let doing = material.live.running.as_ref();
        let doing = doing.map_or_else(String::new, |run| format!(" in the middle of the {}, run {}", run.job, run.run));
        troubles.push(TroubleDocument::of_daemon(
            format!("the worker has given no sign of life for more than {} s{doing}", silence / 60 * 60),
            "look into the log for what it waits for; a restart loses nothing",
        ));
    }
    if let Some(refused) = &material.sight.heart.reloads().reason {
        troubles.push(TroubleDocument::of_daemon(
            format!("the configuration was read again and refused, so the old one is in effect: {refused}"),
            "correct it (`kinset config check` tells what is wrong) and reload",
        ));
    }
    if let Some(Unrecorded { times, message, remedy }) = &material.live.unrecorded {
        troubles.push(TroubleDocument::of_daemon(
            format!("what is done cannot be recorded, {} in a row: {message}", count(*times, "time")),
            remedy
                .as_deref()
                .unwrap_or("make sure that the state folder can be written and that the disk has room"),
        ));
    }
    let unheard = material.live.jobs.iter().filter(|job| job.failed_notices > 0);
    for job in unheard {
        troubles.push(TroubleDocument::of_daemon(
            format!(
                "the command that tells people failed {} about the {}",
                count(job.failed_notices, "time"),
                job.job
            ),
            "try the `command` under [daemon.notice] by hand; the log has what it said",
        ));
    }
    troubles
}

fn of_jobs(subject: &str, page: &str, jobs: &[DaemonJobDocument]) -> Vec<TroubleDocument> {
    jobs.iter().filter_map(|job| of_job(subject, page, job)).collect()
}

/// How a job stands, whether or not it is at it again.
fn of_job(subject: &str, page: &str, job: &DaemonJobDocument) -> Option<TroubleDocument> {
    let DaemonRunDocument {
        outcome,
        message,
        remedy,
        guards,
        ..
    } = job.last_ended.as_ref()?;
    let kind = job.job.kind;
    let said = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    let (message, tried_again) = match *outcome {
        "refused" => (format!("the last {kind} was refused{said}"), false),
        "failed" if job.failures > 1 => (format!("the {kind} failed {} times in a row{said}", job.failures), false),
        "failed" => (format!("the last {kind} failed{said}"), true),
        "cut-short" => {
            let message = format!("the last {kind} was cut short, because the process ended in the middle of it");
            (message, job.failures <= 1)
        }
        _ => return None,
    };
    let otherwise = if tried_again {
        "nothing yet: it is tried again by itself"
    } else {
        "look into the log for the details; it is tried again by itself meanwhile"
    };
    Some(TroubleDocument {
        subject: subject.to_owned(),
        message,
        remedy: remedy.clone().or_else(|| Some(otherwise.to_owned())),
        tried_again,
        guards: guards.clone(),
        page: page.to_owned(),
    })
}

/// Whom the run under way asks in vain, for longer than a hiccup, if it is one of these. Where its job has failed already, that is the same trouble.
fn of_run(subject: &str, page: &str, live: &LiveDocument, runs: &[DaemonRunDocument]) -> Vec<TroubleDocument> {
    let under_way = live
        .running
        .as_ref()
        .filter(|running| runs.iter().any(|run| run.run == running.run && run.ended_at.is_none()));
    let has_failed = |job: &Job| live.jobs.iter().any(|known| known.job == *job && known.failures > 0);
    let Some(run) = under_way.filter(|run| !has_failed(&run.job)) else {
        return Vec::new();
    };
    let long = run.asked_in_vain.iter().filter(|asked| asked.times > HICCUPS);
    let trouble = |asked: &AskedInVain| TroubleDocument {
        subject: subject.to_owned(),
        message: format!("{} does not answer the {} under way: {}", whom(asked), run.job.kind, in_vain(asked)),
        remedy: Some("nothing yet: it is asked again by itself, until `patience_seconds` have gone; then the run has failed".to_owned()),
        tried_again: true,
        guards: Vec::new(),
        page: page.to_owned(),
    };
    long.map(trouble).collect()
}

/// Who is asked.
pub(super) fn whom(asked: &AskedInVain) -> String {
    match &asked.source {
        None => "the tracker".to_owned(),
        Some(source) => format!("source {source}"),
    }
}

/// How requests went that failed.
pub(super) fn in_vain(asked: &AskedInVain) -> String {
    format!(
        "{} failed in a row, the last one: {}",
        count(asked.times, "request"),
        asked.outcome.as_str()
    )
}
