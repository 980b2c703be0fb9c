//! What becomes of modules when a source is taken in.

use std::collections::BTreeSet;

use crate::model::packages::document::DistributionDocument;
use crate::model::packages::modules::StreamPath;
use crate::model::packages::snapshot::{AmongModules, ByHand, KnownModules, ModuleFacts, Remark};
use crate::model::packages::{ContextName, DistributionName, Operation};
use crate::reconcile::Error;

/// What a source says of modules, and what it says of them no longer.
pub(super) struct ModulesWish {
    pub(super) wanted: Option<ModuleFacts>,
    pub(super) by_hand: ByHand,
    pub(super) others: Vec<ModuleFacts>,
    pub(super) dropped: BTreeSet<(StreamPath, ContextName)>,
    pub(super) gone: ModuleFacts,
}

impl ModulesWish {
    pub(super) fn operations(&self, distribution: &DistributionName, known: &KnownModules) -> Vec<Operation> {
        self.among(|wanted, among| wanted.operations_among(distribution, known, among))
    }

    pub(super) fn outdated(&self, known: &KnownModules) -> BTreeSet<Remark> {
        self.among(|wanted, among| wanted.outdated(known, among))
    }

    fn among<T: Default>(&self, ask: impl FnOnce(&ModuleFacts, AmongModules<'_>) -> T) -> T {
        let others: Vec<&ModuleFacts> = self.others.iter().collect();
        let among = AmongModules {
            by_hand: &self.by_hand,
            others: &others,
            dropped: &self.dropped,
            gone: &self.gone,
        };
        self.wanted.as_ref().map_or_else(T::default, |wanted| ask(wanted, among))
    }

    pub(super) fn require_release(&self, source: &str, want: &DistributionDocument) -> Result<(), Error> {
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
