//! `kinset plan`

use std::path::Path;

use super::args::{Format, PlanArguments};
use super::distributions::Files;
use super::failure::{Failure, Misuse};
use super::wiring::{ConfigFile, each_among, open_session, open_state};
use super::{Status, distributions, output, progress, render};
use crate::config::{Distribution, Selection, Tracker};
use crate::reconcile::{Error, Extent, Keeper, PlanDocument, Prepared, Pulling, Session, prepare};

pub(super) async fn run(arguments: &PlanArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let Selection { trackers, distributions } = config.select_any(&arguments.names)?;
    let among = trackers.len() + distributions.len();
    let files = Files::read(&distributions);
    let keeper = open_state(&config)?;
    let one = async |tracker: &Tracker| {
        let session = open_session(tracker).await?;
        let prepared = prepared(&session, &keeper, pulling(arguments.no_pull)).await?;
        Ok(prepared.document(tracker))
    };
    let (parts, of_trackers) = each_among(&trackers, among, one).await;
    let one = async |distribution: &Distribution| distributions::plan(distribution, &files, arguments.force, &keeper).await;
    let (plans, of_distributions) = each_among(&distributions, among, one).await;
    let status = if of_trackers == Status::Done {
        of_distributions
    } else {
        of_trackers
    };
    let whole = plans.iter().map(|(_, status)| *status).find(|status| *status != Status::Done);
    let status = if status == Status::Done { whole.unwrap_or(status) } else { status };
    let plan = PlanDocument::new(parts).with_distributions(plans.into_iter().flat_map(|(plans, _)| plans).collect());
    match &arguments.out {
        Some(path) if status == Status::Done => save(&plan, path)?,
        Some(path) => output::say(&format!("{} was not written, as the plan is not whole", path.display())),
        None => {}
    }
    match arguments.format {
        Format::Text => output::data(|out| render::plan::text(out, &plan))?,
        Format::Json => output::json_if_whole(&plan, status)?,
    }
    // What trips a guard may be the very lack of something to do.
    let is_guarded = plan.distributions.iter().any(|plan| !plan.guards.is_empty());
    let is_change = arguments.detailed_exitcode && (plan.writes > 0 || is_guarded);
    Ok(if is_change && status == Status::Done {
        Status::Changes
    } else {
        status
    })
}

pub(super) const fn pulling(no_pull: bool) -> Pulling {
    if no_pull { Pulling::Stored } else { Pulling::Fresh(Extent::Due) }
}

/// Prepares a plan, with a progress bar for the pull.
pub(super) async fn prepared(session: &Session<'_>, keeper: &Keeper, pulling: Pulling) -> Result<Prepared, Error> {
    let Tracker { name, .. } = session.tracker;
    let bar = progress::bar(None, name.as_str());
    let prepared = prepare(session, keeper, pulling, &progress::follow(&bar)).await;
    bar.finish_and_clear();
    prepared
}

/// Writes the plan beside its place first, so that a plan is there whole or not at all.
fn save(plan: &PlanDocument, path: &Path) -> Result<(), Failure> {
    let unwritable = |source| Misuse::Unwritable {
        what: path.display().to_string(),
        source,
    };
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    serde_json::to_writer_pretty(&mut file, plan).map_err(|error| unwritable(error.into()))?;
    file.persist(path).map_err(|error| unwritable(error.error))?;
    Ok(())
}
