//! What can be said on the command line.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::failure::{Failure, Misuse};
use super::packages::acl::AclCommand;
use super::packages::collection::CollectionCommand;
use super::packages::distribution::DistributionCommand;
use super::packages::eol::EolArguments;
use super::packages::log::LogArguments;
use super::packages::module::ModuleCommand;
use super::packages::packageset::PackagesetCommand;
use super::packages::series::SeriesCommand;
use super::packages::team::TeamCommand;
use super::state::StateCommand;
use crate::config::Fraction;

/// Keeps groups in step: patch relations between an analysis and Patchwork, with the fewest writes.
#[derive(Debug, Parser)]
#[command(
    name = "kinset",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100
)]
pub(super) struct Arguments {
    /// The configuration file [default: `$KINSET_CONFIG`, else `/etc/kinset/kinset.toml`]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show everything at work against a simulated Patchwork; nothing to configure, nothing left behind
    Demo,
    /// Write, check or show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Learn what trackers have now, and remember it
    Pull(PullArguments),
    /// Show the fewest writes that would make trackers follow their analyses, and distributions their files; writes nothing
    Plan(PlanArguments),
    /// Show the plan, ask, and write it
    Apply(ApplyArguments),
    /// Tell how trackers stand, by what was last read, planned and written, and what the daemon does
    Status(StatusArguments),
    /// Do what is due, again and again, when the configuration says so, until SIGTERM; SIGHUP reads the configuration again
    Daemon(DaemonArguments),
    /// Look at relations
    #[command(subcommand)]
    Relations(RelationsCommand),
    /// Look at what people decided by hand
    #[command(subcommand)]
    Decisions(DecisionsCommand),
    /// Look after distributions
    #[command(subcommand)]
    Distribution(DistributionCommand),
    /// Look after the series of distributions
    #[command(subcommand)]
    Series(SeriesCommand),
    /// Ask and change which packages and versions are in a series, and where it gets what it lacks
    #[command(subcommand)]
    Collection(CollectionCommand),
    /// Ask and change what package sets there are in a series, and what is in them
    #[command(subcommand)]
    Packageset(PackagesetCommand),
    /// Ask and change who may do what
    #[command(subcommand)]
    Acl(AclCommand),
    /// Ask and change which streams of modules there are, and which are built for which release until when
    #[command(subcommand)]
    Module(ModuleCommand),
    /// Tell what reaches its end: series, streams of modules, and packages through them
    Eol(EolArguments),
    /// Ask and change who is in which team
    #[command(subcommand)]
    Team(TeamCommand),
    /// Tell who changed what in distributions, when, from what to what
    Log(LogArguments),
    /// Look after the file in which kinset remembers everything
    #[command(subcommand)]
    State(StateCommand),
    /// Serve a simulated Patchwork
    Simulate(SimulateArguments),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write the pages of all commands into a folder
    Man {
        /// Write the pages of all commands into this folder
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Write a configuration to start from, in which every key is explained
    Init,
    /// Read the configuration, tokens and analyses, and tell what is wrong
    Check,
    /// Print the configuration in effect, defaults included
    Show,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// Groups of message ids, as PaStA writes them
    Pasta,
    /// Groups of Patchwork's numbers, as its replacerelations reads them
    Ids,
    /// Relations with numbers, projects and message ids
    Json,
    /// Mails, for an analysis to read
    Mbox,
}

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For the journal where standard error leads there, else for people
    Auto,
    /// Lines for people
    Text,
    /// A line of JSON for each
    Json,
    /// Fields for the journal
    Journald,
}

#[derive(Debug, Args)]
pub(super) struct DaemonArguments {
    /// How the log looks
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,
}

#[derive(Debug, Args)]
pub(super) struct PullArguments {
    /// The trackers, and the distributions that follow services, to pull [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Read everything, even if events or what a service says would tell what has changed
    #[arg(long)]
    pub full: bool,
    #[command(flatten)]
    pub limits: Limits,
}

/// Limits of the guards of distributions, for once.
#[derive(Debug, Args)]
pub(super) struct Limits {
    /// The share of what services told of that may be gone, from 0 to 1 [default: as configured]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub max_removed_fraction: Option<Fraction>,
    /// Let services tell of nothing any more
    #[arg(long)]
    pub allow_empty: bool,
}

/// A number from 0 to 1.
pub(super) fn fraction(text: &str) -> Result<Fraction, String> {
    let number = text.parse().ok().and_then(Fraction::new);
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    /// The trackers and distributions to plan for [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Plan from the last pull instead of reading the tracker now
    #[arg(long)]
    pub no_pull: bool,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Save the plan for `apply --plan`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 0 when there is nothing to do, 2 when there is, 1 on error
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Of distributions: change series that have ended, too
    #[arg(long)]
    pub force: bool,
    /// Plan between two group files, with no tracker: what there is
    #[arg(long, value_name = "FILE", requires = "desired", conflicts_with_all = ["names", "no_pull", "out", "config", "force"])]
    pub current: Option<PathBuf>,
    /// Plan between two group files, with no tracker: what is wanted
    #[arg(long, value_name = "FILE", requires = "current")]
    pub desired: Option<PathBuf>,
    /// Between two group files: how many ids one relate may name
    #[arg(long, value_name = "N", requires = "current", default_value = "50", value_parser = at_least_one)]
    pub attach_limit: NonZeroU32,
}

fn at_least_one(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| format!("expected a whole number from 1 to {}", u32::MAX))
}

fn address_with_port(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "expected an address with a port, such as 127.0.0.1:8000".to_owned())
}

/// A plan between two files.
#[derive(Debug)]
pub(super) struct FilesArguments {
    pub current: PathBuf,
    pub desired: PathBuf,
    pub attach_limit: NonZeroU32,
    pub format: Format,
    pub detailed_exitcode: bool,
}

impl PlanArguments {
    /// The two files to plan between, if that is what is asked for.
    pub(super) fn files(&self) -> Result<Option<FilesArguments>, Failure> {
        let Self {
            attach_limit,
            format,
            detailed_exitcode,
            ..
        } = *self;
        match (self.current.clone(), self.desired.clone()) {
            (Some(current), Some(desired)) => Ok(Some(FilesArguments {
                current,
                desired,
                attach_limit,
                format,
                detailed_exitcode,
            })),
            (None, None) => Ok(None),
            _ => Err(Misuse::OneFileOfTwo.into()),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ApplyArguments {
    /// The trackers and distributions to write to [default: all, or those of the saved plan]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Write without asking
    #[arg(long)]
    pub yes: bool,
    /// Apply a plan that `plan --out` saved, unless anything it was computed from has changed
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Plan from the last pull; what the plan touches is read again before it is written all the same
    #[arg(long)]
    pub no_pull: bool,
    /// Of distributions: change series that have ended, too; of a saved plan, what it was made with counts
    #[arg(long, conflicts_with = "plan")]
    pub force: bool,
    /// Of distributions: who the log says did it [default: `$KINSET_ACTOR`, else `local:` and the name of the file]
    #[arg(long, value_name = "NAME", env = "KINSET_ACTOR", hide_env = true)]
    pub actor: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    /// The trackers to tell of, and the distributions that the daemon pulls [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
pub(super) enum DecisionsCommand {
    /// List the patches that people joined or parted by hand
    List {
        /// The trackers to look at [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Those that ended, too
        #[arg(long)]
        all: bool,
        /// How to print them
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Let decisions stand no longer, so that the analysis counts there again
    Drop {
        /// The tracker
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        dropped: Dropped,
        /// How to print those that were dropped
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Print all decisions, those that ended too, as JSON
    Export {
        /// The trackers to look at [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

/// Which decisions are dropped.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(super) struct Dropped {
    /// Decisions by their numbers
    #[arg(value_name = "DECISION")]
    pub ids: Vec<u64>,
    /// All that name this patch; may be given several times
    #[arg(long = "patch", value_name = "PATCH")]
    pub patches: Vec<u64>,
    /// All of them
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum RelationsCommand {
    /// List the relations of the last pull
    List {
        /// The trackers to look at [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// How to print them
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Show which patches a patch is related with, as of the last pull
    Show {
        /// The patch, by Patchwork's number or by its message id
        #[arg(value_name = "PATCH")]
        patch: String,
        /// The trackers to look at [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Tell which relations a patch was in, since when, and by whose write
    History {
        /// The patch, by Patchwork's number or by its message id
        #[arg(value_name = "PATCH")]
        patch: String,
        /// The trackers to look at [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Print the relations of the last pull as groups, or the mails of patches that no export had yet
    Export(ExportArguments),
    /// List what is in the analysis and not in the tracker, and the other way round, as of the last pull
    Unmatched {
        /// The trackers to look at [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// The tracker
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What to print
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// Where to: the mbox to add mails to, or a new file for anything else [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Add so many mails at most, those of the lowest numbers, and leave the others to the next export; for mbox only [default: 1000]
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Add no mails, and let those of all patches that are known count as exported: begin with what arrives from now on; for mbox only
    #[arg(long, conflicts_with_all = ["out", "limit"])]
    pub skip: bool,
}

/// How relations are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupFormat {
    Pasta,
    Ids,
    Json,
}

/// What is exported.
#[derive(Clone, Copy, Debug)]
pub(super) enum Export<'a> {
    /// Relations, to a new file or to standard output.
    Groups { format: GroupFormat, out: Option<&'a Path> },
    /// Mails, to an mbox.
    Mails { mbox: &'a Path, limit: u32 },
    /// No mails, now or later.
    Skip,
}

impl ExportArguments {
    /// What is asked for. Which arguments go with which format is more than clap can tell.
    pub(super) fn what(&self) -> Result<Export<'_>, Failure> {
        let format = match self.format {
            ExportFormat::Mbox if self.skip => return Ok(Export::Skip),
            ExportFormat::Mbox => {
                let mbox = self.out.as_deref().ok_or(Misuse::NoMbox)?;
                let limit = self.limit.unwrap_or(1000);
                return Ok(Export::Mails { mbox, limit });
            }
            ExportFormat::Pasta => GroupFormat::Pasta,
            ExportFormat::Ids => GroupFormat::Ids,
            ExportFormat::Json => GroupFormat::Json,
        };
        let for_mbox = [("--limit", self.limit.is_some()), ("--skip", self.skip)];
        if let Some((argument, _)) = for_mbox.into_iter().find(|(_, is_given)| *is_given) {
            return Err(Misuse::ForMboxOnly { argument }.into());
        }
        let out = self.out.as_deref();
        Ok(Export::Groups { format, out })
    }
}

/// The least of a world that is of use, and what else there is.
const WORLD_HELP: &str = r#"A world:
  {
    "projects": ["alpha"],
    "users": {"bot": {"token": "t-bot", "maintains": ["alpha"]}},
    "patches": [
      {"id": 1, "project": "alpha", "msgid": "<m1@example.org>"},
      {"id": 2, "project": "alpha", "msgid": "<m2@example.org>"}
    ],
    "relations": [[1, 2]]
  }
Further fields: hidden_relations, api_versions, max_per_page, and faults, such as
  {"kind": {"status": {"code": 503}}, "requests": "writes", "when": {"every": 10}}"#;

#[derive(Debug, Args)]
#[command(after_help = WORLD_HELP)]
pub(super) struct SimulateArguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", value_parser = address_with_port)]
    pub listen: SocketAddr,
    /// What the simulated Patchwork holds, as JSON
    #[arg(long, value_name = "FILE")]
    pub world: PathBuf,
}
