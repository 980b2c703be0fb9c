//! The questions of `kinset module`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::arguments::{AsOf, Shape};
use super::ask;
use super::collection_show::{or_dash, print};
use super::module::{Asked, ModuleError, require_releases, today};
use super::module_said::standing;
use super::show::{self, Entry, printable};
use crate::cli::args::Format;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::cli::{Status, output};
use crate::model::packages::modules::{Branches, Cell, DatePolicy, End, Life, Matrix, Standing, StreamEnd, StreamPath};
use crate::model::packages::{DistributionName, Milestone, PackageName, SeriesName};

#[derive(Debug, Serialize)]
struct StreamEntry {
    stream: StreamPath,
    /// When it ends as a whole; nothing if it is built for each new release.
    end: Option<End>,
    /// The releases that it is wanted for, as modulemd says it, by context.
    platforms: BTreeMap<String, String>,
    packages: usize,
}

impl Entry for StreamEntry {
    const HEADINGS: &'static [&'static str] = &["STREAM", "END", "PLATFORMS", "PACKAGES"];

    fn cells(&self) -> Vec<String> {
        let mut platforms: Vec<&str> = self.platforms.values().map(String::as_str).collect();
        platforms.dedup();
        vec![
            self.stream.to_string(),
            self.end.as_ref().map_or_else(|| "-".to_owned(), |end| day(end.date)),
            platforms.join(" | "),
            self.packages.to_string(),
        ]
    }

    fn name(&self) -> String {
        self.stream.to_string()
    }
}

/// A day that may not be known.
fn day(date: Option<Date>) -> String {
    date.map_or_else(|| "unknown".to_owned(), |date| date.to_string())
}

pub(super) fn list(distribution: Option<&DistributionName>, as_of: AsOf, shape: Shape, file: &ConfigFile) -> Result<Status, Failure> {
    let lifecycles = ask(file, as_of, |view| {
        view.lifecycles(&view.distribution_meant(distribution)?, today(as_of))
    })?;
    let entries = lifecycles.streams.iter().map(|(stream, details)| {
        let contexts = details.contexts.iter();
        let packages: BTreeSet<&PackageName> = details.contexts.values().flat_map(|context| &context.packages).collect();
        StreamEntry {
            stream: stream.clone(),
            end: lifecycles.end_of(stream).and_then(|end| end.end),
            platforms: contexts
                .map(|(name, context)| (name.to_string(), context.platforms.to_string()))
                .collect(),
            packages: packages.len(),
        }
    });
    show::list(&entries.collect::<Vec<_>>(), shape)?;
    Ok(Status::Done)
}

/// The matrix that was asked for, of all releases or of some.
pub(super) fn matrix_of(asked: &Asked, releases: &[SeriesName], file: &ConfigFile) -> Result<Matrix, Failure> {
    ask(file, asked.as_of, |view| {
        let (distribution, lifecycles) = asked.lifecycles(view)?;
        let wanted = require_releases(view, &distribution, releases)?;
        let matrix = lifecycles.matrix(asked.policy);
        Ok(if wanted.is_empty() { matrix } else { matrix.of_releases(&wanted) })
    })
}

pub(super) fn matrix(asked: &Asked, releases: &[SeriesName], format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let matrix = matrix_of(asked, releases, file)?;
    match format {
        Format::Json => output::json_if_whole(&matrix, Status::Done)?,
        Format::Text => {
            let heading = ["STREAM".to_owned()]
                .into_iter()
                .chain(matrix.releases.iter().map(ToString::to_string));
            let row = |(stream, cells): (&StreamPath, &BTreeMap<SeriesName, Cell>)| {
                let cells = matrix
                    .releases
                    .iter()
                    .map(|release| cells.get(release).map_or("-", |cell| standing(cell.standing)).to_owned());
                [stream.to_string()].into_iter().chain(cells).collect::<Vec<_>>()
            };
            show::grid(&heading.collect::<Vec<_>>(), &matrix.streams.iter().map(row).collect::<Vec<_>>())?;
        }
    }
    for stray in &matrix.stray_defaults {
        output::say(&format!(
            "{}: {} is the default, and is not built for it",
            stray.release, stray.stream
        ));
    }
    Ok(Status::Done)
}

#[derive(Debug, Serialize)]
struct EolDocument {
    stream: StreamPath,
    policy: DatePolicy,
    #[serde(flatten)]
    end: StreamEnd,
    releases: BTreeMap<SeriesName, Cell>,
    packages: BTreeSet<PackageName>,
}

pub(super) fn eol(stream: &StreamPath, asked: &Asked, format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let (document, releases) = ask(file, asked.as_of, |view| {
        let (distribution, lifecycles) = asked.lifecycles(view)?;
        let details = view.stream(&distribution, stream)?;
        let mut matrix = lifecycles.matrix(asked.policy);
        let end = lifecycles.end_of(stream).unwrap_or(StreamEnd {
            end: None,
            said: Vec::new(),
        });
        let document = EolDocument {
            stream: stream.clone(),
            policy: asked.policy,
            end,
            releases: matrix.streams.remove(stream).unwrap_or_default(),
            packages: details.contexts.into_values().flat_map(|context| context.packages).collect(),
        };
        Ok((document, lifecycles.releases))
    })?;
    if format == Format::Json {
        output::json_if_whole(&document, Status::Done)?;
        return Ok(Status::Done);
    }
    let StreamEnd { end, said } = &document.end;
    let told = |end: &End| format!("{}: {}", day(end.date), end.cause.words());
    let mut lines = vec![
        ("stream", Some(stream.to_string())),
        (
            "ends",
            Some(
                end.as_ref()
                    .map_or_else(|| "never: it is built for each new release".to_owned(), told),
            ),
        ),
    ];
    for other in said.iter().filter(|said| Some(*said) != end.as_ref()) {
        lines.push(("also said", Some(told(other))));
    }
    for release in releases.iter() {
        if let Some(cell) = document
            .releases
            .get(&release.name)
            .filter(|cell| cell.standing != Standing::NotBuilt)
        {
            let longer = release.eol.filter(|eol| cell.until.is_some_and(|until| until < *eol));
            let longer = longer.map(|eol| format!(", {} itself until {eol}", release.name));
            lines.push((
                "in",
                Some(format!("{}: {}{}", release.name, cell_text(Some(cell)), longer.unwrap_or_default())),
            ));
        }
    }
    let packages: Vec<&str> = document.packages.iter().map(PackageName::as_str).collect();
    lines.push(("packages", Some(packages.join(" ")).filter(|packages| !packages.is_empty())));
    print(&lines)?;
    Ok(Status::Done)
}

/// What a stream is to a release, with its end.
fn cell_text(cell: Option<&Cell>) -> String {
    match cell {
        None => "unknown".to_owned(),
        Some(cell) if cell.standing == Standing::NotBuilt => "not built".to_owned(),
        Some(cell) => match cell.until {
            Some(until) => format!("{} until {until}", cell.standing),
            None => format!("{}, with no end that is known", cell.standing),
        },
    }
}

#[derive(Debug, Serialize)]
struct WhyDocument {
    stream: StreamPath,
    release: SeriesName,
    policy: DatePolicy,
    #[serde(flatten)]
    cell: Cell,
}

pub(super) fn why(stream: &StreamPath, release: &SeriesName, asked: &Asked, format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let cell = ask(file, asked.as_of, |view| {
        let (distribution, lifecycles) = asked.lifecycles(view)?;
        view.stream(&distribution, stream)?;
        require_releases(view, &distribution, [release])?;
        Ok(lifecycles.matrix(asked.policy).why(stream, release).cloned())
    })?;
    let cell = cell.ok_or_else(|| ModuleError::NoRelease { release: release.clone() })?;
    let document = WhyDocument {
        stream: stream.clone(),
        release: release.clone(),
        policy: asked.policy,
        cell,
    };
    match format {
        Format::Json => output::json_if_whole(&document, Status::Done)?,
        Format::Text => output::data(|out| {
            writeln!(out, "{stream} in {release}: {}", cell_text(Some(&document.cell)))?;
            for because in &document.cell.because {
                writeln!(out, "  {}", printable(&because.sentence(stream, release)))?;
            }
            Ok(())
        })?,
    }
    Ok(Status::Done)
}

pub(super) fn slip(
    release: &SeriesName,
    dates: &[(Milestone, Date)],
    asked: &Asked,
    format: Format,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let before = ask(file, asked.as_of, |view| {
        let (distribution, lifecycles) = asked.lifecycles(view)?;
        require_releases(view, &distribution, [release])?;
        Ok(lifecycles)
    })?;
    let mut after = before.clone();
    for (milestone, date) in dates {
        after = after
            .with_date(release, milestone, Some(*date))
            .ok_or_else(|| ModuleError::NotMeasured {
                release: release.clone(),
                milestone: milestone.clone(),
            })?;
    }
    let changes = before.matrix(asked.policy).changes_to(&after.matrix(asked.policy));
    match format {
        Format::Json => output::json_if_whole(&changes, Status::Done)?,
        Format::Text => output::data(|out| {
            changes.iter().try_for_each(|change| {
                let (before, after) = (cell_text(change.before.as_ref()), cell_text(change.after.as_ref()));
                writeln!(out, "{} {}: {before} > {after}", change.stream, change.release)
            })
        })?,
    }
    if changes.is_empty() {
        output::say("nothing would change");
    }
    Ok(Status::Done)
}

#[derive(Debug, Serialize)]
struct PackageEntry {
    package: PackageName,
    lives: Vec<Life>,
}

pub(super) fn packages(
    names: &[PackageName],
    in_no_module: bool,
    asked: &Asked,
    format: Format,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let entries = ask(file, asked.as_of, |view| {
        let (distribution, lifecycles) = asked.lifecycles(view)?;
        let in_modules = lifecycles.packages_in_modules();
        for name in names.iter().filter(|name| !in_modules.contains(name)) {
            view.package(&distribution, name)?;
        }
        let mut branches: BTreeMap<PackageName, Branches> = view.branches(&distribution)?;
        if names.is_empty() && !in_no_module {
            branches.retain(|package, _| in_modules.contains(package));
        }
        let mut lives = lifecycles.lives(&lifecycles.matrix(asked.policy), &branches);
        let is_meant = |package: &PackageName| match names.is_empty() {
            true => in_modules.contains(package) != in_no_module,
            false => names.contains(package),
        };
        lives.retain(|package, _| is_meant(package));
        Ok(lives)
    })?;
    let entries: Vec<PackageEntry> = entries
        .into_iter()
        .map(|(package, lives)| PackageEntry { package, lives })
        .collect();
    match format {
        Format::Json => output::json_if_whole(&entries, Status::Done)?,
        Format::Text => output::data(|out| {
            for PackageEntry { package, lives } in &entries {
                if lives.is_empty() {
                    writeln!(out, "{package}\t-\t-\tin no release")?;
                }
                for life in lives {
                    let through = life.through.iter().map(ToString::to_string);
                    let all: Vec<String> = life.is_branched.then(|| "branch".to_owned()).into_iter().chain(through).collect();
                    writeln!(
                        out,
                        "{package}\t{}\t{}\t{}",
                        life.release,
                        or_dash(life.until.as_ref()),
                        all.join(" ")
                    )?;
                }
            }
            Ok(())
        })?,
    }
    Ok(Status::Done)
}
