//! Distributions that follow services.

use super::Status;
use crate::cli::args::PullArguments;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::render::words::unread as unread_in_words;
use crate::config::{Distribution, Services};
use crate::model::packages::DistributionName;
use crate::reconcile::{DistributionPlan, Error, Keeper, SourceDraft, SourceResult, SourcesOrder, Taking, follow};
use crate::source::Traffic;
use crate::text::count;

pub(super) async fn plan(
    distribution: &Distribution,
    services: &Services,
    keeper: &Keeper,
) -> Result<(Vec<DistributionPlan>, Status), Failure> {
    let mut plans = Vec::new();
    let mut status = Status::Done;
    let each = |_: &str, result: SourceResult| match result {
        Ok(draft) => plans.push(draft.document(&distribution.name)),
        Err(error) => {
            report(&distribution.name, error);
            status = Status::Failed;
        }
    };
    follow(keeper, &SourcesOrder::of(distribution, services, false), Taking::Nothing, each).await?;
    Ok((plans, status))
}

pub(super) async fn pull(
    distribution: &Distribution,
    services: &Services,
    arguments: &PullArguments,
    keeper: &Keeper,
) -> Result<Status, Failure> {
    let PullArguments { names: _, full, limits } = arguments;
    let mut order = SourcesOrder::of(distribution, services, *full);
    if let Some(fraction) = limits.max_removed_fraction {
        order.thresholds.max_removed_fraction = fraction.get();
    }
    order.thresholds.allow_empty |= limits.allow_empty;
    let mut status = Status::Done;
    let each = |_: &str, result: SourceResult| match result.and_then(SourceDraft::require_unguarded) {
        Ok(draft) => tell(&distribution.name, &draft),
        Err(error) => {
            report(&distribution.name, error);
            status = Status::Failed;
        }
    };
    follow(keeper, &order, Taking::Everything, each).await?;
    Ok(status)
}

fn report(name: &DistributionName, error: Error) {
    output::say(&format!("distribution {name}:"));
    Failure::from(error).report();
}

fn tell(name: &DistributionName, draft: &SourceDraft) {
    let SourceDraft {
        source,
        operations,
        disagreements,
        remarks,
        unread,
        traffic,
        ..
    } = draft;
    let changes = match operations.len() {
        0 => "nothing changed".to_owned(),
        changes => format!("{} taken in", count(changes, "change")),
    };
    output::say(&format!("{name}: {source}: {changes}{}", cost(*traffic)));
    if let Some(unread) = unread_in_words(name, unread) {
        output::say(&format!("{name}: {source}: not read again: {unread}"));
    }
    if !remarks.is_empty() {
        let remarks = count(remarks.len(), "thing");
        output::say(&format!(
            "{name}: {source}: {remarks} could not be taken; `kinset plan {name}` lists them"
        ));
    }
    if !disagreements.is_empty() {
        let times = count(disagreements.len(), "thing");
        output::say(&format!(
            "{name}: {source} is not believed in {times} that another source says otherwise; `kinset plan {name}` lists them"
        ));
    }
}

/// What a read cost, if a service was asked at all.
fn cost(traffic: Traffic) -> String {
    let Traffic { answers, unchanged, bytes } = traffic;
    let (asked, bytes) = (count(answers, "answer"), count(bytes, "byte"));
    match (answers, unchanged) {
        (0, _) => String::new(),
        (_, 0) => format!(" ({asked}, {bytes})"),
        (_, unchanged) => format!(" ({asked}, {unchanged} of them that nothing had changed, {bytes})"),
    }
}
