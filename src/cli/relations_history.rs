//! `kinset relations history`

use super::args::Format;
use super::failure::Failure;
use super::wiring::{ConfigFile, open_state_to_read};
use super::{Status, output};
use crate::reconcile::{Error, HistoryDocument, SightingDocument, history};

pub(super) async fn run(patch: &str, names: &[String], format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let keeper = open_state_to_read(&config)?;
    let mut documents = Vec::new();
    let mut unknown = None;
    for tracker in config.select(names)? {
        match history(&keeper, tracker, patch).await {
            Ok(found) => documents.extend(found),
            // It may be a patch of another tracker.
            Err(error @ Error::NoSuchPatch { .. }) => unknown = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(unknown) = unknown.filter(|_| documents.is_empty()) {
        return Err(unknown.into());
    }
    match format {
        Format::Json => output::json_if_whole(&documents, Status::Done)?,
        Format::Text => documents.iter().try_for_each(print)?,
    }
    Ok(Status::Done)
}

fn print(document: &HistoryDocument) -> Result<(), Failure> {
    let HistoryDocument {
        tracker,
        patch,
        message_id,
        relations,
    } = document;
    output::data(|out| {
        let message_id = message_id.as_ref().map(|message_id| format!(" {message_id}")).unwrap_or_default();
        writeln!(out, "{tracker}: patch {patch}{message_id}")?;
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
