//! `kinset state`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::args::Format;
use super::failure::{Failure, Misuse, Preview};
use super::turn::{Patience, in_turn};
use super::wiring::{ConfigFile, block_on};
use super::{Status, output};
use crate::store::{BackupReport, CheckReport, Finding, Origin, Overwrite, Repair, RepairReport, TableRepair, backup, check};
use crate::text::count;

#[derive(Debug, Subcommand)]
pub(super) enum StateCommand {
    /// Copy the state into a file, while kinset works on it or not
    Backup(BackupArguments),
    /// Look for damage; changes nothing, and kinset may be at work meanwhile
    Check {
        /// How to print what was found
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Show what can be saved of a damaged state, ask, and build it anew of that; the damaged file is kept
    Repair(RepairArguments),
}

#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    /// The file to make
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Let it take the place of a file that is there
    #[arg(long)]
    force: bool,
    /// How to print what it holds
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct RepairArguments {
    /// Repair without asking
    #[arg(long)]
    yes: bool,
    /// Repair even if rows are lost that are nowhere else
    #[arg(long)]
    accept_loss: bool,
    /// How to print what can be saved
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(command: &StateCommand, file: &ConfigFile) -> Result<Status, Failure> {
    let state_dir = file.load()?.state_dir;
    match command {
        StateCommand::Backup(BackupArguments { file, force, format }) => {
            let overwrite = if *force { Overwrite::Allowed } else { Overwrite::Refused };
            let report = backup(&state_dir, file, overwrite, Timestamp::now())?;
            match format {
                Format::Json => output::json_if_whole(&report, Status::Done)?,
                Format::Text => print_backup(&report)?,
            }
            Ok(Status::Done)
        }
        StateCommand::Check { format } => {
            let report = check(&state_dir)?;
            match format {
                Format::Json => output::json_if_whole(&report, Status::Done)?,
                Format::Text => print_check(&report)?,
            }
            Ok(if report.is_sound() { Status::Done } else { Status::Failed })
        }
        StateCommand::Repair(arguments) => repair(in_turn(Patience::USUAL, || Repair::prepare(&state_dir), output::say)?, arguments),
    }
}

fn print_backup(report: &BackupReport) -> Result<(), Failure> {
    let BackupReport {
        file,
        as_of,
        version,
        bytes,
        trackers,
        decisions,
        open_writes,
        log_entries,
    } = report;
    output::data(|out| {
        writeln!(
            out,
            "{}: version {version}, {}, as of {as_of:.0}",
            file.display(),
            count(*bytes, "byte")
        )?;
        let names = if trackers.is_empty() {
            "none".to_owned()
        } else {
            trackers.join(", ")
        };
        writeln!(out, "  trackers   {names}")?;
        writeln!(out, "  decisions  {decisions} standing")?;
        writeln!(out, "  journal    {open_writes} open")?;
        writeln!(out, "  log        {}", count(*log_entries, "entry"))
    })
}

fn print_check(report: &CheckReport) -> Result<(), Failure> {
    let CheckReport {
        file,
        version,
        damage,
        broken_rules,
    } = report;
    let version = version.map_or_else(|| "of unknown version".to_owned(), |version| format!("version {version}"));
    output::data(|out| {
        let verdict = match (damage.is_empty(), broken_rules.is_empty()) {
            (true, true) => "nothing is wrong",
            (true, false) => "the file is whole, and what is in it does not fit together",
            (false, _) => "damaged",
        };
        writeln!(out, "{}, {version}: {verdict}", file.display())?;
        for finding in damage {
            writeln!(out, "  {}: {}", place(finding), finding.what)?;
        }
        for Finding { table, what, .. } in broken_rules {
            writeln!(out, "  {}: {what}", table.as_deref().unwrap_or("file"))?;
        }
        Ok(())
    })?;
    if !damage.is_empty() {
        output::say("`kinset state repair` shows what can be saved");
    } else if !broken_rules.is_empty() {
        output::say("no repair mends this: put a backup in its place if there is one that is sound, and report it as a bug");
    }
    Ok(())
}

/// Where something is wrong, and what that costs.
fn place(finding: &Finding) -> String {
    let Finding {
        table,
        origin,
        rows_readable,
        what: _,
    } = finding;
    let Some(table) = table else { return "file".to_owned() };
    let cost = match origin {
        _ if *rows_readable => "all rows can be read",
        Some(origin) if origin.is_copy() => "a copy, can be pulled again",
        _ => "no copy of anything",
    };
    format!("{table} ({cost})")
}

fn repair(repair: Repair, arguments: &RepairArguments) -> Result<Status, Failure> {
    let RepairArguments { yes, accept_loss, format } = arguments;
    let rebuilt = match repair {
        Repair::Needless { file } => {
            return outcome(
                *format,
                "needless",
                &format!("{}: nothing is damaged, so nothing was done", file.display()),
            );
        }
        Repair::Finished { file } => {
            return outcome(
                *format,
                "finished",
                &format!("{}: the repair that was cut short is finished", file.display()),
            );
        }
        Repair::Ready(rebuilt) => rebuilt,
    };
    let report = rebuilt.report();
    match format {
        Format::Json => output::json_if_whole(report, Status::Done)?,
        Format::Text => print_repair(report)?,
    }
    if report.loses() && !accept_loss {
        return Err(Misuse::Loss.into());
    }
    let question = || output::confirm(format!("put the new file in place of {}?", report.file.display()), Preview::Printed);
    if !yes && !block_on(question())? {
        output::say("nothing was changed");
        return Ok(Status::Failed);
    }
    let said = format!(
        "{} is repaired; the damaged file is {}. Run `kinset pull`, then `kinset plan`",
        report.file.display(),
        report.kept_as.display()
    );
    rebuilt.install()?;
    output::say(&said);
    Ok(Status::Done)
}

fn outcome(format: Format, word: &str, words: &str) -> Result<Status, Failure> {
    match format {
        Format::Json => output::json_if_whole(&json!({ "outcome": word }), Status::Done)?,
        Format::Text => output::say(words),
    }
    Ok(Status::Done)
}

fn print_repair(report: &RepairReport) -> Result<(), Failure> {
    let RepairReport {
        file,
        kept_as,
        version,
        findings,
        tables,
        export_marks_lost,
        patches_unread,
    } = report;
    let rows = |origin: fn(Origin) -> bool| {
        tables
            .iter()
            .filter(|table| origin(table.origin))
            .map(|table| table.kept)
            .sum::<u64>()
    };
    output::data(|out| {
        writeln!(
            out,
            "{}, version {version}, is damaged; it would be kept as {}",
            file.display(),
            kept_as.display()
        )?;
        for finding in findings {
            writeln!(out, "  {}: {}", place(finding), finding.what)?;
        }
        writeln!(
            out,
            "saved: {} that are nowhere else, {} of copies",
            rows_of(rows(|origin| !origin.is_copy())),
            rows_of(rows(Origin::is_copy))
        )?;
        for TableRepair { table, lost, .. } in report.left_out() {
            let lost = lost.map_or_else(|| "an unknown number of rows".to_owned(), rows_of);
            writeln!(out, "left to the next pull: {table}, {lost}")?;
        }
        for TableRepair { table, lost, .. } in report.losses() {
            let lost = lost.map_or_else(|| "an unknown number of rows".to_owned(), rows_of);
            writeln!(out, "lost: {table}, {lost}")?;
        }
        if *export_marks_lost > 0 {
            writeln!(out, "lost: that the mails of {} were exported", count(*export_marks_lost, "patch"))?;
        }
        if *patches_unread != Some(0) {
            let patches = patches_unread.map_or_else(|| "patches".to_owned(), |number| count(number, "patch"));
            writeln!(out, "not known: whether mails of {patches} that cannot be read were exported")?;
        }
        Ok(())
    })
}

fn rows_of(number: u64) -> String {
    count(number, "row")
}
