//! Step 6 for one component: read again, write, verify.
//!
//! Nothing is written that was not entered into the journal first, and no write whose outcome is unknown is sent again before a read has
//! shown what became of it. A component whose patches are not as the plan takes them to be is not written at all: what was read is kept,
//! and the next round plans it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering as Memory};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::Instant;

use super::apply::Shutdown;
use super::component::{Class, Component, carry_out, doubtful, is_alone, named};
use super::draft::maintains;
use super::maintainers::reread;
use super::{Error, Keeper, Patience};
use crate::model::relations::Policy;
use crate::model::{Patch, PatchId, ProjectId, Snapshot};
use crate::store::{JournalId, JournalOperation, JournalStep, Outcome, RunId};
use crate::tracker::{Identity, Reader, Refusal, Turn, WriteError, Writer};

/// How a component, or the write of a commit, ended.
#[derive(Debug)]
pub(super) enum Verdict {
    /// All written and verified.
    Settled,
    /// The patches are not as planned for. What they are was recorded.
    Moved,
    /// The tracker refuses to have these projects written to; of a commit, it says nothing of relations.
    Forbidden(BTreeSet<ProjectId>),
    /// The tracker refuses to have these patches written to, and no read explains why.
    Refused(BTreeSet<PatchId>),
    /// It was asked to stop.
    Stopped,
}

/// What one planned write came to.
enum Written {
    Yes,
    No(Verdict),
}

/// What a read showed of a write that nobody told the outcome of.
enum Found {
    /// What became of it, and the component.
    Written(Written),
    /// It had no effect.
    Missing,
    /// It had none yet: it stays open in the journal, for the next run to look after.
    InHand,
}

/// Carries out components, and then commits, side by side.
pub(super) struct Executor<'a> {
    pub readings: Readings<'a>,
    pub writer: &'a Writer,
    pub keeper: &'a Keeper,
    pub tracker: &'a str,
    pub policy: Policy,
    pub identity: &'a Identity,
    pub run: RunId,
    pub patience: Patience,
    /// See [`SessionOptions::in_hand`](super::SessionOptions::in_hand).
    pub in_hand: Duration,
    pub shutdown: &'a Shutdown,
    /// Set when another component failed for good.
    pub halt: &'a AtomicBool,
    /// Patches that were cleared because nothing but a relation of one explained a conflict. It is done once for each.
    pub cleared_hidden: &'a Mutex<BTreeSet<PatchId>>,
    /// Projects in which a commit was refused: no other is tried there.
    pub forbidden_commits: &'a Mutex<BTreeSet<ProjectId>>,
    /// Projects that a refusal showed the user not to maintain any more: no relation is tried that Patchwork refuses for the sake of one.
    pub lost_projects: &'a Mutex<BTreeSet<ProjectId>>,
    /// Hears of each write that took effect.
    pub on_write: &'a (dyn Fn() + Sync),
}

/// How many reads of one component are under way at once; the reader's own limit is on top of that.
pub(super) const READS_AT_ONCE: usize = 8;

/// Reads patches of a snapshot anew.
#[derive(Clone, Copy)]
pub(super) struct Readings<'a> {
    pub reader: &'a Reader,
    pub snapshot: &'a Snapshot,
    pub shutdown: &'a Shutdown,
}

impl Readings<'_> {
    /// Whether a component's patches are related as its plan takes them to be, and where they were.
    pub(super) async fn stands_as_planned(&self, component: &Component) -> Result<bool, Error> {
        self.stands(&component.before, component.to_read()).await
    }

    /// Whether the patches are in the classes that they are taken to be in, as far as reading some of them shows, and those still in their
    /// projects.
    async fn stands(&self, classes: &BTreeMap<PatchId, Class>, to_read: Vec<PatchId>) -> Result<bool, Error> {
        let mut reads = stream::iter(to_read)
            .map(|patch| async move {
                let row = self.read(patch).await?.filter(|row| self.is_in_place(row));
                Ok::<_, Error>((patch, row.as_ref().map(class)))
            })
            .buffer_unordered(READS_AT_ONCE);
        while let Some((patch, class)) = reads.try_next().await? {
            if class.as_ref() != classes.get(&patch) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) async fn read(&self, patch: PatchId) -> Result<Option<Patch>, Error> {
        // Patches outside the snapshot are held, and so never part of a component.
        let Some(known) = self.snapshot.patches.get(&patch) else {
            return Ok(None);
        };
        self.shutdown.or_give_up(self.reader.patch(patch, &known.message_id)).await
    }

    /// Whether a patch is in the project that the plan takes it to be in. Nothing tells when an administrator moves it.
    pub(super) fn is_in_place(&self, row: &Patch) -> bool {
        self.snapshot.patches.get(&row.id).is_some_and(|known| known.project == row.project)
    }
}

impl Executor<'_> {
    /// Carries out one component.
    pub(super) async fn run(&self, component: &Component) -> Result<Verdict, Error> {
        if self.must_stop() {
            return Ok(Verdict::Stopped);
        }
        let barred = self.barred(component);
        if !barred.is_empty() {
            return Ok(Verdict::Forbidden(barred));
        }
        if !self.readings.stands_as_planned(component).await? {
            return self.survey(component).await;
        }
        let mut expected = component.before.clone();
        for (place, (patch, operation)) in component.steps.iter().enumerate() {
            if place > 0 && !self.is_undisturbed(*patch, operation, &expected).await? {
                return self.survey(component).await;
            }
            if let Written::No(verdict) = self.write(component, *patch, operation, &expected).await? {
                return Ok(verdict);
            }
            carry_out(&mut expected, *patch, operation);
        }
        if !self.readings.stands(&component.after, doubtful(component)).await? {
            return self.survey(component).await;
        }
        Ok(Verdict::Settled)
    }

    /// Whether nobody has written meanwhile to the patches that a write names, lone ones included: whoever was related to one of them would
    /// come along. Only a policy that preserves people's work
    /// is worth that read: others would do the same again.
    async fn is_undisturbed(
        &self,
        patch: PatchId,
        operation: &JournalOperation,
        expected: &BTreeMap<PatchId, Class>,
    ) -> Result<bool, Error> {
        if self.policy != Policy::Preserve {
            return Ok(true);
        }
        self.readings.stands(expected, named(patch, operation)).await
    }

    /// Reads all of a component's patches and keeps what they are.
    async fn survey(&self, component: &Component) -> Result<Verdict, Error> {
        self.observe(component).await?;
        Ok(Verdict::Moved)
    }

    /// As [`Self::survey`], and tells the classes of those that are still in their projects.
    async fn observe(&self, component: &Component) -> Result<BTreeMap<PatchId, Class>, Error> {
        let patches: Vec<PatchId> = component.before.keys().copied().collect();
        let reads = stream::iter(patches).map(|patch| async move { Ok::<_, Error>((patch, self.readings.read(patch).await?)) });
        let rows: Vec<(PatchId, Option<Patch>)> = reads.buffered(READS_AT_ONCE).try_collect().await?;
        let absent: Vec<PatchId> = rows.iter().filter(|(_, row)| row.is_none()).map(|(patch, _)| *patch).collect();
        let fresh: Vec<Patch> = rows.into_iter().filter_map(|(_, row)| row).collect();
        let in_place = fresh.iter().filter(|row| self.readings.is_in_place(row));
        let classes = in_place.map(|row| (row.id, class(row))).collect();
        let tracker = self.tracker.to_owned();
        self.keeper
            .with(move |store, now| store.record_reads(&tracker, &fresh, &absent, now))
            .await?;
        Ok(classes)
    }

    /// Makes one planned write: as often as it is known not to have been carried out, and as the patience lasts.
    async fn write(
        &self,
        component: &Component,
        patch: PatchId,
        operation: &JournalOperation,
        expected: &BTreeMap<PatchId, Class>,
    ) -> Result<Written, Error> {
        let mut wanted = expected.clone();
        carry_out(&mut wanted, patch, operation);
        let mut attempt = 0;
        loop {
            // What is entered as intended is sent at once.
            let turn = self.writer.turn().await;
            if self.must_stop() {
                return Ok(Written::No(Verdict::Stopped));
            }
            attempt += 1;
            let sent = Instant::now();
            let entry = self.intend(component.number, patch, operation).await?;
            let error = match Self::send(turn, patch, operation).await {
                Ok(()) => {
                    self.took_effect(entry, patch, &wanted).await?;
                    return Ok(Written::Yes);
                }
                Err(error) => error,
            };
            let mut asked = None;
            match &error {
                WriteError::Conflict { .. } => {
                    self.settle(entry, Outcome::Refused(error.to_string())).await?;
                    return Ok(Written::No(self.explain_conflict(component, patch, operation, expected).await?));
                }
                WriteError::Forbidden {
                    kind: Refusal::Credentials,
                    ..
                } => {
                    self.settle(entry, Outcome::Refused(error.to_string())).await?;
                    return Err(Error::Writes(Box::new(error)));
                }
                WriteError::Forbidden { .. } => {
                    self.settle(entry, Outcome::Refused(error.to_string())).await?;
                    let verdict = self.explain_refusal(component, patch, expected, &wanted).await?;
                    if matches!(verdict, Verdict::Forbidden(_)) {
                        tracing::warn!(tracker = self.tracker, %patch, %error, "the projects of this write are left alone from here on");
                    }
                    return Ok(Written::No(verdict));
                }
                WriteError::Rejected { .. } => {
                    self.settle(entry, Outcome::Refused(error.to_string())).await?;
                    tracing::warn!(tracker = self.tracker, %patch, %error, "the write was not accepted");
                    return Ok(Written::No(self.explain_rejection(component, patch, expected).await?));
                }
                WriteError::Throttled { retry_after, .. } => {
                    self.settle(entry, Outcome::NotDone).await?;
                    asked = *retry_after;
                }
                WriteError::NotSent { .. } => self.settle(entry, Outcome::NotDone).await?,
                // Settled below, when a read has told.
                WriteError::Unknown { .. } => {}
            }
            let is_last = attempt >= self.patience.attempts;
            if !is_last {
                let wait = self.patience.wait_before(attempt, asked);
                tracing::warn!(tracker = self.tracker, %patch, attempt, wait_ms = wait.as_millis() as u64, %error, "the write was not confirmed");
                self.shutdown.sleep(wait).await;
            }
            // What is read after the wait is as fresh as can be when the write is sent again.
            if matches!(error, WriteError::Unknown { .. }) {
                let may_come = || self.stays_open(is_last, sent);
                match self.look_after(component, entry, patch, expected, &wanted, may_come).await {
                    Ok(Found::Missing) => {}
                    Ok(Found::Written(written)) => return Ok(written),
                    Ok(Found::InHand) => return Err(self.left_open(patch, error)),
                    Err(Error::Stopped) => return Err(Error::InDoubt { patch }),
                    Err(error) => return Err(error),
                }
            }
            if is_last {
                return Err(Error::Writes(Box::new(error)));
            }
            if self.must_stop() {
                return Ok(Written::No(Verdict::Stopped));
            }
            if !self.readings.stands(expected, named(patch, operation)).await? {
                return Ok(Written::No(self.survey(component).await?));
            }
        }
    }

    /// Reads what became of a write that nobody told the outcome of. One that had no effect `may_come` yet, where this run will not make it again.
    async fn look_after(
        &self,
        component: &Component,
        entry: JournalId,
        patch: PatchId,
        expected: &BTreeMap<PatchId, Class>,
        wanted: &BTreeMap<PatchId, Class>,
        may_come: impl Fn() -> bool,
    ) -> Result<Found, Error> {
        let class = self.readings.read(patch).await?.as_ref().map(class);
        match (class.as_ref() == expected.get(&patch), class.as_ref() == wanted.get(&patch)) {
            (true, _) if may_come() => Ok(Found::InHand),
            (true, false) => {
                self.settle(entry, Outcome::NotDone).await?;
                Ok(Found::Missing)
            }
            (false, true) => {
                self.took_effect(entry, patch, wanted).await?;
                Ok(Found::Written(Written::Yes))
            }
            // It clears a relation of one, which no read shows. As long as the patch reads as unrelated, to do that once more does no harm,
            // and to leave it undone does.
            (true, true) => {
                let reason = "the patch reads as unrelated before and after".to_owned();
                self.settle(entry, Outcome::Unclear(reason)).await?;
                Ok(Found::Missing)
            }
            (false, false) => {
                let reason = "the patch was found in a third relation".to_owned();
                self.settle(entry, Outcome::Unclear(reason)).await?;
                Ok(Found::Written(Written::No(self.survey(component).await?)))
            }
        }
    }

    pub(super) async fn send(turn: Turn<'_>, patch: PatchId, operation: &JournalOperation) -> Result<(), WriteError> {
        match operation {
            JournalOperation::Clear => turn.clear(patch).await,
            JournalOperation::Relate(related) => turn.relate(patch, related).await,
            JournalOperation::CommitRef(commit) => turn.set_commit_ref(patch, commit).await,
        }
    }

    pub(super) async fn intend(&self, component: u64, patch: PatchId, operation: &JournalOperation) -> Result<JournalId, Error> {
        let step = JournalStep {
            component,
            patch,
            operation: operation.clone(),
        };
        let run = self.run;
        self.keeper.with(move |store, now| store.journal().intend(run, &step, now)).await
    }

    pub(super) async fn settle(&self, entry: JournalId, outcome: Outcome) -> Result<(), Error> {
        self.keeper
            .with(move |store, now| store.journal().settle(entry, &outcome, now))
            .await
    }

    /// Enters that a write took effect, and keeps what it made of its patch: whatever becomes of the rest of the component, this is known.
    async fn took_effect(&self, entry: JournalId, patch: PatchId, wanted: &BTreeMap<PatchId, Class>) -> Result<(), Error> {
        let row = self.readings.snapshot.patches.get(&patch).map(|known| {
            let mut related = wanted.get(&patch).cloned().unwrap_or_default();
            related.remove(&patch);
            Patch { related, ..known.clone() }
        });
        let tracker = self.tracker.to_owned();
        self.keeper
            .with(move |store, now| {
                store.record_reads(&tracker, row.as_slice(), &[], now)?;
                store.journal().settle(entry, &Outcome::Done, now)
            })
            .await?;
        (self.on_write)();
        Ok(())
    }

    /// A 409: somebody moved a patch, or a patch that reads as unrelated is in a relation of one, which no read shows. Clearing removes that.
    async fn explain_conflict(
        &self,
        component: &Component,
        patch: PatchId,
        operation: &JournalOperation,
        expected: &BTreeMap<PatchId, Class>,
    ) -> Result<Verdict, Error> {
        if self.observe(component).await? != *expected {
            return Ok(Verdict::Moved);
        }
        let JournalOperation::Relate(related) = operation else {
            return Ok(Verdict::Refused([patch].into()));
        };
        let unrelated: Vec<PatchId> = related
            .iter()
            .copied()
            .chain([patch])
            .filter(|member| is_alone(expected, *member))
            .collect();
        let mut verdict = Verdict::Refused(unrelated.iter().copied().collect());
        for member in unrelated {
            if !self.is_first_hidden_clear_of(member) {
                continue;
            }
            tracing::info!(tracker = self.tracker, patch = %member, "a conflict that no read explains: clearing what reads as unrelated");
            // Somebody may have related it since: what is in a relation that shows is not cleared here.
            if !self.readings.stands(expected, vec![member]).await? {
                return self.survey(component).await;
            }
            let clear = Box::pin(self.write(component, member, &JournalOperation::Clear, expected));
            if let Written::No(verdict) = clear.await? {
                return Ok(verdict);
            }
            verdict = Verdict::Moved;
        }
        Ok(verdict)
    }

    fn is_first_hidden_clear_of(&self, patch: PatchId) -> bool {
        self.cleared_hidden.lock().unwrap_or_else(PoisonError::into_inner).insert(patch)
    }

    /// A 400 or 404: a patch is gone, or the tracker does not want this.
    async fn explain_rejection(
        &self,
        component: &Component,
        patch: PatchId,
        expected: &BTreeMap<PatchId, Class>,
    ) -> Result<Verdict, Error> {
        let moved = self.observe(component).await? != *expected;
        Ok(if moved { Verdict::Moved } else { Verdict::Refused([patch].into()) })
    }

    /// A 403: somebody put a patch of a project that the user does not maintain into the relation, or the user lost a project.
    async fn explain_refusal(
        &self,
        component: &Component,
        patch: PatchId,
        expected: &BTreeMap<PatchId, Class>,
        wanted: &BTreeMap<PatchId, Class>,
    ) -> Result<Verdict, Error> {
        if self.observe(component).await? != *expected {
            return Ok(Verdict::Moved);
        }
        Ok(Verdict::Forbidden(self.forbidden(patch, wanted, expected).await?))
    }

    /// Which projects a refused write was refused for: those whose maintainers the user is not among any more, or else all that it touches.
    async fn forbidden(
        &self,
        patch: PatchId,
        wanted: &BTreeMap<PatchId, Class>,
        expected: &BTreeMap<PatchId, Class>,
    ) -> Result<BTreeSet<ProjectId>, Error> {
        let snapshot = self.readings.snapshot;
        let patches = [wanted, expected].into_iter().filter_map(|classes| classes.get(&patch)).flatten();
        let touched: BTreeSet<ProjectId> = patches
            .filter_map(|patch| snapshot.patches.get(patch))
            .map(|patch| patch.project)
            .collect();
        let lost = self.lost(&touched).await?;
        self.lost_projects.lock().unwrap_or_else(PoisonError::into_inner).extend(&lost);
        Ok(if lost.is_empty() { touched } else { lost })
    }

    /// The lost projects for the sake of which one of a component's writes is refused, as far as that is sure. Patchwork looks at the patch that is
    /// written to, those that it is related to, and those that the write names; what these are related to is no concern of it.
    fn barred(&self, component: &Component) -> BTreeSet<ProjectId> {
        let lost = self.lost_projects.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut barred = BTreeSet::new();
        if lost.is_empty() {
            return barred;
        }
        let mut expected = component.before.clone();
        for (patch, operation) in &component.steps {
            let present = expected.get(patch).into_iter().flatten().copied();
            let patches = present.chain(named(*patch, operation));
            let projects = patches
                .filter_map(|patch| self.readings.snapshot.patches.get(&patch))
                .map(|row| row.project);
            barred.extend(projects.filter(|project| lost.contains(project)));
            carry_out(&mut expected, *patch, operation);
        }
        barred
    }

    /// Which of these projects the user does not maintain any more. Who maintains them now is kept, so that the next plan knows.
    pub(super) async fn lost(&self, projects: &BTreeSet<ProjectId>) -> Result<BTreeSet<ProjectId>, Error> {
        let Identity::User(user) = self.identity else {
            return Ok(BTreeSet::new());
        };
        let Readings { reader, snapshot, .. } = self.readings;
        let reading = reread(reader, self.keeper, self.tracker, snapshot, projects);
        let fresh = self.shutdown.or_give_up(reading).await?;
        let is_lost = |project: &ProjectId| !fresh.get(project).is_some_and(|now| maintains(self.tracker, user, now));
        Ok(projects.iter().copied().filter(is_lost).collect())
    }

    pub(super) fn must_stop(&self) -> bool {
        self.shutdown.is_requested() || self.halt.load(Memory::Relaxed)
    }
}

fn class(row: &Patch) -> Class {
    row.related.iter().copied().chain([row.id]).collect()
}
