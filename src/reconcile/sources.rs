//! Distributions that follow services: each source is read, laid under those that come before it, compared with what there is, checked, guarded, and
//! taken in.
//!
//! Sources are taken in one after the other in the order of the configuration, each in one transaction and with its own name in the log, so the log
//! tells of each fact which source it is from. One that cannot be read is in nobody's way: what it said last still counts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::document::GuardDocument;
use super::{DistributionPlan, Error, Keeper, SourceSettings};
use crate::model::packages::document::{DistributionDocument, Mistake, Segment, Thresholds, Tripped, Wish, difference, guard};
use crate::model::packages::snapshot::{Disagreement, KnownModules, Layer, ModuleFacts, Remark, SourceSnapshot, believed};
use crate::model::packages::{DistributionDetails, DistributionName, Operation, SeriesName};
use crate::source::{Previous, Reading, Traffic};
use crate::store::packages::{Change, Force, Hand, Performed, StoredReading, View};
use crate::store::{Ending, Fault};

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
    reading: StoredReading,
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

/// What is found of a distribution.
#[derive(Clone, Debug, Default)]
struct Found {
    /// `None` if there is none of its name.
    document: Option<DistributionDocument>,
    modules: KnownModules,
}

/// What the sources of a distribution said, and what is found there.
struct Scene<'a> {
    keeper: &'a Keeper,
    order: &'a SourcesOrder,
    now: Timestamp,
    /// What they said last, if they were asked the same then.
    stored: Vec<StoredReading>,
    have: Found,
    /// What sources before this one would do; nothing, once it is done.
    pending: Vec<Operation>,
}

/// Reads all sources of a distribution, and tells of each what it would change; with [`Taking::Everything`] it is changed, source by source. `each` hears
/// of each source as soon as it is dealt with; a source that fails keeps none of the others from being read.
///
/// # Errors
/// When the state cannot be read. What is wrong with one source `each` is told.
pub async fn follow(keeper: &Keeper, order: &SourcesOrder, taking: Taking, mut each: impl FnMut(&str, SourceResult)) -> Result<(), Error> {
    let name = order.name.clone();
    let sources = order.sources.iter();
    let asked: BTreeMap<String, String> = sources.map(|source| (source.name().to_owned(), source.asked())).collect();
    let (now, stored, have) = keeper
        .with(move |store, now| {
            let have = store.ask(None, |view| found(view, &name))?;
            Ok((now, store.readings(&name, &asked)?, have))
        })
        .await?;
    let mut scene = Scene {
        keeper,
        order,
        now,
        stored,
        have,
        pending: Vec::new(),
    };
    for (place, settings) in order.sources.iter().enumerate() {
        let result = scene.source(place, settings, taking).await;
        each(settings.name(), result);
    }
    Ok(())
}

impl Scene<'_> {
    async fn source(&mut self, place: usize, settings: &SourceSettings, taking: Taking) -> SourceResult {
        let reading = settings
            .read(&self.previous(settings.name())?)
            .await
            .map_err(|error| Error::Source(Box::new(error)))?;
        let traffic = reading.traffic;
        let reading = self.stored(settings, reading)?;
        let (snapshot, disagreements) = self.believed(place, &reading.snapshot);
        let founded = || DistributionDocument::new(self.order.name.clone(), self.order.founding.clone());
        let want = snapshot.over(&self.have.document.clone().unwrap_or_else(founded), &self.order.listed);
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
        let gone = self.gone(settings.name(), &reading.snapshot);
        let modules = ModulesWish {
            wanted: snapshot.modules,
            gone,
        };
        modules.require_release(settings.name(), &want)?;
        operations.extend(modules.operations(&want.name, &self.have.modules));
        let tripped = match &self.have.document {
            Some(have) => guard(have, &want, &self.order.thresholds).map_err(unfit)?,
            None => None,
        };
        let tripped = tripped.or_else(|| self.shrunk(settings.name(), &reading.snapshot));
        let ending = match taking {
            Taking::Everything if tripped.is_none() => Ending::Keep,
            Taking::Everything | Taking::Nothing => Ending::TakeBack,
        };
        let goal = Goal { want, modules };
        let (performed, after) = self.carry_out(&reading, &operations, goal, ending).await?;
        let draft = SourceDraft {
            source: settings.name().to_owned(),
            changes: performed.into_iter().flat_map(|performed| performed.changes).collect(),
            tripped,
            disagreements,
            remarks: reading.snapshot.all_remarks().into_iter().cloned().collect(),
            traffic,
            operations,
            reading,
        };
        if draft.tripped.is_some() {
            return Ok(draft);
        }
        if taking == Taking::Nothing {
            self.pending.extend(draft.operations.iter().cloned());
        }
        self.have = after;
        self.stored.retain(|stored| stored.source != draft.source);
        self.stored.push(draft.reading.clone());
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

    /// The modules that a source told of when it was last read, and that neither it nor any other source tells of now.
    fn gone(&self, source: &str, snapshot: &SourceSnapshot) -> ModuleFacts {
        let Some(last) = self.last(source).and_then(|last| last.snapshot.modules.clone()) else {
            return ModuleFacts::default();
        };
        let others = self.stored.iter().filter(|stored| stored.source != source);
        let others = others.filter_map(|stored| stored.snapshot.modules.as_ref());
        let all: Vec<&ModuleFacts> = snapshot.modules.iter().chain(others).collect();
        last.without(&all)
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

    /// What a source is believed in, by what those before it said last. Where none of them tells the stage of a series, its dates do.
    fn believed(&self, place: usize, snapshot: &SourceSnapshot) -> (SourceSnapshot, Vec<Disagreement>) {
        let (before, after) = self.order.sources.split_at(place);
        let (source, after) = after.split_first().map_or(("", after), |(own, after)| (own.name(), after));
        let (before, after) = (self.layers(before), self.layers(after));
        let (mut left, disagreements) = believed(Layer { source, snapshot }, &before);
        let before: Vec<&SourceSnapshot> = before.iter().map(|layer| layer.snapshot).collect();
        let after: Vec<&SourceSnapshot> = after.iter().map(|layer| layer.snapshot).collect();
        left.stages_by_dates(&before, &after, self.today());
        (left, disagreements)
    }

    fn layers(&self, sources: &[SourceSettings]) -> Vec<Layer<'_>> {
        let stored = sources.iter().filter_map(|settings| self.last(settings.name()));
        stored
            .map(|stored| Layer {
                source: &stored.source,
                snapshot: &stored.snapshot,
            })
            .collect()
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
        let (name, hand, reading) = (self.order.name.clone(), self.hand(&reading.source), reading.clone());
        let all = [self.pending.as_slice(), operations].concat();
        let judge = move |view: &View<'_>| {
            if let Some(have) = stays {
                return Ok((Some(have), ending));
            }
            let after = found(view, &goal.want.name)?;
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
        let after = after.ok_or_else(|| Error::UnsoundDistribution {
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

/// What a source says of modules, and what it says of them no longer.
struct ModulesWish {
    wanted: Option<ModuleFacts>,
    gone: ModuleFacts,
}

impl ModulesWish {
    fn operations(&self, distribution: &DistributionName, known: &KnownModules) -> Vec<Operation> {
        let wanted = self.wanted.as_ref();
        wanted.map_or_else(Vec::new, |wanted| wanted.operations(distribution, known, &self.gone))
    }

    fn require_release(&self, source: &str, want: &DistributionDocument) -> Result<(), Error> {
        let release = self.wanted.as_ref().and_then(|wanted| wanted.release.as_ref());
        match release.filter(|release| !want.series.iter().any(|series| series.name == **release)) {
            Some(release) => Err(Error::NoRelease {
                source_name: source.to_owned(),
                distribution: want.name.clone(),
                release: release.clone(),
            }),
            None => Ok(()),
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

fn found(view: &View<'_>, name: &DistributionName) -> Result<Found, Fault> {
    let rows = view.distributions()?;
    let Some(row) = rows.iter().find(|row| row.name == *name) else {
        return Ok(Found::default());
    };
    Ok(Found {
        document: Some(view.document(row)?),
        modules: view.known_modules(row)?,
    })
}
