//! Distributions that are kept in files, or follow services: their part of `kinset plan`, `kinset apply` and `kinset pull`, and
//! `kinset distribution import`.

mod services;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use super::args::{ApplyArguments, PullArguments};
use super::failure::{Failure, Preview};
use super::{Status, output};
use crate::config::{Distribution, Follows};
use crate::model::packages::DistributionName;
use crate::reconcile::{DistributionDraft, DistributionPlan, Error, FileOrder, Keeper, PlanDocument};
use crate::source::local::{LocalError, LocalFile};
use crate::store::packages::{Force, LogId};
use crate::text::count;

/// What a distribution of the configuration is to follow, if that is a file.
pub(super) fn file_order(distribution: &Distribution, actor: Option<&str>, force: Force) -> Option<FileOrder> {
    match &distribution.follows {
        Follows::Services(_) => None,
        Follows::File(file) => Some(order_of(distribution, file, actor, force)),
    }
}

fn order_of(distribution: &Distribution, file: &Path, actor: Option<&str>, force: Force) -> FileOrder {
    FileOrder {
        path: file.to_owned(),
        format: None,
        name: Some(distribution.name.clone()),
        thresholds: distribution.guard.thresholds(),
        actor: actor.map(str::to_owned),
        force,
    }
}

/// The files that distributions follow, read before the state is opened: as long as it is, it is locked.
#[derive(Default)]
pub(super) struct Files(RefCell<BTreeMap<DistributionName, Result<LocalFile, LocalError>>>);

impl Files {
    /// Reads the files of all that follow one.
    pub(super) fn read(distributions: &[&Distribution]) -> Self {
        let orders = distributions
            .iter()
            .filter_map(|distribution| file_order(distribution, None, Force::Not));
        let read = orders.filter_map(|order| Some((order.name.clone()?, order.read())));
        Self(RefCell::new(read.collect()))
    }

    fn take(&self, order: &FileOrder) -> Result<LocalFile, LocalError> {
        let read = order.name.as_ref().and_then(|name| self.0.borrow_mut().remove(name));
        read.unwrap_or_else(|| order.read())
    }
}

/// Whether series that have ended are changed, too.
pub(super) const fn force(is_insisted: bool) -> Force {
    if is_insisted { Force::Insisted } else { Force::Not }
}

/// What a distribution's file would change, or each of the services that it follows, and whether all could be told.
pub(super) async fn plan(
    distribution: &Distribution,
    files: &Files,
    is_forced: bool,
    keeper: &Keeper,
) -> Result<(Vec<DistributionPlan>, Status), Failure> {
    match &distribution.follows {
        Follows::Services(services) => services::plan(distribution, services, keeper).await,
        Follows::File(file) => {
            let order = order_of(distribution, file, None, force(is_forced));
            Ok((vec![draft(keeper, &order, files).await?.document()], Status::Done))
        }
    }
}

/// Plans what a file that was read would change.
async fn draft(keeper: &Keeper, order: &FileOrder, files: &Files) -> Result<DistributionDraft, Error> {
    let file = files.take(order).map_err(Error::Local)?;
    DistributionDraft::new(keeper, order, &file).await
}

/// Plans, shows the plan, asks, and carries it out.
pub(super) async fn apply(
    arguments: &ApplyArguments,
    distribution: &Distribution,
    files: &Files,
    saved: Option<&PlanDocument>,
    keeper: &Keeper,
) -> Result<Status, Failure> {
    let planned = saved.and_then(|saved| saved.distributions.iter().find(|planned| planned.name == distribution.name));
    let is_forced = planned.map_or(arguments.force, |planned| planned.force);
    let Some(order) = file_order(distribution, arguments.actor.as_deref(), force(is_forced)) else {
        let name = &distribution.name;
        output::say(&format!("{name}: it follows services; `kinset pull {name}` takes in what they say"));
        return Ok(if arguments.names.is_empty() { Status::Done } else { Status::Failed });
    };
    let mut draft = draft(keeper, &order, files).await?;
    if let Some(saved) = saved {
        draft = draft.require_same(saved)?;
    }
    carry_out(draft, arguments.yes, Preview::Plan, keeper).await
}

/// Shows a plan, asks, and carries it out. Where nobody can be asked, `preview` is what somebody is told to read instead.
pub(super) async fn carry_out(draft: DistributionDraft, is_approved: bool, preview: Preview, keeper: &Keeper) -> Result<Status, Failure> {
    let plan = draft.document();
    output::plan(&PlanDocument::new([]).with_distributions(vec![plan.clone()]))?;
    let draft = draft.require_unguarded()?;
    let DistributionPlan { name, operations, .. } = plan;
    if operations.is_empty() {
        return Ok(Status::Done);
    }
    let question = format!("Make {} to {name}?", count(operations.len(), "change"));
    if !is_approved && !output::confirm(question, preview).await? {
        output::say("nothing was changed");
        return Ok(Status::Failed);
    }
    let performed = draft.apply(keeper).await?;
    let entries: Vec<LogId> = performed.iter().filter_map(|performed| performed.log).collect();
    if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
        let made = count(entries.len(), "change");
        output::say(&format!("{name}: {made} made, in the log from entry {first} to {last}"));
    }
    Ok(Status::Done)
}

/// Takes in what the services of a distribution say.
pub(super) async fn pull(distribution: &Distribution, arguments: &PullArguments, keeper: &Keeper) -> Result<Status, Failure> {
    match &distribution.follows {
        Follows::Services(services) => services::pull(distribution, services, arguments, keeper).await,
        Follows::File(_) => {
            let name = &distribution.name;
            output::say(&format!(
                "{name}: it is kept in a file; `kinset apply {name}` makes it what that says"
            ));
            Ok(Status::Failed)
        }
    }
}
