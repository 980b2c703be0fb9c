//! Who may: the evaluator's answer, with the grant that decided.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::Service;
use super::address::{Form, Named};
use super::desk::{Answer, Material};
use super::distribution::{find, parsed};
use super::layout::{Frame, distribution_address, table};
use super::problem::Problem;
use crate::model::packages::acl::{Decision, Facts, Held, InComponent, Question, Queue, Upload, What, decide, who_can};
use crate::model::packages::{Action, DistributionName, PackageName, Party, Pocket, SeriesName};
use crate::store::packages::View;
use crate::store::{Fault, Store, StoreError};

/// What the form says. What was left empty does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// A person, or @ and a team; empty: whoever may.
    who: String,
    action: String,
    series: String,
    package: String,
}

/// The actions that a package is all it takes to ask about.
fn actions() -> impl Iterator<Item = Action> {
    let asked: [Action; 2] = [Action::Upload, Action::QueueAdmin];
    asked
        .into_iter()
        .chain(Action::ALL.into_iter().filter(|action| action.is_on_listings()))
}

/// The question.
struct Order {
    who: Option<Party>,
    action: Action,
    series: SeriesName,
    package: PackageName,
}

impl Order {
    /// What the form says, unless nothing was asked yet.
    fn of(asked: &Asked) -> Result<Option<Self>, Problem> {
        if *asked == Asked::default() {
            return Ok(None);
        }
        let Asked {
            who,
            action,
            series,
            package,
        } = asked;
        if package.trim().is_empty() || series.trim().is_empty() {
            return Err(Problem::misread("a package and a series are needed to tell who may do something"));
        }
        let who = match who.trim() {
            "" => None,
            who => Some(parsed(who)?),
        };
        let action = actions().find(|known| known.word() == action);
        Ok(Some(Self {
            who,
            action: action.ok_or_else(|| Problem::misread("there is no such action, or it is not about packages"))?,
            series: parsed(series.trim())?,
            package: parsed(package.trim())?,
        }))
    }

    fn facts(&self, view: &View<'_>, distribution: &DistributionName) -> Result<(What, Facts), Fault> {
        let distribution = view.distribution(distribution)?;
        let series = view.series(&crate::model::packages::SeriesPath {
            distribution: distribution.name.clone(),
            series: self.series.clone(),
        })?;
        view.package(&distribution, &self.package)?;
        let (name, package) = (self.series.clone(), self.package.clone());
        let what = match self.action {
            Action::Upload => What::Upload(Upload {
                series: name,
                package,
                component: InComponent::Published,
                pocket: Pocket::usual(series.details.status),
            }),
            Action::QueueAdmin => What::Queue {
                series: name,
                of: Queue::Package(package),
            },
            action => What::OnListing {
                action,
                series: name,
                package,
            },
        };
        let facts = view.facts(&distribution, self.who.as_ref(), &what)?;
        Ok((what, facts))
    }
}

/// The answer.
enum Answered {
    One(What, Box<Decision>),
    All(What, Vec<Held>),
}

fn answered(store: &Store, distribution: &DistributionName, order: &Order) -> Result<Answered, StoreError> {
    let (what, facts) = store.ask(None, |view| order.facts(view, distribution))?;
    Ok(match &order.who {
        None => Answered::All(what.clone(), who_can(&facts, &what)),
        Some(who) => {
            let question = Question {
                who: who.clone(),
                what: what.clone(),
            };
            Answered::One(what, Box::new(decide(&facts, &question)))
        }
    })
}

fn names_of_series(store: &Store, distribution: &DistributionName) -> Result<Option<Vec<String>>, StoreError> {
    store.ask(None, |view| {
        let row = find(view, distribution)?;
        let series = row.map(|row| view.series_of(&row)).transpose()?;
        Ok(series.map(|series| series.iter().map(|series| series.path.series.to_string()).collect()))
    })
}

/// The form, and the answer to what it asks.
pub(super) async fn page(State(service): State<Service>, Named(distribution): Named<String>, Form(asked): Form<Asked>) -> Response {
    let called = format!("{}/who?{asked:?}", distribution_address(&distribution));
    service.desk.answer(called, |material| whole(material, distribution, asked)).await
}

async fn whole(material: Material, distribution: String, asked: Asked) -> Result<Answer, Problem> {
    let wanted: DistributionName = parsed(&distribution)?;
    let of = wanted.clone();
    let series = material.ask(move |store| names_of_series(store, &of)).await?;
    let series = series.ok_or_else(|| Problem::no_such("distribution", &distribution))?;
    let names: Vec<&str> = series.iter().map(String::as_str).collect();
    let answer = match Order::of(&asked) {
        Ok(None) => Ok(None),
        Err(problem) => Err(problem),
        Ok(Some(order)) => material.ask(move |store| answered(store, &wanted, &order)).await.map(Some),
    };
    let status = answer.as_ref().err().map(Problem::status);
    let title = match &answer {
        Ok(Some(Answered::One(what, _))) => format!("May {} {what} in {distribution}?", asked.who.trim()),
        Ok(Some(Answered::All(what, _))) => format!("Who may {what} in {distribution}?"),
        Ok(None) => format!("Who may what in {distribution}"),
        Err(_) => format!("No answer about {distribution}"),
    };
    let frame = Frame::new(&title)
        .under(distribution_address(&distribution), format!("Distribution {distribution}"))
        .read_at((material.sight.clock)());
    let page = Answer::page(frame.with_body(&html! {
        @match &answer {
            Ok(None) => {}
            Ok(Some(answer)) => (said(answer)),
            Err(problem) => {
                p.lead.wrong role="alert" { (problem.message()) "." }
                @if let Some(remedy) = problem.remedy() { p { (remedy) } }
            }
        }
        section aria-labelledby="ask" {
            h2 id="ask" { "Ask" }
            (form(&distribution, &names, &asked))
        }
    }));
    Ok(match status {
        Some(status) => page.with_status(status),
        None => page,
    })
}

fn said(answer: &Answered) -> Markup {
    match answer {
        Answered::One(_, decision) => html! {
            p.lead { span class=(if decision.is_allowed() { "good" } else { "wrong" }) { (decision.to_string()) } }
            @if let Decision::Refused { nearest, .. } = &**decision {
                @if !nearest.is_empty() {
                    h2 { "What came nearest" }
                    ul { @for miss in nearest { li { (miss.to_string()) } } }
                }
            }
        },
        Answered::All(_, held) if held.is_empty() => html! { p.lead { "Nobody may." } },
        Answered::All(_, held) => {
            let rows: Vec<Vec<Markup>> = held
                .iter()
                .map(|held| vec![html! { (held.by.party().to_string()) }, html! { (held.to_string()) }])
                .collect();
            table("Who may, and by which grant", &["Who", "By"], &rows)
        }
    }
}

/// The form. The newest series is chosen where none was.
pub(super) fn form(distribution: &str, series: &[&str], asked: &Asked) -> Markup {
    let chosen = if asked.series.is_empty() {
        series.last().copied().unwrap_or_default()
    } else {
        asked.series.trim()
    };
    html! {
        form method="get" action={ (distribution_address(distribution)) "/who" } {
            p {
                label for="who-person" { "Person, or @ and a team" }
                input id="who-person" name="who" value=(asked.who) autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="who-hint";
                small id="who-hint" { "Left empty: everybody who may." }
            }
            p {
                label for="who-action" { "May" }
                select id="who-action" name="action" {
                    @for action in actions() { option value=(action.word()) selected[action.word() == asked.action] { (action.word()) } }
                }
            }
            p {
                label for="who-package" { "Package" }
                input id="who-package" name="package" value=(asked.package) required autocomplete="off" autocapitalize="none" spellcheck="false";
            }
            p {
                label for="who-series" { "Series" }
                select id="who-series" name="series" {
                    @for name in series.iter().rev() { option value=(name) selected[*name == chosen] { (name) } }
                }
            }
            p { button type="submit" { "Tell" } }
        }
    }
}
