//! `kinset relations history`

use super::args::Format;
use super::failure::Failure;
use super::wiring::{ConfigFile, look_up, open_state_to_read};
use super::{Status, output};
use crate::config::Tracker;
use crate::reconcile::{HistoryDocument, SightingDocument, history};

pub(super) async fn run(patch: &str, names: &[String], format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(names)?;
    let keeper = open_state_to_read(&config)?;
    let (documents, status) = look_up(&trackers, async |tracker: &Tracker| history(&keeper, tracker, patch).await).await?;
    match format {
        Format::Json => output::json_if_whole(&documents, status)?,
        Format::Text => documents.iter().try_for_each(print)?,
    }
    Ok(status)
}

fn print(document: &HistoryDocument) -> Result<(), Failure> {
    let HistoryDocument {
        tracker,
        patch,
        message_id,
        gone,
        relations,
    } = document;
    output::data(|out| {
        let message_id = message_id.as_ref().map(|message_id| format!(" {message_id}")).unwrap_or_default();
        let gone = if *gone { " (no longer in the tracker's projects)" } else { "" };
        writeln!(out, "{tracker}: patch {patch}{message_id}{gone}")?;
        for sighting in relations {
            let SightingDocument { since, patches, .. } = sighting;
            let others: Vec<String> = patches.iter().filter(|other| *other != patch).map(ToString::to_string).collect();
            let relation = if others.is_empty() {
                "on its own".to_owned()
            } else {
                format!("with {}", others.join(" "))
            };
            writeln!(out, "  {since:.0}  {relation}  # {}", author(sighting))?;
        }
        if relations.is_empty() {
            writeln!(out, "  was never seen in a relation")?;
        }
        Ok(())
    })
}

fn author(sighting: &SightingDocument) -> String {
    match (sighting.by, sighting.run, &sighting.user) {
        ("found", ..) => "found when the tracker was first read".to_owned(),
        ("kinset", Some(run), _) => format!("by kinset, run {run}"),
        ("kinset", None, _) => "by kinset".to_owned(),
        (_, _, Some(user)) => format!("by {user}"),
        (_, _, None) => "by somebody else".to_owned(),
    }
}
