//! `kinset relations list` and `kinset relations show`

use super::args::Format;
use super::failure::Failure;
use super::render::table::table;
use super::wiring::{ConfigFile, each, look_up, open_state_to_read};
use super::{Status, output};
use crate::config::Tracker;
use crate::model::ProjectName;
use crate::reconcile::{FoundDocument, MemberDocument, RelationDocument, RelationsDocument, find_relations, relations};
use crate::text::count;

pub(super) async fn list(names: &[String], format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(names)?;
    let keeper = open_state_to_read(&config)?;
    let (documents, status) = each(&trackers, async |tracker: &Tracker| Ok(relations(&keeper, tracker).await?)).await;
    match format {
        Format::Json => output::json_if_whole(&documents, status)?,
        Format::Text => documents.iter().try_for_each(print_list)?,
    }
    Ok(status)
}

pub(super) async fn show(patch: &str, names: &[String], format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(names)?;
    let keeper = open_state_to_read(&config)?;
    let (documents, status) = look_up(&trackers, async |tracker: &Tracker| find_relations(&keeper, tracker, patch).await).await?;
    match format {
        Format::Json => output::json_if_whole(&documents, status)?,
        Format::Text => documents.iter().try_for_each(print_found)?,
    }
    Ok(status)
}

fn print_list(document: &RelationsDocument) -> Result<(), Failure> {
    let RelationsDocument {
        tracker,
        pulled_at,
        relations,
    } = document;
    if relations.is_empty() {
        return output::data(|out| writeln!(out, "{tracker}: 0 relations, as of {pulled_at:.0}"));
    }
    let patches: usize = relations.iter().map(|relation| relation.patches.len()).sum();
    let row = |RelationDocument { patches }: &RelationDocument| {
        let mut projects: Vec<&str> = patches.iter().map(project).collect();
        // Known ones first.
        projects.sort_unstable_by_key(|&project| (project == ANOTHER, project));
        projects.dedup();
        let numbers: Vec<String> = patches.iter().map(|member| member.patch.to_string()).collect();
        [patches.len().to_string(), projects.join(", "), numbers.join(" ")]
    };
    let rows: Vec<[String; 3]> = relations.iter().map(row).collect();
    output::data(|out| {
        let (relations, patches) = (count(relations.len(), "relation"), count(patches, "patch"));
        writeln!(out, "{tracker}: {relations} of {patches}, as of {pulled_at:.0}")?;
        table(out, ["SIZE", "PROJECTS", "PATCHES"], &rows)
    })
}

fn print_found(document: &FoundDocument) -> Result<(), Failure> {
    let FoundDocument {
        tracker,
        pulled_at,
        named,
        relation: RelationDocument { patches },
    } = document;
    let numbers: Vec<String> = named.iter().map(ToString::to_string).collect();
    let named = match *numbers {
        [_] => format!("patch {} is", numbers.concat()),
        _ => format!("patches {} are", numbers.join(" and ")),
    };
    let relation = match patches.len() {
        1 => "no relation".to_owned(),
        members => format!("a relation of {members} patches"),
    };
    let row = |member: &MemberDocument| {
        let mail = match &member.message_id {
            Some(message_id) => message_id.to_string(),
            None => "not known".to_owned(),
        };
        [member.patch.to_string(), project(member).to_owned(), mail]
    };
    output::data(|out| {
        writeln!(out, "{tracker}: {named} in {relation}, as of {pulled_at:.0}")?;
        let rows: Vec<[String; 3]> = patches.iter().map(row).collect();
        table(out, ["PATCH", "PROJECT", "MAIL"], &rows)
    })
}

/// Stands for a project that is not read: its patches come in through relations only.
const ANOTHER: &str = "(another)";

fn project(member: &MemberDocument) -> &str {
    member.project.as_ref().map_or(ANOTHER, ProjectName::as_str)
}
