//! The pages of a distribution: its series, modules over time, runs.

use axum::extract::State;
use axum::response::Response;
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::Service;
use super::address::{Form, Named};
use super::desk::{Answer, Material};
use super::document::distribution_overview;
use super::layout::{Frame, Leaf, distribution_address, facts, picture, sets_address, table};
use super::overview::followed;
use super::problem::Problem;
use super::tracker::of_run;
use super::tracker_parts::{jobs, runs};
use super::who;
use crate::model::JobSubject;
use crate::model::packages::modules::{DatePolicy, Lifecycles, Matrix, Standing};
use crate::model::packages::{DistributionName, Milestone, SeriesName};
use crate::picture;
use crate::reconcile::daemon_runs;
use crate::store::packages::{DistributionRow, SeriesRow, View};
use crate::store::{Fault, Store, StoreError};
use crate::text::count;

/// So many rows are on a page.
const ROWS: usize = 100;

/// Which pages of the long lists are shown.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Leaves {
    runs: Option<usize>,
    modules: Option<usize>,
}

/// What there is of a distribution, where the state has it.
struct Known {
    row: DistributionRow,
    series: Vec<(SeriesRow, usize)>,
    lifecycles: Lifecycles,
}

/// A name out of an address.
pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::misread(error.to_string()))
}

/// The distribution of this name, or nothing where the state has none.
pub(super) fn find(view: &View<'_>, name: &DistributionName) -> Result<Option<DistributionRow>, Fault> {
    Ok(view.distributions()?.into_iter().find(|row| row.name == *name))
}

fn known(store: &Store, name: &DistributionName, today: Date) -> Result<Option<Known>, StoreError> {
    store.ask(None, |view| {
        let Some(row) = find(view, name)? else { return Ok(None) };
        let mut series = Vec::new();
        for one in view.series_of(&row)? {
            let sets = view.sets(&one)?.len();
            series.push((one, sets));
        }
        let lifecycles = view.lifecycles(&row, today)?;
        Ok(Some(Known { row, series, lifecycles }))
    })
}

/// How a distribution stands.
pub(super) async fn page(State(service): State<Service>, Named(name): Named<String>, Form(leaves): Form<Leaves>) -> Response {
    let called = format!("{}?{:?}&{:?}", distribution_address(&name), leaves.runs, leaves.modules);
    service.desk.answer(called, |material| whole(material, name, leaves)).await
}

async fn whole(material: Material, name: String, leaves: Leaves) -> Result<Answer, Problem> {
    let followed_as = material
        .config
        .distributions
        .iter()
        .find(|distribution| distribution.name.as_str() == name);
    let wanted: DistributionName = parsed(&name)?;
    let today = material.today();
    let known = material.ask(move |store| known(store, &wanted, today)).await?;
    if followed_as.is_none() && known.is_none() {
        return Err(Problem::no_such("distribution", &name).with_remedy("The overview names those that there are."));
    }
    let keeper = material.keeper().await?;
    let overview = distribution_overview(name.clone(), followed_as, &keeper).await?;
    let all = daemon_runs(&keeper, Some(JobSubject::Distribution(name.clone())), u32::MAX).await?;
    let address = distribution_address(&name);
    let on = |list: &str, page: usize| format!("{address}?{list}={page}#{list}");
    let leaf = Leaf::new(leaves.runs, ROWS);
    let title = format!("Distribution {name}");
    let body = html! {
        (facts(&[("Follows", followed(&overview))]))
        @match &known {
            None => p { "Nothing was taken in of it yet." },
            Some(known) => (of_state(known, &address, leaves, on)),
        }
        section aria-labelledby="jobs" {
            h2 id="jobs" { "What is done" }
            (jobs(&overview.jobs, &material.live, "What is done with it", &address))
        }
        section aria-labelledby="runs" {
            h2 id="runs" { "Runs" }
            (runs(leaf.of(&all), "Runs, latest first", &address))
            (leaf.others(all.len(), "runs", |page| on("runs", page)))
        }
    };
    Ok(Answer::page(Frame::new(&title).read_at((material.sight.clock)()).with_body(&body)))
}

fn of_state(known: &Known, address: &str, leaves: Leaves, on: impl Fn(&str, usize) -> String) -> Markup {
    let matrix = known.lifecycles.matrix(DatePolicy::default());
    let name = known.row.name.as_str();
    html! {
        (facts(&[("Package sets are", html! { (known.row.details.sharing.to_string()) })]))
        section aria-labelledby="series" {
            h2 id="series" { "Series" }
            (series(known))
        }
        @let names: Vec<&str> = known.series.iter().map(|(series, _)| series.path.series.as_str()).collect();
        @if !names.is_empty() {
            section aria-labelledby="who" {
                h2 id="who" { "Who may" }
                (who::form(name, &names, &who::Asked::default()))
            }
        }
        @if known.lifecycles.releases.iter().next().is_some() {
            section aria-labelledby="time" {
                h2 id="time" { "Releases and modules over time" }
                (picture(&format!("{address}/timeline.svg"), "Releases and streams of modules over time"))
            }
        }
        @if !matrix.streams.is_empty() {
            section aria-labelledby="modules" {
                h2 id="modules" { "Modules by release" }
                (modules_table(&matrix, address, Leaf::new(leaves.modules, ROWS), on))
            }
        }
    }
}

fn series(known: &Known) -> Markup {
    if known.series.is_empty() {
        return html! { p { "It has none." } };
    }
    let name = known.row.name.as_str();
    let day = |series: &SeriesRow, milestone: &Milestone| {
        let day = series.details.dates.get(milestone).map(Date::to_string);
        html! { @match day { Some(day) => { time datetime=(day) { (day) } } None => "not known" } }
    };
    let rows: Vec<Vec<Markup>> = known
        .series
        .iter()
        .rev()
        .map(|(series, sets)| {
            vec![
                html! { (series.path.series.as_str()) },
                html! { @if let Some(title) = &series.details.title { (title) " " } (series.details.version.as_str()) },
                html! { (series.details.status.to_string()) },
                day(series, &Milestone::RELEASED),
                day(series, &Milestone::EOL),
                html! { a href=(sets_address(name, series.path.series.as_str())) { (count(*sets, "set")) } },
            ]
        })
        .collect();
    table(
        "Series, the newest first",
        &["Series", "Version", "Stage", "Released", "Ends", "Package sets"],
        &rows,
    )
}

fn modules_table(matrix: &Matrix, address: &str, leaf: Leaf, on: impl Fn(&str, usize) -> String) -> Markup {
    let headings: Vec<&str> = std::iter::once("Stream")
        .chain(matrix.releases.iter().map(SeriesName::as_str))
        .collect();
    let streams: Vec<_> = matrix.streams.iter().collect();
    let rows: Vec<Vec<Markup>> = leaf
        .of(&streams)
        .iter()
        .map(|(stream, cells)| {
            let cell = |release| {
                let cell = cells.get(release);
                html! {
                    @match cell {
                        None => "–",
                        Some(cell) => {
                            @match cell.standing {
                                Standing::NotBuilt => "–",
                                standing => {
                                    (standing.to_string())
                                    @if let Some(until) = cell.until { " until " (until) }
                                }
                            }
                        }
                    }
                }
            };
            let cells = matrix.releases.iter().map(cell);
            std::iter::once(html! { (stream.to_string()) }).chain(cells).collect()
        })
        .collect();
    html! {
        (table("What each stream is to each release", &headings, &rows))
        (leaf.others(streams.len(), "modules", |page| on("modules", page)))
        p { a href={ (address) "/modules.svg" } { "The same as a picture, with the reasons" } }
        @for stray in &matrix.stray_defaults {
            p.wrong { (stray.release.as_str()) ": " (stray.stream.to_string()) " is the default, and is not built for it." }
        }
    }
}

/// Releases and modules over time, as a picture.
pub(super) async fn timeline(State(service): State<Service>, Named(name): Named<String>) -> Response {
    drawn(service, name, "timeline.svg", |lifecycles| {
        picture::timeline(lifecycles, &lifecycles.matrix(DatePolicy::default()))
    })
    .await
}

/// Modules by release, as a picture.
pub(super) async fn modules(State(service): State<Service>, Named(name): Named<String>) -> Response {
    drawn(service, name, "modules.svg", |lifecycles| {
        picture::matrix(&lifecycles.matrix(DatePolicy::default()))
    })
    .await
}

async fn drawn(service: Service, name: String, file: &str, draw: fn(&Lifecycles) -> String) -> Response {
    let called = format!("{}/{file}", distribution_address(&name));
    let make = |material: Material| async move {
        let wanted: DistributionName = parsed(&name)?;
        let today = material.today();
        let lifecycles = material
            .ask(move |store| store.ask(None, |view| view.lifecycles(&view.distribution(&wanted)?, today)))
            .await?;
        Ok(Answer::picture(draw(&lifecycles)))
    };
    service.desk.answer(called, make).await
}

/// A run with a distribution.
pub(super) async fn run(State(service): State<Service>, Named((name, number)): Named<(String, u64)>) -> Response {
    let address = distribution_address(&name);
    let called = format!("{address}/runs/{number}");
    let make = |material: Material| async move {
        let subject = JobSubject::Distribution(name.clone());
        of_run(&material, subject, number, address, format!("Distribution {name}")).await
    };
    service.desk.answer(called, make).await
}
