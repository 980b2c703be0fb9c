//! The first page: what somebody has to know who is woken at three.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};

use super::Service;
use super::desk::{Answer, Material};
use super::document::{DistributionOverview, OverviewDocument, TrackerOverview, overview};
use super::layout::{Frame, distribution_address, facts, picture, time, time_or, tracker_address};
use super::problem::Problem;
use super::tracker_parts::{Doing, jobs, runs, waiting_in_short};
use super::trouble::{TroubleDocument, in_vain, of_daemon, whom};
use crate::daemon::LiveDocument;
use crate::text::{count, count_doing};

/// How everything stands, as JSON.
pub(super) async fn json(State(service): State<Service>) -> Response {
    let make = |material: Material| async move {
        #[derive(serde::Serialize)]
        struct Unknown<'p> {
            error: &'p str,
            remedy: Option<&'p str>,
            troubles: Vec<TroubleDocument>,
        }
        Ok(match overview(&material).await {
            Ok(document) => Answer::json(StatusCode::OK, &document),
            Err(problem) => {
                let document = Unknown {
                    error: problem.message(),
                    remedy: problem.remedy(),
                    troubles: of_daemon(&material),
                };
                Answer::json(problem.status(), &document)
            }
        })
    };
    service.desk.answer("/api/status", make).await
}

/// How everything stands.
pub(super) async fn page(State(service): State<Service>) -> Response {
    let make = |material: Material| async move {
        Ok(match overview(&material).await {
            Ok(document) => Answer::page(whole(&document, &material.live)),
            Err(problem) => Answer::page(without_state(&problem, &material)).with_status(problem.status()),
        })
    };
    service.desk.answer("/", make).await
}

fn whole(document: &OverviewDocument, live: &LiveDocument) -> String {
    Frame::new(&heading(&document.troubles)).read_at(document.as_of).with_body(&html! {
        (troubles(&document.troubles))
        (now(live, document.as_of))
        @for tracker in &document.trackers { (of_tracker(tracker, live)) }
        @for distribution in &document.distributions { (of_distribution(distribution, live)) }
        @if document.trackers.is_empty() && document.distributions.is_empty() {
            p { "The configuration names no tracker and no distribution." }
        }
    })
}

/// What can be told where the state cannot be read: the daemon itself.
fn without_state(problem: &Problem, material: &Material) -> String {
    Frame::new("The state cannot be read").with_body(&html! {
        p.lead.wrong { (problem.message()) "." }
        @if let Some(remedy) = problem.remedy() { p { strong { "What to do: " } (remedy) } }
        (troubles(&of_daemon(material)))
        (now(&material.live, (material.sight.clock)()))
    })
}

/// How many things are wrong: those that need a person, and apart from them those that may mend themselves.
fn heading(troubles: &[TroubleDocument]) -> String {
    let tried_again = troubles.iter().filter(|trouble| trouble.tried_again).count();
    match (troubles.len() - tried_again, tried_again) {
        (0, 0) => "All is well".to_owned(),
        (0, tried) => format!("{} being tried again", count_doing(tried, "thing", ["is", "are"])),
        (people, 0) => format!("{} a person", count_doing(people, "thing", ["needs", "need"])),
        (people, tried) => {
            let people = count_doing(people, "thing", ["needs", "need"]);
            format!(
                "{people} a person, {tried} {} being tried again",
                if tried == 1 { "is" } else { "are" }
            )
        }
    }
}

fn troubles(troubles: &[TroubleDocument]) -> Markup {
    html! {
        @if !troubles.is_empty() {
            ul.troubles {
                @for trouble in troubles {
                    li {
                        p { a href=(trouble.page) { (trouble.subject) } ": " (trouble.message) "." }
                        @for guard in &trouble.guards {
                            p { "Guard " code { (guard.option) } ": " (guard.message) "." }
                            @if let Some(remedy) = &guard.remedy { p { strong { "What to do: " } (remedy) "." } }
                        }
                        @if let Some(remedy) = trouble.remedy.as_ref().filter(|_| trouble.guards.is_empty()) {
                            p { strong { "What to do: " } (remedy) "." }
                        }
                    }
                }
            }
        }
    }
}

/// What is being done, and what comes next.
fn now(live: &LiveDocument, as_of: Timestamp) -> Markup {
    let running = live.running.as_ref();
    let others = live.jobs.iter().filter(|job| running.is_none_or(|run| run.job != job.job));
    let next = others.filter_map(|job| Some((job.next_due?, &job.job))).min();
    let held: Vec<_> = live.jobs.iter().filter_map(|job| Some((&job.job, job.held_by.as_ref()?))).collect();
    html! {
        section aria-labelledby="now" {
            h2 id="now" { "Now" }
            p {
                @match &live.running {
                    Some(run) => { "Run " (run.run) " is under way: the " (run.job.to_string()) ", since " (time(run.began_at)) ". " }
                    None => { "Nothing is under way. " }
                }
                @match next {
                    Some((due, job)) if running.is_some() && due <= as_of => { "Next: the " (job.to_string()) ", due since " (time(due)) "." }
                    Some((due, job)) => { "Next: the " (job.to_string()) " at " (time(due)) "." }
                    None if running.is_some() => { "Nothing else is due." }
                    None => { "Nothing is due." }
                }
            }
            @for asked in running.iter().flat_map(|run| &run.asked_in_vain) {
                p.waits { "It asks " (whom(asked)) " in vain: " (in_vain(asked)) "." }
            }
            @if let Some(set) = live.clock_set { p.waits { "At " (time(set.at)) " it was found that " (set.told()) "." } }
            @for (job, by) in held { p.waits { "The " (job.to_string()) " waits for another kinset that works on the state: " (by) "." } }
        }
    }
}

fn of_tracker(tracker: &TrackerOverview, live: &LiveDocument) -> Markup {
    let status = &tracker.status;
    let doing = Doing::with(&status.tracker, tracker.mode, live);
    let name = &status.tracker;
    let address = tracker_address(name);
    let id = format!("tracker-{name}");
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { a href=(address) { "Tracker " (name) } }
            (facts(&[
                ("Mode", mode(tracker.mode)),
                ("Policy", html! { (status.policy) }),
                ("Last read", html! {
                    @match &status.pulled {
                        Some(pulled) => { (time(pulled.pulled_at)) ", " (count(pulled.patches, "patch")) }
                        None => "never",
                    }
                }),
                ("Left to do", html! {
                    @match &status.last_cycle {
                        Some(cycle) => { (count(cycle.drift, "write")) ", " (cycle.undone) " undone" }
                        None => "no plan was made yet",
                    }
                }),
                (if doing.is_writing() { "Plan that waited" } else { "Plan that waits" }, waiting_in_short(tracker.plan.as_ref(), &address, doing)),
                ("Decisions of people", html! {
                    @if status.decisions == 0 { "none" } @else { a href={ (address) "#decisions" } { (status.decisions) " standing" } }
                }),
            ]))
            @if status.open_writes > 0 {
                p.waits { (count(status.open_writes, "write")) " " (doing.open_writes()) "." }
            }
            (jobs(&status.jobs, live, &format!("What is done with tracker {name}"), &address))
            (runs(&tracker.runs, &format!("Last runs of tracker {name}"), &address))
            @if status.last_cycle.is_some() {
                (picture(&format!("{address}/drift.svg"), &format!("Writes left to do on tracker {name} over time")))
            }
        }
    }
}

/// What a sync may do, in words.
pub(super) fn mode(mode: &str) -> Markup {
    html! {
        code { (mode) }
        @match mode {
            "plan-only" => ": plans are made and nothing is written",
            _ => ": plans are carried out",
        }
    }
}

fn of_distribution(distribution: &DistributionOverview, live: &LiveDocument) -> Markup {
    let name = &distribution.name;
    let address = distribution_address(name);
    let id = format!("distribution-{name}");
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { a href=(address) { "Distribution " (name) } }
            (facts(&[
                ("Follows", followed(distribution)),
                ("Series", html! {
                    @match distribution.series { Some(series) => (series), None => "nothing was taken in yet" }
                }),
            ]))
            (jobs(&distribution.jobs, live, &format!("What is done with distribution {name}"), &address))
            (runs(&distribution.runs, &format!("Last runs of distribution {name}"), &address))
        }
    }
}

/// What a distribution follows, and when each service was read.
pub(super) fn followed(distribution: &DistributionOverview) -> Markup {
    html! {
        @match (&distribution.file, distribution.sources.as_slice()) {
            (Some(file), _) => { "the file " code { (file) } }
            (None, []) => "nothing: it is changed by commands",
            (None, sources) => {
                ul.plain {
                    @for source in sources {
                        li { (source.name) " (" (source.kind) "), last taken in: " (time_or(source.read_at, "never")) }
                    }
                }
            }
        }
    }
}
