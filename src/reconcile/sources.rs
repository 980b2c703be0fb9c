//! Distributions that follow services: all sources are read, and then each is laid under those that come before it, compared with what there is,
//! checked, guarded, and taken in.
//!
//! Sources are taken in one after the other, each in one transaction and with its own name in the log, so the log tells of each fact which source it
//! is from. They go in the order of the configuration, but for those that speak of a series which another one is to bring ([`turns()`]). One that cannot
//! be read, or suddenly tells of far less, is in nobody's way: what it said last still counts.

mod found;
mod guarded;
mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use found::{Found, found};
use modules::ModulesWish;

pub use guarded::{GuardedSource, SourceGuard};

use super::document::GuardDocument;
use super::said::Said;
use super::{DistributionPlan, Error, Keeper, SourceSettings};
use crate::http::part;
use crate::model::packages::document::{DistributionDocument, Mistake, Segment, Thresholds, Tripped, Wish, difference, guard};
use crate::model::packages::snapshot::{Around, Disagreement, Layer, ModuleFacts, Remark, Shrunk, SourceSnapshot, believed, turns};
use crate::model::packages::{DistributionDetails, DistributionName, Operation, SeriesName};
use crate::source::{Previous, Reading, Traffic};
use crate::store::Ending;
use crate::store::packages::{Change, Force, Hand, Performed, StoredReading, View};

/// Which distribution is to follow which services, and how.
#[derive(Clone, Debug)]
pub struct SourcesOrder {
    /// The distribution.
    pub name: DistributionName,
    /// What it is when it is not there yet.
    pub founding: DistributionDetails,
    /// The services, those first that are believed before others.
    pub sources: Vec<SourceSettings>,
    /// The series that have all packages that a source tells of.
    pub listed: BTreeSet<SeriesName>,
    /// When a plan is too drastic.
    pub thresholds: Thresholds,
    /// Whether what was read before is forgotten, so that nothing is taken for unchanged.
    pub reread: bool,
}

/// What a source would change, checked and not carried out.
#[derive(Debug)]
pub struct SourceDraft {
    /// The source's name.
    pub source: String,
    /// What is done, in order, in one transaction.
    pub operations: Vec<Operation>,
    /// What that changes.
    pub changes: Vec<Change>,
    /// The guard that it trips. What a reading that tells of too little would change may be unknown.
    pub tripped: Option<GuardedSource>,
    /// Where the source says something else than one that is believed before it.
    pub disagreements: Vec<Disagreement>,
    /// What could not be read.
    pub remarks: BTreeSet<Remark>,
    /// In how many package sets of which series it was not looked for what is in them, though that may have changed.
    pub unread: BTreeMap<SeriesName, usize>,
    /// What the read cost.
    pub traffic: Traffic,
}

impl SourceDraft {
    /// Passes the draft on unless a guard tripped; then nothing of it was taken in.
    ///
    /// # Errors
    /// [`Error::GuardedSource`].
    pub fn require_unguarded(self) -> SourceResult {
        match self.tripped {
            Some(guarded) => Err(Error::GuardedSource(Box::new(guarded))),
            None => Ok(self),
        }
    }

    /// The draft as a part of a [`PlanDocument`](super::PlanDocument).
    #[must_use]
    pub fn document(&self, distribution: &DistributionName) -> DistributionPlan {
        DistributionPlan {
            name: distribution.clone(),
            file: None,
            source: Some(self.source.clone()),
            remarks: self.remarks.iter().map(ToString::to_string).collect(),
            unread: self.unread.clone(),
            disagreements: self.disagreements.clone(),
            operations: self.operations.clone(),
            changes: self.changes.clone(),
            force: true,
            guards: self.tripped.iter().map(GuardDocument::from).collect(),
            digest: String::new(),
        }
    }
}

/// What came of one source.
pub type SourceResult = Result<SourceDraft, Error>;

/// Whether a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// It is only shown: the state stays as it is.
    Nothing,
    /// It is carried out unless a guard trips.
    Everything,
}

/// What a source says now.
#[derive(Debug)]
struct Fresh {
    reading: Arc<StoredReading>,
    traffic: Traffic,
    unread: BTreeMap<SeriesName, usize>,
    /// Why it is not believed, if what it says is compared with what it said last.
    shrunk: Option<Shrunk>,
}

/// What the sources of a distribution say and said, and what is found there.
struct Scene<'a> {
    keeper: &'a Keeper,
    order: &'a SourcesOrder,
    now: Timestamp,
    said: Said,
    have: Found,
    /// What sources before this one would do; nothing, once it is done.
    pending: Vec<Operation>,
}

/// Reads all sources of a distribution, and tells of each what it would change; with [`Taking::Everything`] it is changed, source by source. `each` hears
/// of each source as soon as it is dealt with; a source that fails keeps none of the others from being read and taken in.
///
/// # Errors
/// When the state cannot be read. What is wrong with one source `each` is told.
pub async fn follow(keeper: &Keeper, order: &SourcesOrder, taking: Taking, mut each: impl FnMut(&str, SourceResult)) -> Result<(), Error> {
    let name = order.name.clone();
    let sources = order.sources.iter();
    let asked: BTreeMap<String, String> = sources.map(|source| (source.name().to_owned(), source.asked())).collect();
    let names: BTreeSet<String> = asked.keys().cloned().collect();
    let (now, stored, have) = keeper
        .with(move |store, now| {
            let have = store.ask(None, |view| found(view, &name, &names))?;
            Ok((now, store.readings(&name, &asked)?, have))
        })
        .await?;
    let mut scene = Scene {
        keeper,
        order,
        now,
        said: Said::of(&order.sources, stored),
        have,
        pending: Vec::new(),
    };
    let mut read = BTreeMap::new();
    for (place, settings) in order.sources.iter().enumerate() {
        let result = scene.read(settings).await;
        if let Ok(fresh) = &result
            && fresh.shrunk.is_none()
        {
            scene.said.hear(Arc::clone(&fresh.reading));
        }
        read.insert(place, result);
    }
    for place in scene.turns() {
        let (Some(settings), Some(read)) = (order.sources.get(place), read.remove(&place)) else {
            continue;
        };
        let result = match read {
            Ok(fresh) => scene.take(place, settings, fresh, taking).await,
            Err(error) => Err(error),
        };
        let is_believed = result.as_ref().is_ok_and(|draft| draft.tripped.is_none());
        scene.said.settle(settings.name(), is_believed);
        each(settings.name(), result);
    }
    Ok(())
}

/// What a reading would change.
#[derive(Default)]
struct Outcome {
    operations: Vec<Operation>,
    performed: Vec<Performed>,
    disagreements: Vec<Disagreement>,
    /// What is not taken in.
    remarks: BTreeSet<Remark>,
    tripped: Option<Tripped>,
    /// What there is afterwards.
    after: Found,
}

impl Scene<'_> {
    async fn read(&self, settings: &SourceSettings) -> Result<Fresh, Error> {
        let previous = match self.order.reread {
            true => Previous::default(),
            false => self.said.previous(settings.name())?,
        };
        let reading = part(settings.name(), settings.read(&previous)).await;
        let reading = reading.map_err(|error| Error::Source(Box::new(error)))?;
        let (traffic, unread) = (reading.traffic, reading.unread.clone());
        let reading = Arc::new(self.stored(settings, reading)?);
        let before = self.said.answer(settings.name());
        Ok(Fresh {
            shrunk: before.and_then(|before| reading.snapshot.guard(before, &self.order.thresholds)),
            reading,
            traffic,
            unread,
        })
    }

    /// The places of the sources in the order in which they are taken in.
    fn turns(&self) -> Vec<usize> {
        let nothing = SourceSnapshot::default();
        let sources = self.order.sources.iter();
        let said: Vec<&SourceSnapshot> = sources.map(|settings| self.said.now(settings.name()).unwrap_or(&nothing)).collect();
        turns(self.have.document.as_ref(), &self.order.listed, &said)
    }

    async fn take(&mut self, place: usize, settings: &SourceSettings, fresh: Fresh, taking: Taking) -> SourceResult {
        let Fresh {
            reading,
            traffic,
            unread,
            shrunk,
        } = fresh;
        let taking_in = if shrunk.is_none() { taking } else { Taking::Nothing };
        let outcome = match self.outcome(place, settings, &reading, taking_in).await {
            Ok(outcome) => outcome,
            // What is not believed need not go together.
            Err(_) if shrunk.is_some() => Outcome::default(),
            Err(error) => return Err(error),
        };
        let Outcome {
            operations,
            performed,
            disagreements,
            mut remarks,
            tripped,
            after,
        } = outcome;
        remarks.extend(reading.snapshot.all_remarks().into_iter().cloned());
        let because = shrunk.map(SourceGuard::Reading).or(tripped.map(SourceGuard::Plan));
        let draft = SourceDraft {
            source: settings.name().to_owned(),
            changes: performed.into_iter().flat_map(|performed| performed.changes).collect(),
            tripped: because.map(|because| GuardedSource {
                distribution: self.order.name.clone(),
                source_name: settings.name().to_owned(),
                place: settings.place(),
                because,
            }),
            disagreements,
            remarks,
            unread,
            traffic,
            operations,
        };
        if draft.tripped.is_some() {
            return Ok(draft);
        }
        if taking == Taking::Nothing {
            self.pending.extend(draft.operations.iter().cloned());
        }
        self.have = after;
        Ok(draft)
    }

    /// What a reading changes, or would change if nothing is taken in.
    async fn outcome(&self, place: usize, settings: &SourceSettings, reading: &StoredReading, taking: Taking) -> Result<Outcome, Error> {
        let says = &reading.snapshot;
        let (snapshot, disagreements) = self.believed(place, says);
        let founded = || DistributionDocument::new(self.order.name.clone(), self.order.founding.clone());
        let others = self.said.others(settings.name(), &self.order.sources);
        let nothing = SourceSnapshot::default();
        let last = self.said.answer(settings.name()).unwrap_or(&nothing);
        let around = Around {
            listed: &self.order.listed,
            others: &others,
            held: &self.said.held(settings.name()),
            gone: &last.without(says, &others, &self.have.by_hand),
        };
        let want = snapshot.over(&self.have.document.clone().unwrap_or_else(founded), around);
        let unfounded = says.unfounded(self.have.document.as_ref(), &others);
        if let Some((series, missing)) = unfounded.into_iter().next() {
            return Err(Error::UnfoundedSeries {
                source_name: settings.name().to_owned(),
                distribution: self.order.name.clone(),
                series,
                missing,
            });
        }
        let wish = Wish {
            have: self.have.document.as_ref(),
            want: &want,
            elsewhere: &BTreeMap::new(),
            force: true,
        };
        let unfit = |mistakes: Vec<Mistake>| Error::UnfitSource {
            source_name: settings.name().to_owned(),
            distribution: self.order.name.clone(),
            mistakes: mistakes.iter().map(|mistake| told(mistake, &want)).collect(),
        };
        let mut operations = difference(wish).map_err(unfit)?;
        let others: Vec<&ModuleFacts> = others.iter().filter_map(|other| other.modules.as_ref()).collect();
        let modules = ModulesWish {
            by_hand: self.have.by_hand.clone(),
            dropped: self.said.dropped(),
            gone: gone(last, says, &others),
            others: others.into_iter().cloned().collect(),
            wanted: snapshot.modules,
        };
        modules.require_release(settings.name(), &want)?;
        operations.extend(modules.operations(&want.name, &self.have.modules));
        let tripped = match &self.have.document {
            Some(have) => guard(have, &want, &self.order.thresholds).map_err(unfit)?,
            None => None,
        };
        let mut remarks = modules.outdated(&self.have.modules);
        remarks.extend(says.left_out(&want, &self.order.listed));
        let ending = match taking {
            Taking::Everything if tripped.is_none() => Ending::Keep,
            Taking::Everything | Taking::Nothing => Ending::TakeBack,
        };
        let goal = Goal { want, modules };
        let (performed, after) = self.carry_out(reading, &operations, goal, ending).await?;
        Ok(Outcome {
            operations,
            performed,
            disagreements,
            remarks,
            tripped,
            after,
        })
    }

    fn stored(&self, settings: &SourceSettings, reading: Reading) -> Result<StoredReading, Error> {
        let source = settings.name();
        let Previous { snapshot, validators } = reading.into_previous();
        let validators = serde_json::to_string(&validators).map_err(|error| Error::BadReading {
            source_name: source.to_owned(),
            source: error,
        })?;
        Ok(StoredReading {
            source: source.to_owned(),
            asked: settings.asked(),
            read_at: self.now,
            snapshot,
            validators,
        })
    }

    /// What a source is believed in, by what those before it say. Where none of them tells the stage of a series, its dates do.
    fn believed(&self, place: usize, snapshot: &SourceSnapshot) -> (SourceSnapshot, Vec<Disagreement>) {
        let (before, after) = self.order.sources.split_at(place);
        let (source, after) = after.split_first().map_or(("", after), |(own, after)| (own.name(), after));
        let (before, after) = (self.said.layers(before), self.said.layers(after));
        let (mut left, disagreements) = believed(Layer { source, snapshot }, &before);
        let before: Vec<&SourceSnapshot> = before.iter().map(|layer| layer.snapshot).collect();
        let by_hand = self.have.dates_by_hand();
        let after: Vec<&SourceSnapshot> = after.iter().map(|layer| layer.snapshot).chain([&by_hand]).collect();
        left.stages_by_dates(&before, &after, self.today());
        (left, disagreements)
    }

    fn today(&self) -> Date {
        TimeZone::UTC.to_datetime(self.now).date()
    }

    /// Carries operations out, after those that are pending. Unless what there is then is what there is to be, all is taken back.
    async fn carry_out(
        &self,
        reading: &StoredReading,
        operations: &[Operation],
        goal: Goal,
        ending: Ending,
    ) -> Result<(Vec<Performed>, Found), Error> {
        // Where nothing is to be done, what there is stays.
        if operations.is_empty() && ending == Ending::TakeBack {
            return Ok((Vec::new(), self.have.clone()));
        }
        let stays = operations.is_empty().then(|| self.have.clone());
        let source_name = reading.source.clone();
        let (name, hand, reading) = (self.order.name.clone(), self.hand(&source_name), reading.clone());
        let all = [self.pending.as_slice(), operations].concat();
        let names: BTreeSet<String> = self.order.sources.iter().map(|source| source.name().to_owned()).collect();
        let judge = move |view: &View<'_>| {
            if let Some(have) = stays {
                return Ok((Some(have), ending));
            }
            let after = found(view, &goal.want.name, &names)?;
            if goal.is_reached(&after) {
                Ok((Some(after), ending))
            } else {
                Ok((None, Ending::TakeBack))
            }
        };
        let (mut performed, after) = self
            .keeper
            .with(move |store, _| store.take_in(&hand, &all, &name, &reading, judge))
            .await?;
        performed.drain(..self.pending.len());
        let after = after.ok_or_else(|| Error::UnsoundSource {
            source_name,
            distribution: self.order.name.clone(),
        })?;
        Ok((performed, after))
    }

    /// A source follows its service into series that have ended too.
    fn hand(&self, source: &str) -> Hand {
        Hand {
            actor: source.to_owned(),
            at: self.now,
            force: Force::Insisted,
        }
    }
}

/// What a source told of modules when it was last read, and neither it nor any other tells of now.
fn gone(last: &SourceSnapshot, says: &SourceSnapshot, others: &[&ModuleFacts]) -> ModuleFacts {
    let all: Vec<&ModuleFacts> = says.modules.iter().chain(others.iter().copied()).collect();
    last.modules.clone().unwrap_or_default().without(&all)
}

/// What there is to be once a source is taken in.
struct Goal {
    want: DistributionDocument,
    modules: ModulesWish,
}

impl Goal {
    /// Whether nothing is left to do.
    fn is_reached(&self, found: &Found) -> bool {
        let left = difference(Wish {
            have: found.document.as_ref(),
            want: &self.want,
            elsewhere: &BTreeMap::new(),
            force: true,
        });
        left == Ok(Vec::new()) && self.modules.operations(&self.want.name, &found.modules).is_empty()
    }
}

/// A mistake in what a distribution was to be, with the names of where it is.
fn told(mistake: &Mistake, want: &DistributionDocument) -> String {
    let mut place = Vec::new();
    let mut series = None;
    let mut last = "";
    for segment in &mistake.at.0 {
        match segment {
            Segment::Key(key) => last = key,
            Segment::Item(index) if last == "series" => {
                series = want.series.get(*index);
                place.extend(series.map(|series| format!("series {}", series.name)));
            }
            Segment::Item(index) if last == "packageset" => {
                let set = series.and_then(|series| series.packagesets.get(*index));
                place.extend(set.map(|set| format!("set {}", set.name)));
            }
            Segment::Item(_) => {}
            Segment::Text(text) => place.push(text.clone()),
        }
    }
    if place.is_empty() {
        mistake.kind.to_string()
    } else {
        format!("{}: {}", place.join(", "), mistake.kind)
    }
}
