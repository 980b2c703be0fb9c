//! Who is told of what there is to know.

use super::{Worker, unread};
use crate::config::Tracker;
use crate::daemon::jobs::{self, Report};
use crate::daemon::notice::{NoticeDocument, What, tell};
use crate::model::{Job, JobSubject};
use crate::reconcile::{DecisionDocument, Keeper, decision_documents};
use crate::remedy::Remedy as _;
use crate::store::{DaemonEnd, DaemonOutcome, DaemonRunId, DecisionFilter};

impl Worker {
    pub(super) fn tracker(&self, job: &Job) -> Option<&Tracker> {
        match &job.subject {
            JobSubject::Tracker(name) => self.config.trackers.iter().find(|tracker| tracker.name.as_str() == name),
            JobSubject::Distribution(_) => None,
        }
    }

    /// The decisions of people that were not told of yet. What there was at the first look is no news.
    pub(super) async fn news(&mut self, job: &Job, keeper: &Keeper) -> Vec<DecisionDocument> {
        let Some(tracker) = self.tracker(job).filter(|_| self.config.daemon.notice.is_some()) else {
            return Vec::new();
        };
        let decisions = match decision_documents(keeper, tracker, DecisionFilter::Open).await {
            Ok(decisions) => decisions,
            Err(error) => {
                unread(&error, "what people decided cannot be read");
                return Vec::new();
            }
        };
        match self.agenda.last_decision(job) {
            Some(last) => decisions.into_iter().filter(|decision| decision.id > last).collect(),
            None => {
                let last = decisions.iter().map(|decision| decision.id).max().unwrap_or_default();
                if let Some(told) = self.agenda.told_mut(job) {
                    told.decision = Some(last);
                }
                Vec::new()
            }
        }
    }

    /// Tells what is new of a job that a person should know.
    pub(super) async fn notify(&mut self, job: &Job, report: &Report, run: Option<DaemonRunId>, news: Vec<DecisionDocument>) {
        let Some(notice) = self.config.daemon.notice.clone() else { return };
        let Some(entry) = self.agenda.entry(job) else { return };
        let (mut told, failures) = (entry.told.clone(), entry.failures);
        let DaemonEnd {
            outcome,
            message,
            remedy,
            guards,
            changes: _,
        } = report.end.clone();
        let message = message.unwrap_or_default();
        let mut whats = Vec::new();
        match outcome {
            DaemonOutcome::Refused if told.refused != report.condition => {
                let guards = serde_json::from_str(&guards).unwrap_or_default();
                whats.push(What::Refused { message, remedy, guards });
            }
            DaemonOutcome::Failed if failures >= notice.failures.get() && !told.failing => {
                whats.push(What::Failing { failures, message, remedy });
            }
            DaemonOutcome::Changed | DaemonOutcome::NothingToDo | DaemonOutcome::Waiting => {
                told.refused = None;
                told.failing = false;
            }
            _ => {}
        }
        if !news.is_empty() {
            whats.push(What::Decisions { decisions: news });
        }
        for what in whats {
            let document = NoticeDocument::new((self.clock)(), job, run.map(|run| run.0), what.clone());
            self.pulse.beat();
            let sent = tokio::select! {
                sent = tell(&notice, &document) => sent,
                () = self.shutdown.requested() => break,
            };
            match sent {
                Ok(()) => match what {
                    What::Refused { .. } => told.refused.clone_from(&report.condition),
                    What::Failing { .. } => told.failing = true,
                    What::Decisions { decisions } => told.decision = decisions.iter().map(|decision| decision.id).max(),
                },
                Err(error) => {
                    told.failed_notices = told.failed_notices.saturating_add(1);
                    let remedy = error.remedy().unwrap_or_default();
                    tracing::error!(%job, reason = jobs::told(&error), remedy, "nobody could be told what there is to know");
                }
            }
        }
        if let Some(entry) = self.agenda.told_mut(job) {
            *entry = told;
        }
    }
}
