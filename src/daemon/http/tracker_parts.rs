//! What the first page and those of trackers and distributions show alike: jobs, runs, plans.

use maud::{Markup, html};

use super::document::WaitingOverview;
use super::layout::{facts, table, time, time_or};
use crate::config::SyncMode;
use crate::daemon::LiveDocument;
use crate::model::{Job, JobKind};
use crate::reconcile::{DaemonJobDocument, DaemonRunDocument, GuardDocument, OperationDocument, StepDocument};
use crate::text::count;

/// An outcome, as a word with a colour.
pub(super) fn outcome(word: &str) -> Markup {
    let class = match word {
        "changed" | "nothing-to-do" => "good",
        "waiting" | "stopped" | "under-way" => "waits",
        _ => "wrong",
    };
    html! { span class=(class) { (word) } }
}

/// What is done again and again, and when next.
pub(super) fn jobs(jobs: &[DaemonJobDocument], live: &LiveDocument, caption: &str, address: &str) -> Markup {
    if jobs.is_empty() {
        return html! { p { "Nothing is done with it by itself: it has no schedule, or the daemon has not begun with it." } };
    }
    let is_under_way = |job: &Job| live.running.as_ref().is_some_and(|run| run.job == *job);
    let rows: Vec<Vec<Markup>> = jobs
        .iter()
        .map(|job| {
            let last = job.last_run.as_ref();
            vec![
                html! { (job.job.kind.as_str()) },
                html! { @if let Some(run) = last { a href={ (address) "/runs/" (run.run) } { (run.run) } } @else { "none" } },
                html! { @if let Some(run) = last { (outcome(run.outcome)) } },
                html! { @if let Some(run) = last { (time_or(run.ended_at, "not yet")) } },
                // Until it has ended, what is kept is when this run of it was due.
                html! { @if is_under_way(&job.job) { "under way" } @else { (time_or(job.next_due, "never")) } },
                html! { @if job.failures > 0 { span.wrong { (job.failures) } } @else { "0" } },
            ]
        })
        .collect();
    table(
        caption,
        &["Job", "Last run", "Outcome", "Ended", "Next due", "Failures in a row"],
        &rows,
    )
}

/// Runs, latest first.
pub(super) fn runs(runs: &[DaemonRunDocument], caption: &str, address: &str) -> Markup {
    if runs.is_empty() {
        return html! { p { "There was no run yet." } };
    }
    let number = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
    let rows: Vec<Vec<Markup>> = runs
        .iter()
        .map(|run| {
            vec![
                html! { a href={ (address) "/runs/" (run.run) } { (run.run) } },
                html! { (run.job.kind.as_str()) },
                time(run.began_at),
                outcome(run.outcome),
                html! { (run.writes) },
                html! { (run.changes) },
                html! { (number(run.drift)) },
                html! { (number(run.undone)) },
                html! { @if let Some(message) = &run.message { (message) } },
            ]
        })
        .collect();
    table(
        caption,
        &[
            "Run",
            "Job",
            "Began",
            "Outcome",
            "Writes",
            "Changes",
            "Left to do",
            "Undone",
            "Message",
        ],
        &rows,
    )
}

/// All that is known of a run.
pub(super) fn run(run: &DaemonRunDocument) -> Markup {
    let DaemonRunDocument {
        run: number,
        job,
        began_at,
        ended_at,
        outcome: word,
        message,
        remedy,
        guards: tripped,
        changes,
        writes,
        clears,
        relates,
        commit_refs,
        undone,
        drift,
        journal_run,
    } = run;
    let or_none = |number: &Option<u64>| number.map_or_else(|| "no plan was made".to_owned(), |number| number.to_string());
    html! {
        (facts(&[
            ("Run", html! { (number) ", the number that its lines in the log have" }),
            ("Job", html! { (job.to_string()) }),
            ("Began", time(*began_at)),
            ("Ended", time_or(*ended_at, "not yet")),
            ("Outcome", outcome(word)),
            ("Writes", html! { (writes) ": " (count(*clears, "clear")) ", " (count(*relates, "relate")) ", " (count(*commit_refs, "commit")) }),
            ("Other changes", html! { (changes) }),
            ("Left to do", html! { (or_none(drift)) }),
            ("Undone", html! { (or_none(undone)) }),
            ("In the journal", html! { @match journal_run {
                Some(journal_run) => { "run " (journal_run) ", by which " code { "kinset relations history" } " tells of it" }
                None => "nothing was to be written",
            } }),
        ]))
        @if let Some(message) = message { h2 { "What was said" } p { (message) } }
        @if let Some(remedy) = remedy { p { strong { "What to do: " } (remedy) } }
        @if !tripped.is_empty() { h2 { "Guards that tripped" } (guards(tripped)) }
    }
}

/// Guards that tripped, with both numbers and the way out.
pub(super) fn guards(guards: &[GuardDocument]) -> Markup {
    html! {
        ul.troubles {
            @for guard in guards {
                li {
                    p { code { (guard.option) } ": " (guard.message) "." }
                    @if let Some(remedy) = &guard.remedy { p { strong { "What to do: " } (remedy) "." } }
                }
            }
        }
    }
}

/// A plan that waits, in a line.
pub(super) fn waiting_in_short(waiting: Option<&WaitingOverview>, address: &str, doing: Doing) -> Markup {
    html! {
        @match waiting {
            None => "none",
            Some(waiting) => {
                a href={ (address) "#plan" } { (count(waiting.waiting.writes, "write")) }
                ": " (count(waiting.clears, "clear")) ", " (count(waiting.relates, "relate"))
                @if waiting.commit_refs > 0 { ", " (count(waiting.commit_refs, "commit")) }
                ", since " (time(waiting.waiting.planned_at)) (doing.waits(waiting.waiting.because, ", "))
            }
        }
    }
}

/// What the daemon may do with a tracker, and whether it is at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doing {
    /// Whether a sync may write.
    pub(super) may_write: bool,
    /// Whether a sync is under way.
    pub(super) is_syncing: bool,
}

impl Doing {
    pub(super) fn with(tracker: &str, mode: &str, live: &LiveDocument) -> Self {
        let sync = Job::of_tracker(tracker, JobKind::Sync);
        Self {
            may_write: mode == SyncMode::Apply.as_str(),
            is_syncing: live.running.as_ref().is_some_and(|run| run.job == sync),
        }
    }

    pub(super) const fn is_writing(self) -> bool {
        self.may_write && self.is_syncing
    }

    /// Why a plan waits, in words behind `and`; or what becomes of it at this moment.
    pub(super) fn waits(self, because: &str, and: &str) -> String {
        if self.is_writing() {
            return "; the sync under way plans anew and writes what may be written".to_owned();
        }
        let because = match because {
            "plan-only" if self.may_write => "for the next sync, because nothing was to be written to this tracker when it was made",
            "plan-only" => "because nothing is to be written to this tracker",
            "quiet" => "because nothing is to be written at this time of day",
            "guard" => "because a guard tripped",
            _ => "for a reason that this kinset does not know",
        };
        format!("{and}{because}")
    }

    /// What is to be said of writes that have begun and are not known to have ended.
    pub(super) const fn open_writes(self) -> &'static str {
        if self.is_syncing {
            "in flight or of unknown outcome: the sync under way finds out"
        } else {
            "of unknown outcome: the next run finds out"
        }
    }
}

/// The steps of a plan.
pub(super) fn steps(steps: &[StepDocument], caption: &str, address: &str) -> Markup {
    let patch = |patch: u64| html! { a href={ (address) "/patches/" (patch) } { (patch) } };
    let rows: Vec<Vec<Markup>> = steps
        .iter()
        .map(|step| {
            let (id, word, what) = match &step.operation {
                OperationDocument::Clear { patch, reason } => (patch.0, "clear", html! { (words(reason)) }),
                OperationDocument::Relate {
                    patch: of,
                    related,
                    reason,
                } => {
                    let what = html! {
                        "with " @for (place, id) in related.iter().enumerate() { @if place > 0 { ", " } (patch(id.0)) } ": " (words(reason))
                    };
                    (of.0, "relate", what)
                }
                OperationDocument::CommitRef { patch, from, to } => {
                    let what = html! {
                        "from " @match from { Some(from) => code { (from) }, None => "nothing" } " to " code { (to) }
                    };
                    (patch.0, "commit", what)
                }
            };
            vec![
                patch(id),
                html! { (word) },
                what,
                html! { @if let Some(mail) = &step.message_id { (mail.to_string()) } },
            ]
        })
        .collect();
    table(caption, &["Patch", "Write", "What", "Mail"], &rows)
}

/// A reason in the word that stands for it in documents.
fn words(reason: &impl serde::Serialize) -> String {
    match serde_json::json!(reason) {
        serde_json::Value::String(word) => word.replace('-', " "),
        other => other.to_string(),
    }
}
