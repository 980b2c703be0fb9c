//! Distributions that are kept in files, or follow services: their part of `kinset plan`, `kinset apply` and `kinset pull`, and
//! `kinset distribution import`.

mod services;

use super::args::ApplyArguments;
use super::failure::Failure;
use super::render::words::count;
use super::{Status, output};
use crate::config::{Distribution, Follows};
use crate::reconcile::{DistributionDraft, DistributionPlan, Error, FileOrder, Keeper, PlanDocument};
use crate::store::packages::{Force, LogId};

/// What a distribution of the configuration is to follow, if that is a file.
pub(super) fn file_order(distribution: &Distribution, actor: Option<&str>, force: Force) -> Option<FileOrder> {
    let Distribution { name, follows, guard } = distribution;
    match follows {
        Follows::Services(_) => None,
        Follows::File(file) => Some(FileOrder {
            path: file.clone(),
            format: None,
            name: Some(name.clone()),
            thresholds: guard.thresholds(),
            actor: actor.map(str::to_owned),
            force,
        }),
    }
}

/// Whether series that have ended are changed, too.
pub(super) const fn force(is_insisted: bool) -> Force {
    if is_insisted { Force::Insisted } else { Force::Not }
}

/// What a distribution's file would change, or each of the services that it follows, and whether all could be told.
pub(super) async fn plan(
    distribution: &Distribution,
    is_forced: bool,
    keeper: &Keeper,
) -> Result<(Vec<DistributionPlan>, Status), Failure> {
    match &distribution.follows {
        Follows::Services(services) => services::plan(distribution, services, keeper).await,
        Follows::File(_) => {
            let Some(order) = file_order(distribution, None, force(is_forced)) else {
                return Ok((Vec::new(), Status::Done));
            };
            Ok((vec![draft(keeper, &order).await?.document()], Status::Done))
        }
    }
}

/// Reads a distribution's file and plans.
async fn draft(keeper: &Keeper, order: &FileOrder) -> Result<DistributionDraft, Error> {
    let file = order.read().map_err(Error::Local)?;
    DistributionDraft::new(keeper, order, &file).await
}

/// Plans, shows the plan, asks, and carries it out.
pub(super) async fn apply(
    arguments: &ApplyArguments,
    distribution: &Distribution,
    saved: Option<&PlanDocument>,
    keeper: &Keeper,
) -> Result<Status, Failure> {
    let planned = saved.and_then(|saved| saved.distributions.iter().find(|planned| planned.name == distribution.name));
    let is_forced = planned.map_or(arguments.force, |planned| planned.force);
    let Some(order) = file_order(distribution, arguments.actor.as_deref(), force(is_forced)) else {
        let name = &distribution.name;
        output::say(&format!("{name}: it follows services; `kinset pull {name}` takes in what they say"));
        return Ok(Status::Done);
    };
    let mut draft = draft(keeper, &order).await?;
    if let Some(saved) = saved {
        draft = draft.require_same(saved)?;
    }
    carry_out(draft, arguments.yes, keeper).await
}

/// Shows a plan, asks, and carries it out.
pub(super) async fn carry_out(draft: DistributionDraft, is_approved: bool, keeper: &Keeper) -> Result<Status, Failure> {
    let plan = draft.document();
    output::plan(&PlanDocument::new([]).with_distributions(vec![plan.clone()]))?;
    let draft = draft.require_unguarded()?;
    let DistributionPlan { name, operations, .. } = plan;
    if operations.is_empty() {
        return Ok(Status::Done);
    }
    let question = format!("Make {} to {name}?", count(operations.len(), "change"));
    if !is_approved && !output::confirm(question).await? {
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
pub(super) async fn pull(distribution: &Distribution, is_full: bool, keeper: &Keeper) -> Result<Status, Failure> {
    match &distribution.follows {
        Follows::Services(services) => services::pull(distribution, services, is_full, keeper).await,
        Follows::File(_) => {
            let name = &distribution.name;
            output::say(&format!(
                "{name}: it is kept in a file; `kinset apply {name}` makes it what that says"
            ));
            Ok(Status::Done)
        }
    }
}
