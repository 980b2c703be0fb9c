//! What people said, beside what sources say.

use std::collections::BTreeSet;

use super::ModuleFacts;
use crate::model::packages::modules::StreamPath;
use crate::model::packages::{ContextName, Milestone, ModuleName, SeriesName};

/// What holds now because somebody else than a source said so, by the log. That an end is said for a stream is not here: no source says such a thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    /// Dates of series.
    pub dates: BTreeSet<(SeriesName, Milestone)>,
    /// Contexts of streams.
    pub contexts: BTreeSet<(StreamPath, ContextName)>,
    /// What is said of the end of a context of a stream, or of all.
    pub obsoletes: BTreeSet<(StreamPath, Option<ContextName>)>,
    /// The default streams of modules, in a release or wherever there is none of its own.
    pub defaults: BTreeSet<(ModuleName, Option<SeriesName>)>,
}

impl ByHand {
    /// The same facts without what somebody else said, so that nobody takes that away who did not say it.
    #[must_use]
    pub fn spare(&self, mut facts: ModuleFacts) -> ModuleFacts {
        for (path, details) in &mut facts.streams {
            details
                .contexts
                .retain(|name, _| !self.contexts.contains(&(path.clone(), name.clone())));
            details
                .obsoletes
                .retain(|said| !self.obsoletes.contains(&(path.clone(), said.context.clone())));
        }
        let release = &facts.release;
        facts
            .defaults
            .retain(|module, _| !self.defaults.contains(&(module.clone(), release.clone())));
        facts
    }
}
