//! The pages of a tracker: how it stands, a run, a patch.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::Service;
use super::address::{Form, Named};
use super::desk::{Answer, Material};
use super::document::{DRAWN, TrackerOverview, WaitingOverview, tracker_overview};
use super::layout::{Frame, Leaf, facts, picture, table, time, tracker_address};
use super::overview::mode;
use super::problem::Problem;
use super::tracker_parts::{Doing, guards, jobs, run as shown_run, runs, steps};
use crate::config::Tracker;
use crate::model::JobSubject;
use crate::picture;
use crate::reconcile::{
    DaemonRunDocument, DecisionDocument, HistoryDocument, WaitingPlanDocument, daemon_runs, decision_documents, history, waiting_plan,
};
use crate::store::DecisionFilter;
use crate::text::{count, count_doing};

/// So many rows are on a page.
const ROWS: usize = 100;

/// Which pages of the long lists are shown.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Leaves {
    runs: Option<usize>,
    plan: Option<usize>,
    decisions: Option<usize>,
}

/// The tracker of this name.
fn tracker<'m>(material: &'m Material, name: &str) -> Result<&'m Tracker, Problem> {
    let mut all = material.config.trackers.iter();
    all.find(|tracker| tracker.name.as_str() == name)
        .ok_or_else(|| Problem::no_such("tracker", name).with_remedy("The overview names those of the configuration."))
}

/// How a tracker stands.
pub(super) async fn page(State(service): State<Service>, Named(name): Named<String>, Form(leaves): Form<Leaves>) -> Response {
    let Leaves { runs, plan, decisions } = leaves;
    let called = format!("{}?{runs:?}&{plan:?}&{decisions:?}", tracker_address(&name));
    service.desk.answer(called, |material| whole(material, name, leaves)).await
}

async fn whole(material: Material, name: String, leaves: Leaves) -> Result<Answer, Problem> {
    let tracker = tracker(&material, &name)?;
    let keeper = material.keeper().await?;
    let overview = tracker_overview(tracker, &keeper).await?;
    let doing = Doing::with(&name, overview.mode, &material.live);
    let waiting = waiting_plan(&keeper, tracker).await?;
    let decisions = decision_documents(&keeper, tracker, DecisionFilter::Open).await?;
    let all = daemon_runs(&keeper, Some(JobSubject::Tracker(name.clone())), u32::MAX).await?;
    let address = tracker_address(&name);
    let on = |list: &str, page: usize| format!("{address}?{list}={page}#{list}");
    let leaf = Leaf::new(leaves.runs, ROWS);
    let title = format!("Tracker {name}");
    let body = html! {
        (in_short(&overview, doing))
        section aria-labelledby="jobs" {
            h2 id="jobs" { "What is done" }
            (jobs(&overview.status.jobs, &material.live, "What is done with it", &address))
        }
        section aria-labelledby="drift" {
            h2 id="drift" { "Left to do over time" }
            (picture(&format!("{address}/drift.svg"), &format!("Writes left to do on tracker {name} over time")))
        }
        section aria-labelledby="plan" {
            h2 id="plan" { @if doing.is_writing() { "The plan that waited" } @else { "The plan that waits" } }
            (plan(waiting.as_ref(), doing, &address, Leaf::new(leaves.plan, ROWS), on))
        }
        section aria-labelledby="decisions" {
            h2 id="decisions" { "Decisions of people" }
            (decided(&decisions, &address, Leaf::new(leaves.decisions, ROWS), on))
        }
        section aria-labelledby="runs" {
            h2 id="runs" { "Runs" }
            (runs(leaf.of(&all), "Runs, latest first", &address))
            (leaf.others(all.len(), "runs", |page| on("runs", page)))
        }
    };
    Ok(Answer::page(Frame::new(&title).read_at((material.sight.clock)()).with_body(&body)))
}

fn in_short(overview: &TrackerOverview, doing: Doing) -> Markup {
    let status = &overview.status;
    html! {
        (facts(&[
            ("Address", html! { code { (status.url) } }),
            ("Mode", mode(overview.mode)),
            ("Policy", html! { (status.policy) }),
            ("Last read", html! {
                @match &status.pulled {
                    None => "never",
                    Some(pulled) => {
                        (time(pulled.pulled_at)) ", read whole " (time(pulled.swept_at)) ", "
                        (count(pulled.patches, "patch")) " in " (count(pulled.projects.len(), "project"))
                    }
                }
            }),
            ("Last plan", html! {
                @match &status.last_cycle {
                    None => "none",
                    Some(cycle) => {
                        (time(cycle.at)) ": " (count(cycle.drift, "write")) ", " (cycle.undone) " undone, "
                        (count(cycle.foreign_changes, "patch")) " moved by others"
                        @if cycle.guarded { ", held back by a guard" }
                    }
                }
            }),
            ("Last writes", html! {
                @match &status.last_run {
                    None => "none",
                    Some(run) => {
                        (time(run.began_at)) ": " (run.outcome) ", " (count(run.done, "write")) " took effect"
                        @if let Some(reason) = &run.reason { ": " (reason) }
                    }
                }
            }),
            (if doing.is_syncing { "In flight or of unknown outcome" } else { "Of unknown outcome" }, html! {
                (count(status.open_writes, "write"))
            }),
        ]))
        @for collection in &status.collections {
            p {
                "Project " (collection.project.as_str()) " is of " (collection.collection.to_string())
                @match &collection.status {
                    None => ", of which nothing is known: nothing is planned.",
                    Some(status) => { " (" (status.to_string()) ")" @if status.is_ended() { ": nothing is written there" } "." }
                }
            }
        }
    }
}

fn plan(waiting: Option<&WaitingPlanDocument>, doing: Doing, address: &str, leaf: Leaf, on: impl Fn(&str, usize) -> String) -> Markup {
    let Some(waiting) = waiting else {
        return html! { p { "No plan waits." @if doing.is_writing() { " A sync is under way, which plans anew and writes what may be written." } } };
    };
    let short = WaitingOverview::of(waiting);
    let all = &waiting.plan.steps;
    html! {
        p {
            (count(waiting.waiting.writes, "write")) " (" (count(short.clears, "clear")) ", "
            (count(short.relates, "relate")) ", " (count(short.commit_refs, "commit"))
            ") were planned by " a href={ (address) "/runs/" (waiting.waiting.run) } { "run " (waiting.waiting.run) } " at " (time(waiting.waiting.planned_at))
            (doing.waits(waiting.waiting.because, " and wait ")) "."
        }
        @for tracker in &waiting.plan.trackers {
            p {
                (tracker.only_in_analysis) " of " (count(tracker.named, "element")) " only in the analysis, "
                (tracker.only_in_tracker) " of " (count(tracker.patches, "patch")) " only in the tracker. "
                (count_doing(tracker.relations, "relation", ["becomes", "become"])) " " (tracker.relations_after) ". "
                (count_doing(tracker.undone.len() + tracker.commits_undone.len(), "wanted change", ["stays", "stay"])) " undone."
            }
        }
        @if !short.guards.is_empty() { (guards(&short.guards)) }
        (steps(leaf.of(all), "Writes that are planned", address))
        (leaf.others(all.len(), "plan", |page| on("plan", page)))
        @if waiting.steps_left_out > 0 {
            p { (count_doing(waiting.steps_left_out, "write", ["is", "are"])) " not kept here; " code { "kinset plan" } " shows all." }
        }
        @if !doing.is_writing() {
            p {
                "To carry it out: read it with " code { "kinset plan" } ", then " code { "kinset apply" }
                @if !doing.may_write { "; or let the daemon do so with " code { "sync = \"apply\"" } }
                "."
            }
        }
    }
}

fn decided(decisions: &[DecisionDocument], address: &str, leaf: Leaf, on: impl Fn(&str, usize) -> String) -> Markup {
    if decisions.is_empty() {
        return html! { p { "None stands." } };
    }
    let rows: Vec<Vec<Markup>> = leaf
        .of(decisions)
        .iter()
        .map(|decision| {
            vec![
                html! { (decision.id) },
                html! { (decision.kind) },
                html! {
                    @for (place, (patch, mail)) in decision.patches.iter().enumerate() {
                        @if place > 0 { ", " }
                        a href={ (address) "/patches/" (patch.0) } { (patch.0) }
                        @if let Some(mail) = mail { " (" (mail.to_string()) ")" }
                    }
                },
                time(decision.seen_at),
                html! { @match &decision.by { Some(by) => (by.to_string()), None => "nobody knows" } },
            ]
        })
        .collect();
    html! {
        (table("Decisions that stand", &["Number", "Kind", "Patches", "Seen", "By"], &rows))
        (leaf.others(decisions.len(), "decisions", |page| on("decisions", page)))
        p { code { "kinset decisions drop" } " ends one." }
    }
}

/// How far it was from what is wanted, as a picture.
pub(super) async fn drift(State(service): State<Service>, Named(name): Named<String>) -> Response {
    let called = format!("{}/drift.svg", tracker_address(&name));
    let make = |material: Material| async move {
        let tracker = tracker(&material, &name)?;
        let (name, url) = (tracker.name.to_string(), tracker.url.to_string());
        let cycles = material.ask(move |store| store.cycles(&name, &url, DRAWN)).await?;
        let points: Vec<_> = cycles.iter().rev().map(|(at, cycle)| (*at, cycle.drift())).collect();
        Ok(Answer::picture(picture::drift(&points)))
    };
    service.desk.answer(called, make).await
}

/// A run with a tracker.
pub(super) async fn run(State(service): State<Service>, Named((name, number)): Named<(String, u64)>) -> Response {
    let address = tracker_address(&name);
    let make = |material: Material| async move {
        tracker(&material, &name)?;
        let subject = JobSubject::Tracker(name.clone());
        of_run(&material, subject, number, tracker_address(&name), format!("Tracker {name}")).await
    };
    service.desk.answer(format!("{address}/runs/{number}"), make).await
}

/// The page of a run.
pub(super) async fn of_run(material: &Material, subject: JobSubject, number: u64, address: String, of: String) -> Result<Answer, Problem> {
    let keeper = material.keeper().await?;
    let runs = daemon_runs(&keeper, Some(subject), u32::MAX).await?;
    let found: Option<DaemonRunDocument> = runs.into_iter().find(|run| run.run == number);
    let found = found.ok_or_else(|| {
        Problem::no_such("run", &number.to_string())
            .with_remedy("Old ones are forgotten: `keep_runs` under [daemon] says how many are kept.")
    })?;
    let title = format!("Run {number} of {}", of.to_lowercase());
    let frame = Frame::new(&title).under(address, of).read_at((material.sight.clock)());
    Ok(Answer::page(frame.with_body(&shown_run(&found))))
}

/// The relations that a patch was in.
pub(super) async fn patch(State(service): State<Service>, Named((name, number)): Named<(String, u64)>) -> Response {
    let address = tracker_address(&name);
    let make = |material: Material| async move {
        let tracker = tracker(&material, &name)?;
        let keeper = material.keeper().await?;
        let documents = history(&keeper, tracker, &number.to_string()).await?;
        let title = format!("Patch {number} of tracker {name}");
        let address = tracker_address(&name);
        let frame = Frame::new(&title)
            .under(address.clone(), format!("Tracker {name}"))
            .read_at((material.sight.clock)());
        Ok(Answer::page(frame.with_body(
            &html! { @for document in &documents { (sightings(document, &address)) } },
        )))
    };
    service.desk.answer(format!("{address}/patches/{number}"), make).await
}

fn sightings(document: &HistoryDocument, address: &str) -> Markup {
    let rows: Vec<Vec<Markup>> = document
        .relations
        .iter()
        .rev()
        .map(|seen| {
            vec![
                time(seen.since),
                html! {
                    @if seen.patches.len() < 2 { "none" }
                    @else { @for (place, patch) in seen.patches.iter().enumerate() {
                        @if place > 0 { ", " }
                        @if *patch == document.patch { (patch.0) } @else { a href={ (address) "/patches/" (patch.0) } { (patch.0) } }
                    } }
                },
                html! {
                    @match seen.by {
                        "kinset" => { "kinset" @if let Some(run) = seen.run { ", run " (run) " of the journal" } }
                        "found" => "found so at first",
                        _ => { @match &seen.user { Some(user) => (user), None => "somebody else" } }
                    }
                },
            ]
        })
        .collect();
    html! {
        (facts(&[
            ("Mail", html! { @match &document.message_id { Some(mail) => (mail.to_string()), None => "not known" } }),
            ("Still there", html! { @if document.gone { "no" } @else { "yes" } }),
        ]))
        @if rows.is_empty() { p { "It was never seen in a relation." } }
        @else { (table("Relations that it was in, latest first", &["Since", "Patches", "By"], &rows)) }
    }
}
