//! A tracker's plan as text.

use std::io::{self, Write};

use super::words;
use crate::reconcile::{BecauseDocument, GuardDocument, OperationDocument, PlanDocument, StepDocument, TrackerDocument, UndoneDocument};

/// How many patches of something left undone are listed before the rest is counted.
const LISTED: usize = 12;

/// Prints all of a plan.
pub(in crate::cli) fn text(out: &mut dyn Write, plan: &PlanDocument) -> io::Result<()> {
    for (index, tracker) in plan.trackers.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        heading(out, tracker)?;
        let steps: Vec<&StepDocument> = plan.steps.iter().filter(|step| step.tracker == tracker.name).collect();
        for step in &steps {
            step_line(out, step)?;
        }
        for undone in &tracker.undone {
            undone_line(out, undone)?;
        }
        words::total(out, steps.len(), tracker.clears, (tracker.relations, tracker.relations_after))?;
        unmatched(out, tracker)?;
        for guard in &tracker.guards {
            guard_lines(out, guard)?;
        }
    }
    Ok(())
}

fn heading(out: &mut dyn Write, tracker: &TrackerDocument) -> io::Result<()> {
    let TrackerDocument {
        name,
        url,
        policy,
        pulled_at,
        patches,
        ..
    } = tracker;
    let user = tracker
        .user
        .as_ref()
        .map_or_else(|| "nobody known to it".to_owned(), ToString::to_string);
    writeln!(
        out,
        "tracker {name} at {url}: {patches} patches as of {pulled_at:.0}, policy {policy}, as {user}"
    )
}

fn step_line(out: &mut dyn Write, step: &StepDocument) -> io::Result<()> {
    match &step.operation {
        OperationDocument::Clear { patch, reason } => write!(out, "  clear  {patch}  # {}", words::clear(*reason))?,
        OperationDocument::Relate { patch, related, reason } => {
            write!(out, "  relate {patch} with")?;
            for patch in related {
                write!(out, " {patch}")?;
            }
            write!(out, "  # {}", words::relate(*reason))?;
        }
    }
    match &step.message_id {
        Some(message_id) => writeln!(out, " {message_id}"),
        None => writeln!(out),
    }
}

fn undone_line(out: &mut dyn Write, undone: &UndoneDocument) -> io::Result<()> {
    let UndoneDocument { left, patches, because } = undone;
    let listed = patches.iter().take(LISTED).map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let more = patches.len().saturating_sub(LISTED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let because = because.iter().map(reason).collect::<Vec<_>>().join("; ");
    writeln!(out, "  undone {listed}{more}  # {}: {because}", words::left(*left))
}

fn reason(because: &BecauseDocument) -> String {
    match because {
        BecauseDocument::Permission { project } => format!("the token's user does not maintain project {project}"),
        BecauseDocument::OutOfScope => "a patch is outside the tracker's projects".to_owned(),
        BecauseDocument::TooLarge { size, limit } => {
            format!("it would have {size} members, at most {limit} are allowed (max_relation_size)")
        }
        BecauseDocument::Policy => "the policy is additive".to_owned(),
        BecauseDocument::Refused => "the tracker refused it, and no read explains why".to_owned(),
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
        "unmatched: {only_in_analysis} of {named} in the analysis are not in the tracker, {only_in_tracker} of {patches} patches are not in the \
         analysis (see `kinset relations unmatched`)"
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
