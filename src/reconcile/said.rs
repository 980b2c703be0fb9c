//! What the sources of a distribution say, and what they said when they were last read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::source_settings::Worth;
use super::{Error, SourceSettings};
use crate::model::packages::ContextName;
use crate::model::packages::modules::StreamPath;
use crate::model::packages::snapshot::{Layer, SourceSnapshot};
use crate::source::Previous;
use crate::store::packages::StoredReading;

/// What sources say, by their names.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// What they said last, each as far as that is asked still.
    last: BTreeMap<String, (Worth, StoredReading)>,
    /// What they say now, but for those that could not be read or are not to be believed.
    now: BTreeMap<String, Arc<StoredReading>>,
    /// Those that have had their turn.
    settled: BTreeSet<String>,
}

impl Said {
    /// Of what is kept what these sources said.
    pub(super) fn of(sources: &[SourceSettings], stored: Vec<StoredReading>) -> Self {
        let weighed = stored.into_iter().filter_map(|mut reading| {
            let settings = sources.iter().find(|settings| settings.name() == reading.source)?;
            let worth = settings.worth(&reading.asked, &mut reading.snapshot);
            (worth != Worth::Nothing).then(|| (reading.source.clone(), (worth, reading)))
        });
        Self {
            last: weighed.collect(),
            ..Self::default()
        }
    }

    /// What the next read of a source goes on from.
    pub(super) fn previous(&self, source: &str) -> Result<Previous, Error> {
        let Some((Worth::Previous, stored)) = self.last.get(source) else {
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

    /// What a source answered when it was last asked what it is asked now. Only with that is what it says now compared: with what it said of something else
    /// nothing would be gone.
    pub(super) fn answer(&self, source: &str) -> Option<&SourceSnapshot> {
        self.last.get(source).and_then(answer)
    }

    /// What a source says, or said last.
    pub(super) fn now(&self, source: &str) -> Option<&SourceSnapshot> {
        let now = self.now.get(source).map(|reading| &reading.snapshot);
        now.or_else(|| self.last.get(source).map(|(_, stored)| &stored.snapshot))
    }

    /// What those of these sources say that say something.
    pub(super) fn layers<'s>(&'s self, sources: &'s [SourceSettings]) -> Vec<Layer<'s>> {
        let layer = |settings: &'s SourceSettings| {
            let source = settings.name();
            let snapshot = self.now(source)?;
            Some(Layer { source, snapshot })
        };
        sources.iter().filter_map(layer).collect()
    }

    /// What all of these sources but one say, in their order.
    pub(super) fn others(&self, source: &str, sources: &[SourceSettings]) -> Vec<&SourceSnapshot> {
        let others = sources.iter().filter(|settings| settings.name() != source);
        others.filter_map(|settings| self.now(settings.name())).collect()
    }

    /// What those of the others said last whose turn is still to come.
    pub(super) fn held(&self, source: &str) -> Vec<&SourceSnapshot> {
        let to_come = self
            .last
            .iter()
            .filter(|(name, _)| *name != source && !self.settled.contains(*name));
        to_come.map(|(_, (_, stored))| &stored.snapshot).collect()
    }

    /// The contexts of streams that sources had when they were last read, and have no longer.
    pub(super) fn dropped(&self) -> BTreeSet<(StreamPath, ContextName)> {
        let last = self
            .last
            .iter()
            .filter_map(|(source, last)| Some((source, answer(last)?.modules.as_ref()?)));
        last.flat_map(|(source, last)| last.dropped(self.now(source).and_then(|now| now.modules.as_ref())))
            .collect()
    }

    /// Takes what a source says now for what counts. What it said last stays what that is compared with.
    pub(super) fn hear(&mut self, reading: Arc<StoredReading>) {
        self.now.insert(reading.source.clone(), reading);
    }

    /// A source has had its turn. If it turned out not to be believed, what it said last counts again.
    pub(super) fn settle(&mut self, source: &str, is_believed: bool) {
        self.settled.insert(source.to_owned());
        if !is_believed {
            self.now.remove(source);
        }
    }
}

fn answer((worth, stored): &(Worth, StoredReading)) -> Option<&SourceSnapshot> {
    match worth {
        Worth::Previous | Worth::Answer => Some(&stored.snapshot),
        Worth::Part | Worth::Nothing => None,
    }
}
