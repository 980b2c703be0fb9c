//! `kinset status`

use super::args::Format;
use super::args::StatusArguments;
use super::failure::Failure;
use super::render::words::count;
use super::wiring::{ConfigFile, each, open_state_if_any};
use super::{Status, output};
use crate::model::ProjectName;
use crate::reconcile::{CollectionDocument, CycleDocument, PulledDocument, RunDocument, StatusDocument, status};

pub(super) async fn run(arguments: &StatusArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(&arguments.names)?;
    let keeper = open_state_if_any(&config)?;
    let (documents, outcome) = each(&trackers, async |tracker| Ok(status(&keeper, tracker).await?)).await;
    match arguments.format {
        Format::Json => output::json_if_whole(&documents, outcome)?,
        Format::Text => documents.iter().try_for_each(print)?,
    }
    Ok(outcome)
}

fn print(document: &StatusDocument) -> Result<(), Failure> {
    let StatusDocument {
        tracker,
        url,
        policy,
        pulled,
        elsewhere,
        last_cycle,
        last_run,
        collections,
        decisions,
        open_writes,
    } = document;
    output::data(|out| {
        writeln!(out, "tracker {tracker} at {url}, policy {policy}")?;
        match (pulled, elsewhere) {
            (None, None) => writeln!(out, "  pulled      never")?,
            (None, Some(elsewhere)) => writeln!(out, "  pulled      never, only from {elsewhere}")?,
            (Some(pulled), _) => writeln!(out, "  pulled      {}", reading(pulled))?,
        }
        match last_cycle {
            None => writeln!(out, "  last cycle  none")?,
            Some(cycle) => writeln!(out, "  last cycle  {}", plan(cycle))?,
        }
        match last_run {
            None => writeln!(out, "  last run    none")?,
            Some(run) => writeln!(out, "  last run    {}", outcome(run))?,
        }
        writeln!(out, "  decisions   {decisions} standing")?;
        if let Some(cycle) = last_cycle.as_ref().filter(|cycle| !cycle.blocked.is_empty()) {
            let blocked: Vec<&str> = cycle.blocked.iter().map(ProjectName::as_str).collect();
            writeln!(out, "  blocked     {}: the token's user may not write there", blocked.join(", "))?;
        }
        for collection in collections {
            writeln!(out, "  collection  {}", stage(collection))?;
        }
        if *open_writes > 0 {
            writeln!(out, "  open        {} of unknown outcome", count(*open_writes, "write"))?;
        }
        Ok(())
    })
}

fn reading(pulled: &PulledDocument) -> String {
    let PulledDocument {
        swept_at,
        pulled_at,
        missed_by_events,
        patches,
        projects,
    } = pulled;
    let missed = missed_by_events
        .filter(|&missed| missed > 0)
        .map(|missed| format!(", which found {missed} changed without an event"))
        .unwrap_or_default();
    format!(
        "{pulled_at:.0}: {} in {}; read whole {swept_at:.0}{missed}",
        count(*patches, "patch"),
        count(projects.len(), "project")
    )
}

fn stage(document: &CollectionDocument) -> String {
    let CollectionDocument {
        project,
        collection,
        status,
    } = document;
    match status {
        None => format!("{project} is of {collection}, of which nothing is known: nothing is planned"),
        Some(status) if status.is_ended() => format!("{project} is of {collection} ({status}): nothing is written there"),
        Some(status) => format!("{project} is of {collection} ({status})"),
    }
}

fn plan(cycle: &CycleDocument) -> String {
    let CycleDocument {
        at,
        drift,
        clears,
        relates,
        commit_refs,
        undone,
        foreign_changes,
        guarded,
        blocked: _,
    } = cycle;
    let parts = [(clears, "clear"), (relates, "relate"), (commit_refs, "commit")];
    let parts = parts.into_iter().filter(|(number, noun)| **number > 0 || *noun != "commit");
    let parts: Vec<String> = parts.map(|(number, noun)| count(*number, noun)).collect();
    let drift = match drift {
        0 => "nothing to write".to_owned(),
        _ => format!("{}: {}", count(*drift, "write"), parts.join(", ")),
    };
    let guarded = if *guarded { ", held back by a guard" } else { "" };
    let foreign_changes = count(*foreign_changes, "patch");
    format!("{at:.0}: {drift}, {undone} undone, {foreign_changes} moved by others{guarded}")
}

fn outcome(run: &RunDocument) -> String {
    let RunDocument {
        run,
        began_at,
        ended_at: _,
        outcome,
        reason,
        done,
    } = run;
    let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{run}, {began_at:.0}: {outcome}, {} took effect{reason}", count(*done, "write"))
}
