//! Who did what since tracker and kinset last agreed: from the base, kinset's own journal and what the tracker shows, to decisions and
//! history. Afterwards the base is what the tracker shows.

use std::collections::{BTreeMap, BTreeSet};

use super::feedback::decisions_of;
use super::scene::Sight;
use super::{Error, Keeper, Scene};
use crate::config::Tracker;
use crate::model::relations::decisions::{Decisions, Revision, Verdict, agrees, revise};
use crate::model::relations::edits::{Edits, OwnWrite, expected};
use crate::model::relations::guard::{self, Tripped};
use crate::model::relations::{Element, Partition, Policy};
use crate::model::{PatchId, Snapshot, UserName};
use crate::store::{
    Accounts, Author, Decided, Decision, DecisionFilter, DecisionId, DecisionKind, Ended, JournalOperation, NewDecision, Outcome, RunId,
    SettledEntry, Settlement, Sighting,
};

/// What people have decided, and what is new of that.
#[derive(Clone, Debug, Default)]
pub struct Reckoned {
    /// The decisions that stand.
    pub standing: Vec<Decision>,
    /// How many patches somebody else has put into other relations since the last time.
    pub foreign: usize,
    /// The guard, if that is too many to be people's work. Then nothing was taken in.
    pub tripped: Option<Tripped>,
}

/// Who is known to have written to patches, by what the tracker tells.
pub(super) type Actors = BTreeMap<PatchId, UserName>;

/// Takes in what somebody else did. Done again it finds nothing new.
pub(super) async fn reckon(tracker: &Tracker, keeper: &Keeper, snapshot: &Snapshot, actors: &Actors) -> Result<Reckoned, Error> {
    let (name, url) = (tracker.name.to_string(), tracker.url.to_string());
    let (accounts, entries) = keeper
        .with(move |store, _| {
            let accounts = store.accounts(&name, &url)?;
            let entries = store.journal().settled_after(&name, accounts.journal)?;
            Ok((accounts, entries))
        })
        .await?;
    let sight = Sight::of(snapshot);
    let reckoning = Reckoning::new(&accounts, &entries, &sight, snapshot, actors);
    // What is found when a tracker is seen for the first time has not changed since.
    let foreign = accounts.base.as_ref().map_or(0, |_| reckoning.edits.changed().len());
    let tripped = reckoning.guard(tracker);
    let is_refused = tripped.is_some();
    if let Some(tripped) = tripped {
        if tracker.policy == Policy::Preserve {
            return Ok(Reckoned {
                standing: accounts.decisions,
                foreign,
                tripped: Some(tripped),
            });
        }
        tracing::warn!(tracker = %tracker.name, %tripped, "this is not taken for people's decisions");
    }
    let settlement = reckoning.settlement(is_refused);
    let (name, url) = (tracker.name.to_string(), tracker.url.to_string());
    let standing = match settlement {
        None => accounts.decisions,
        Some(settlement) => {
            keeper
                .with(move |store, now| {
                    store.settle_accounts(&name, &url, &settlement, now)?;
                    Ok(store.accounts(&name, &url)?.decisions)
                })
                .await?
        }
    };
    Ok(Reckoned {
        standing,
        foreign,
        tripped: None,
    })
}

/// Everything that a reckoning looks at, in the elements of what is in sight.
struct Reckoning<'a> {
    accounts: &'a Accounts,
    entries: &'a [SettledEntry],
    sight: &'a Sight,
    snapshot: &'a Snapshot,
    actors: &'a Actors,
    /// What was agreed on.
    base: Partition,
    /// What kinset's own writes have made of that.
    expected: Partition,
    /// What somebody else has made of that.
    edits: Edits,
}

impl<'a> Reckoning<'a> {
    fn new(accounts: &'a Accounts, entries: &'a [SettledEntry], sight: &'a Sight, snapshot: &'a Snapshot, actors: &'a Actors) -> Self {
        let base = sight.partition(accounts.base.iter().flat_map(|base| &base.classes));
        let writes: Vec<OwnWrite> = entries.iter().filter_map(|entry| own_write(entry, sight)).collect();
        let expected = expected(&base, &writes);
        let edits = Edits::between(&expected, &sight.current);
        Self {
            accounts,
            entries,
            sight,
            snapshot,
            actors,
            base,
            expected,
            edits,
        }
    }

    /// A tracker that was never reckoned with shows decisions only; later on, very many at once look like a machine's work.
    fn guard(&self, tracker: &Tracker) -> Option<Tripped> {
        self.accounts.base.as_ref()?;
        guard::foreign(self.edits.taken_out(), self.expected.related(), &tracker.guard.thresholds()).err()
    }

    /// What is to be entered, if anything.
    fn settlement(&self, is_refused: bool) -> Option<Settlement> {
        let (standing, places) = self.verdicts();
        let revision = if is_refused {
            Revision::default()
        } else {
            revise(&standing, &self.edits, &self.sight.current)
        };
        let id = |place: &usize| self.accounts.decisions[places[*place]].id;
        let superseded = revision.superseded.iter().map(|place| (id(place), Ended::Superseded));
        let ended: Vec<_> = superseded.chain(self.vanished()).collect();
        let remains = revision.remains.iter().map(|(verdict, place)| {
            let origin = &self.accounts.decisions[places[*place]];
            self.decision(verdict, origin.who.clone(), Some(origin.seen_at))
        });
        let made = revision
            .made
            .iter()
            .map(|verdict| self.decision(verdict, self.author(verdict), None));
        let made: Vec<NewDecision> = remains.chain(made).collect();
        let changed = Edits::between(&self.base, &self.sight.current);
        let journal = self.entries.last().map(|entry| entry.id);
        if self.accounts.base.is_some() && journal.is_none() && changed.is_empty() && ended.is_empty() {
            return None;
        }
        Some(Settlement {
            journal: journal.unwrap_or(self.accounts.journal),
            regrouped: self.classes(&changed, &self.sight.current),
            ended,
            made,
            sightings: self.sightings(),
        })
    }

    /// The decisions that stand as far as they are in sight, and the place of each among those that are stored.
    fn verdicts(&self) -> (Vec<Verdict>, Vec<usize>) {
        let in_sight = |(place, decision): (usize, &Decision)| Some((verdict(decision, |patch| self.sight.element(patch))?, place));
        self.accounts.decisions.iter().enumerate().filter_map(in_sight).unzip()
    }

    /// Decisions about patches that the tracker's projects no longer have.
    fn vanished(&self) -> impl Iterator<Item = (DecisionId, Ended)> + '_ {
        self.accounts.decisions.iter().filter_map(|decision| {
            let has_vanished = |(patch, decided): &(&PatchId, &Decided)| {
                let is_read = decided.project.is_some_and(|project| self.snapshot.projects.contains_key(&project));
                is_read && self.sight.element(**patch).is_none()
            };
            let vanished = decision.patches.iter().filter(has_vanished).count();
            (decision.patches.len() - vanished < 2).then_some((decision.id, Ended::Vanished))
        })
    }

    fn decision(&self, verdict: &Verdict, who: Option<UserName>, seen_at: Option<jiff::Timestamp>) -> NewDecision {
        let (kind, elements) = match verdict {
            Verdict::Joined(members) => (DecisionKind::Joined, members.clone()),
            &Verdict::Parted(one, other) => (DecisionKind::Parted, [one, other].into()),
        };
        let patches = elements.into_iter().map(|element| {
            let patch = self.sight.patch(element);
            let row = self.snapshot.patches.get(&patch);
            let decided = Decided {
                project: row.map(|row| row.project),
                message_id: row.map(|row| row.message_id.clone()),
            };
            (patch, decided)
        });
        NewDecision {
            kind,
            patches: patches.collect(),
            who,
            seen_at,
        }
    }

    /// Who brought a decision about, if the tracker tells of one person only.
    fn author(&self, verdict: &Verdict) -> Option<UserName> {
        match verdict {
            Verdict::Joined(members) => self.only_actor(members.iter().copied()),
            &Verdict::Parted(one, other) => self.only_actor([one, other]),
        }
    }

    fn only_actor(&self, elements: impl IntoIterator<Item = Element>) -> Option<UserName> {
        let patches = elements.into_iter().map(|element| self.sight.patch(element));
        let of_relations = |entry: &&SettledEntry| !matches!(entry.step.operation, JournalOperation::CommitRef(_));
        let own: BTreeSet<PatchId> = self.entries.iter().filter(of_relations).map(|entry| entry.step.patch).collect();
        let actors: BTreeSet<&UserName> = patches
            .filter(|patch| !own.contains(patch))
            .filter_map(|patch| self.actors.get(&patch))
            .collect();
        match *actors.iter().collect::<Vec<_>>() {
            [only] => Some((*only).clone()),
            _ => None,
        }
    }

    /// What patches are found in since the last time: first what kinset has made, then what others have.
    fn sightings(&self) -> Vec<Sighting> {
        let runs: BTreeMap<PatchId, RunId> = self
            .entries
            .iter()
            .flat_map(|entry| named(entry).into_iter().map(|patch| (patch, entry.run)))
            .collect();
        let own = Edits::between(&self.base, &self.expected);
        let own = self.classes(&own, &self.expected).into_iter().map(|patches| Sighting {
            writer: Author::Kinset(patches.iter().filter_map(|patch| runs.get(patch)).max().copied()),
            patches,
        });
        let foreign = self.classes(&self.edits, &self.sight.current).into_iter().map(|patches| {
            let elements = patches.iter().filter_map(|&patch| self.sight.element(patch));
            let writer = match self.accounts.base {
                Some(_) => Author::Other(self.only_actor(elements)),
                None => Author::Found,
            };
            Sighting { patches, writer }
        });
        own.chain(foreign).collect()
    }

    /// The classes that changed elements are in.
    fn classes(&self, changed: &Edits, partition: &Partition) -> Vec<BTreeSet<PatchId>> {
        let patches = |class: Vec<Element>| class.into_iter().map(|element| self.sight.patch(element)).collect();
        changed.classes_in(partition).into_iter().map(patches).collect()
    }
}

fn own_write(entry: &SettledEntry, sight: &Sight) -> Option<OwnWrite> {
    if entry.outcome != Outcome::Done {
        return None;
    }
    let patch = sight.element(entry.step.patch)?;
    match &entry.step.operation {
        JournalOperation::Clear => Some(OwnWrite::Clear(patch)),
        JournalOperation::Relate(related) => {
            let related = related.iter().filter_map(|&member| sight.element(member)).collect();
            Some(OwnWrite::Relate(patch, related))
        }
        JournalOperation::CommitRef(_) => None,
    }
}

/// The patches whose relations a write is about.
fn named(entry: &SettledEntry) -> Vec<PatchId> {
    let patch = entry.step.patch;
    match &entry.step.operation {
        JournalOperation::Relate(related) => related.iter().copied().chain([patch]).collect(),
        JournalOperation::Clear => vec![patch],
        JournalOperation::CommitRef(_) => Vec::new(),
    }
}

/// A decision as far as it is in sight; `None` when nothing is left to decide there.
fn verdict(decision: &Decision, element: impl Fn(PatchId) -> Option<Element>) -> Option<Verdict> {
    let elements: BTreeSet<Element> = decision.patches.keys().filter_map(|&patch| element(patch)).collect();
    match decision.kind {
        DecisionKind::Joined => (elements.len() > 1).then_some(Verdict::Joined(elements)),
        DecisionKind::Parted => match *elements.into_iter().collect::<Vec<_>>() {
            [one, other] => Some(Verdict::Parted(one, other)),
            _ => None,
        },
    }
}

/// Ends the decisions that the analysis has come round to.
pub(super) async fn close_agreed(tracker: &Tracker, keeper: &Keeper, snapshot: &Snapshot, scene: &Scene) -> Result<(), Error> {
    let standing = decisions_of(keeper, tracker, DecisionFilter::Open).await?;
    let universe = scene.universe();
    let joined_over = decisions(&standing, scene).joined_over(&scene.desired);
    let is_settled = |(patch, decided): (&PatchId, &Decided)| {
        // What is out of sight for now, and may come back, was not agreed to.
        scene.element(*patch).is_some() || decided.project.is_some_and(|project| snapshot.projects.contains_key(&project))
    };
    let is_agreed = |decision: &Decision| {
        let verdict = verdict(decision, |patch| scene.element(patch)).filter(|_| decision.patches.iter().all(is_settled));
        verdict.is_some_and(|verdict| agrees(&verdict, &scene.desired, &joined_over, &universe))
    };
    let agreed: Vec<DecisionId> = standing
        .iter()
        .filter(|decision| is_agreed(decision))
        .map(|decision| decision.id)
        .collect();
    if !agreed.is_empty() {
        let name = tracker.name.to_string();
        keeper
            .with(move |store, now| store.end_decisions(&name, &agreed, Ended::Agreed, now))
            .await?;
    }
    Ok(())
}

/// The decisions, as far as they are about patches of a scene.
pub(super) fn decisions(standing: &[Decision], scene: &Scene) -> Decisions {
    standing
        .iter()
        .filter_map(|decision| verdict(decision, |patch| scene.element(patch)))
        .collect()
}
