//! What there is of a distribution when a source's turn comes.

use std::collections::BTreeSet;

use crate::model::packages::DistributionName;
use crate::model::packages::document::DistributionDocument;
use crate::model::packages::snapshot::{ByHand, KnownModules, SourceSnapshot};
use crate::store::Fault;
use crate::store::packages::View;

/// What is found of a distribution.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// `None` if there is none of its name.
    pub(super) document: Option<DistributionDocument>,
    pub(super) modules: KnownModules,
    pub(super) by_hand: ByHand,
}

impl Found {
    /// The dates of series that somebody said who is no source.
    pub(super) fn dates_by_hand(&self) -> SourceSnapshot {
        let mut said = SourceSnapshot::default();
        for document in self.document.iter().flat_map(|document| &document.series) {
            let mut dates = document.details.dates.clone();
            dates.retain(|milestone, _| self.by_hand.dates.contains(&(document.name.clone(), milestone.clone())));
            if !dates.is_empty() {
                said.series.entry(document.name.clone()).or_default().dates = dates;
            }
        }
        said
    }
}

/// What is found of a distribution; `sources` are those that follow it.
pub(super) fn found(view: &View<'_>, name: &DistributionName, sources: &BTreeSet<String>) -> Result<Found, Fault> {
    let rows = view.distributions()?;
    let Some(row) = rows.iter().find(|row| row.name == *name) else {
        return Ok(Found::default());
    };
    Ok(Found {
        document: Some(view.document(row)?),
        modules: view.known_modules(row)?,
        by_hand: view.by_hand(row, sources)?,
    })
}
