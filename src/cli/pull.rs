//! `kinset pull`

use super::args::PullArguments;
use super::failure::Failure;
use super::wiring::{ConfigFile, each_among, open_session, open_state};
use super::{Status, distributions, output, progress};
use crate::config::{Distribution, Follows, Selection, Tracker};
use crate::reconcile::{Extent, Keeper, Pulled, Reading, pull};
use crate::text::count;

pub(super) async fn run(arguments: &PullArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let Selection { trackers, distributions } = config.select_any(&arguments.names)?;
    let among = trackers.len() + distributions.len();
    let keeper = open_state(&config)?;
    let extent = if arguments.full { Extent::Full } else { Extent::Due };
    let (_, of_trackers) = each_among(&trackers, among, async |tracker: &Tracker| one(tracker, extent, &keeper).await).await;
    let is_asked = |distribution: &&&Distribution| !arguments.names.is_empty() || matches!(distribution.follows, Follows::Services(_));
    let distributions: Vec<&Distribution> = distributions.iter().filter(is_asked).copied().collect();
    if trackers.is_empty() && distributions.is_empty() {
        config.select(&arguments.names)?;
    }
    let pull = async |distribution: &Distribution| distributions::pull(distribution, arguments, &keeper).await;
    let (statuses, of_distributions) = each_among(&distributions, among, pull).await;
    let statuses = [of_trackers, of_distributions].into_iter().chain(statuses);
    Ok(statuses.into_iter().find(|status| *status != Status::Done).unwrap_or(Status::Done))
}

async fn one(tracker: &Tracker, extent: Extent, keeper: &Keeper) -> Result<(), Failure> {
    let session = open_session(tracker).await?;
    let bar = progress::bar(None, tracker.name.as_str());
    let pulled = pull(&session, keeper, extent, &progress::follow(&bar)).await;
    bar.finish_and_clear();
    let Pulled {
        reading,
        projects,
        patches,
        related,
        foreign,
        tripped,
    } = pulled?;
    let name = &tracker.name;
    let (patches, projects) = (count(patches, "patch"), count(projects, "project"));
    output::say(&format!(
        "{name}: {patches} in {projects}, {related} of them related; {}",
        how(&reading)
    ));
    if let Reading::Sweep {
        missed_by_events: Some(missed @ 1..),
    } = reading
    {
        let missed = count(missed, "patch");
        output::say(&format!("{name}: the relations of {missed} had changed without an event"));
    }
    if foreign > 0 {
        let foreign = count(foreign, "patch");
        output::say(&format!(
            "{name}: somebody else has changed the relations of {foreign} since the last pull"
        ));
    }
    if let Some(tripped) = tripped {
        output::say(&format!("{name}: {tripped}; as it stands nothing will be planned from it"));
    }
    Ok(())
}

fn how(reading: &Reading) -> String {
    match reading {
        Reading::Sweep { .. } => "read whole".to_owned(),
        Reading::Events { events, arrived, reread } => {
            format!("read by {}: {arrived} arrived, {reread} read again", count(*events, "event"))
        }
    }
}
