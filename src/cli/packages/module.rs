//! `kinset module`

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::arguments::{AsOf, Doing, Shape};
use super::collection_said::{OrNothing, dated};
use super::{module_import, module_picture, module_show as shown, perform};
use crate::cli::Status;
use crate::cli::args::Format;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::model::packages::modules::{DatePolicy, Lifecycles, ModuleOperation, Platforms, StreamDetails, StreamEol, StreamPath};
use crate::model::packages::{ContextName, DistributionName, Milestone, ModuleName, Operation, PackageName, SeriesName, SeriesPath};
use crate::remedy::Remedy;
use crate::store::Fault;
use crate::store::packages::{DistributionRow, View};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ModuleCommand {
    /// List the streams of modules
    List {
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Take over what a file of modules says: modules.yaml of a repository, packed with gzip or zstd or not
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        path: PathBuf,
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        /// The release whose defaults are in it [default: all that have none of their own]
        #[arg(long, value_name = "RELEASE")]
        release: Option<SeriesName>,
        /// The stream that a packager's file is of, which says so by its repository and branch alone
        #[arg(long, value_name = "STREAM")]
        stream: Option<StreamPath>,
        #[command(flatten)]
        doing: Doing,
    },
    /// Say something of a stream, which becomes known if need be
    Set(SetArguments),
    /// Take a stream away, with all that is said of it
    Remove {
        /// The stream, as in nodejs:10
        stream: StreamPath,
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        doing: Doing,
    },
    /// Make a stream the default of its module
    SetDefault {
        /// The stream, as in nodejs:10
        stream: StreamPath,
        /// In this release alone [default: in all that have none of their own]
        #[arg(long, value_name = "RELEASE")]
        release: Option<SeriesName>,
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        doing: Doing,
    },
    /// Leave a module without its default
    RemoveDefault {
        /// The module
        module: ModuleName,
        /// In this release alone [default: in all that have none of their own]
        #[arg(long, value_name = "RELEASE")]
        release: Option<SeriesName>,
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        doing: Doing,
    },
    /// Show which stream is built for which release, and which are the defaults
    Matrix {
        #[command(flatten)]
        asked: Asked,
        /// Only these releases; may be given several times
        #[arg(long = "release", value_name = "RELEASE")]
        releases: Vec<SeriesName>,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Picture::Text)]
        format: Picture,
    },
    /// Tell when a stream ends, what says so, and until when each release has it
    Eol {
        /// The stream, as in nodejs:10
        stream: StreamPath,
        #[command(flatten)]
        asked: Asked,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Tell why a stream is, or is not, built for a release
    Why {
        /// The stream, as in nodejs:10
        stream: StreamPath,
        /// The release
        release: SeriesName,
        #[command(flatten)]
        asked: Asked,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Show what would change if a release went out, or ended, on another day; nothing is changed
    Slip {
        /// The release
        release: SeriesName,
        /// The day, as in released=2019-05-07 or eol=2020-06-02
        #[arg(value_name = "MILESTONE=DATE", required = true, value_parser = dated)]
        dates: Vec<(Milestone, Date)>,
        #[command(flatten)]
        asked: Asked,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Tell where packages live and until when: by a branch of their own, and through modules
    Packages {
        /// Those of these names [default: all that are in modules]
        #[arg(value_name = "PACKAGE")]
        packages: Vec<PackageName>,
        /// Those that are in no module
        #[arg(long, conflicts_with = "packages")]
        in_no_module: bool,
        #[command(flatten)]
        asked: Asked,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Draw releases and streams with their ends, as SVG
    Timeline {
        #[command(flatten)]
        asked: Asked,
        /// Only these releases; may be given several times
        #[arg(long = "release", value_name = "RELEASE")]
        releases: Vec<SeriesName>,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SetArguments {
    /// The stream, as in nodejs:10
    stream: StreamPath,
    /// When it ends: a date, or a release, which is the last that it is built for; with an empty text nobody says so
    #[arg(long, value_name = "DATE|RELEASE")]
    eol: Option<OrNothing<StreamEol>>,
    /// A release that it is wanted for, or with - in front one that it is not wanted for; may be given several times [default: all]
    #[arg(long = "platform", value_name = "RELEASE", allow_hyphen_values = true)]
    platforms: Vec<String>,
    /// It is wanted for all releases
    #[arg(long, conflicts_with = "platforms")]
    all_platforms: bool,
    /// A package that is in it; may be given several times
    #[arg(long = "package", value_name = "PACKAGE")]
    packages: Vec<PackageName>,
    /// A package that is no longer in it; may be given several times
    #[arg(long = "no-package", value_name = "PACKAGE")]
    no_packages: Vec<PackageName>,
    /// The context that platforms and packages are of [default: the only one, or what was not built yet]
    #[arg(long, value_name = "CONTEXT")]
    context: Option<ContextName>,
    /// The distribution [default: the only one]
    #[arg(long, value_name = "NAME")]
    distribution: Option<DistributionName>,
    #[command(flatten)]
    doing: Doing,
}

/// How a picture is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Picture {
    Text,
    Json,
    Svg,
}

/// What questions about lifecycles have in common.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Asked {
    /// The distribution [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub distribution: Option<DistributionName>,
    /// How a day on which a stream ends meets releases: `ga-before-eol`, it is built for those that are out by then; `covers-release`, for those of
    /// them that it outlives
    #[arg(long, value_name = "POLICY", default_value_t = DatePolicy::default())]
    pub policy: DatePolicy,
    #[command(flatten)]
    pub as_of: AsOf,
}

impl Asked {
    pub(super) fn lifecycles(&self, view: &View<'_>) -> Result<(DistributionRow, Lifecycles), Fault> {
        let distribution = view.distribution_meant(self.distribution.as_ref())?;
        let lifecycles = view.lifecycles(&distribution, today(self.as_of))?;
        Ok((distribution, lifecycles))
    }
}

/// The day on which something is asked, in UTC.
pub(super) fn today(as_of: AsOf) -> Date {
    as_of.as_of.unwrap_or_else(Timestamp::now).to_zoned(TimeZone::UTC).date()
}

/// Refuses releases that are none.
pub(super) fn require_releases<'r>(
    view: &View<'_>,
    distribution: &DistributionRow,
    releases: impl IntoIterator<Item = &'r SeriesName>,
) -> Result<BTreeSet<SeriesName>, Fault> {
    let one = |release: &SeriesName| {
        let series = view.series(&SeriesPath {
            distribution: distribution.name.clone(),
            series: release.clone(),
        });
        Ok(series?.path.series)
    };
    releases.into_iter().map(one).collect()
}

/// What is wrong with what was asked of modules.
#[derive(Debug, thiserror::Error)]
pub(super) enum ModuleError {
    /// The date bears on no stream.
    #[error("no stream is measured by when {release} is {milestone}")]
    NotMeasured { release: SeriesName, milestone: Milestone },
    /// The series is none of the releases that modules are built for.
    #[error("modules are not built for {release}")]
    NoRelease { release: SeriesName },
    /// Words for platforms contradict each other, or are none.
    #[error("the stream is wanted for no such releases")]
    Platforms(#[source] crate::model::packages::modules::PlatformsError),
}

impl Remedy for ModuleError {
    fn remedy(&self) -> Option<String> {
        match self {
            Self::NotMeasured { .. } => Some(
                "the dates that bear on streams are `released` and `eol` of the releases that are in `kinset module matrix`".to_owned(),
            ),
            Self::NoRelease { .. } => {
                Some("they are built for series that have a version or lie over no other, and were not rejected".to_owned())
            }
            Self::Platforms(_) => None,
        }
    }
}

pub(in crate::cli) fn run(command: ModuleCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        ModuleCommand::List {
            distribution,
            as_of,
            shape,
        } => shown::list(distribution.as_ref(), as_of, shape, file),
        ModuleCommand::Import {
            path,
            distribution,
            release,
            stream,
            doing,
        } => {
            let meant = module_import::Meant {
                distribution,
                release,
                stream,
            };
            module_import::import(&path, &meant, &doing, file)
        }
        ModuleCommand::Set(arguments) => set(arguments, file),
        ModuleCommand::Remove {
            stream,
            distribution,
            doing,
        } => perform(file, &doing, |view| {
            let distribution = view.distribution_meant(distribution.as_ref())?.name;
            Ok(vec![Operation::Module(ModuleOperation::RemoveStream { distribution, stream })])
        }),
        ModuleCommand::SetDefault {
            stream,
            release,
            distribution,
            doing,
        } => perform(file, &doing, |view| {
            let row = view.distribution_meant(distribution.as_ref())?;
            view.stream(&row, &stream)?;
            let StreamPath { module, stream } = stream;
            Ok(vec![Operation::Module(ModuleOperation::SetDefault {
                distribution: row.name,
                module,
                release,
                stream,
            })])
        }),
        ModuleCommand::RemoveDefault {
            module,
            release,
            distribution,
            doing,
        } => perform(file, &doing, |view| {
            let distribution = view.distribution_meant(distribution.as_ref())?.name;
            Ok(vec![Operation::Module(ModuleOperation::RemoveDefault {
                distribution,
                module,
                release,
            })])
        }),
        ModuleCommand::Matrix { asked, releases, format } => match format {
            Picture::Text => shown::matrix(&asked, &releases, Format::Text, file),
            Picture::Json => shown::matrix(&asked, &releases, Format::Json, file),
            Picture::Svg => module_picture::matrix(&asked, &releases, file),
        },
        ModuleCommand::Eol { stream, asked, format } => shown::eol(&stream, &asked, format, file),
        ModuleCommand::Why {
            stream,
            release,
            asked,
            format,
        } => shown::why(&stream, &release, &asked, format, file),
        ModuleCommand::Slip {
            release,
            dates,
            asked,
            format,
        } => shown::slip(&release, &dates, &asked, format, file),
        ModuleCommand::Packages {
            packages,
            in_no_module,
            asked,
            format,
        } => shown::packages(&packages, in_no_module, &asked, format, file),
        ModuleCommand::Timeline { asked, releases } => module_picture::timeline(&asked, &releases, file),
    }
}

fn set(arguments: SetArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let SetArguments {
        stream,
        eol,
        platforms,
        all_platforms,
        packages,
        no_packages,
        context,
        distribution,
        doing,
    } = arguments;
    let words = platforms.iter().flat_map(|platforms| platforms.split_whitespace());
    let wanted = Platforms::from_words(words).map_err(ModuleError::Platforms)?;
    let is_said = all_platforms || !platforms.is_empty();
    perform(file, &doing, |view| {
        let row = view.distribution_meant(distribution.as_ref())?;
        let known = view.streams(&row)?.remove(&stream);
        let is_new = known.is_none();
        let mut details: StreamDetails = known.unwrap_or_default();
        if let Some(eol) = eol {
            details.eol = eol.0;
        }
        let only = (details.contexts.len() == 1)
            .then(|| details.contexts.keys().next().cloned())
            .flatten();
        if is_new || is_said || !packages.is_empty() || !no_packages.is_empty() {
            let context = details.contexts.entry(context.or(only).unwrap_or_default()).or_default();
            if is_said {
                context.platforms = wanted;
            }
            context.packages.extend(packages);
            context.packages.retain(|package| !no_packages.contains(package));
        }
        Ok(vec![Operation::Module(ModuleOperation::SetStream {
            distribution: row.name,
            stream,
            details,
        })])
    })
}
