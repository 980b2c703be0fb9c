//! Steps 6 and 7: apply a draft, in rounds, until the tracker is as planned.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering as Memory};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::commits::RefusedCommits;
use super::component::Component;
use super::conclude::conclude;
use super::draft::{Draft, Rights};
use super::execute::{Executor, READS_AT_ONCE, Readings, Verdict};
use super::execute_commits::NumberedCommit;
use super::prepare::{Prepared, redraft, stored};
use super::reckon::Actors;
use super::{Error, Keeper, Patience, Session};
use crate::config::Tracker;
use crate::model::{PatchId, ProjectId};
use crate::pasta::GroupFile;
use crate::store::{RunId, RunOutcome, StoredSnapshot};
use crate::text::count;
use crate::tracker::{Identity, Reader, Writer};

/// How often what moved under a plan is planned anew before the tracker is said not to come to rest.
///
/// Rounds after which less is left to do are not counted, nor those in which something was refused, or cleared because no read explained a
/// conflict: that happens once for each project or patch, however many those are.
const RESTLESS_ROUNDS: usize = 8;

/// How long all reads are waited for when somebody wishes to stop: the next run can ask again.
const GRACE: Duration = Duration::from_secs(5);

/// A wish to stop that others may have. The step in flight is finished and its outcome is entered; no other is begun.
#[derive(Clone, Debug)]
pub struct Shutdown {
    requested: watch::Receiver<bool>,
    /// When reads were found to be waited for although somebody wishes to stop.
    noticed: Arc<OnceLock<Instant>>,
}

impl Shutdown {
    /// What requests a shutdown, and the shutdown.
    #[must_use]
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, requested) = watch::channel(false);
        let noticed = Arc::default();
        (sender, Self { requested, noticed })
    }

    /// Whether somebody wishes to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.requested.borrow()
    }

    /// Waits until somebody wishes to stop.
    pub async fn requested(&self) {
        let mut receiver = self.requested.clone();
        if receiver.wait_for(|requested| *requested).await.is_err() {
            // Whoever could have wished to stop is gone.
            std::future::pending::<()>().await;
        }
    }

    /// Reads something, but gives up a little after somebody wishes to stop.
    ///
    /// # Errors
    /// [`Error::Stopped`] then.
    pub(super) async fn or_give_up<T, E: Into<Error>>(&self, reading: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
        let stopping = async {
            self.requested().await;
            let since = *self.noticed.get_or_init(Instant::now);
            tokio::time::sleep_until(since + GRACE).await;
        };
        tokio::select! {
            biased;
            read = reading => read.map_err(Into::into),
            () = stopping => Err(Error::Stopped),
        }
    }

    /// Waits, but no longer than until somebody wishes to stop.
    pub(super) async fn sleep(&self, duration: Duration) {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = self.requested() => {}
        }
    }
}

/// What an application came to.
#[derive(Debug)]
pub struct Applied {
    /// How many rounds of writing it took; more than one where something moved meanwhile.
    pub rounds: usize,
    /// Whether it was asked to stop before its end.
    pub stopped: bool,
    /// The last draft: all of it was written, unless it was asked to stop.
    pub draft: Draft,
    /// Projects that the tracker refused to have written to.
    pub refused_projects: BTreeSet<ProjectId>,
    /// Patches that it refused to have written to for a reason that no read explains.
    pub refused_patches: BTreeSet<PatchId>,
    /// How many commits are as planned, because they were written or because somebody else wrote them meanwhile.
    pub commits: usize,
    /// What it refused of the commits of patches.
    pub refused_commits: RefusedCommits,
    /// The files of feedback that were changed.
    pub feedback: Vec<PathBuf>,
}

/// One tracker, ready to be written to.
#[derive(Debug)]
pub struct Apply<'a> {
    tracker: &'a Tracker,
    reader: Reader,
    writer: Writer,
    keeper: &'a Keeper,
    patience: Patience,
    in_hand: Duration,
    shutdown: &'a Shutdown,
    replanning: Replanning,
}

/// What becomes of a component that somebody changed while the plan was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replanning {
    /// It is planned anew.
    Allowed,
    /// It is left as it is: nobody has read what would be written.
    Refused,
}

impl<'a> Apply<'a> {
    /// Turns a session into one that can write.
    ///
    /// # Errors
    /// [`Error::NoToken`] when the configuration names no token.
    pub fn begin(session: Session<'a>, keeper: &'a Keeper, patience: Patience, shutdown: &'a Shutdown) -> Result<Self, Error> {
        let (tracker, in_hand) = (session.tracker, session.in_hand);
        let (reader, writer) = session.into_writer()?;
        Ok(Self {
            tracker,
            reader,
            writer,
            keeper,
            patience,
            in_hand,
            shutdown,
            replanning: Replanning::Allowed,
        })
    }

    /// The same, but for a plan that was saved and read: what moves meanwhile is left as it is, and not planned anew.
    #[must_use]
    pub fn of_saved_plan(self) -> Self {
        Self {
            replanning: Replanning::Refused,
            ..self
        }
    }

    /// Reads whatever a saved plan touches, and refuses the plan if anything is not as it was when the plan was made.
    ///
    /// # Errors
    /// [`Error::Stale`], or when the tracker cannot be read.
    pub async fn require_untouched(&self, prepared: &Prepared) -> Result<(), Error> {
        let readings = Readings {
            reader: &self.reader,
            snapshot: &prepared.stored.snapshot,
            shutdown: self.shutdown,
        };
        for component in Component::all(&prepared.draft) {
            if !readings.stands_as_planned(&component).await? {
                let patch = component
                    .first_patch()
                    .map_or_else(String::new, |patch| format!(" around patch {patch}"));
                let what = format!("the tracker's relations{patch} are not what it was computed from");
                return Err(self.stale(what));
            }
        }
        let steps = &prepared.draft.commits.steps;
        let mut reads = stream::iter(steps)
            .map(|step| async move { Ok::<_, Error>((step.patch, readings.says_as_planned(step).await?)) })
            .buffered(READS_AT_ONCE);
        while let Some((patch, is_as_planned)) = reads.try_next().await? {
            if !is_as_planned {
                return Err(self.stale(format!("the commit that patch {patch} names is not what it was computed from")));
            }
        }
        Ok(())
    }

    fn stale(&self, what: String) -> Error {
        Error::Stale {
            tracker: self.tracker.name.clone(),
            what,
        }
    }

    /// Applies a draft. What moves meanwhile is read and planned anew, under the same guards.
    ///
    /// # Errors
    /// When a guard trips, the tracker cannot be read or takes no writes, the state fails, or the tracker does not come to rest. What was
    /// written until then is in the journal. [`Error::InDoubt`] when it was asked to stop and it is not known what became of a write: that is
    /// left to the next run, and nothing is reckoned before.
    pub async fn run(&self, prepared: Prepared, on_write: &(dyn Fn() + Sync)) -> Result<Applied, Error> {
        let Prepared {
            draft, identity, analysis, ..
        } = prepared;
        let draft = draft.require_unguarded(self.tracker)?;
        let name = self.tracker.name.to_string();
        let what = count(draft.writes(), "write");
        let run = self
            .keeper
            .with(move |store, now| store.journal().begin_run(&name, now, &what))
            .await?;
        let result = self.rounds(run, draft, &identity, &analysis, on_write).await;
        let outcome = match &result {
            Ok(Applied { stopped: true, .. }) | Err(Error::InDoubt { .. }) => RunOutcome::Interrupted,
            Ok(_) => RunOutcome::Completed,
            Err(error) => RunOutcome::Failed(error.to_string()),
        };
        let ended = self
            .keeper
            .with(move |store, now| store.journal().end_run(run, now, &outcome))
            .await;
        // What ended the run is told first.
        let applied = result?;
        ended.map(|()| applied)
    }

    async fn rounds(
        &self,
        run: RunId,
        mut draft: Draft,
        identity: &Identity,
        analysis: &GroupFile,
        on_write: &(dyn Fn() + Sync),
    ) -> Result<Applied, Error> {
        let mut rights = Rights::of(identity.clone());
        let cleared_hidden = Mutex::new(BTreeSet::new());
        let (mut rounds, mut restless, mut learned, mut commits) = (0, 0, 0, 0);
        loop {
            let mut round = Round::default();
            if draft.writes() > 0 {
                rounds += 1;
                round = self.round(run, &draft, identity, &cleared_hidden, on_write).await?;
            }
            rights.refused_projects.extend(round.refused_projects);
            rights.refused_patches.extend(round.refused_patches);
            rights.refused_commits.projects.extend(round.refused_commits.projects);
            rights.refused_commits.patches.extend(round.refused_commits.patches);
            commits += round.commits;
            let cleared = cleared_hidden.lock().unwrap_or_else(PoisonError::into_inner).len();
            let known = rights.refused_projects.len() + rights.refused_patches.len() + rights.refused_commits.len() + cleared;
            let is_wiser = known > learned;
            learned = known;
            let Some(patch) = round.unsettled.filter(|_| !round.stopped) else {
                let feedback = conclude(self.tracker, self.keeper, analysis, &rights).await?;
                let Rights {
                    refused_projects,
                    refused_patches,
                    refused_commits,
                    identity: _,
                } = rights;
                return Ok(Applied {
                    rounds,
                    stopped: round.stopped,
                    draft,
                    refused_projects,
                    refused_patches,
                    commits,
                    refused_commits,
                    feedback,
                });
            };
            if self.replanning == Replanning::Refused {
                return Err(Error::MovedMeanwhile {
                    tracker: self.tracker.name.clone(),
                    patch,
                });
            }
            let stored = stored(self.keeper, self.tracker).await?;
            let next = redraft(self.tracker, self.keeper, &stored.snapshot, analysis, &rights, &Actors::new()).await?;
            let next = next.require_unguarded(self.tracker)?;
            restless += usize::from(!is_wiser && next.writes() >= draft.writes());
            if restless >= RESTLESS_ROUNDS {
                return Err(Error::Unsettled { rounds, patch });
            }
            draft = next;
        }
    }

    /// Carries out all components once, and then all commits. When one fails for good, the others still finish the step that they are at.
    ///
    /// Patchwork saves whole rows, so a commit must not be written while a relation of its patch is.
    async fn round(
        &self,
        run: RunId,
        draft: &Draft,
        identity: &Identity,
        cleared_hidden: &Mutex<BTreeSet<PatchId>>,
        on_write: &(dyn Fn() + Sync),
    ) -> Result<Round, Error> {
        let StoredSnapshot { snapshot, .. } = stored(self.keeper, self.tracker).await?;
        let halt = AtomicBool::new(false);
        let forbidden_commits = Mutex::new(BTreeSet::new());
        let lost_projects = Mutex::new(BTreeSet::new());
        let executor = Executor {
            readings: Readings {
                reader: &self.reader,
                snapshot: &snapshot,
                shutdown: self.shutdown,
            },
            writer: &self.writer,
            keeper: self.keeper,
            tracker: self.tracker.name.as_str(),
            policy: self.tracker.policy,
            identity,
            run,
            patience: self.patience,
            in_hand: self.in_hand,
            shutdown: self.shutdown,
            halt: &halt,
            cleared_hidden,
            forbidden_commits: &forbidden_commits,
            lost_projects: &lost_projects,
            on_write,
        };
        let executor = &executor;
        let components = Component::all(draft);
        let mut round = Round::default();
        let turns = components
            .iter()
            .map(|component| async move { (component.first_patch(), executor.run(component).await) });
        for (patch, verdict) in self.side_by_side(turns, &halt).await? {
            round.enter(patch, verdict);
        }
        let commits = (components.len() as u64..).zip(&draft.commits.steps);
        let turns = commits.map(|(number, step)| async move { (step.patch, executor.run_commit(NumberedCommit { number, step }).await) });
        for (patch, verdict) in self.side_by_side(turns, &halt).await? {
            round.enter_commit(patch, verdict);
        }
        Ok(round)
    }

    /// Lets turns go side by side, to their ends. The first failure for good is what is told of them.
    async fn side_by_side<P, F>(&self, turns: impl Iterator<Item = F>, halt: &AtomicBool) -> Result<Vec<(P, Verdict)>, Error>
    where
        F: Future<Output = (P, Result<Verdict, Error>)>,
    {
        let mut turns = stream::iter(turns).buffer_unordered(self.tracker.limits.concurrent_requests.get());
        let mut verdicts = Vec::new();
        let mut failure = None;
        while let Some((patch, verdict)) = turns.next().await {
            match verdict {
                Ok(verdict) => verdicts.push((patch, verdict)),
                // Of what was given up nothing is in doubt.
                Err(Error::Stopped) => verdicts.push((patch, Verdict::Stopped)),
                Err(error) => {
                    halt.store(true, Memory::Relaxed);
                    // What a person has to mend is told before what mends itself.
                    if failure.as_ref().is_none_or(|failure| matches!(failure, Error::InDoubt { .. })) {
                        failure = Some(error);
                    }
                }
            }
        }
        failure.map_or(Ok(verdicts), Err)
    }
}

/// What one round came to.
#[derive(Default)]
struct Round {
    stopped: bool,
    /// A patch of a component, or of a commit, that has to be planned anew.
    unsettled: Option<PatchId>,
    refused_projects: BTreeSet<ProjectId>,
    refused_patches: BTreeSet<PatchId>,
    /// How many commits are as planned.
    commits: usize,
    refused_commits: RefusedCommits,
}

impl Round {
    fn enter(&mut self, patch: Option<PatchId>, verdict: Verdict) {
        match verdict {
            Verdict::Settled => return,
            Verdict::Stopped => {
                self.stopped = true;
                return;
            }
            Verdict::Moved => {}
            Verdict::Forbidden(projects) => self.refused_projects.extend(projects),
            Verdict::Refused(patches) => self.refused_patches.extend(patches),
        }
        self.unsettled = self.unsettled.or(patch);
    }

    fn enter_commit(&mut self, patch: PatchId, verdict: Verdict) {
        match verdict {
            Verdict::Settled => {
                self.commits += 1;
                return;
            }
            Verdict::Stopped => {
                self.stopped = true;
                return;
            }
            Verdict::Moved => {}
            Verdict::Forbidden(projects) => self.refused_commits.projects.extend(projects),
            Verdict::Refused(patches) => self.refused_commits.patches.extend(patches),
        }
        self.unsettled = self.unsettled.or(Some(patch));
    }
}
