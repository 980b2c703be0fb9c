//! `kinset pull`

use super::args::PullArguments;
use super::failure::Failure;
use super::render::words::count;
use super::wiring::{ConfigFile, each, open_session, open_state};
use super::{Status, output, progress};
use crate::config::Tracker;
use crate::reconcile::{Keeper, Pulled, pull};

pub(super) async fn run(arguments: &PullArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(&arguments.names)?;
    let keeper = open_state(&config)?;
    let (_, status) = each(&trackers, async |tracker| one(tracker, &keeper).await).await;
    Ok(status)
}

async fn one(tracker: &Tracker, keeper: &Keeper) -> Result<(), Failure> {
    let session = open_session(tracker).await?;
    let bar = progress::bar(None, tracker.name.as_str());
    let pulled = pull(&session, keeper, &progress::follow(&bar)).await;
    bar.finish_and_clear();
    let Pulled {
        projects,
        patches,
        related,
    } = pulled?;
    output::say(&format!(
        "{}: {} in {}, {related} of them related",
        tracker.name,
        count(patches, "patch"),
        count(projects, "project")
    ));
    Ok(())
}
