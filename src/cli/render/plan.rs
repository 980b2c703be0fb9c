//! A plan as text.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::words;
use crate::cli::packages;
use crate::model::PatchId;
use crate::model::commits::LONGEST_COMMIT;
use crate::model::packages::SeriesPath;
use crate::reconcile::{
    BecauseDocument, CommitBecauseDocument, DistributionPlan, EndedDocument, GuardDocument, OperationDocument, PlanDocument, StepDocument,
    TrackerDocument, UndoneDocument, UserDocument,
};
use crate::text::count;

/// How many patches of something left undone are listed before the rest is counted.
const LISTED: usize = 12;

/// Prints all of a plan.
pub(in crate::cli) fn text(out: &mut dyn Write, plan: &PlanDocument) -> io::Result<()> {
    let is_after_trackers = !plan.trackers.is_empty();
    for (index, tracker) in plan.trackers.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        heading(out, tracker)?;
        for step in plan.steps.iter().filter(|step| step.tracker == tracker.name) {
            step_line(out, step)?;
        }
        for undone in &tracker.undone {
            undone_line(out, undone)?;
        }
        commits_undone(out, tracker)?;
        writeln!(out, "{}", total(tracker))?;
        overruled(out, tracker)?;
        ended(out, tracker)?;
        unmatched(out, tracker)?;
        for guard in &tracker.guards {
            guard_lines(out, guard)?;
        }
    }
    for (index, plan) in plan.distributions.iter().enumerate() {
        if index > 0 || is_after_trackers {
            writeln!(out)?;
        }
        distribution(out, plan)?;
    }
    Ok(())
}

fn distribution(out: &mut dyn Write, plan: &DistributionPlan) -> io::Result<()> {
    let DistributionPlan {
        name,
        file,
        source,
        remarks,
        unread,
        disagreements,
        operations,
        changes,
        force,
        guards,
        digest: _,
    } = plan;
    let (followed, sayer) = match (file, source) {
        (Some(file), _) => {
            let force = if *force { ", series that have ended included" } else { "" };
            (format!("as in {}{force}", file.display().to_string().escape_debug()), "the file")
        }
        (None, Some(source)) => (format!("as {source} has it"), source.as_str()),
        (None, None) => (String::new(), "it"),
    };
    writeln!(out, "distribution {name} {followed}")?;
    for change in changes {
        writeln!(out, "  {}", packages::words::line(change))?;
    }
    match operations.len() {
        // What a source says that trips a guard is not what is to be.
        0 if !guards.is_empty() => {}
        0 => writeln!(out, "nothing to do: all is as {sayer} says")?,
        operations => writeln!(out, "{}", count(operations, "change"))?,
    }
    if let Some(unread) = words::unread(name, unread) {
        writeln!(out, "not read again: {unread}")?;
    }
    for remark in remarks {
        writeln!(out, "not read: {remark}")?;
    }
    for disagreement in disagreements {
        writeln!(out, "not believed: {disagreement}")?;
    }
    guards.iter().try_for_each(|guard| guard_lines(out, guard))
}

fn total(tracker: &TrackerDocument) -> words::Total {
    words::Total {
        clears: tracker.clears,
        relates: tracker.relates,
        commits: tracker.commit_refs,
        before: tracker.relations,
        after: tracker.relations_after,
        undone: tracker.undone.len(),
        commits_undone: tracker.commits_undone.len(),
    }
}

fn heading(out: &mut dyn Write, tracker: &TrackerDocument) -> io::Result<()> {
    let TrackerDocument {
        name,
        url,
        policy,
        pulled_at,
        patches,
        user,
        ..
    } = tracker;
    let user = match user {
        UserDocument::Maintainer { user } => format!("as {user}"),
        UserDocument::Anonymous => "without a token".to_owned(),
        UserDocument::NoMaintainer => "as a user who maintains none of its projects".to_owned(),
        UserDocument::Unknown => "as a user that the tracker does not tell".to_owned(),
    };
    let patches = count(*patches, "patch");
    writeln!(
        out,
        "tracker {name} at {url}: {patches} as of {pulled_at:.0}, policy {policy}, {user}"
    )
}

fn step_line(out: &mut dyn Write, step: &StepDocument) -> io::Result<()> {
    let reason = match &step.operation {
        OperationDocument::Clear { patch, reason } => {
            write!(out, "  clear  {patch}")?;
            words::clear(*reason).to_owned()
        }
        OperationDocument::Relate { patch, related, reason } => {
            write!(out, "  relate {patch} with")?;
            for patch in related {
                write!(out, " {patch}")?;
            }
            words::relate(*reason).to_owned()
        }
        // Both are texts that anybody may have written.
        OperationDocument::CommitRef { patch, from, to } => {
            write!(out, "  commit {patch} {}", to.escape_debug())?;
            from.as_ref()
                .map_or_else(|| "filled in".to_owned(), |from| format!("in place of {}", from.escape_debug()))
        }
    };
    match &step.message_id {
        Some(message_id) => writeln!(out, "  # {message_id}: {reason}"),
        None => writeln!(out, "  # {reason}"),
    }
}

fn undone_line(out: &mut dyn Write, undone: &UndoneDocument) -> io::Result<()> {
    let UndoneDocument { left, patches, because } = undone;
    let because = because.iter().map(reason).collect::<Vec<_>>().join("; ");
    writeln!(out, "  undone {}  # {}: {because}", listed(patches), words::left(*left))
}

/// One line for each reason: a class with several commits takes a patch for each of its mails.
fn commits_undone(out: &mut dyn Write, tracker: &TrackerDocument) -> io::Result<()> {
    let mut undone: BTreeMap<&CommitBecauseDocument, Vec<PatchId>> = BTreeMap::new();
    for commit in &tracker.commits_undone {
        undone.entry(&commit.because).or_default().push(commit.patch);
    }
    for (because, patches) in undone {
        writeln!(
            out,
            "  undone {}  # commit not written down: {}",
            listed(&patches),
            commit_reason(because)
        )?;
    }
    Ok(())
}

fn commit_reason(because: &CommitBecauseDocument) -> String {
    match because {
        CommitBecauseDocument::Several => "the analysis names several, and Patchwork holds one".to_owned(),
        CommitBecauseDocument::SaysOtherwise => "the patch names another (commit_ref is \"fill\")".to_owned(),
        CommitBecauseDocument::TooLong => format!("it has more than {LONGEST_COMMIT} characters"),
        CommitBecauseDocument::Permission { project } => not_maintained(project),
        CommitBecauseDocument::Ended { project, collection } => of_ended(project, collection),
        CommitBecauseDocument::Refused => REFUSED.to_owned(),
    }
}

fn listed(patches: &[PatchId]) -> String {
    let listed = patches.iter().take(LISTED).map(ToString::to_string).collect::<Vec<_>>().join(" ");
    match patches.len().saturating_sub(LISTED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

fn reason(because: &BecauseDocument) -> String {
    match because {
        BecauseDocument::Permission { project } => not_maintained(project),
        BecauseDocument::OutOfScope => "a patch is outside the tracker's projects".to_owned(),
        BecauseDocument::Ended { project, collection } => of_ended(project, collection),
        BecauseDocument::TooLarge { size, limit } => {
            format!("the wanted relation would have {size} members, at most {limit} are allowed (max_relation_size)")
        }
        BecauseDocument::Policy => "the policy is additive".to_owned(),
        BecauseDocument::Refused => REFUSED.to_owned(),
        BecauseDocument::Decision => "somebody decided otherwise by hand (see `kinset decisions list`)".to_owned(),
    }
}

const REFUSED: &str = "the tracker refused it, and no read explains why";

fn not_maintained(project: &str) -> String {
    format!("the token's user does not maintain project {project}")
}

fn of_ended(project: &str, collection: &SeriesPath) -> String {
    format!("project {project} is of {collection}, which has ended")
}

/// Also where nothing is wanted of the projects: they are not kept in step any more.
fn ended(out: &mut dyn Write, tracker: &TrackerDocument) -> io::Result<()> {
    for EndedDocument { project, collection } in &tracker.ended {
        writeln!(out, "ended: {collection}, so nothing is written to project {project}")?;
    }
    Ok(())
}

/// In a few words, because under a policy that does not preserve them it can be all that people ever did.
fn overruled(out: &mut dyn Write, tracker: &TrackerDocument) -> io::Result<()> {
    match tracker.overruled.len() {
        0 => Ok(()),
        overruled => writeln!(
            out,
            "overruled: {overruled} of {} of people (see `kinset decisions list`)",
            count(tracker.decisions, "decision")
        ),
    }
}

fn unmatched(out: &mut dyn Write, tracker: &TrackerDocument) -> io::Result<()> {
    let TrackerDocument {
        named,
        only_in_analysis,
        only_in_tracker,
        patches,
        ..
    } = tracker;
    if *only_in_analysis == 0 && *only_in_tracker == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "unmatched: {only_in_analysis} of {} only in the analysis, {only_in_tracker} of {} only in the tracker (see `kinset relations unmatched`)",
        count(*named, "element"),
        count(*patches, "patch")
    )
}

fn guard_lines(out: &mut dyn Write, guard: &GuardDocument) -> io::Result<()> {
    let GuardDocument { message, remedy, .. } = guard;
    writeln!(out, "GUARD: {message}; as it stands this plan will not be applied")?;
    match remedy {
        Some(remedy) => writeln!(out, "  help: {remedy}"),
        None => Ok(()),
    }
}
