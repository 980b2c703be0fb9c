//! `kinset relations`

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::{Format, RelationsCommand};
use super::failure::Failure;
use super::wiring::{ConfigFile, each, open_state_to_read};
use super::{Status, output, relations_export, relations_history, relations_list};
use crate::config::Tracker;
use crate::model::{MessageId, PatchId, Snapshot};
use crate::reconcile::{Keeper, Scene, Unmatched, read_analysis, stored};
use crate::text::count;

pub(super) async fn run(command: &RelationsCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        RelationsCommand::List { names, format } => relations_list::list(names, *format, file).await,
        RelationsCommand::Show { patch, names, format } => relations_list::show(patch, names, *format, file).await,
        RelationsCommand::Unmatched { names, format } => all_unmatched(names, *format, file).await,
        RelationsCommand::History { patch, names, format } => relations_history::run(patch, names, *format, file).await,
        RelationsCommand::Export(export) => relations_export::run(export, file).await,
    }
}

async fn all_unmatched(names: &[String], format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(names)?;
    let keeper = open_state_to_read(&config)?;
    let (lists, status) = each(&trackers, async |tracker| unmatched(tracker, &keeper).await).await;
    match format {
        Format::Json => output::json_if_whole(&lists, status)?,
        Format::Text => lists.iter().try_for_each(print)?,
    }
    Ok(status)
}

/// What an analysis and a tracker do not have in common.
#[derive(Serialize)]
struct UnmatchedDocument {
    tracker: String,
    /// Elements that the analysis names.
    named: usize,
    /// Those that are no patch in the tracker's projects.
    only_in_analysis: Vec<String>,
    /// Patches that the analysis does not name.
    only_in_tracker: Vec<PatchDocument>,
    /// Both, counted.
    counts: Vec<CountDocument>,
}

/// How much of a project's month the analysis and the tracker do not have in common.
#[derive(Serialize)]
struct CountDocument {
    /// The project; for an element of the analysis, that of the first patch that shares its group, and `null` where there is none.
    project: Option<String>,
    /// The month of the mail (`YYYY-MM`), of that same patch; `null` where it is not known.
    month: Option<String>,
    only_in_analysis: usize,
    only_in_tracker: usize,
}

#[derive(Serialize)]
struct PatchDocument {
    patch: PatchId,
    project: String,
    message_id: MessageId,
}

async fn unmatched(tracker: &Tracker, keeper: &Keeper) -> Result<UnmatchedDocument, Failure> {
    let stored = stored(keeper, tracker).await?;
    let analysis = read_analysis(tracker)?;
    let unmatched = Scene::resolve(&stored.snapshot, &analysis, tracker.desired.format).unmatched;
    let counts = counts(&stored.snapshot, &unmatched);
    let patch = |id: &PatchId| {
        let patch = stored.snapshot.patches.get(id)?;
        let project = stored
            .snapshot
            .projects
            .get(&patch.project)
            .map_or_else(|| patch.project.to_string(), |project| project.name.to_string());
        Some(PatchDocument {
            patch: *id,
            project,
            message_id: patch.message_id.clone(),
        })
    };
    Ok(UnmatchedDocument {
        tracker: tracker.name.to_string(),
        named: unmatched.named,
        only_in_tracker: unmatched.only_in_tracker.iter().filter_map(patch).collect(),
        only_in_analysis: unmatched.only_in_analysis,
        counts,
    })
}

fn counts(snapshot: &Snapshot, unmatched: &Unmatched) -> Vec<CountDocument> {
    let place = |patch: Option<PatchId>| {
        let row = patch.and_then(|patch| snapshot.patches.get(&patch));
        let project = row.and_then(|row| snapshot.projects.get(&row.project));
        let month = row.and_then(|row| row.date).map(|date| date.strftime("%Y-%m").to_string());
        (project.map(|project| project.name.to_string()), month)
    };
    let mut counts: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for &beside in &unmatched.beside {
        counts.entry(place(beside)).or_default().0 += 1;
    }
    for &patch in &unmatched.only_in_tracker {
        counts.entry(place(Some(patch))).or_default().1 += 1;
    }
    let count = |((project, month), (only_in_analysis, only_in_tracker))| CountDocument {
        project,
        month,
        only_in_analysis,
        only_in_tracker,
    };
    counts.into_iter().map(count).collect()
}

fn print(list: &UnmatchedDocument) -> Result<(), Failure> {
    let UnmatchedDocument {
        tracker,
        named,
        only_in_analysis,
        only_in_tracker,
        counts,
    } = list;
    output::data(|out| {
        for row in counts {
            writeln!(
                out,
                "{tracker}: {} {}: {} only in the analysis, {} only in the tracker",
                row.project.as_deref().unwrap_or("(no project known)"),
                row.month.as_deref().unwrap_or("(no month known)"),
                row.only_in_analysis,
                row.only_in_tracker
            )?;
        }
        writeln!(
            out,
            "{tracker}: only in the analysis: {} of {}",
            only_in_analysis.len(),
            count(*named, "element")
        )?;
        for element in only_in_analysis {
            writeln!(out, "  {element}")?;
        }
        writeln!(out, "{tracker}: only in the tracker: {}", count(only_in_tracker.len(), "patch"))?;
        for PatchDocument {
            patch,
            project,
            message_id,
        } in only_in_tracker
        {
            writeln!(out, "  {patch} {project} {message_id}")?;
        }
        Ok(())
    })
}
