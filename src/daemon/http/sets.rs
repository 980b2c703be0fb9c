//! The package sets of a series, and what is in each.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::Service;
use super::address::{Form, Named};
use super::desk::{Answer, Material};
use super::distribution::parsed;
use super::layout::{Frame, Leaf, distribution_address, facts, part, set_address, sets_address, table};
use super::problem::Problem;
use crate::model::packages::{PackageName, PackageSetName, Permission, SeriesPath, SetDetails, SetPath, Sharing, Target};
use crate::store::packages::{Content, Inclusion, View};
use crate::store::{Fault, Store, StoreError};

/// So many rows are on a page.
const ROWS: usize = 200;

/// Which page of a long list is shown.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Leaves {
    sets: Option<usize>,
    packages: Option<usize>,
}

/// A set in a list.
struct Listed {
    name: PackageSetName,
    details: SetDetails,
    content: Content,
    shared: usize,
}

fn listed(store: &Store, path: &SeriesPath) -> Result<Vec<Listed>, StoreError> {
    store.ask(None, |view| {
        let series = view.series(path)?;
        let sets = view.sets(&series)?.into_iter().map(|set| {
            Ok(Listed {
                content: view.content(&set)?,
                shared: view.shared_with(&series, &set)?.len(),
                name: set.name,
                details: set.details,
            })
        });
        sets.collect::<Result<Vec<_>, Fault>>()
    })
}

/// The package sets of a series.
pub(super) async fn list(
    State(service): State<Service>,
    Named((distribution, series)): Named<(String, String)>,
    Form(leaves): Form<Leaves>,
) -> Response {
    let address = sets_address(&distribution, &series);
    let called = format!("{address}?{:?}", leaves.sets);
    let make = |material: Material| async move {
        let path: SeriesPath = path_of(&distribution, &series)?;
        let sets = material.ask(move |store| listed(store, &path)).await?;
        let title = format!("Package sets of {distribution}/{series}");
        let frame = Frame::new(&title)
            .under(distribution_address(&distribution), format!("Distribution {distribution}"))
            .read_at((material.sight.clock)());
        let leaf = Leaf::new(leaves.sets, ROWS);
        let rows: Vec<Vec<Markup>> = leaf
            .of(&sets)
            .iter()
            .map(|set| {
                vec![
                    html! { a href=(set_address(&distribution, &series, set.name.as_str())) { (set.name.as_str()) } },
                    html! { (set.details.owner.to_string()) },
                    html! { (set.content.sources) },
                    html! { (set.content.subsets) },
                    html! { (set.shared) },
                    html! { (set.details.description) },
                ]
            })
            .collect();
        let body = html! {
            @if sets.is_empty() { p { "It has none." } }
            @else {
                (table("Package sets", &["Set", "Owner", "Packages", "Subsets", "Shared with", "Description"], &rows))
                (leaf.others(sets.len(), "sets", |page| format!("{address}?sets={page}")))
            }
        };
        Ok(Answer::page(frame.with_body(&body)))
    };
    service.desk.answer(called, make).await
}

pub(super) fn path_of(distribution: &str, series: &str) -> Result<SeriesPath, Problem> {
    Ok(SeriesPath {
        distribution: parsed(distribution)?,
        series: parsed(series)?,
    })
}

/// All that is shown of a set.
struct Shown {
    details: SetDetails,
    score: i64,
    sharing: Sharing,
    shared_with: Vec<SeriesPath>,
    incarnations: Vec<SetPath>,
    own: BTreeSet<PackageName>,
    all: BTreeSet<PackageName>,
    subsets: Vec<PackageSetName>,
    subsets_through_subsets: Vec<PackageSetName>,
    supersets: Vec<PackageSetName>,
    permissions: Vec<Permission>,
}

fn shown(view: &View<'_>, path: &SeriesPath, name: &PackageSetName) -> Result<Shown, Fault> {
    let series = view.series(path)?;
    let set = view.set(&series, name)?;
    let distribution = view.distribution(&path.distribution)?;
    let target = Target::PackageSet {
        series: path.series.clone(),
        set: name.clone(),
    };
    let mut permissions = view.permissions(&distribution, Some(&series))?;
    permissions.retain(|permission| permission.target == target);
    let names = |rows: Vec<crate::store::packages::SetRow>| rows.into_iter().map(|row| row.name).collect::<Vec<_>>();
    let subsets = names(view.subsets(&series, &set, Inclusion::Direct)?);
    let mut through = names(view.subsets(&series, &set, Inclusion::Transitive)?);
    through.retain(|name| !subsets.contains(name));
    Ok(Shown {
        sharing: distribution.details.sharing,
        shared_with: view.shared_with(&series, &set)?,
        incarnations: view.incarnations(&series, &set)?,
        own: view.sources(&series, &set, Inclusion::Direct)?,
        all: view.sources(&series, &set, Inclusion::Transitive)?,
        subsets,
        subsets_through_subsets: through,
        supersets: names(view.supersets(&series, &set, Inclusion::Transitive)?),
        permissions,
        details: set.details,
        score: set.score,
    })
}

/// What is in a package set, what it is in, who shares it, and who may do what with it.
pub(super) async fn page(
    State(service): State<Service>,
    Named((distribution, series, set)): Named<(String, String, String)>,
    Form(leaves): Form<Leaves>,
) -> Response {
    let address = set_address(&distribution, &series, &set);
    let called = format!("{address}?{:?}", leaves.packages);
    let make = |material: Material| async move {
        let path: SeriesPath = path_of(&distribution, &series)?;
        let wanted: PackageSetName = parsed(&set)?;
        let asked = path.clone();
        let shown = material
            .ask(move |store| store.ask(None, |view| shown(view, &asked, &wanted)))
            .await?;
        let title = format!("Package set {set} of {path}");
        let frame = Frame::new(&title)
            .under(distribution_address(&distribution), format!("Distribution {distribution}"))
            .under(sets_address(&distribution, &series), format!("Package sets of {path}"))
            .read_at((material.sight.clock)());
        Ok(Answer::page(frame.with_body(&of_set(
            &path,
            &shown,
            Leaf::new(leaves.packages, ROWS),
            &address,
        ))))
    };
    service.desk.answer(called, make).await
}

fn of_set(path: &SeriesPath, set: &Shown, leaf: Leaf, address: &str) -> Markup {
    let (distribution, series) = (path.distribution.as_str(), path.series.as_str());
    let links = |names: &[PackageSetName]| {
        html! {
            @if names.is_empty() { "none" }
            @for (place, name) in names.iter().enumerate() {
                @if place > 0 { ", " }
                a href=(set_address(distribution, series, name.as_str())) { (name.as_str()) }
            }
        }
    };
    let packages: Vec<&PackageName> = set.all.iter().collect();
    let who = |package: &PackageName| {
        format!(
            "{}/who?action=upload&series={}&package={}",
            distribution_address(distribution),
            part(series),
            part(package.as_str())
        )
    };
    let rows: Vec<Vec<Markup>> = leaf
        .of(&packages)
        .iter()
        .map(|package| {
            vec![
                html! { (package.as_str()) },
                html! { @if set.own.contains(*package) { "directly" } @else { "through a subset" } },
                html! { a href=(who(package)) { "who may upload " (package.as_str()) } },
            ]
        })
        .collect();
    html! {
        @if !set.details.description.is_empty() { p.lead { (set.details.description) } }
        (facts(&[
            ("Owner", html! { (set.details.owner.to_string()) }),
            ("Score", html! { (set.score) }),
            ("Shared", html! {
                @if set.shared_with.is_empty() { "with no other series" }
                @else {
                    "with "
                    @for (place, other) in set.shared_with.iter().enumerate() {
                        @if place > 0 { ", " }
                        a href=(sets_address(other.distribution.as_str(), other.series.as_str())) { (other.series.as_str()) }
                    }
                }
                " (" (set.sharing.to_string()) ")"
            }),
            ("The same elsewhere", html! {
                @if set.incarnations.is_empty() { "nowhere" }
                @for (place, other) in set.incarnations.iter().enumerate() {
                    @if place > 0 { ", " }
                    a href=(set_address(other.series.distribution.as_str(), other.series.series.as_str(), other.set.as_str())) {
                        (other.series.to_string()) ":" (other.set.as_str())
                    }
                }
            }),
            ("Subsets", links(&set.subsets)),
            ("Subsets of these", links(&set.subsets_through_subsets)),
            ("Is in", links(&set.supersets)),
        ]))
        section aria-labelledby="permissions" {
            h2 id="permissions" { "Permissions on it" }
            @if set.permissions.is_empty() { p { "None." } }
            @else { (permissions(&set.permissions)) }
        }
        section aria-labelledby="packages" {
            h2 id="packages" { "Packages" }
            @if rows.is_empty() { p { "None." } }
            @else {
                (table("Packages in it", &["Package", "How", "Who may"], &rows))
                (leaf.others(packages.len(), "packages", |page| format!("{address}?packages={page}#packages")))
            }
        }
    }
}

fn permissions(permissions: &[Permission]) -> Markup {
    let rows: Vec<Vec<Markup>> = permissions
        .iter()
        .map(|permission| {
            vec![
                html! { (permission.party.to_string()) },
                html! { (permission.action.to_string()) },
                html! { (permission.status.to_string()) },
                html! { @if permission.explicit { "yes" } @else { "no" } },
            ]
        })
        .collect();
    table("Permissions on this set", &["Who", "Action", "Status", "Explicit"], &rows)
}
