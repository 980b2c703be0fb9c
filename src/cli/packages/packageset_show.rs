//! The questions of `kinset packageset`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::arguments::{AsOf, Place, Shape};
use super::packageset::Extent;
use super::show::{self, Entry, Name, printable};
use super::{ask, log};
use crate::cli::args::Format;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::cli::{Status, output};
use crate::model::packages::{
    DistributionName, GroupName, PackageName, PackageSetName, Permission, SeriesName, SeriesPath, SetDetails, SetPath, Sharing, Target,
};
use crate::store::Fault;
use crate::store::packages::{Content, Inclusion, SetRow, View};
use crate::text::count;

#[derive(Debug, Serialize)]
struct SetEntry {
    name: PackageSetName,
    #[serde(flatten)]
    details: SetDetails,
    score: i64,
    /// What is in it directly.
    #[serde(flatten)]
    content: Content,
    /// The other series that have the very same set.
    shared_with: Vec<SeriesName>,
}

impl Entry for SetEntry {
    const HEADINGS: &'static [&'static str] = &["NAME", "OWNER", "SOURCES", "SUBSETS", "SHARED", "DESCRIPTION"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.to_string(),
            self.details.owner.to_string(),
            self.content.sources.to_string(),
            self.content.subsets.to_string(),
            self.shared_with.len().to_string(),
            self.details.description.clone(),
        ]
    }

    fn name(&self) -> String {
        self.name.to_string()
    }
}

pub(super) fn list(place: &Place, as_of: AsOf, shape: Shape, file: &ConfigFile) -> Result<Status, Failure> {
    let entries = ask(file, as_of, |view| {
        let series = place.series(view)?;
        let entry = |set: SetRow| {
            let shared_with = view.shared_with(&series, &set)?;
            Ok(SetEntry {
                content: view.content(&set)?,
                shared_with: shared_with.into_iter().map(|path| path.series).collect(),
                name: set.name,
                details: set.details,
                score: set.score,
            })
        };
        view.sets(&series)?.into_iter().map(entry).collect::<Result<Vec<_>, Fault>>()
    })?;
    show::list(&entries, shape)?;
    Ok(Status::Done)
}

#[derive(Debug, Serialize)]
struct SetDocument {
    distribution: DistributionName,
    series: SeriesName,
    name: PackageSetName,
    group: GroupName,
    sharing: Sharing,
    /// The other series that have the very same set; empty: it is this series' own.
    shared_with: Vec<SeriesName>,
    /// Rows that a copy of it takes, as the first change in this series makes where sets are copied on write.
    copy_takes: usize,
    /// The incarnations of it in other series, the same set or not.
    related: Vec<SetPath>,
    #[serde(flatten)]
    details: SetDetails,
    score: i64,
    /// What is in it directly, and what through others.
    sources: BTreeSet<PackageName>,
    sources_through_subsets: BTreeSet<PackageName>,
    subsets: Vec<PackageSetName>,
    subsets_through_subsets: Vec<PackageSetName>,
    /// The sets that it is in.
    supersets: Vec<PackageSetName>,
    supersets_through_supersets: Vec<PackageSetName>,
    permissions: Vec<Permission>,
}

pub(super) fn show(set: &PackageSetName, place: &Place, as_of: AsOf, format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let document = ask(file, as_of, |view| document(view, set, place))?;
    match format {
        Format::Json => output::json_if_whole(&document, Status::Done)?,
        Format::Text => print(&document)?,
    }
    Ok(Status::Done)
}

fn document(view: &View<'_>, set: &PackageSetName, place: &Place) -> Result<SetDocument, Fault> {
    let series = place.series(view)?;
    let distribution = view.distribution(&series.path.distribution)?;
    let set = view.set(&series, set)?;
    let names = |rows: Vec<SetRow>| -> BTreeSet<PackageSetName> { rows.into_iter().map(|row| row.name).collect() };
    let sources = view.sources(&series, &set, Inclusion::Direct)?;
    let subsets = names(view.subsets(&series, &set, Inclusion::Direct)?);
    let supersets = names(view.supersets(&series, &set, Inclusion::Direct)?);
    let all_sources = view.sources(&series, &set, Inclusion::Transitive)?;
    let all_subsets = names(view.subsets(&series, &set, Inclusion::Transitive)?);
    let all_supersets = names(view.supersets(&series, &set, Inclusion::Transitive)?);
    let target = Target::PackageSet {
        series: series.path.series.clone(),
        set: set.name.clone(),
    };
    let mut permissions = view.permissions(&distribution, Some(&series))?;
    permissions.retain(|permission| permission.target == target);
    let Content {
        sources: own_sources,
        subsets: own_subsets,
        permissions: own_permissions,
    } = view.content(&set)?;
    let shared_with = view.shared_with(&series, &set)?;
    Ok(SetDocument {
        sharing: distribution.details.sharing,
        shared_with: shared_with.into_iter().map(|path| path.series).collect(),
        copy_takes: own_sources + own_subsets + own_permissions,
        related: view.incarnations(&series, &set)?,
        distribution: series.path.distribution,
        series: series.path.series,
        name: set.name,
        group: set.group,
        details: set.details,
        score: set.score,
        sources_through_subsets: all_sources.difference(&sources).cloned().collect(),
        subsets_through_subsets: all_subsets.difference(&subsets).cloned().collect(),
        supersets_through_supersets: all_supersets.difference(&supersets).cloned().collect(),
        sources,
        subsets: subsets.into_iter().collect(),
        supersets: supersets.into_iter().collect(),
        permissions,
    })
}

fn print(document: &SetDocument) -> Result<(), Failure> {
    let words = |things: &mut dyn Iterator<Item = String>| {
        let things: Vec<String> = things.collect();
        if things.is_empty() { "-".to_owned() } else { things.join(" ") }
    };
    let shared = match document.shared_with.len() {
        0 => format!("with no other series ({})", document.sharing),
        _ => {
            let with = words(&mut document.shared_with.iter().map(ToString::to_string));
            let then = match document.sharing {
                Sharing::ManualClone => "a change here is refused until the set is cloned, which takes",
                _ => "the first change here makes a copy, which takes",
            };
            format!("with {with} ({}); {then} {}", document.sharing, count(document.copy_takes, "row"))
        }
    };
    let related = words(&mut document.related.iter().map(|path| format!("{}:{}", path.series, path.set)));
    let mut lines = vec![
        ("set", format!("{} in {}/{}", document.name, document.distribution, document.series)),
        ("description", document.details.description.clone()),
        ("owner", document.details.owner.to_string()),
        ("score", document.score.to_string()),
        ("shared", shared),
        ("group", format!("{}: {related}", document.group)),
    ];
    let lists: [(&str, Vec<String>, Vec<String>); 3] = [
        ("sources", texts(&document.sources), texts(&document.sources_through_subsets)),
        ("subsets", texts(&document.subsets), texts(&document.subsets_through_subsets)),
        (
            "supersets",
            texts(&document.supersets),
            texts(&document.supersets_through_supersets),
        ),
    ];
    for (heading, direct, through) in lists {
        let through = if through.is_empty() {
            String::new()
        } else {
            format!("; through other sets {}", through.join(" "))
        };
        lines.push((heading, format!("{}{through}", words(&mut direct.into_iter()))));
    }
    for permission in &document.permissions {
        let Permission {
            party,
            action,
            status,
            explicit,
            ..
        } = permission;
        let explicit = if *explicit { ", explicit" } else { "" };
        lines.push(("permission", format!("{party} {action} ({status}{explicit})")));
    }
    output::data(|out| {
        lines
            .iter()
            .try_for_each(|(heading, text)| writeln!(out, "{heading:<12} {}", printable(text)))
    })
}

fn texts<'t, T: ToString + 't>(things: impl IntoIterator<Item = &'t T>) -> Vec<String> {
    things.into_iter().map(ToString::to_string).collect()
}

pub(super) fn sources(
    set: &PackageSetName,
    extent: Extent,
    place: &Place,
    as_of: AsOf,
    shape: Shape,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let sources = ask(file, as_of, |view| {
        let series = place.series(view)?;
        view.sources(&series, &view.set(&series, set)?, extent.inclusion())
    })?;
    show::list(&named(sources), shape)?;
    Ok(Status::Done)
}

pub(super) fn containing(
    package: &PackageName,
    extent: Extent,
    place: &Place,
    as_of: AsOf,
    shape: Shape,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let sets = ask(file, as_of, |view| {
        view.containing(&place.series(view)?, package, extent.inclusion())
    })?;
    show::list(&named(sets.into_iter().map(|set| set.name)), shape)?;
    Ok(Status::Done)
}

fn named<T: ToString>(names: impl IntoIterator<Item = T>) -> Vec<Name> {
    names.into_iter().map(|name| Name(name.to_string())).collect()
}

#[derive(Debug, Serialize)]
struct DifferenceEntry {
    package: PackageName,
    /// Which of the two sets has it.
    only_in: String,
    #[serde(skip)]
    sign: char,
}

impl Entry for DifferenceEntry {
    const HEADINGS: &'static [&'static str] = &["", "PACKAGE", "ONLY IN"];

    fn cells(&self) -> Vec<String> {
        vec![self.sign.to_string(), self.package.to_string(), self.only_in.clone()]
    }

    fn name(&self) -> String {
        self.package.to_string()
    }
}

pub(super) fn diff(
    sides: [&str; 2],
    extent: Extent,
    place: &Place,
    as_of: AsOf,
    shape: Shape,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let named: Vec<Side> = sides.iter().map(|text| Side::parse(text)).collect::<Result<_, _>>()?;
    let entries = ask(file, as_of, |view| {
        let mut packages: BTreeMap<PackageName, Vec<usize>> = BTreeMap::new();
        for (place_of, side) in named.iter().enumerate() {
            for package in side.sources(view, place, extent.inclusion())? {
                packages.entry(package).or_default().push(place_of);
            }
        }
        let only = packages.into_iter().filter_map(|(package, having)| match having.as_slice() {
            [side] => Some(DifferenceEntry {
                package,
                only_in: sides[*side].to_owned(),
                sign: if *side == 0 { '-' } else { '+' },
            }),
            _ => None,
        });
        Ok(only.collect::<Vec<_>>())
    })?;
    show::list(&entries, shape)?;
    Ok(Status::Done)
}

/// One of two sets to compare.
struct Side {
    distribution: Option<DistributionName>,
    series: Option<SeriesName>,
    set: PackageSetName,
}

impl Side {
    fn parse(text: &str) -> Result<Self, Failure> {
        let Some((series, set)) = text.split_once(':') else {
            return Ok(Self {
                distribution: None,
                series: None,
                set: text.parse()?,
            });
        };
        let set = set.parse()?;
        if series.contains('/') {
            let SeriesPath { distribution, series } = series.parse()?;
            return Ok(Self {
                distribution: Some(distribution),
                series: Some(series),
                set,
            });
        }
        Ok(Self {
            distribution: None,
            series: Some(series.parse()?),
            set,
        })
    }

    fn sources(&self, view: &View<'_>, place: &Place, inclusion: Inclusion) -> Result<BTreeSet<PackageName>, Fault> {
        let distribution = self.distribution.as_ref().or(place.distribution.as_ref());
        let series = view.series_meant(distribution, self.series.as_ref().or(place.series.as_ref()))?;
        view.sources(&series, &view.set(&series, &self.set)?, inclusion)
    }
}

/// Tells what became of a set: in the series that is named, else in all of its distribution.
pub(super) fn history(set: &PackageSetName, place: &Place, as_of: AsOf, shape: Shape, file: &ConfigFile) -> Result<Status, Failure> {
    let entries = ask(file, as_of, |view| {
        let series = place.series(view)?;
        let distribution = view.distribution(&series.path.distribution)?;
        let is_alone = place.series.is_some();
        let set = view.set_ever(&series, set, is_alone)?;
        view.history(&distribution, is_alone.then_some(&series), set)
    })?;
    log::print(entries, shape)?;
    Ok(Status::Done)
}
