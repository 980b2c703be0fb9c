//! What becomes of modules when a source is taken in.

use std::collections::BTreeSet;

use crate::model::packages::document::DistributionDocument;
use crate::model::packages::snapshot::{AmongModules, KnownModules, ModuleFacts, Remark};
use crate::model::packages::{DistributionName, Operation};
use crate::reconcile::Error;

/// What a source says of modules, and what it says of them no longer.
#[derive(Clone, Copy)]
pub(super) struct ModulesWish<'a> {
    pub(super) wanted: Option<&'a ModuleFacts>,
    pub(super) among: AmongModules<'a>,
}

impl ModulesWish<'_> {
    pub(super) fn operations(self, distribution: &DistributionName, known: &KnownModules) -> Vec<Operation> {
        let wanted = self.wanted;
        wanted.map_or_else(Vec::new, |wanted| wanted.operations_among(distribution, known, self.among))
    }

    pub(super) fn outdated(self, known: &KnownModules) -> BTreeSet<Remark> {
        let wanted = self.wanted;
        wanted.map_or_else(BTreeSet::new, |wanted| wanted.outdated(known, self.among))
    }

    pub(super) fn require_release(self, source: &str, want: &DistributionDocument) -> Result<(), Error> {
        let release = self.wanted.and_then(|wanted| wanted.release.as_ref());
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
