//! `kinset distribution export` and `kinset distribution import`

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::AsOf;
use super::ask;
use crate::cli::args::fraction;
use crate::cli::distributions::{carry_out, force};
use crate::cli::failure::{Failure, Misuse, Preview};
use crate::cli::wiring::{ConfigFile, open_state};
use crate::cli::{Status, output};
use crate::config::{DistributionGuard, Fraction};
use crate::model::packages::DistributionName;
use crate::reconcile::{DistributionDraft, Error, FileOrder, PlanDocument};
use crate::source::local::{FileFormat, render};

/// [`FileFormat`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Written {
    /// TOML, with one name a line
    Toml,
    /// JSON
    Json,
}

impl From<Written> for FileFormat {
    fn from(written: Written) -> Self {
        match written {
            Written::Toml => Self::Toml,
            Written::Json => Self::Json,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArguments {
    /// The distribution [default: the only one]
    name: Option<DistributionName>,
    /// What to write [default: what the name of the file tells, else toml]
    #[arg(long, value_enum)]
    format: Option<Written>,
    #[command(flatten)]
    as_of: AsOf,
    /// Where to: a new file [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArguments {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What it is written in [default: what its name tells]
    #[arg(long, value_enum)]
    format: Option<Written>,
    /// Change it without asking
    #[arg(long)]
    yes: bool,
    /// The share of memberships and permissions that may be taken away, from 0 to 1 [default: 0.25]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    max_removed_fraction: Option<Fraction>,
    /// Let the file leave no membership and no permission at all
    #[arg(long)]
    allow_empty: bool,
    /// Change series that have ended, too
    #[arg(long)]
    force: bool,
    /// Who the log says did it [default: `$KINSET_ACTOR`, else `local:` and the name of the file]
    #[arg(long, value_name = "NAME", env = "KINSET_ACTOR", hide_env = true)]
    actor: Option<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn export(arguments: ExportArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let ExportArguments { name, format, as_of, out } = arguments;
    let document = ask(file, as_of, |view| view.document(&view.distribution_meant(name.as_ref())?))?;
    let format = format.map(FileFormat::from);
    let format = format
        .or_else(|| out.as_deref().and_then(FileFormat::of))
        .unwrap_or(FileFormat::Toml);
    let text = render(&document, format).map_err(|error| Misuse::Unwritable {
        what: "the distribution as JSON".to_owned(),
        source: error.into(),
    })?;
    match out {
        None => output::data(|out| out.write_all(text.as_bytes()))?,
        Some(path) => write_new(&path, &text)?,
    }
    Ok(Status::Done)
}

fn write_new(path: &Path, text: &str) -> Result<(), Misuse> {
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => Misuse::ExportExists { path: path.to_path_buf() },
        _ => Misuse::Unwritable {
            what: path.display().to_string(),
            source,
        },
    })
}

pub(super) async fn import(arguments: ImportArguments, config: &ConfigFile) -> Result<Status, Failure> {
    let ImportArguments {
        file,
        format,
        yes,
        max_removed_fraction,
        allow_empty,
        force: is_forced,
        actor,
        dry_run,
    } = arguments;
    let default = DistributionGuard::default();
    let guard = DistributionGuard {
        max_removed_fraction: max_removed_fraction.unwrap_or(default.max_removed_fraction),
        allow_empty,
        ..default
    };
    let order = FileOrder {
        path: file,
        format: format.map(FileFormat::from),
        name: None,
        thresholds: guard.thresholds(),
        actor,
        force: force(is_forced),
    };
    let config = config.load()?;
    // Before the state is locked: reading may take its time.
    let file = order.read().map_err(Error::Local)?;
    let keeper = open_state(&config)?;
    let draft = DistributionDraft::new(&keeper, &order, &file).await?;
    if dry_run {
        let plan = draft.document();
        let is_change = !plan.operations.is_empty();
        output::plan(&PlanDocument::new([]).with_distributions(vec![plan]))?;
        if is_change {
            output::say("nothing was changed: this was a dry run");
        }
        return Ok(Status::Done);
    }
    carry_out(draft, yes, Preview::DryRun, &keeper).await
}
