//! Step 6 for one commit: read again, write, verify.
//!
//! The rules are those of relations: nothing is written that was not entered into the journal first, and no write whose outcome is unknown is
//! sent again before a read has shown what became of it. A commit has nothing to do with any other patch, so one patch is all that is read.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use tokio::time::Instant;

use super::Error;
use super::execute::{Executor, Readings, Verdict};
use crate::model::commits::{CommitStep, is_same_commit};
use crate::model::{Patch, PatchId, ProjectId, Snapshot};
use crate::store::{JournalId, JournalOperation, Outcome};
use crate::tracker::{Refusal, WriteError};

/// The write of one commit, with its place behind the components of relations.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberedCommit<'a> {
    pub number: u64,
    pub step: &'a CommitStep,
}

/// What a patch says, beside what a step takes it to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// What the step starts from.
    AsPlanned,
    /// What the step leads to.
    Written,
    /// Something else, or the patch is gone, or in another project.
    Moved,
}

impl Standing {
    /// By what the patch says alone, in whatever project.
    fn of(row: Option<&Patch>, step: &CommitStep) -> Self {
        match row {
            Some(row) if row.commit_ref == step.from => Self::AsPlanned,
            Some(row) if row.commit_ref.as_ref().is_some_and(|says| is_same_commit(says, &step.to)) => Self::Written,
            _ => Self::Moved,
        }
    }
}

impl Readings<'_> {
    /// Whether a patch says what its step takes it to say.
    pub(super) async fn says_as_planned(&self, step: &CommitStep) -> Result<bool, Error> {
        Ok(self.standing(self.read(step.patch).await?.as_ref(), step) == Standing::AsPlanned)
    }

    fn standing(&self, row: Option<&Patch>, step: &CommitStep) -> Standing {
        Standing::of(row.filter(|row| self.is_in_place(row)), step)
    }
}

impl Executor<'_> {
    /// Writes one commit: as often as that is known not to have been carried out, and as the patience lasts.
    pub(super) async fn run_commit(&self, commit: NumberedCommit<'_>) -> Result<Verdict, Error> {
        let NumberedCommit { number, step } = commit;
        let project = project_of(self.readings.snapshot, step.patch);
        let operation = JournalOperation::CommitRef(step.to.clone());
        let mut attempt = 0;
        // A write that nobody told the outcome of, and what came instead.
        let mut unknown: Option<(JournalId, WriteError, Instant)> = None;
        loop {
            if unknown.is_none() {
                if self.must_stop() {
                    return Ok(Verdict::Stopped);
                }
                if let Some(project) = project.filter(|project| self.is_forbidden(*project)) {
                    return Ok(Verdict::Forbidden([project].into()));
                }
            }
            // Whatever was waited for, this is as fresh as can be when the write is sent.
            let row = match self.readings.read(step.patch).await {
                Err(Error::Stopped) if unknown.is_some() => return Err(Error::InDoubt { patch: step.patch }),
                read => read?,
            };
            let standing = self.readings.standing(row.as_ref(), step);
            if let Some((entry, error, sent)) = unknown.take() {
                let says = Standing::of(row.as_ref(), step);
                let is_last = attempt >= self.patience.attempts;
                if says == Standing::AsPlanned && self.stays_open(is_last, sent) {
                    return Err(self.left_open(step.patch, error));
                }
                self.settle_unknown(entry, says).await?;
                if standing == Standing::AsPlanned && is_last {
                    return Err(Error::Writes(Box::new(error)));
                }
            }
            match standing {
                Standing::AsPlanned => {}
                Standing::Written => return self.keep(step.patch, row, Verdict::Settled).await,
                Standing::Moved => return self.keep(step.patch, row, Verdict::Moved).await,
            }
            let turn = self.writer.turn().await;
            if self.must_stop() {
                return Ok(Verdict::Stopped);
            }
            attempt += 1;
            let sent = Instant::now();
            let entry = self.intend(number, step.patch, &operation).await?;
            let error = match Self::send(turn, step.patch, &operation).await {
                Ok(()) => return self.verify(entry, step, row).await,
                Err(error) => error,
            };
            let asked = match &error {
                WriteError::Forbidden {
                    kind: Refusal::Credentials,
                    ..
                } => {
                    self.settle(entry, Outcome::Refused(error.to_string())).await?;
                    return Err(Error::Writes(Box::new(error)));
                }
                WriteError::Forbidden { .. } | WriteError::Rejected { .. } | WriteError::Conflict { .. } => {
                    self.settle(entry, Outcome::Refused(error.to_string())).await?;
                    return self.explain(step, &error).await;
                }
                WriteError::Throttled { retry_after, .. } => {
                    self.settle(entry, Outcome::NotDone).await?;
                    *retry_after
                }
                WriteError::NotSent { .. } => {
                    self.settle(entry, Outcome::NotDone).await?;
                    None
                }
                WriteError::Unknown { .. } => None,
            };
            let is_last = attempt >= self.patience.attempts;
            if !is_last {
                let wait = self.patience.wait_before(attempt, asked);
                tracing::warn!(tracker = self.tracker, patch = %step.patch, attempt, wait_ms = wait.as_millis() as u64, %error, "the commit was not confirmed");
                self.shutdown.sleep(wait).await;
            }
            if matches!(error, WriteError::Unknown { .. }) {
                unknown = Some((entry, error, sent));
            } else if is_last {
                return Err(Error::Writes(Box::new(error)));
            }
        }
    }

    /// Whether a write without effect is left open to the next run: this one does not make it again, and was so early to read that the tracker may
    /// still be at work on it.
    pub(super) fn stays_open(&self, is_last: bool, sent: Instant) -> bool {
        (is_last || self.must_stop()) && sent.elapsed() < self.in_hand
    }

    /// How this run ends by that.
    pub(super) fn left_open(&self, patch: PatchId, error: WriteError) -> Error {
        if self.must_stop() {
            Error::InDoubt { patch }
        } else {
            Error::Writes(Box::new(error))
        }
    }

    /// Enters what reading showed of a write that nobody told the outcome of.
    async fn settle_unknown(&self, entry: JournalId, standing: Standing) -> Result<(), Error> {
        let outcome = match standing {
            Standing::AsPlanned => Outcome::NotDone,
            Standing::Written => Outcome::Done,
            Standing::Moved => Outcome::Unclear("the patch was found to name a third commit, or to be gone".to_owned()),
        };
        self.settle(entry, outcome).await?;
        if standing == Standing::Written {
            (self.on_write)();
        }
        Ok(())
    }

    /// Enters that a write took effect, keeps what it made of the patch, and then reads the patch: the answer to a write is no proof.
    ///
    /// `row` is the patch right before the write. Patchwork saves it whole, so its relation is looked at too.
    async fn verify(&self, entry: JournalId, step: &CommitStep, row: Option<Patch>) -> Result<Verdict, Error> {
        let related = row.as_ref().map(|row| row.related.clone());
        let written = row.map(|row| Patch {
            commit_ref: Some(step.to.clone()),
            ..row
        });
        let tracker = self.tracker.to_owned();
        self.keeper
            .with(move |store, now| {
                store.record_reads(&tracker, written.as_slice(), &[], now)?;
                store.journal().settle(entry, &Outcome::Done, now)
            })
            .await?;
        (self.on_write)();
        let row = self.readings.read(step.patch).await?;
        match self.readings.standing(row.as_ref(), step) {
            Standing::Written if row.as_ref().map(|row| &row.related) == related.as_ref() => Ok(Verdict::Settled),
            Standing::Written | Standing::AsPlanned | Standing::Moved => self.keep(step.patch, row, Verdict::Moved).await,
        }
    }

    /// A refusal: the patch is not what it was, or the tracker refuses the patch, or all of its project. Its relation is another matter.
    async fn explain(&self, step: &CommitStep, error: &WriteError) -> Result<Verdict, Error> {
        let row = self.readings.read(step.patch).await?;
        let project = row.as_ref().map(|row| row.project);
        match self.readings.standing(row.as_ref(), step) {
            Standing::Written => return self.keep(step.patch, row, Verdict::Settled).await,
            Standing::Moved => return self.keep(step.patch, row, Verdict::Moved).await,
            Standing::AsPlanned => {}
        }
        let patch = step.patch;
        match project {
            Some(project) if matches!(error, WriteError::Forbidden { .. }) => {
                tracing::warn!(tracker = self.tracker, %patch, %error, "the commits of this patch's project are left alone from here on");
                let projects = BTreeSet::from([project]);
                if self.forbid(project) {
                    // Read for the next plan's sake: here the refusal is enough.
                    self.lost(&projects).await?;
                }
                Ok(Verdict::Forbidden(projects))
            }
            _ => {
                tracing::warn!(tracker = self.tracker, %patch, %error, "the commit was not accepted");
                Ok(Verdict::Refused([patch].into()))
            }
        }
    }

    /// Keeps what a patch was read as.
    async fn keep(&self, patch: PatchId, row: Option<Patch>, verdict: Verdict) -> Result<Verdict, Error> {
        let tracker = self.tracker.to_owned();
        let absent = if row.is_none() { vec![patch] } else { Vec::new() };
        self.keeper
            .with(move |store, now| store.record_reads(&tracker, row.as_slice(), &absent, now))
            .await?;
        Ok(verdict)
    }

    fn is_forbidden(&self, project: ProjectId) -> bool {
        self.forbidden_commits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&project)
    }

    /// Tells whether it is news.
    fn forbid(&self, project: ProjectId) -> bool {
        self.forbidden_commits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(project)
    }
}

fn project_of(snapshot: &Snapshot, patch: PatchId) -> Option<ProjectId> {
    snapshot.patches.get(&patch).map(|row| row.project)
}
