//! `kinset relations export`

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use super::args::ExportFormat;
use super::failure::{Failure, Misuse};
use super::render::words::count;
use super::wiring::{ConfigFile, open_session, open_state, open_state_to_read};
use super::{Status, output};
use crate::config::Tracker;
use crate::model::{MessageId, PatchId, Snapshot};
use crate::pasta::groups_text;
use crate::reconcile::{ExportedMails, export_mails, stored};

pub(super) async fn run(name: &str, format: ExportFormat, out: Option<&Path>, limit: u32, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(&[name.to_owned()])?;
    for tracker in trackers {
        match (format, out) {
            (ExportFormat::Mbox, Some(mbox)) => {
                let keeper = open_state(&config)?;
                stored(&keeper, tracker).await?;
                let session = open_session(tracker).await?;
                let ExportedMails { added, missing } = export_mails(&session, &keeper, mbox, limit).await?;
                output::say(&format!("{name}: {} added to {}", count(added, "mail"), mbox.display()));
                if missing > 0 {
                    output::say(&format!("{name}: the tracker has no mail of {}", count(missing, "patch")));
                }
            }
            _ => {
                let keeper = open_state_to_read(&config)?;
                let snapshot = stored(&keeper, tracker).await?.snapshot;
                write(&groups(tracker, &snapshot, format)?, out)?;
            }
        }
    }
    Ok(Status::Done)
}

/// A relation as a program reads it.
#[derive(Serialize)]
struct RelationDocument {
    patches: Vec<MemberDocument>,
}

#[derive(Serialize)]
struct MemberDocument {
    patch: PatchId,
    project: Option<String>,
    message_id: Option<MessageId>,
}

fn groups(tracker: &Tracker, snapshot: &Snapshot, format: ExportFormat) -> Result<String, Failure> {
    let related = snapshot.patches.values().filter(|patch| !patch.related.is_empty());
    let relations: BTreeSet<BTreeSet<PatchId>> = related
        .map(|patch| patch.related.iter().copied().chain([patch.id]).collect())
        .collect();
    let message_id = |patch: &PatchId| snapshot.patches.get(patch).map(|row| row.message_id.clone());
    match format {
        ExportFormat::Ids => Ok(groups_text(&relations)),
        ExportFormat::Pasta | ExportFormat::Mbox => {
            let outside: BTreeSet<&PatchId> = relations.iter().flatten().filter(|patch| message_id(patch).is_none()).collect();
            if !outside.is_empty() {
                let outside = count(outside.len(), "patch");
                output::say(&format!("{}: without {outside} outside the tracker's projects", tracker.name));
            }
            let classes: BTreeSet<BTreeSet<MessageId>> = relations
                .iter()
                .map(|relation| relation.iter().filter_map(message_id).collect())
                .filter(|class: &BTreeSet<MessageId>| class.len() > 1)
                .collect();
            Ok(groups_text(&classes))
        }
        ExportFormat::Json => {
            let names: BTreeMap<_, _> = snapshot
                .projects
                .iter()
                .map(|(id, project)| (id, project.name.to_string()))
                .collect();
            let member = |&patch: &PatchId| {
                let row = snapshot.patches.get(&patch);
                MemberDocument {
                    patch,
                    project: row.and_then(|row| names.get(&row.project).cloned()),
                    message_id: row.map(|row| row.message_id.clone()),
                }
            };
            let documents: Vec<RelationDocument> = relations
                .iter()
                .map(|relation| RelationDocument {
                    patches: relation.iter().map(member).collect(),
                })
                .collect();
            let text = serde_json::to_string_pretty(&documents).map_err(std::io::Error::other);
            let text = text.map_err(|source| Misuse::Unwritable {
                what: "the relations as JSON".to_owned(),
                source,
            })?;
            Ok(text + "\n")
        }
    }
}

/// A file of that name is left as it is: it may be the mbox of an earlier export.
fn create(path: &Path) -> std::io::Result<fs::File> {
    fs::File::create_new(path)
}

fn write(text: &str, out: Option<&Path>) -> Result<(), Failure> {
    match out {
        None => output::data(|out| out.write_all(text.as_bytes())),
        Some(path) => create(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(|source| {
            let what = path.display().to_string();
            Misuse::Unwritable { what, source }.into()
        }),
    }
}
