//! `kinset relations export`

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::args::{Export, ExportArguments, GroupFormat};
use super::failure::{Failure, Misuse};
use super::wiring::{ConfigFile, open_session, open_state, open_state_to_read};
use super::{Status, output};
use crate::config::Tracker;
use crate::reconcile::{
    ExportedMails, GroupsOfMails, Keeper, export_mails, groups_of_ids, groups_of_mails, relations, require_pulled, skip_mails, stored,
};
use crate::text::count;

pub(super) async fn run(arguments: &ExportArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let export = arguments.what()?;
    let config = file.load()?;
    for tracker in config.select(&[&arguments.name])? {
        match export {
            Export::Mails { mbox, limit } => mails(tracker, &open_state(&config)?, mbox, limit).await?,
            Export::Skip => skip(tracker, &open_state(&config)?).await?,
            Export::Groups { format, out } => write(&groups(tracker, &open_state_to_read(&config)?, format).await?, out)?,
        }
    }
    Ok(Status::Done)
}

async fn mails(tracker: &Tracker, keeper: &Keeper, mbox: &Path, limit: u32) -> Result<(), Failure> {
    // The tracker need not be reached to tell that there is nothing to ask it for.
    require_pulled(keeper, tracker).await?;
    let session = open_session(tracker).await?;
    let ExportedMails { added, missing, left } = export_mails(&session, keeper, mbox, limit).await?;
    let name = &tracker.name;
    output::say(&format!("{name}: {} added to {}", count(added, "mail"), mbox.display()));
    if missing > 0 {
        output::say(&format!("{name}: the tracker has no mail of {}", count(missing, "patch")));
    }
    if left > 0 {
        output::say(&format!("{name}: {} left for the next export", count(left, "mail")));
    }
    Ok(())
}

async fn skip(tracker: &Tracker, keeper: &Keeper) -> Result<(), Failure> {
    let skipped = count(skip_mails(keeper, tracker).await?, "mail");
    output::say(&format!(
        "{}: {skipped} skipped; the next export begins with the patches that arrive from now on",
        tracker.name
    ));
    Ok(())
}

async fn groups(tracker: &Tracker, keeper: &Keeper, format: GroupFormat) -> Result<String, Failure> {
    match format {
        GroupFormat::Ids => Ok(groups_of_ids(&stored(keeper, tracker).await?.snapshot)),
        GroupFormat::Pasta => {
            let groups = groups_of_mails(&stored(keeper, tracker).await?.snapshot);
            tell_what_is_lost(tracker, &groups);
            Ok(groups.text)
        }
        GroupFormat::Json => {
            let text = serde_json::to_string_pretty(&relations(keeper, tracker).await?.relations).map_err(std::io::Error::other);
            let text = text.map_err(|source| Misuse::Unwritable {
                what: "the relations as JSON".to_owned(),
                source,
            })?;
            Ok(text + "\n")
        }
    }
}

/// Groups of mails say less than relations of patches.
fn tell_what_is_lost(tracker: &Tracker, groups: &GroupsOfMails) {
    let GroupsOfMails {
        text: _,
        outside,
        single,
        shared,
    } = groups;
    let name = &tracker.name;
    if !outside.is_empty() {
        output::say(&format!(
            "{name}: without {} outside the tracker's projects",
            count(outside.len(), "patch")
        ));
    }
    if let Some(mail) = single.first() {
        output::say(&format!(
            "{name}: without {} of which only one mail is known, {mail} for one",
            count(single.len(), "relation")
        ));
    }
    if let Some(mail) = shared.first() {
        output::say(&format!(
            "{name}: different relations have {} in common, {mail} for one: an analysis reads those relations as one group",
            count(shared.len(), "mail")
        ));
    }
}

fn write(text: &str, out: Option<&Path>) -> Result<(), Failure> {
    match out {
        None => output::data(|out| out.write_all(text.as_bytes())),
        // A file of that name is left as it is: it may be the mbox of an earlier export.
        Some(path) => fs::File::create_new(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|source| {
                let what = path.display().to_string();
                Misuse::Unwritable { what, source }.into()
            }),
    }
}
