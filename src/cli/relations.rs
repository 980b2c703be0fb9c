//! `kinset relations`

use serde::Serialize;

use super::args::{Format, RelationsCommand};
use super::failure::Failure;
use super::render::words::count;
use super::wiring::{ConfigFile, each, open_state_to_read};
use super::{Status, output};
use crate::config::Tracker;
use crate::model::{MessageId, PatchId};
use crate::reconcile::{Keeper, Scene, read_analysis, stored};

pub(super) async fn run(command: &RelationsCommand, file: &ConfigFile) -> Result<Status, Failure> {
    let RelationsCommand::Unmatched { names, format } = command;
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
    })
}

fn print(list: &UnmatchedDocument) -> Result<(), Failure> {
    let UnmatchedDocument {
        tracker,
        named,
        only_in_analysis,
        only_in_tracker,
    } = list;
    output::data(|out| {
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
