//! The questions of `kinset collection`.

use serde::Serialize;

use super::arguments::{AsOf, Place, Shape};
use super::ask;
use super::show::{self, Entry, printable};
use crate::cli::args::Format;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::cli::{Status, output};
use crate::model::packages::{
    ArchName, DistributionName, ListingDetails, ListingStatus, PackageDetails, PackageName, Party, SeriesDetails, SeriesName, Version,
    VersionStatus,
};
use crate::store::Fault;
use crate::store::packages::{Provided, VersionRow};

#[derive(Debug, Serialize)]
struct ListingEntry {
    package: PackageName,
    #[serde(flatten)]
    details: ListingDetails,
}

impl Entry for ListingEntry {
    const HEADINGS: &'static [&'static str] = &["PACKAGE", "OWNER", "QA CONTACT", "COMPONENT", "STATUS"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.package.to_string(),
            self.details.owner.to_string(),
            or_dash(self.details.qa_contact.as_ref()),
            or_dash(self.details.component.as_ref()),
            self.details.status.to_string(),
        ]
    }

    fn name(&self) -> String {
        self.package.to_string()
    }
}

/// What is said, or a dash where nothing is.
pub(super) fn or_dash(said: Option<&impl ToString>) -> String {
    said.map_or_else(|| "-".to_owned(), ToString::to_string)
}

pub(super) fn list(status: Option<ListingStatus>, place: &Place, as_of: AsOf, shape: Shape, file: &ConfigFile) -> Result<Status, Failure> {
    let mut rows = ask(file, as_of, |view| view.listings(&place.series(view)?))?;
    rows.retain(|row| status.is_none_or(|status| row.details.status == status));
    let entries: Vec<ListingEntry> = rows
        .into_iter()
        .map(|row| ListingEntry {
            package: row.package,
            details: row.details,
        })
        .collect();
    show::list(&entries, shape)?;
    Ok(Status::Done)
}

#[derive(Debug, Serialize)]
struct CollectionDocument {
    distribution: DistributionName,
    name: SeriesName,
    #[serde(flatten)]
    details: SeriesDetails,
    /// The collections that are asked for a package, in order, itself first.
    asks: Vec<SeriesName>,
    /// What it has itself.
    listings: usize,
    versions: usize,
    built: usize,
    groups: usize,
    categories: usize,
}

pub(super) fn show(place: &Place, as_of: AsOf, format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let document = ask(file, as_of, |view| {
        let series = place.series(view)?;
        let distribution = view.distribution(&series.path.distribution)?;
        let asks = view.overlays(&distribution)?;
        Ok(CollectionDocument {
            asks: asks.order(&series.path.series).cloned().collect(),
            listings: view.listings(&series)?.len(),
            versions: view.versions(&series)?.len(),
            built: view.built(&series)?.len(),
            groups: view.groups(&series)?.len(),
            categories: view.categories(&series)?.len(),
            distribution: series.path.distribution,
            name: series.path.series,
            details: series.details,
        })
    })?;
    match format {
        Format::Json => output::json_if_whole(&document, Status::Done)?,
        Format::Text => print_collection(&document)?,
    }
    Ok(Status::Done)
}

fn print_collection(document: &CollectionDocument) -> Result<(), Failure> {
    let CollectionDocument { details, .. } = document;
    let branch = details.branch.as_ref().map(|branch| {
        let from = branch.parent.as_ref().map(|parent| format!(", from {parent}"));
        format!("{} ({}){}", branch.name, branch.dist_tag, from.unwrap_or_default())
    });
    let bases = details.bases.iter().map(|base| format!("{} ({})", base.base, base.priority));
    let asks: Vec<&str> = document.asks.iter().map(SeriesName::as_str).collect();
    let has = format!(
        "packages {}, versions {}, built packages {}, groups {}, categories {}",
        document.listings, document.versions, document.built, document.groups, document.categories
    );
    print(&[
        ("collection", Some(format!("{}/{}", document.distribution, document.name))),
        ("title", details.title.clone()),
        ("version", Some(details.version.to_string())),
        ("status", Some(details.status.to_string())),
        ("owner", Some(details.owner.to_string())),
        ("summary", details.summary.clone()),
        ("description", details.description.clone()),
        ("branch", branch),
        ("published at", details.publish_url.as_ref().map(ToString::to_string)),
        ("pending at", details.pending_url.as_ref().map(ToString::to_string)),
        (
            "lies over",
            Some(bases.collect::<Vec<_>>().join(", ")).filter(|bases| !bases.is_empty()),
        ),
        ("dates", Some(dates(details)).filter(|dates| !dates.is_empty())),
        ("asks", Some(asks.join(" > "))),
        ("has", Some(has)),
    ])
}

/// What happens when, by the date and what is usual on the same.
fn dates(details: &SeriesDetails) -> String {
    let mut dates: Vec<_> = details.dates.iter().map(|(milestone, date)| (date, milestone)).collect();
    dates.sort_by_key(|(date, milestone)| (**date, milestone.place(), *milestone));
    let dates = dates.iter().map(|(date, milestone)| format!("{milestone} {date}"));
    dates.collect::<Vec<_>>().join(", ")
}

/// Prints what is said, a line each with its heading.
pub(super) fn print(lines: &[(&str, Option<String>)]) -> Result<(), Failure> {
    output::data(|out| {
        for (heading, text) in lines {
            if let Some(text) = text {
                writeln!(out, "{heading:<12} {}", printable(text))?;
            }
        }
        Ok(())
    })
}

#[derive(Debug, Serialize)]
struct ProvidedDocument {
    package: PackageName,
    distribution: DistributionName,
    /// The collection that provides it.
    series: SeriesName,
    /// The way there, from the collection that was asked.
    path: Vec<SeriesName>,
    #[serde(flatten)]
    listing: ListingDetails,
    /// The newest version there that is published.
    newest: Option<Version>,
    /// The newest version there that is built and not published yet.
    pending: Option<Version>,
    url: Option<String>,
    pending_url: Option<String>,
}

impl ProvidedDocument {
    fn of(provided: Provided, arch: Option<&ArchName>) -> Self {
        let Provided {
            series,
            path,
            listing,
            newest,
            pending,
        } = provided;
        let fill = |template: Option<&crate::model::packages::UrlTemplate>| Some(template?.fill(arch?, &listing.package));
        Self {
            url: fill(series.details.publish_url.as_ref()),
            pending_url: fill(series.details.pending_url.as_ref()),
            distribution: series.path.distribution,
            series: series.path.series,
            path,
            package: listing.package,
            listing: listing.details,
            newest,
            pending,
        }
    }

    fn print(&self) -> Result<(), Failure> {
        let path: Vec<&str> = self.path.iter().map(SeriesName::as_str).collect();
        let text = |said: Option<&Party>| said.map(ToString::to_string);
        print(&[
            ("package", Some(self.package.to_string())),
            ("provided by", Some(format!("{}/{}", self.distribution, self.series))),
            ("through", Some(path.join(" > "))),
            ("owner", text(Some(&self.listing.owner))),
            ("qa contact", text(self.listing.qa_contact.as_ref())),
            ("component", self.listing.component.as_ref().map(ToString::to_string)),
            ("newest", Some(or_dash(self.newest.as_ref()))),
            ("pending", self.pending.as_ref().map(ToString::to_string)),
            ("published at", self.url.clone()),
            ("pending at", self.pending_url.clone()),
        ])
    }
}

pub(super) fn lookup(
    package: &PackageName,
    arch: Option<&ArchName>,
    place: &Place,
    as_of: AsOf,
    shape: Shape,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let provided = ask(file, as_of, |view| view.lookup(&place.series(view)?, package))?;
    let document = ProvidedDocument::of(provided, arch);
    match shape.format {
        _ if shape.quiet => output::data(|out| writeln!(out, "{}", document.series))?,
        Format::Json => output::json_if_whole(&document, Status::Done)?,
        Format::Text => document.print()?,
    }
    Ok(Status::Done)
}

#[derive(Debug, Serialize)]
struct PackageDocument {
    distribution: DistributionName,
    package: PackageName,
    #[serde(flatten)]
    details: PackageDetails,
    listings: Vec<InSeries>,
    /// The newest first.
    versions: Vec<VersionDocument>,
}

#[derive(Debug, Serialize)]
struct InSeries {
    series: SeriesName,
    #[serde(flatten)]
    details: ListingDetails,
}

#[derive(Debug, Serialize)]
struct VersionDocument {
    version: Version,
    status: VersionStatus,
    series: Vec<SeriesName>,
}

pub(super) fn show_package(
    package: &PackageName,
    distribution: Option<&DistributionName>,
    as_of: AsOf,
    format: Format,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let document = ask(file, as_of, |view| {
        let distribution = view.distribution_meant(distribution)?;
        let row = view.package(&distribution, package)?;
        let listings = view.listed_in(&row)?.into_iter();
        let version = |row: VersionRow| {
            Ok(VersionDocument {
                series: view.series_with(&row)?,
                version: row.version,
                status: row.status,
            })
        };
        let versions = view.versions_of(&distribution, package)?.into_iter();
        Ok(PackageDocument {
            listings: listings.map(|(series, details)| InSeries { series, details }).collect(),
            versions: versions.map(version).collect::<Result<_, Fault>>()?,
            distribution: distribution.name,
            package: row.name,
            details: row.details,
        })
    })?;
    match format {
        Format::Json => output::json_if_whole(&document, Status::Done)?,
        Format::Text => print_package(&document)?,
    }
    Ok(Status::Done)
}

fn print_package(document: &PackageDocument) -> Result<(), Failure> {
    let PackageDocument { details, .. } = document;
    let mut lines = vec![
        ("package", Some(format!("{} of {}", document.package, document.distribution))),
        ("summary", details.summary.clone()),
        ("description", details.description.clone()),
        ("review", details.review_url.clone()),
        ("status", Some(details.status.to_string())),
    ];
    for InSeries { series, details } in &document.listings {
        lines.push(("in", Some(format!("{series}: {}, {}", details.status, details.owner))));
    }
    for VersionDocument { version, status, series } in &document.versions {
        let series: Vec<&str> = series.iter().map(SeriesName::as_str).collect();
        let place = if series.is_empty() {
            "in no collection".to_owned()
        } else {
            format!("in {}", series.join(" "))
        };
        lines.push(("version", Some(format!("{version}: {status}, {place}"))));
    }
    print(&lines)
}

#[derive(Debug, Serialize)]
struct VersionEntry {
    package: PackageName,
    version: Version,
    status: VersionStatus,
}

impl Entry for VersionEntry {
    const HEADINGS: &'static [&'static str] = &["PACKAGE", "VERSION", "STATUS"];

    fn cells(&self) -> Vec<String> {
        vec![self.package.to_string(), self.version.to_string(), self.status.to_string()]
    }

    fn name(&self) -> String {
        self.version.to_string()
    }
}

pub(super) fn versions(
    package: Option<&PackageName>,
    place: &Place,
    as_of: AsOf,
    shape: Shape,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let rows = ask(file, as_of, |view| {
        let series = place.series(view)?;
        if let Some(package) = package {
            view.listing(&series, package)?;
        }
        view.versions(&series)
    })?;
    let wanted = rows.into_iter().filter(|row| package.is_none_or(|package| row.package == *package));
    let entries: Vec<VersionEntry> = wanted
        .map(|row| VersionEntry {
            package: row.package,
            version: row.version,
            status: row.status,
        })
        .collect();
    show::list(&entries, shape)?;
    Ok(Status::Done)
}
