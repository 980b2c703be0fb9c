//! Distributions that follow services.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::Status;
use crate::cli::args::PullArguments;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::render::words::{count, unread as unread_in_words};
use crate::config::{Distribution, FileOrUrl, ModulesAt, ReadSets, Services, Source, SourceKind};
use crate::http::RetryPolicy;
use crate::model::packages::{DistributionDetails, DistributionName};
use crate::reconcile::{DistributionPlan, Error, Keeper, SourceDraft, SourceResult, SourceSettings, SourcesOrder, Taking, follow};
use crate::source::{HttpSettings, Traffic, bodhi, distgit, distro_info, launchpad, local, modulemd};

/// How many requests to a service are under way at once.
const CONCURRENT_REQUESTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

/// How long a request may take. Launchpad gives up on its own after half of that.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long a service is asked again and again that does not answer.
const PATIENCE: Duration = Duration::from_secs(300);

/// The most rows that Launchpad gives at once: `max_batch_size` of its web service.
const ROWS_PER_PAGE: std::num::NonZeroU32 = std::num::NonZeroU32::MIN.saturating_add(299);

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
    follow(keeper, &order(distribution, services, false), Taking::Nothing, each).await?;
    Ok((plans, status))
}

pub(super) async fn pull(
    distribution: &Distribution,
    services: &Services,
    arguments: &PullArguments,
    keeper: &Keeper,
) -> Result<Status, Failure> {
    let PullArguments { names: _, full, limits } = arguments;
    let mut order = order(distribution, services, *full);
    if let Some(fraction) = limits.max_removed_fraction {
        order.thresholds.max_removed_fraction = fraction.get();
    }
    order.thresholds.allow_empty |= limits.allow_empty;
    let mut status = Status::Done;
    let each = |_: &str, result: SourceResult| match result.and_then(unguarded) {
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

fn unguarded(draft: SourceDraft) -> SourceResult {
    match draft.tripped {
        Some(guarded) => Err(Error::GuardedSource(Box::new(guarded))),
        None => Ok(draft),
    }
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
    let asked = count(answers as usize, "answer");
    match (answers, unchanged) {
        (0, _) => String::new(),
        (_, 0) => format!(" ({asked}, {bytes} bytes)"),
        (_, unchanged) => format!(" ({asked}, {unchanged} of them that nothing had changed, {bytes} bytes)"),
    }
}

/// The configuration of a distribution's services, as they are read.
fn order(distribution: &Distribution, services: &Services, reread: bool) -> SourcesOrder {
    let Services {
        sharing,
        versions,
        listed,
        sources,
    } = services;
    SourcesOrder {
        name: distribution.name.clone(),
        founding: DistributionDetails {
            sharing: *sharing,
            versions: *versions,
            series: None,
            permit_obsolete_uploads: false,
        },
        sources: sources.iter().map(|source| settings(&distribution.name, source)).collect(),
        listed: listed.clone(),
        thresholds: distribution.guard.thresholds(),
        reread,
    }
}

fn settings(distribution: &DistributionName, source: &Source) -> SourceSettings {
    let Source {
        name,
        kind,
        contact,
        requests_per_second,
    } = source;
    let name = name.clone();
    let http = HttpSettings {
        contact: contact.clone(),
        requests_per_second: *requests_per_second,
        concurrent_requests: CONCURRENT_REQUESTS,
        timeout: TIMEOUT,
        retry: RetryPolicy::lasting(PATIENCE),
    };
    match kind {
        SourceKind::Launchpad { url, series, read_sets } => SourceSettings::Launchpad(launchpad::Settings {
            name,
            url: url.clone(),
            distribution: distribution.clone(),
            series: series.clone(),
            reread: match read_sets {
                ReadSets::Listed => launchpad::Reread::Listed,
                ReadSets::Unreleased => launchpad::Reread::Unreleased,
                ReadSets::Living => launchpad::Reread::Living,
            },
            rows_per_page: ROWS_PER_PAGE,
            http,
        }),
        SourceKind::Bodhi { url, id_prefixes } => SourceSettings::Bodhi(bodhi::Settings {
            name,
            url: url.clone(),
            id_prefixes: id_prefixes.clone(),
            http,
        }),
        SourceKind::Distgit { url, namespace, branches } => SourceSettings::Distgit(distgit::Settings {
            name,
            url: url.clone(),
            forge: distgit::ForgeKind::Pagure,
            namespace: namespace.clone(),
            branches: branches.clone(),
            http,
        }),
        SourceKind::DistroInfo { at } => SourceSettings::DistroInfo(distro_info::Settings {
            name,
            at: match at {
                FileOrUrl::File(file) => distro_info::At::File(file.clone()),
                FileOrUrl::Url(url) => distro_info::At::Web { url: url.clone(), http },
            },
        }),
        SourceKind::Local { file } => SourceSettings::Local(local::Settings { name, path: file.clone() }),
        SourceKind::Modulemd { at, release } => SourceSettings::Modulemd(modulemd::Settings {
            name,
            at: match at {
                ModulesAt::File(FileOrUrl::File(file)) => modulemd::At::File(file.clone()),
                ModulesAt::File(FileOrUrl::Url(url)) => modulemd::At::Web { url: url.clone(), http },
                ModulesAt::Repository(url) => modulemd::At::Repository { url: url.clone(), http },
            },
            release: release.clone(),
        }),
    }
}
