//! What is done to what is said of series. They refer to each other, so what one says can depend on what others say no longer.

use super::difference::Planner;
use super::state::SeriesState;
use crate::model::packages::{CollectionStatus, Operation, Overlays, SeriesDetails, SeriesName};

impl Planner<'_> {
    /// Series that have ended and are to go on.
    pub(super) fn reopen(&mut self) {
        for series in self.state.series.clone() {
            let Some(wanted) = self.want.series(&series.name) else { continue };
            let status = wanted.details.status;
            if series.details.status.is_ended() && !status.is_ended() {
                let details = if self.fits(&series.name, &wanted.details) {
                    wanted.details.clone()
                } else {
                    SeriesDetails { status, ..series.details }
                };
                self.change_series(&series.name, details);
            }
        }
    }

    /// What a new series says until all is in it and all that it refers to is there.
    pub(super) fn first_details(&self, wanted: &SeriesState, is_bare: bool) -> SeriesDetails {
        let mut details = wanted.details.clone();
        if !is_bare {
            details.status = open_before(details.status);
        }
        if !self.fits(&wanted.name, &details) {
            details.bases.clear();
            details.branch = None;
            details.title = None;
        }
        details
    }

    /// What is said of all series, at last. Each is changed when what it says fits to what the others say. Where none does, they first take back
    /// what they are not to say any more: then nobody lies over anybody but as wanted, and all titles that are left stay.
    pub(super) fn series_details(&mut self) {
        let want = self.want;
        let differs = |series: &&SeriesState| self.state.series(&series.name).is_none_or(|have| have.details != series.details);
        let mut left: Vec<&SeriesState> = want.series.iter().filter(differs).collect();
        let mut is_loose = false;
        while !left.is_empty() {
            let fitting = left.iter().position(|series| self.fits(&series.name, &series.details));
            if fitting.is_none() && !is_loose {
                left.iter().for_each(|series| self.loosen(series));
                is_loose = true;
                continue;
            }
            let series = left.remove(fitting.unwrap_or_default());
            self.change_series(&series.name, series.details.clone());
        }
    }

    fn loosen(&mut self, wanted: &SeriesState) {
        let Some(before) = self.state.series(&wanted.name).map(|series| series.details.clone()) else {
            return;
        };
        let mut details = before;
        details.bases.retain(|base| wanted.details.bases.contains(base));
        if (&details.title, &details.version) != (&wanted.details.title, &wanted.details.version) {
            details.title = None;
        }
        self.change_series(&wanted.name, details);
    }

    /// Whether a series may say this next to what the others say now.
    fn fits(&self, name: &SeriesName, details: &SeriesDetails) -> bool {
        let others = || self.state.series.iter().filter(|series| series.name != *name);
        let is_there = |other: &SeriesName| other == name || self.state.series(other).is_some();
        let parent = details.branch.as_ref().and_then(|branch| branch.parent.as_ref());
        let is_same = |other: &SeriesState| (&other.details.title, &other.details.version) == (&details.title, &details.version);
        let overlays = || {
            let others = others().map(|series| (&series.name, series.details.bases.as_slice()));
            Overlays::of(others.chain([(name, details.bases.as_slice())]))
        };
        parent.is_none_or(is_there)
            && details.bases.iter().all(|base| is_there(&base.base))
            && !(details.title.is_some() && others().any(is_same))
            && overlays().is_ok()
    }

    pub(super) fn change_series(&mut self, name: &SeriesName, details: SeriesDetails) {
        let Some(before) = self.state.series(name).map(|series| series.details.clone()) else {
            return;
        };
        if before == details {
            return;
        }
        if before.status != details.status {
            let follows = before.status.require_may_become(details.status);
            self.require_may_follow(follows, |planner| planner.series_place(name).key("status"));
        }
        // A change of the status alone is one too: what has ended does not begin again unasked.
        self.require_open(name);
        let series = self.state.path(name);
        self.push(Operation::ChangeSeries { series, details });
    }
}

/// The status that a new series has until all is in it.
const fn open_before(status: CollectionStatus) -> CollectionStatus {
    match status {
        CollectionStatus::Eol => CollectionStatus::Maintenance,
        CollectionStatus::Rejected => CollectionStatus::Development,
        CollectionStatus::Future
        | CollectionStatus::Experimental
        | CollectionStatus::Development
        | CollectionStatus::Frozen
        | CollectionStatus::Active
        | CollectionStatus::Maintenance => status,
    }
}
