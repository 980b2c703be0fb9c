//! Distributions that follow services: all sources are read, and then each is laid under those that come before it, compared with what there is,
//! checked, guarded, and taken in.
//!
//! Sources are taken in one after the other, each in one transaction and with its own name in the log, so the log tells of each fact which source it
//! is from. They go in the order of the configuration, but for those that speak of a series which another one is to bring ([`turns()`]). One that cannot
//! be read is in nobody's way: what it said last still counts.

mod found;
mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use found::{Found, found};
use modules::ModulesWish;

use super::document::GuardDocument;
use super::{DistributionPlan, Error, Keeper, SourceSettings};
use crate::model::packages::document::{DistributionDocument, Mistake, Segment, Thresholds, Tripped, Wish, difference, guard};
use crate::model::packages::modules::StreamPath;
use crate::model::packages::snapshot::{AmongModules, Around, Disagreement, Layer, ModuleFacts, Remark, SourceSnapshot, believed, turns};
use crate::model::packages::{ContextName, DistributionDetails, DistributionName, Operation, SeriesName};
use crate::source::{Previous, Reading, Traffic};
use crate::store::packages::{Change, Force, Hand, Performed, StoredReading};

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
    /// The guard that it trips.
    pub tripped: Option<Tripped>,
    /// Where the source says something else than one that is believed before it.
    pub disagreements: Vec<Disagreement>,
    /// What could not be read.
    pub remarks: BTreeSet<Remark>,
    /// What the read cost.
    pub traffic: Traffic,
    reading: Arc<StoredReading>,
}

impl SourceDraft {
    /// The draft as a part of a [`PlanDocument`](super::PlanDocument).
    #[must_use]
    pub fn document(&self, distribution: &DistributionName) -> DistributionPlan {
        DistributionPlan {
            name: distribution.clone(),
            file: None,
            source: Some(self.source.clone()),
            remarks: self.remarks.iter().map(ToString::to_string).collect(),
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
#[derive(Clone, Debug)]
struct Fresh {
    reading: Arc<StoredReading>,
    traffic: Traffic,
    /// Whether a guard holds it back whatever it would change. Then what the source said last counts for the others.
    is_doubted: bool,
}

/// What the sources of a distribution say and said, and what is found there.
struct Scene<'a> {
    keeper: &'a Keeper,
    order: &'a SourcesOrder,
    now: Timestamp,
    /// What they said last, if they were asked the same then.
    stored: Vec<StoredReading>,
    /// What they say now, but for those that could not be read or are not to be believed.
    fresh: BTreeMap<String, Fresh>,
    have: Found,
    /// The sources that have had their turn.
    dealt_with: BTreeSet<String>,
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
        stored,
        fresh: BTreeMap::new(),
        have,
        dealt_with: BTreeSet::new(),
        pending: Vec::new(),
    };
    let mut failed = BTreeMap::new();
    for (place, settings) in order.sources.iter().enumerate() {
        if let Err(error) = scene.read(settings).await {
            failed.insert(place, error);
        }
    }
    for place in scene.turns() {
        let Some(settings) = order.sources.get(place) else { continue };
        let result = match (failed.remove(&place), scene.fresh.get(settings.name()).cloned()) {
            (Some(error), _) => Err(error),
            (None, Some(fresh)) => scene.take(place, settings, fresh, taking).await,
            (None, None) => continue,
        };
        if !result.as_ref().is_ok_and(|draft| draft.tripped.is_none()) {
            scene.fresh.remove(settings.name());
        }
        scene.dealt_with.insert(settings.name().to_owned());
        each(settings.name(), result);
    }
    Ok(())
}

impl Scene<'_> {
    async fn read(&mut self, settings: &SourceSettings) -> Result<(), Error> {
        let reading = settings
            .read(&self.previous(settings.name())?)
            .await
            .map_err(|error| Error::Source(Box::new(error)))?;
        let traffic = reading.traffic;
        let reading = Arc::new(self.stored(settings, reading)?);
        let fresh = Fresh {
            is_doubted: self.shrunk(settings.name(), &reading.snapshot).is_some(),
            reading,
            traffic,
        };
        self.fresh.insert(settings.name().to_owned(), fresh);
        Ok(())
    }

    /// The places of the sources in the order in which they are taken in.
    fn turns(&self) -> Vec<usize> {
        let nothing = SourceSnapshot::default();
        let sources = self.order.sources.iter();
        let said: Vec<&SourceSnapshot> = sources.map(|settings| self.said(settings.name()).unwrap_or(&nothing)).collect();
        turns(self.have.document.as_ref(), &self.order.listed, &said)
    }

    /// What a source says, or said last.
    fn said(&self, source: &str) -> Option<&SourceSnapshot> {
        match self.fresh.get(source).filter(|fresh| !fresh.is_doubted) {
            Some(fresh) => Some(&fresh.reading.snapshot),
            None => Some(&self.last(source)?.snapshot),
        }
    }

    /// What the others say, those first that are believed before others.
    fn others(&self, source: &str) -> Vec<&SourceSnapshot> {
        let others = self.order.sources.iter().filter(|settings| settings.name() != source);
        others.filter_map(|settings| self.said(settings.name())).collect()
    }

    /// What those of the others said last whose turn is still to come.
    fn held(&self, source: &str) -> Vec<&SourceSnapshot> {
        let is_to_come = |last: &&StoredReading| last.source != source && !self.dealt_with.contains(&last.source);
        self.stored.iter().filter(is_to_come).map(|last| &last.snapshot).collect()
    }

    async fn take(&mut self, place: usize, settings: &SourceSettings, fresh: Fresh, taking: Taking) -> SourceResult {
        let Fresh { reading, traffic, .. } = fresh;
        let (snapshot, disagreements) = self.believed(place, &reading.snapshot);
        let founded = || DistributionDocument::new(self.order.name.clone(), self.order.founding.clone());
        let others = self.others(settings.name());
        let nothing = SourceSnapshot::default();
        let last = self.last(settings.name()).map_or(&nothing, |last| &last.snapshot);
        let around = Around {
            listed: &self.order.listed,
            others: &others,
            held: &self.held(settings.name()),
            gone: &last.without(&reading.snapshot, &others, &self.have.by_hand),
        };
        let want = snapshot.over(&self.have.document.clone().unwrap_or_else(founded), around);
        let unfounded = reading.snapshot.unfounded(self.have.document.as_ref(), &others);
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
            wanted: snapshot.modules.as_ref(),
            among: AmongModules {
                by_hand: &self.have.by_hand,
                others: &others,
                dropped: &self.dropped(),
                gone: &self.gone(settings.name(), &reading.snapshot, &others),
            },
        };
        modules.require_release(settings.name(), &want)?;
        operations.extend(modules.operations(&want.name, &self.have.modules));
        let tripped = match &self.have.document {
            Some(have) => guard(have, &want, &self.order.thresholds).map_err(unfit)?,
            None => None,
        };
        let tripped = tripped.or_else(|| self.shrunk(settings.name(), &reading.snapshot));
        // Where nothing is to be done there is nothing to rehearse, and what there is stays.
        let (performed, after) = if operations.is_empty() {
            (Vec::new(), self.have.clone())
        } else {
            let (performed, after) = self.rehearse(settings.name(), &operations).await?;
            let left = difference(Wish {
                have: after.document.as_ref(),
                ..wish
            });
            if left != Ok(Vec::new()) || !modules.operations(&want.name, &after.modules).is_empty() {
                return Err(Error::UnsoundDistribution {
                    distribution: self.order.name.clone(),
                });
            }
            (performed, after)
        };
        let mut remarks: BTreeSet<Remark> = reading.snapshot.all_remarks().into_iter().cloned().collect();
        remarks.extend(modules.outdated(&self.have.modules));
        remarks.extend(reading.snapshot.left_out(&want, &self.order.listed));
        let draft = SourceDraft {
            source: settings.name().to_owned(),
            changes: performed.into_iter().flat_map(|performed| performed.changes).collect(),
            tripped,
            disagreements,
            remarks,
            traffic,
            operations,
            reading,
        };
        if draft.tripped.is_some() {
            return Ok(draft);
        }
        match taking {
            Taking::Nothing => self.pending.extend(draft.operations.iter().cloned()),
            Taking::Everything => _ = self.take_in(&draft).await?,
        }
        self.have = after;
        Ok(draft)
    }

    fn previous(&self, source: &str) -> Result<Previous, Error> {
        let Some(stored) = self.last(source).filter(|_| !self.order.reread) else {
            return Ok(Previous::default());
        };
        let validators = serde_json::from_str(&stored.validators).map_err(|error| Error::BadReading {
            source_name: source.to_owned(),
            source: error,
        })?;
        Ok(Previous {
            snapshot: stored.snapshot.clone(),
            validators,
        })
    }

    fn last(&self, source: &str) -> Option<&StoredReading> {
        self.stored.iter().find(|stored| stored.source == source)
    }

    /// What a source told of modules when it was last read, and neither it nor any other tells of now.
    fn gone(&self, source: &str, snapshot: &SourceSnapshot, others: &[&ModuleFacts]) -> ModuleFacts {
        let Some(last) = self.last(source).and_then(|last| last.snapshot.modules.clone()) else {
            return ModuleFacts::default();
        };
        let all: Vec<&ModuleFacts> = snapshot.modules.iter().chain(others.iter().copied()).collect();
        last.without(&all)
    }

    /// The contexts of streams that sources had when they were last read, and have no longer.
    fn dropped(&self) -> BTreeSet<(StreamPath, ContextName)> {
        let last = self
            .stored
            .iter()
            .filter_map(|last| Some((last.snapshot.modules.as_ref()?, &last.source)));
        last.flat_map(|(last, source)| last.dropped(self.said(source).and_then(|now| now.modules.as_ref())))
            .collect()
    }

    /// Whether a source tells of far fewer modules than when it was last read.
    fn shrunk(&self, source: &str, snapshot: &SourceSnapshot) -> Option<Tripped> {
        let last = self.last(source)?.snapshot.modules.as_ref()?;
        snapshot.modules.as_ref()?.guard(last, &self.order.thresholds)
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
        let (before, after) = (self.layers(before), self.layers(after));
        let (mut left, disagreements) = believed(Layer { source, snapshot }, &before);
        let before: Vec<&SourceSnapshot> = before.iter().map(|layer| layer.snapshot).collect();
        let by_hand = self.have.dates_by_hand();
        let after: Vec<&SourceSnapshot> = after.iter().map(|layer| layer.snapshot).chain([&by_hand]).collect();
        left.stages_by_dates(&before, &after, self.today());
        (left, disagreements)
    }

    fn layers<'s>(&'s self, sources: &'s [SourceSettings]) -> Vec<Layer<'s>> {
        let layer = |settings: &'s SourceSettings| {
            let source = settings.name();
            let snapshot = self.said(source)?;
            Some(Layer { source, snapshot })
        };
        sources.iter().filter_map(layer).collect()
    }

    fn today(&self) -> Date {
        TimeZone::UTC.to_datetime(self.now).date()
    }

    async fn rehearse(&self, source: &str, operations: &[Operation]) -> Result<(Vec<Performed>, Found), Error> {
        let (name, hand) = (self.order.name.clone(), self.hand(source));
        let mut all = self.pending.clone();
        let earlier = all.len();
        all.extend(operations.iter().cloned());
        let names: BTreeSet<String> = self.order.sources.iter().map(|source| source.name().to_owned()).collect();
        let (mut performed, after) = self
            .keeper
            .with(move |store, _| store.rehearse_and_ask(&hand, &all, |view| found(view, &name, &names)))
            .await?;
        performed.drain(..earlier);
        Ok((performed, after))
    }

    async fn take_in(&self, draft: &SourceDraft) -> Result<Vec<Performed>, Error> {
        let (name, hand) = (self.order.name.clone(), self.hand(&draft.source));
        let (operations, reading) = (draft.operations.clone(), Arc::clone(&draft.reading));
        self.keeper
            .with(move |store, _| store.take_in(&hand, &operations, &name, &reading))
            .await
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
