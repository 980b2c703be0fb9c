//! `kinset log`

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::arguments::{AsOf, Shape, beginning};
use super::show::{self, Entry};
use super::{ask, words};
use crate::cli::Status;
use crate::cli::args::Format;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::wiring::ConfigFile;
use crate::model::packages::{DistributionName, SeriesName};
use crate::store::packages::{LogEntry, LogFilter};

#[derive(Debug, Args)]
pub(in crate::cli) struct LogArguments {
    /// Changes to what goes by this name: a package set, a series, a person, @ and a team
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Changes to this distribution
    #[arg(long, value_name = "NAME")]
    distribution: Option<DistributionName>,
    /// Changes to this series
    #[arg(long, value_name = "NAME")]
    series: Option<SeriesName>,
    /// Changes by this actor
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Changes not before this time or date
    #[arg(long, value_name = "DATE", value_parser = beginning)]
    since: Option<Timestamp>,
    /// No more than the newest so many
    #[arg(long, value_name = "N")]
    most: Option<u32>,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct LogLine(LogEntry);

impl Entry for LogLine {
    const HEADINGS: &'static [&'static str] = &["ENTRY", "TIME", "ACTOR"];

    fn cells(&self) -> Vec<String> {
        let LogEntry { id, at, actor, .. } = &self.0;
        vec![id.to_string(), format!("{at:.0}"), actor.clone()]
    }

    fn name(&self) -> String {
        self.0.id.to_string()
    }
}

pub(in crate::cli) fn run(arguments: LogArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let LogArguments {
        name,
        distribution,
        series,
        by,
        since,
        most,
        as_of,
        shape,
    } = arguments;
    let filter = LogFilter {
        distribution,
        series,
        name,
        actor: by,
        since,
        most,
    };
    let entries = ask(file, as_of, |view| {
        match (&filter.distribution, &filter.series) {
            (distribution, Some(series)) => _ = view.series_meant(distribution.as_ref(), Some(series))?,
            (Some(distribution), None) => _ = view.distribution(distribution)?,
            (None, None) => {}
        }
        if let Some(actor) = &filter.actor {
            view.require_actor(actor)?;
        }
        view.log(&filter)
    })?;
    if entries.is_empty() && (filter.name.is_some() || filter.actor.is_some()) {
        output::say("nothing of that is in the log");
    }
    print(entries, shape)?;
    Ok(Status::Done)
}

/// Prints entries of the log: as text with all that each changed.
pub(super) fn print(entries: Vec<LogEntry>, shape: Shape) -> Result<(), Failure> {
    let lines: Vec<LogLine> = entries.into_iter().map(LogLine).collect();
    if shape.quiet || shape.format == Format::Json {
        return show::list(&lines, shape);
    }
    output::data(|out| {
        for line in &lines {
            writeln!(out, "{}", show::printable(&line.cells().join("  ")))?;
            for change in &line.0.changes {
                writeln!(out, "  {}", words::line(change))?;
            }
        }
        Ok(())
    })
}
