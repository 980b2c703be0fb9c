//! What the sources of a distribution said when they were last read.

use super::source_settings::Worth;
use super::{Error, SourceSettings};
use crate::model::packages::snapshot::{Layer, SourceSnapshot};
use crate::source::Previous;
use crate::store::packages::StoredReading;

/// What sources said last, each as far as that is asked still.
#[derive(Debug, Default)]
pub(super) struct Said(Vec<(Worth, StoredReading)>);

impl Said {
    /// Of what is kept what these sources said.
    pub(super) fn of(sources: &[SourceSettings], stored: Vec<StoredReading>) -> Self {
        let weighed = stored.into_iter().filter_map(|mut reading| {
            let settings = sources.iter().find(|settings| settings.name() == reading.source)?;
            let worth = settings.worth(&reading.asked, &mut reading.snapshot);
            (worth != Worth::Nothing).then_some((worth, reading))
        });
        Self(weighed.collect())
    }

    /// What the next read of a source goes on from.
    pub(super) fn previous(&self, source: &str) -> Result<Previous, Error> {
        let Some((Worth::Previous, stored)) = self.find(source) else {
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

    /// What a source answered when it was last asked what it is asked now.
    pub(super) fn answer(&self, source: &str) -> Option<&SourceSnapshot> {
        match self.find(source)? {
            (Worth::Previous | Worth::Answer, stored) => Some(&stored.snapshot),
            (Worth::Part | Worth::Nothing, _) => None,
        }
    }

    /// What those of these sources said that said something.
    pub(super) fn layers(&self, sources: &[SourceSettings]) -> Vec<Layer<'_>> {
        let said = sources.iter().filter_map(|settings| self.find(settings.name()));
        said.map(|(_, stored)| Layer {
            source: &stored.source,
            snapshot: &stored.snapshot,
        })
        .collect()
    }

    /// What all sources but one said.
    pub(super) fn others(&self, source: &str) -> impl Iterator<Item = &SourceSnapshot> {
        let others = self.0.iter().filter(move |(_, stored)| stored.source != source);
        others.map(|(_, stored)| &stored.snapshot)
    }

    /// Takes what a source says now for what it said last.
    pub(super) fn hear(&mut self, reading: StoredReading) {
        self.0.retain(|(_, stored)| stored.source != reading.source);
        self.0.push((Worth::Previous, reading));
    }

    fn find(&self, source: &str) -> Option<&(Worth, StoredReading)> {
        self.0.iter().find(|(_, stored)| stored.source == source)
    }
}
