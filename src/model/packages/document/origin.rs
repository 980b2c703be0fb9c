//! In which order new series are added, and with whose sets each begins.

use std::collections::BTreeSet;

use super::mistake::{Mistake, MistakeKind, Place};
use super::state::{Elsewhere, SeriesState, State};
use super::{DistributionDocument, Origin, SeriesDocument, SetBody};
use crate::model::packages::{SeriesName, SeriesPath};

/// The series of a document that are not there yet, each after the one that it begins with the sets of.
pub(super) fn new_series<'w>(have: &State, want: &'w DistributionDocument) -> Result<Vec<(usize, &'w SeriesDocument)>, Mistake> {
    let mut left: Vec<(usize, &SeriesDocument)> = want
        .series
        .iter()
        .enumerate()
        .filter(|(_, series)| have.series(&series.name).is_none())
        .collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waiting: BTreeSet<&SeriesName> = left.iter().map(|(_, series)| &series.name).collect();
        let is_ready = |(_, series): &(usize, &SeriesDocument)| origin_here(have, series).is_none_or(|from| !waiting.contains(&from));
        match left.iter().position(is_ready) {
            Some(place) => ordered.push(left.remove(place)),
            None => {
                let (index, series) = left[0];
                return Err(Mistake {
                    at: Place::series(index).key("from"),
                    kind: MistakeKind::OriginCycle {
                        series: series.name.clone(),
                    },
                });
            }
        }
    }
    Ok(ordered)
}

/// The series of the same distribution that a series is said to begin with the sets of.
fn origin_here(have: &State, series: &SeriesDocument) -> Option<SeriesName> {
    match series.from.as_ref()? {
        Origin::Here(from) => Some(from.clone()),
        Origin::Elsewhere(path) => (path.distribution == have.name).then(|| path.series.clone()),
    }
}

/// Whose sets a new series begins with: of the series that it names; else of the one with most of the sets that it has as they are elsewhere, if
/// taking the others out again costs less than that saves.
pub(super) fn origin(
    state: &State,
    elsewhere: &Elsewhere,
    index: usize,
    series: &SeriesDocument,
    wanted: &SeriesState,
) -> Result<Option<SeriesPath>, Mistake> {
    let Some(origin) = &series.from else {
        return Ok(likeliest(state, series, wanted));
    };
    let path = match origin_here(state, series) {
        Some(from) => state.path(&from),
        None => match origin {
            Origin::Here(from) => state.path(from),
            Origin::Elsewhere(path) => path.clone(),
        },
    };
    let at = Place::series(index).key("from");
    let there = if path.distribution == state.name {
        state.series(&path.series)
    } else {
        elsewhere.get(&path.distribution).and_then(|other| other.series(&path.series))
    };
    let Some(there) = there else {
        let kind = MistakeKind::NoOrigin {
            origin: origin.to_string(),
        };
        return Err(Mistake { at, kind });
    };
    if wanted.sets.is_empty() && !there.sets.is_empty() {
        let kind = MistakeKind::Unlisted {
            origin: origin.to_string(),
            sets: there.sets.len(),
        };
        return Err(Mistake { at, kind });
    }
    Ok(Some(path))
}

fn likeliest(state: &State, series: &SeriesDocument, wanted: &SeriesState) -> Option<SeriesPath> {
    let shared: Vec<usize> = series
        .packagesets
        .iter()
        .filter_map(|set| match &set.body {
            SetBody::AsIn { as_in } => {
                let there = state.series(as_in)?;
                let (group, _) = state.bodies_of(there).find(|(_, body)| body.name == set.name)?;
                there.sets.get(group).map(|link| link.body)
            }
            SetBody::Own(_) => None,
        })
        .collect();
    let saved = |candidate: &SeriesState| candidate.sets.values().filter(|link| shared.contains(&link.body)).count();
    let best = state.series.iter().max_by_key(|candidate| saved(candidate))?;
    let surplus = best.sets.keys().filter(|group| !wanted.sets.contains_key(*group)).count();
    (2 * saved(best) > surplus).then(|| state.path(&best.name))
}
