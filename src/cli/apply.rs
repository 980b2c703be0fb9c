//! `kinset apply`

use std::sync::atomic::{AtomicUsize, Ordering};

use super::args::ApplyArguments;
use super::failure::Failure;
use super::plan::{prepared, pulling};
use super::render::words::count;
use super::wiring::{ConfigFile, open_state, shutdown_on_signals};
use super::{Status, output, progress, render};
use crate::config::Tracker;
use crate::reconcile::{Applied, Apply, Keeper, Patience, PlanDocument, Prepared, Pulling, Session, SessionOptions, Shutdown};

pub(super) async fn run(arguments: &ApplyArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(&arguments.names)?;
    let saved = arguments.plan.as_deref().map(PlanDocument::load).transpose()?;
    let keeper = open_state(&config)?;
    let shutdown = shutdown_on_signals()?;
    let mut status = Status::Done;
    for tracker in trackers {
        if shutdown.is_requested() {
            return Ok(Status::Failed);
        }
        match one(arguments, tracker, saved.as_ref(), &keeper, &shutdown).await {
            Ok(Status::Done) => {}
            Ok(other) => status = other,
            Err(failure) => {
                failure.report();
                status = Status::Failed;
            }
        }
    }
    Ok(status)
}

async fn one(
    arguments: &ApplyArguments,
    tracker: &Tracker,
    saved: Option<&PlanDocument>,
    keeper: &Keeper,
    shutdown: &Shutdown,
) -> Result<Status, Failure> {
    let approved = tokio::select! {
        approved = approve(arguments, tracker, saved, keeper, shutdown) => approved?,
        // Until here nothing was written, so there is nothing to finish.
        () = shutdown.requested() => return Ok(Status::Failed),
    };
    let (apply, prepared) = match approved {
        Approval::Given(approved) => *approved,
        Approval::Needless => return Ok(Status::Done),
        Approval::Denied => {
            output::say("nothing was written");
            return Ok(Status::Failed);
        }
    };
    let bar = progress::bar(Some(prepared.draft.plan.writes() as u64), "writes");
    let written = AtomicUsize::new(0);
    let on_write = || {
        written.fetch_add(1, Ordering::Relaxed);
        bar.inc(1);
    };
    let applied = apply.run(prepared, &on_write).await;
    bar.finish_and_clear();
    Ok(tell(tracker, &applied?, written.into_inner()))
}

/// What came of showing a plan.
enum Approval<'a> {
    /// It may be written.
    Given(Box<(Apply<'a>, Prepared)>),
    /// There is nothing to write.
    Needless,
    /// It must not be written.
    Denied,
}

/// Plans, shows the plan and asks. Writes nothing.
async fn approve<'a>(
    arguments: &ApplyArguments,
    tracker: &'a Tracker,
    saved: Option<&PlanDocument>,
    keeper: &'a Keeper,
    shutdown: &'a Shutdown,
) -> Result<Approval<'a>, Failure> {
    let session = Session::open(tracker, SessionOptions::default()).await?;
    let pulling = if saved.is_some() {
        Pulling::Stored
    } else {
        pulling(arguments.no_pull)
    };
    let mut prepared = prepared(&session, keeper, pulling).await?;
    if let Some(saved) = saved {
        prepared = prepared.require_same(tracker, saved)?;
    }
    let plan = PlanDocument::new([prepared.document(tracker)]);
    output::data(|out| render::plan::text(out, &plan))?;
    prepared.draft = prepared.draft.require_unguarded(tracker)?;
    if plan.writes == 0 {
        return Ok(Approval::Needless);
    }
    let apply = Apply::begin(session, keeper, Patience::default(), shutdown)?;
    if saved.is_some() {
        apply.require_untouched(&prepared).await?;
    }
    let question = format!("Send {} to {}?", count(plan.writes, "write"), tracker.name);
    let is_given = arguments.yes || output::confirm(question).await?;
    Ok(if is_given {
        Approval::Given(Box::new((apply, prepared)))
    } else {
        Approval::Denied
    })
}

fn tell(tracker: &Tracker, applied: &Applied, written: usize) -> Status {
    let Applied {
        rounds,
        stopped,
        draft,
        refused_projects,
        refused_patches,
    } = applied;
    let rounds = if *rounds > 1 {
        format!(", in {rounds} rounds because something moved meanwhile")
    } else {
        String::new()
    };
    output::say(&format!("{}: {} took effect{rounds}", tracker.name, count(written, "write")));
    if *stopped {
        output::say("stopped before the end; run it again to go on");
        return Status::Failed;
    }
    if refused_projects.is_empty() && refused_patches.is_empty() {
        output::say(&format!(
            "{}: {} as planned, verified",
            tracker.name,
            count(draft.merged.target.len(), "relation")
        ));
        return Status::Done;
    }
    let (projects, patches) = (refused_projects.len(), refused_patches.len());
    output::say(&format!(
        "the tracker refused {} and {}; `kinset plan` shows what is left",
        count(projects, "project"),
        count(patches, "patch")
    ));
    Status::Failed
}
