//! A plan as plain data.

use std::num::NonZeroU32;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::plan::AttachLimit;
use super::{Element, Universe};

/// Why a patch is taken out of its relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClearReason {
    /// It is wanted in another class.
    Moves,
    /// It is wanted on its own.
    Alone,
    /// The desired partition does not name it.
    Unnamed,
}

/// Why patches are put into one relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelateReason {
    /// They are wanted in one class, which no relation stands for yet.
    Forms,
    /// They join a relation that exists.
    Joins,
    /// They join a relation that an earlier write of this plan began; the attach limit keeps them apart.
    Continues,
}

/// What a step does to the patch at its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// Take it out of its relation.
    Clear(ClearReason),
    /// Put it and these into one relation.
    Relate(&'a [Element], RelateReason),
}

/// One planned write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The patch at the address of the write.
    pub patch: Element,
    /// What is done to it.
    pub operation: Operation<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Clear(ClearReason),
    Relate(RelateReason),
}

/// A step whose list ends, in [`Plan::related`], where the next step's begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    patch: Element,
    kind: Kind,
    related: u32,
}

#[derive(Clone, Debug)]
struct Component {
    rank: u64,
    first: Element,
    steps: Range<u32>,
}

/// Some steps of a plan, in their order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    ranges: Vec<Range<u32>>,
    steps: u32,
}

/// The writes that lead from one partition to another, in order, as plain data.
///
/// Steps come in components that do not touch each other's patches: within one the order matters, between them it does not. Components are
/// ordered by their smallest element.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    records: Vec<Record>,
    related: Vec<Element>,
    components: Vec<Component>,
    clears: usize,
}

impl Plan {
    /// How many writes the plan takes.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.records.len()
    }

    /// How many of them are clears.
    #[must_use]
    pub fn clears(&self) -> usize {
        self.clears
    }

    /// How many of them are relates.
    #[must_use]
    pub fn relates(&self) -> usize {
        self.writes() - self.clears
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The steps of each component.
    pub fn components(&self) -> impl ExactSizeIterator<Item = impl ExactSizeIterator<Item = Step<'_>>> {
        self.components
            .iter()
            .map(|component| component.steps.clone().map(|index| self.step(index as usize)))
    }

    /// Cuts the steps, in their order, into batches of `size` steps or a few less; a component may be cut.
    #[must_use]
    pub fn batches(&self, size: NonZeroU32) -> Vec<Batch> {
        let size = size.get();
        let mut batches = Vec::new();
        let mut batch = Batch::default();
        for component in &self.components {
            let mut rest = component.steps.clone();
            while !rest.is_empty() {
                let end = rest.end.min(rest.start + (size - batch.steps));
                batch.steps += end - rest.start;
                batch.ranges.push(rest.start..end);
                rest.start = end;
                if batch.steps == size {
                    batches.push(std::mem::take(&mut batch));
                }
            }
        }
        batches.extend(Some(batch).filter(|batch| batch.steps > 0));
        batches
    }

    /// The steps of a batch that [`Plan::batches`] cut of this plan.
    pub fn steps_of(&self, batch: &Batch) -> impl Iterator<Item = Step<'_>> {
        batch.ranges.iter().cloned().flatten().map(|index| self.step(index as usize))
    }

    /// All steps, component by component.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.components().flatten()
    }

    fn step(&self, index: usize) -> Step<'_> {
        let Record { patch, kind, related } = self.records[index];
        let operation = match kind {
            Kind::Clear(reason) => Operation::Clear(reason),
            Kind::Relate(reason) => {
                let end = self.records.get(index + 1).map_or(self.related.len(), |next| next.related as usize);
                Operation::Relate(&self.related[related as usize..end], reason)
            }
        };
        Step { patch, operation }
    }

    pub(super) fn clear(&mut self, patch: Element, reason: ClearReason) {
        self.clears += 1;
        self.push(patch, Kind::Clear(reason));
    }

    pub(super) fn relate(&mut self, patch: Element, present: Option<Element>, newcomers: &[Element], reason: RelateReason) {
        self.push(patch, Kind::Relate(reason));
        self.related.extend(present);
        self.related.extend_from_slice(newcomers);
    }

    /// Each write is addressed to a newcomer and names one member that is present: so the server saves the newcomers' rows and that one
    /// member's, instead of every row of the relation, and the event names who wrote.
    pub(super) fn attach(&mut self, present: Option<Element>, newcomers: &[Element], limit: AttachLimit, reason: RelateReason) {
        for chunk in newcomers.chunks(limit.chunk()) {
            self.relate(chunk[0], present, &chunk[1..], reason);
        }
    }

    /// Makes a component of the steps that came since the last one ended. `first` is the smallest element that it is about.
    pub(super) fn end_component(&mut self, first: Element, rank: u64) {
        let begin = self.components.last().map_or(0, |last| last.steps.end);
        let steps = begin..self.records.len() as u32;
        self.components.push(Component { rank, first, steps });
    }

    /// Puts the components in the order of their smallest elements. To be done once, after the last has ended.
    pub(super) fn order_components<U: Universe>(&mut self, universe: &U) {
        self.components
            .sort_unstable_by(|left, right| left.rank.cmp(&right.rank).then_with(|| universe.compare(left.first, right.first)));
    }

    fn push(&mut self, patch: Element, kind: Kind) {
        self.records.push(Record {
            patch,
            kind,
            related: self.related.len() as u32,
        });
    }
}
