//! `kinset distribution`

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::arguments::{AsOf, Doing, Shape};
use super::distribution_file::{self, ExportArguments, ImportArguments};
use super::show::{self, Entry};
use super::{ask, perform};
use crate::cli::Status;
use crate::cli::failure::Failure;
use crate::cli::wiring::{ConfigFile, block_on};
use crate::model::packages::{DistributionDetails, DistributionName, Operation, SeriesName, Sharing, VersionScheme};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DistributionCommand {
    /// List the distributions
    List {
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Add a distribution
    Create {
        /// Its name
        name: DistributionName,
        /// How its package sets are tied to its series
        #[arg(long, value_enum)]
        sharing: Way,
        /// How the versions of its packages are compared
        #[arg(long, value_enum)]
        versions: Scheme,
        #[command(flatten)]
        doing: Doing,
    },
    /// Print all of a distribution, or write it to a file, as `distribution import` and `[[distribution]]` read it
    Export(ExportArguments),
    /// Make a distribution what a file says, once; shows the plan and asks. What follows its file for good is configured with `[[distribution]]`
    Import(ImportArguments),
    /// Change what is said of a distribution; its way of sharing is changed with `series convert`
    Set(SetArguments),
}

#[derive(Debug, Args)]
#[group(id = "set", multiple = true)]
pub(in crate::cli) struct SetArguments {
    /// Its name
    name: DistributionName,
    /// The series that is meant where none is named
    #[arg(long, value_name = "NAME", conflicts_with = "by_status")]
    series: Option<SeriesName>,
    /// Where no series is named, the one is meant that its status makes the current one
    #[arg(long)]
    by_status: bool,
    /// How its package sets are tied to its series, while it has at most one
    #[arg(long, value_enum)]
    sharing: Option<Way>,
    /// How the versions of its packages are compared
    #[arg(long, value_enum)]
    versions: Option<Scheme>,
    /// Whether series that have ended take uploads
    #[arg(long, value_name = "BOOL")]
    permit_obsolete_uploads: Option<bool>,
    #[command(flatten)]
    doing: Doing,
}

/// [`Sharing`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum Way {
    /// Each series has copies of its own from the beginning
    SharedNothing,
    /// Series share sets until one changes a set; then it gets its own copy
    CopyOnWrite,
    /// Series share sets until somebody clones one; changing a shared set is refused
    ManualClone,
    /// Contents are each series' own, and the hierarchy of sets is one for all
    Tethered,
}

impl From<Way> for Sharing {
    fn from(way: Way) -> Self {
        match way {
            Way::SharedNothing => Self::SharedNothing,
            Way::CopyOnWrite => Self::CopyOnWrite,
            Way::ManualClone => Self::ManualClone,
            Way::Tethered => Self::Tethered,
        }
    }
}

/// [`VersionScheme`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum Scheme {
    /// As dpkg does
    Debian,
    /// As RPM does
    Rpm,
}

impl From<Scheme> for VersionScheme {
    fn from(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Debian => Self::Debian,
            Scheme::Rpm => Self::Rpm,
        }
    }
}

#[derive(Debug, Serialize)]
struct DistributionEntry {
    name: DistributionName,
    #[serde(flatten)]
    details: DistributionDetails,
    /// The series that is meant where none is named.
    current_series: Option<SeriesName>,
    series_count: usize,
}

impl Entry for DistributionEntry {
    const HEADINGS: &'static [&'static str] = &["NAME", "SHARING", "VERSIONS", "SERIES", "CURRENT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.to_string(),
            self.details.sharing.to_string(),
            self.details.versions.word().to_owned(),
            self.series_count.to_string(),
            self.current_series.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        ]
    }

    fn name(&self) -> String {
        self.name.to_string()
    }
}

pub(in crate::cli) fn run(command: DistributionCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        DistributionCommand::List { as_of, shape } => {
            let entries = ask(file, as_of, |view| {
                let rows = view.distributions()?;
                rows.into_iter()
                    .map(|row| {
                        let series_count = view.series_of(&row)?.len();
                        let current = (series_count > 0).then(|| view.series_meant(Some(&row.name), None)).transpose()?;
                        Ok(DistributionEntry {
                            current_series: current.map(|series| series.path.series),
                            name: row.name,
                            details: row.details,
                            series_count,
                        })
                    })
                    .collect::<Result<Vec<_>, _>>()
            })?;
            show::list(&entries, shape)?;
            Ok(Status::Done)
        }
        DistributionCommand::Create {
            name,
            sharing,
            versions,
            doing,
        } => perform(file, &doing, |_| {
            let details = DistributionDetails {
                sharing: sharing.into(),
                versions: versions.into(),
                series: None,
                permit_obsolete_uploads: false,
            };
            Ok(vec![Operation::CreateDistribution {
                distribution: name,
                details,
            }])
        }),
        DistributionCommand::Export(arguments) => distribution_file::export(arguments, file),
        DistributionCommand::Import(arguments) => block_on(distribution_file::import(arguments, file)),
        DistributionCommand::Set(arguments) => set(arguments, file),
    }
}

fn set(arguments: SetArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let SetArguments {
        name,
        series,
        by_status,
        sharing,
        versions,
        permit_obsolete_uploads,
        doing,
    } = arguments;
    perform(file, &doing, |view| {
        let row = view.distribution(&name)?;
        let before = row.details;
        let details = DistributionDetails {
            sharing: sharing.map_or(before.sharing, Sharing::from),
            versions: versions.map_or(before.versions, VersionScheme::from),
            series: if by_status { None } else { series.or(before.series) },
            permit_obsolete_uploads: permit_obsolete_uploads.unwrap_or(before.permit_obsolete_uploads),
        };
        Ok(vec![Operation::ChangeDistribution {
            distribution: name,
            details,
        }])
    })
}
