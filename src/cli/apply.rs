//! `kinset apply`

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::args::ApplyArguments;
use super::distributions::Files;
use super::failure::{Failure, Preview};
use super::plan::{prepared, pulling};
use super::wiring::{ConfigFile, each_among, open_session, open_state, shutdown_on_signals};
use super::{Status, distributions, output, progress};
use crate::config::{Distribution, Selection, Tracker};
use crate::model::{PatchId, ProjectId, ProjectName};
use crate::reconcile::{Applied, Apply, Keeper, PlanDocument, Prepared, Pulling, Remaining, Shutdown, begin};
use crate::text::count;

pub(super) async fn run(arguments: &ApplyArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let saved = arguments.plan.as_deref().map(PlanDocument::load).transpose()?;
    let Selection { trackers, distributions } = match &saved {
        Some(saved) if arguments.names.is_empty() => config.select_any(&saved.names())?,
        _ => config.select_any(&arguments.names)?,
    };
    let among = trackers.len() + distributions.len();
    let files = Files::read(&distributions);
    let keeper = open_state(&config)?;
    let shutdown = shutdown_on_signals()?;
    let one = async |tracker: &Tracker| one(arguments, tracker, saved.as_ref(), &keeper, &shutdown).await;
    let (mut statuses, status) = each_among(&trackers, among, one).await;
    let one = async |distribution: &Distribution| {
        if shutdown.is_requested() {
            return Ok(Status::Failed);
        }
        distributions::apply(arguments, distribution, &files, saved.as_ref(), &keeper).await
    };
    let (more, and_status) = each_among(&distributions, among, one).await;
    statuses.extend([status, and_status]);
    statuses.extend(more);
    Ok(statuses.into_iter().find(|status| *status != Status::Done).unwrap_or(Status::Done))
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
    let projects = prepared.stored.snapshot.projects.values();
    let names = projects.map(|project| (project.id, project.name.clone())).collect();
    let bar = progress::bar(Some(prepared.draft.writes() as u64), "writes");
    let written = AtomicUsize::new(0);
    let on_write = || {
        written.fetch_add(1, Ordering::Relaxed);
        bar.inc(1);
    };
    let applied = apply.run(prepared, &on_write).await;
    bar.finish_and_clear();
    let written = count(written.into_inner(), "write");
    match applied {
        Ok(applied) => Ok(tell(tracker, &names, &applied, &written)),
        Err(error) => {
            output::say(&format!("{}: {written} took effect before it failed", tracker.name));
            Err(error.into())
        }
    }
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
    let session = open_session(tracker).await?;
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
    output::plan(&plan)?;
    let (mut apply, prepared) = match begin(session, keeper, prepared, shutdown).await? {
        Remaining::Nothing(feedback) => {
            tell_feedback(tracker, &feedback);
            return Ok(Approval::Needless);
        }
        Remaining::Writes(begun) => *begun,
    };
    if saved.is_some() {
        apply.require_untouched(&prepared).await?;
        apply = apply.of_saved_plan();
    }
    let question = format!("Send {} to {}?", count(plan.writes, "write"), tracker.name);
    let is_given = arguments.yes || output::confirm(question, Preview::Plan).await?;
    Ok(if is_given {
        Approval::Given(Box::new((apply, prepared)))
    } else {
        Approval::Denied
    })
}

fn tell_feedback(tracker: &Tracker, changed: &[PathBuf]) {
    for path in changed {
        output::say(&format!("{}: what people decided was written to {}", tracker.name, path.display()));
    }
}

fn tell(tracker: &Tracker, names: &BTreeMap<ProjectId, ProjectName>, applied: &Applied, written: &str) -> Status {
    let Applied {
        rounds,
        stopped,
        draft,
        refused_projects,
        refused_patches,
        commits,
        refused_commits,
        feedback,
    } = applied;
    tell_feedback(tracker, feedback);
    let tracker = &tracker.name;
    let rounds = if *rounds > 1 {
        format!(", in {rounds} rounds because something moved meanwhile")
    } else {
        String::new()
    };
    output::say(&format!("{tracker}: {written} took effect{rounds}"));
    if *stopped {
        output::say(&format!("{tracker}: stopped before the end; run it again to go on"));
        return Status::Failed;
    }
    let projects = |ids: &BTreeSet<ProjectId>| -> Vec<String> {
        let name = |id| names.get(id).map_or_else(|| id.to_string(), ToString::to_string);
        ids.iter().map(name).collect()
    };
    let patches = |ids: &BTreeSet<PatchId>| -> Vec<String> { ids.iter().map(ToString::to_string).collect() };
    let refusals = [
        ("writes to these projects", projects(refused_projects)),
        ("writes to these patches", patches(refused_patches)),
        ("commits in these projects", projects(&refused_commits.projects)),
        ("the commits of these patches", patches(&refused_commits.patches)),
    ];
    for (what, refused) in &refusals {
        if !refused.is_empty() {
            output::say(&format!(
                "{tracker}: the tracker refused {what}: {}; `kinset plan` shows what is left",
                refused.join(", ")
            ));
        }
    }
    if refusals.iter().any(|(_, refused)| !refused.is_empty()) {
        return Status::Failed;
    }
    let relations = count(draft.merged.target.len(), "relation");
    let commits = match commits {
        0 => String::new(),
        _ => format!(" and {}", count(*commits, "commit")),
    };
    output::say(&format!("{tracker}: {relations}{commits} as planned, verified"));
    Status::Done
}
