//! `kinset series`

use clap::Subcommand;
use serde::Serialize;

use super::arguments::{AsOf, Doing, Place, Shape};
use super::collection_said::{Said, Unsaid};
use super::distribution::Way;
use super::show::{self, Entry};
use super::{ask, perform, perform_when_confirmed};
use crate::cli::Status;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::model::packages::{DistributionName, Operation, SeriesDetails, SeriesName, SeriesPath};
use crate::store::packages::{SeriesRow, View};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SeriesCommand {
    /// List the series of a distribution
    List {
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Add a series without any package set
    Create {
        /// Its name
        name: SeriesName,
        #[command(flatten)]
        said: Said,
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        doing: Doing,
    },
    /// Add a series that begins with the package sets of another
    Init {
        /// Its name
        name: SeriesName,
        /// The series that its package sets come from; one of another distribution as in ubuntu/noble
        #[arg(long, value_name = "SERIES")]
        from: String,
        /// Take its listings over as well, with the permissions on them; within a distribution only
        #[arg(long)]
        listings: bool,
        #[command(flatten)]
        said: Said,
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        doing: Doing,
    },
    /// Change what is said of a series, its status above all
    Set {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        said: Said,
        #[command(flatten)]
        unsaid: Unsaid,
        #[command(flatten)]
        doing: Doing,
    },
    /// Show what it takes to tie package sets to series in another way, ask, and do it; each series answers as before
    Convert {
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        /// The new way
        #[arg(long, value_enum)]
        to: Way,
        /// Where hierarchies differ and there is to be one for all series: take that of this one
        #[arg(long, value_name = "SERIES")]
        hierarchy_of: Option<SeriesName>,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        doing: Doing,
    },
}

#[derive(Debug, Serialize)]
struct SeriesEntry {
    #[serde(flatten)]
    path: PathEntry,
    #[serde(flatten)]
    details: SeriesDetails,
    is_current: bool,
    packagesets: usize,
    /// How many of them other series have as well.
    shared: usize,
}

#[derive(Debug, Serialize)]
struct PathEntry {
    distribution: DistributionName,
    series: SeriesName,
}

impl Entry for SeriesEntry {
    const HEADINGS: &'static [&'static str] = &["SERIES", "VERSION", "STATUS", "OWNER", "PACKAGESETS", "SHARED", ""];

    fn cells(&self) -> Vec<String> {
        vec![
            self.path.series.to_string(),
            self.details.version.to_string(),
            self.details.status.to_string(),
            self.details.owner.to_string(),
            self.packagesets.to_string(),
            self.shared.to_string(),
            if self.is_current { "current".to_owned() } else { String::new() },
        ]
    }

    fn name(&self) -> String {
        self.path.series.to_string()
    }
}

pub(in crate::cli) fn run(command: SeriesCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        SeriesCommand::List {
            distribution,
            as_of,
            shape,
        } => list(distribution.as_ref(), as_of, shape, file),
        SeriesCommand::Create {
            name,
            said,
            distribution,
            doing,
        } => {
            let details = said.of_new(&doing)?;
            perform(file, &doing, |view| {
                let distribution = view.distribution_meant(distribution.as_ref())?.name;
                let series = SeriesPath {
                    distribution,
                    series: name,
                };
                Ok(vec![Operation::CreateSeries { series, details }])
            })
        }
        SeriesCommand::Init {
            name,
            from,
            listings,
            said,
            distribution,
            doing,
        } => {
            let from_elsewhere: Option<SeriesPath> = from.contains('/').then(|| from.parse()).transpose()?;
            let from_here: Option<SeriesName> = from_elsewhere.is_none().then(|| from.parse()).transpose()?;
            let details = said.of_new(&doing)?;
            perform(file, &doing, |view| {
                let distribution = view.distribution_meant(distribution.as_ref())?.name;
                let from = match (from_elsewhere, from_here) {
                    (Some(from), _) => from,
                    (None, from) => view.series_meant(Some(&distribution), from.as_ref())?.path,
                };
                let series = SeriesPath {
                    distribution,
                    series: name,
                };
                Ok(vec![Operation::InitSeries {
                    series,
                    from,
                    listings,
                    details,
                }])
            })
        }
        SeriesCommand::Set {
            place,
            said,
            unsaid,
            doing,
        } => perform(file, &doing, |view| {
            let SeriesRow { path, details, .. } = place.series(view)?;
            let details = unsaid.over(said.over(details));
            Ok(vec![Operation::ChangeSeries { series: path, details }])
        }),
        SeriesCommand::Convert {
            distribution,
            to,
            hierarchy_of,
            yes,
            doing,
        } => {
            let convert = |view: &View<'_>| {
                let distribution = view.distribution_meant(distribution.as_ref())?.name;
                Ok(vec![Operation::ConvertSharing {
                    distribution,
                    to: to.into(),
                    hierarchy_of: hierarchy_of.clone(),
                }])
            };
            if yes || doing.dry_run {
                perform(file, &doing, convert)
            } else {
                perform_when_confirmed(file, &doing, convert)
            }
        }
    }
}

fn list(distribution: Option<&DistributionName>, as_of: AsOf, shape: Shape, file: &ConfigFile) -> Result<Status, Failure> {
    let entries = ask(file, as_of, |view| {
        let distribution = view.distribution_meant(distribution)?;
        let rows = view.series_of(&distribution)?;
        let current = (!rows.is_empty())
            .then(|| view.series_meant(Some(&distribution.name), None))
            .transpose()?;
        rows.into_iter()
            .map(|row| {
                let sets = view.sets(&row)?;
                let mut shared = 0;
                for set in &sets {
                    shared += usize::from(!view.shared_with(&row, set)?.is_empty());
                }
                Ok(SeriesEntry {
                    is_current: current.as_ref() == Some(&row),
                    packagesets: sets.len(),
                    shared,
                    details: row.details,
                    path: PathEntry {
                        distribution: row.path.distribution,
                        series: row.path.series,
                    },
                })
            })
            .collect::<Result<Vec<_>, _>>()
    })?;
    show::list(&entries, shape)?;
    Ok(Status::Done)
}
