//! `kinset status`

use std::io::{self, Write};

use super::args::Format;
use super::args::StatusArguments;
use super::failure::Failure;
use super::wiring::{ConfigFile, each_among, open_state_if_any};
use super::{Status, output};
use crate::config::{Distribution, Selection, SyncMode, Tracker};
use crate::model::{JobKind, ProjectName};
use crate::reconcile::{
    CollectionDocument, CycleDocument, DaemonJobDocument, DaemonRunDocument, DistributionStatusDocument, PulledDocument, RunDocument,
    StatusDocument, WaitingDocument, distribution_status, status,
};
use crate::store::{AtWork, Holder, at_work};
use crate::text::count;

/// How something stands.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Standing {
    Tracker(Box<StatusDocument>),
    Distribution(DistributionStatusDocument),
}

impl Standing {
    fn jobs(&self) -> &[DaemonJobDocument] {
        match self {
            Self::Tracker(document) => &document.jobs,
            Self::Distribution(document) => &document.jobs,
        }
    }

    /// Whether there is something of which the end is not known.
    fn is_open(&self) -> bool {
        let has_open_writes = match self {
            Self::Tracker(document) => has_open_writes(document),
            Self::Distribution(_) => false,
        };
        has_open_writes || self.jobs().iter().any(has_no_end)
    }
}

/// Who is in the middle of something. What the state says of a run that it never saw the end of is true only of the daemon that is.
#[derive(Debug)]
struct Worker(Option<AtWork>);

impl Worker {
    fn is_at(&self, job: &DaemonJobDocument) -> bool {
        self.0 == Some(AtWork::Daemon) && has_no_end(job)
    }

    fn is_syncing(&self, jobs: &[DaemonJobDocument]) -> bool {
        jobs.iter().any(|job| job.job.kind == JobKind::Sync && self.is_at(job))
    }

    /// Whoever is at work without being the daemon. On what, only they know.
    fn other(&self) -> Option<&Holder> {
        match &self.0 {
            Some(AtWork::Other(holder)) => Some(holder),
            Some(AtWork::Daemon) | None => None,
        }
    }
}

fn has_open_writes(document: &StatusDocument) -> bool {
    document.open_writes > 0 || document.last_run.as_ref().is_some_and(|run| run.ended_at.is_none())
}

fn has_no_end(job: &DaemonJobDocument) -> bool {
    job.last_run.as_ref().is_some_and(|run| run.ended_at.is_none())
}

pub(super) async fn run(arguments: &StatusArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let Selection { trackers, distributions } = config.select_any(&arguments.names)?;
    // Of those that the daemon has nothing to do with there is nothing to tell unless somebody asks for them.
    let is_meant = |distribution: &&&Distribution| !arguments.names.is_empty() || distribution.schedule.pull.is_some();
    let distributions: Vec<&Distribution> = distributions.iter().filter(is_meant).copied().collect();
    if trackers.is_empty() && distributions.is_empty() {
        config.select(&arguments.names)?;
    }
    let keeper = open_state_if_any(&config)?;
    let among = trackers.len() + distributions.len();
    let one = async |tracker: &Tracker| Ok(Standing::Tracker(Box::new(status(&keeper, tracker).await?)));
    let (mut documents, of_trackers) = each_among(&trackers, among, one).await;
    let one = async |distribution: &Distribution| Ok(Standing::Distribution(distribution_status(&keeper, distribution).await?));
    let (more, of_distributions) = each_among(&distributions, among, one).await;
    documents.extend(more);
    let outcome = if of_trackers == Status::Done {
        of_distributions
    } else {
        of_trackers
    };
    match arguments.format {
        Format::Json => output::json_if_whole(&documents, outcome)?,
        Format::Text => {
            let worker = Worker(if documents.iter().any(Standing::is_open) {
                at_work(&config.state_dir).unwrap_or_else(|error| {
                    tracing::warn!(%error, "it is not known whether anybody is at work");
                    None
                })
            } else {
                None
            });
            documents.iter().try_for_each(|document| match document {
                Standing::Tracker(document) => {
                    let of_document = |tracker: &&&Tracker| tracker.name.as_str() == document.tracker;
                    let mode = trackers.iter().find(of_document).map(|tracker| tracker.sync);
                    print(document, mode.unwrap_or_default(), &worker)
                }
                Standing::Distribution(document) => print_distribution(document, &worker),
            })?;
        }
    }
    Ok(outcome)
}

fn print_distribution(document: &DistributionStatusDocument, worker: &Worker) -> Result<(), Failure> {
    let DistributionStatusDocument { distribution, jobs } = document;
    output::data(|out| {
        writeln!(out, "distribution {distribution}")?;
        if jobs.is_empty() {
            writeln!(out, "  daemon      has nothing to do with it")?;
        }
        print_jobs(out, jobs, worker)
    })
}

fn print_jobs(out: &mut dyn Write, jobs: &[DaemonJobDocument], worker: &Worker) -> io::Result<()> {
    for known in jobs {
        let DaemonJobDocument {
            job,
            next_due,
            failures,
            last_run,
            last_ended: _,
        } = known;
        let next = match next_due {
            _ if worker.is_at(known) => "under way".to_owned(),
            Some(due) => format!("due {due:.0}"),
            None => "never due".to_owned(),
        };
        let failures = match failures {
            0 => String::new(),
            1 => ", failed last time".to_owned(),
            failures => format!(", failed {failures} times in a row"),
        };
        writeln!(out, "  {:<11} {next}{failures}", job.kind)?;
        if let Some(run) = last_run {
            writeln!(out, "              {}", daemon_run(run))?;
        }
    }
    Ok(())
}

fn daemon_run(run: &DaemonRunDocument) -> String {
    let DaemonRunDocument {
        run,
        began_at,
        outcome,
        message,
        remedy,
        changes,
        writes,
        ..
    } = run;
    let did = [(writes, "write"), (changes, "change")];
    let did = did.into_iter().filter(|(number, _)| **number > 0);
    let did: Vec<String> = did.map(|(number, noun)| count(*number, noun)).collect();
    let did = if did.is_empty() {
        String::new()
    } else {
        format!(", {}", did.join(", "))
    };
    let message = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    let remedy = remedy.as_ref().map(|remedy| format!(" ({remedy})")).unwrap_or_default();
    format!("run {run}, {began_at:.0}: {outcome}{did}{message}{remedy}").replace('\n', " ")
}

fn print(document: &StatusDocument, mode: SyncMode, worker: &Worker) -> Result<(), Failure> {
    let StatusDocument {
        tracker,
        url,
        policy,
        pulled,
        elsewhere,
        last_cycle,
        last_run,
        collections,
        decisions,
        open_writes,
        jobs,
        waiting,
    } = document;
    let is_syncing = worker.is_syncing(jobs);
    output::data(|out| {
        writeln!(out, "tracker {tracker} at {url}, policy {policy}")?;
        match (pulled, elsewhere) {
            (None, None) => writeln!(out, "  pulled      never")?,
            (None, Some(elsewhere)) => writeln!(out, "  pulled      never, only from {elsewhere}")?,
            (Some(pulled), _) => writeln!(out, "  pulled      {}", reading(pulled))?,
        }
        match last_cycle {
            None => writeln!(out, "  last cycle  none")?,
            Some(cycle) => writeln!(out, "  last cycle  {}", plan(cycle))?,
        }
        match last_run {
            None => writeln!(out, "  last run    none")?,
            Some(run) => writeln!(out, "  last run    {}", outcome(run, is_syncing))?,
        }
        if let (Some(other), true) = (worker.other(), has_open_writes(document)) {
            writeln!(out, "  at work     {other}")?;
        }
        writeln!(out, "  decisions   {decisions} standing")?;
        if let Some(cycle) = last_cycle.as_ref().filter(|cycle| !cycle.blocked.is_empty()) {
            let blocked: Vec<&str> = cycle.blocked.iter().map(ProjectName::as_str).collect();
            writeln!(out, "  blocked     {}: the token's user may not write there", blocked.join(", "))?;
        }
        for collection in collections {
            writeln!(out, "  collection  {}", stage(collection))?;
        }
        if *open_writes > 0 {
            let known = if is_syncing || worker.other().is_some() {
                "in flight or of unknown outcome"
            } else {
                "of unknown outcome"
            };
            writeln!(out, "  open        {} {known}", count(*open_writes, "write"))?;
        }
        if let Some(waiting) = waiting {
            writeln!(out, "  waiting     {}", plan_that_waits(waiting, tracker, mode, is_syncing))?;
        }
        print_jobs(out, jobs, worker)
    })
}

fn plan_that_waits(waiting: &WaitingDocument, tracker: &str, mode: SyncMode, is_syncing: bool) -> String {
    let WaitingDocument {
        run,
        planned_at,
        because,
        writes,
    } = waiting;
    let because = match (*because, mode) {
        (_, SyncMode::Apply) if is_syncing => "the sync under way plans anew and writes what may be written",
        ("guard", _) => "a guard holds it back",
        ("quiet", _) => "nothing is written at that time of day",
        (_, SyncMode::Apply) => "the next sync of the daemon's plans anew and writes what may be written",
        (_, SyncMode::PlanOnly) => "the daemon only plans",
    };
    let writes = count(*writes, "write");
    format!("{planned_at:.0}, run {run}: {writes}; {because}; `kinset plan {tracker}` shows it")
}

fn reading(pulled: &PulledDocument) -> String {
    let PulledDocument {
        swept_at,
        pulled_at,
        missed_by_events,
        patches,
        projects,
    } = pulled;
    let missed = missed_by_events
        .filter(|&missed| missed > 0)
        .map(|missed| format!(", which found {missed} changed without an event"))
        .unwrap_or_default();
    format!(
        "{pulled_at:.0}: {} in {}; read whole {swept_at:.0}{missed}",
        count(*patches, "patch"),
        count(projects.len(), "project")
    )
}

fn stage(document: &CollectionDocument) -> String {
    let CollectionDocument {
        project,
        collection,
        status,
    } = document;
    match status {
        None => format!("{project} is of {collection}, of which nothing is known: nothing is planned"),
        Some(status) if status.is_ended() => format!("{project} is of {collection} ({status}): nothing is written there"),
        Some(status) => format!("{project} is of {collection} ({status})"),
    }
}

fn plan(cycle: &CycleDocument) -> String {
    let CycleDocument {
        at,
        drift,
        clears,
        relates,
        commit_refs,
        undone,
        foreign_changes,
        guarded,
        blocked: _,
    } = cycle;
    let parts = [(clears, "clear"), (relates, "relate"), (commit_refs, "commit")];
    let parts = parts.into_iter().filter(|(number, noun)| **number > 0 || *noun != "commit");
    let parts: Vec<String> = parts.map(|(number, noun)| count(*number, noun)).collect();
    let drift = match drift {
        0 => "nothing to write".to_owned(),
        _ => format!("{}: {}", count(*drift, "write"), parts.join(", ")),
    };
    let guarded = if *guarded { ", held back by a guard" } else { "" };
    let foreign_changes = count(*foreign_changes, "patch");
    format!("{at:.0}: {drift}, {undone} undone, {foreign_changes} moved by others{guarded}")
}

fn outcome(run: &RunDocument, is_syncing: bool) -> String {
    let RunDocument {
        run,
        began_at,
        ended_at,
        outcome,
        reason,
        done,
    } = run;
    let outcome = if is_syncing && ended_at.is_none() { "under way" } else { *outcome };
    let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{run}, {began_at:.0}: {outcome}, {} took effect{reason}", count(*done, "write"))
}
