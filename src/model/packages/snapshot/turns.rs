//! In which order sources are taken in.

use std::collections::{BTreeMap, BTreeSet};

use super::{Remark, SourceSnapshot};
use crate::model::packages::SeriesName;
use crate::model::packages::document::DistributionDocument;

/// How much a source knows of what a series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Knows {
    /// Only what is in it.
    Contents,
    /// Something, such as its dates.
    Something,
    /// Its stage too.
    Stage,
}

/// The order in which sources are taken in, as places in `said`: that in which they stand, but for those that speak of a series which is not there and
/// of which another knows more. They come after that one, so that there is something for them to speak of. Where two wait for each other, the one that
/// stands first comes first.
#[must_use]
pub fn turns(have: Option<&DistributionDocument>, listed: &BTreeSet<SeriesName>, said: &[&SourceSnapshot]) -> Vec<usize> {
    let there: BTreeSet<&SeriesName> = have.into_iter().flat_map(|have| &have.series).map(|series| &series.name).collect();
    let new = |snapshot: &SourceSnapshot| -> BTreeMap<SeriesName, Knows> {
        let mut known = snapshot.knows(listed);
        known.retain(|series, _| !there.contains(series));
        known
    };
    let known: Vec<BTreeMap<SeriesName, Knows>> = said.iter().map(|snapshot| new(snapshot)).collect();
    let mut waiting: Vec<usize> = (0..said.len()).collect();
    let mut turns = Vec::new();
    while !waiting.is_empty() {
        let waits = |place: &usize| {
            let is_known_better = |(series, knows): (&SeriesName, &Knows)| {
                let mut others = waiting.iter().filter(|other| *other != place);
                others.any(|other| known[*other].get(series).is_some_and(|better| better > knows))
            };
            known[*place].iter().any(is_known_better)
        };
        let next = waiting.iter().position(|place| !waits(place)).unwrap_or_default();
        turns.push(waiting.remove(next));
    }
    turns
}

impl SourceSnapshot {
    /// The series that it speaks of, and how much it knows of each.
    fn knows(&self, listed: &BTreeSet<SeriesName>) -> BTreeMap<SeriesName, Knows> {
        let contents = self.contents(listed).into_keys().map(|series| (series, Knows::Contents));
        let mut known: BTreeMap<SeriesName, Knows> = contents.collect();
        for (name, facts) in self.series.iter().filter(|(_, facts)| facts.says_what_it_is()) {
            let knows = match facts.status {
                Some(_) => Knows::Stage,
                None => Knows::Something,
            };
            known.insert(name.clone(), knows);
        }
        known
    }

    /// What it says is in series, in a word for each.
    fn contents(&self, listed: &BTreeSet<SeriesName>) -> BTreeMap<SeriesName, &'static str> {
        let mut contents = BTreeMap::new();
        if self.packages.is_some() {
            contents.extend(listed.iter().map(|series| (series.clone(), "the packages")));
        }
        if let Some(release) = self.modules.as_ref().and_then(|modules| modules.release.clone()) {
            contents.insert(release, "the default modules");
        }
        for permission in self.permissions.iter().flatten() {
            contents.extend(permission.target.series().map(|series| (series.clone(), "the permissions")));
        }
        for (name, facts) in &self.series {
            if facts.sets.as_ref().is_some_and(|sets| !sets.is_empty()) {
                contents.insert(name.clone(), "the package sets");
            } else if facts.retired.is_some() {
                contents.entry(name.clone()).or_insert("what is retired");
            }
        }
        contents
    }

    /// What it says is in series that a distribution does not have once the snapshot is taken in, and that was left out therefore.
    #[must_use]
    pub fn left_out(&self, want: &DistributionDocument, listed: &BTreeSet<SeriesName>) -> BTreeSet<Remark> {
        let is_there = |name: &SeriesName| want.series.iter().any(|series| series.name == *name);
        let contents = self.contents(listed).into_iter();
        contents
            .filter(|(series, _)| !is_there(series))
            .map(|(series, what)| Remark::NoSeries {
                what: what.to_owned(),
                series,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(listed: &[&str], said: &[serde_json::Value]) -> Vec<usize> {
        let said: Vec<SourceSnapshot> = said.iter().map(|said| serde_json::from_value(said.clone()).unwrap()).collect();
        let listed = listed.iter().map(|name| name.parse().unwrap()).collect();
        turns(None, &listed, &said.iter().collect::<Vec<_>>())
    }

    #[test]
    fn what_is_in_a_series_waits_for_who_says_what_it_is_and_the_rest_goes_as_it_stands() {
        use serde_json::json;
        let (bodhi, dates) = (
            json!({ "series": { "f43": { "status": "active" } } }),
            json!({ "series": { "f43": { "dates": { "eol": "2026-12-02" } } } }),
        );
        let (owners, retired) = (json!({ "packages": {} }), json!({ "series": { "f43": { "retired": [] } } }));
        assert_eq!(order(&[], &[retired.clone(), bodhi.clone()]), [1, 0]);
        assert_eq!(order(&["f43"], &[owners.clone(), bodhi.clone()]), [1, 0]);
        assert_eq!(order(&[], &[owners, bodhi.clone()]), [0, 1]);
        assert_eq!(order(&[], &[retired.clone(), dates.clone(), bodhi]), [2, 0, 1]);
        assert_eq!(order(&[], &[retired.clone(), dates]), [1, 0]);
        assert_eq!(order(&[], &[retired.clone(), retired]), [0, 1], "nobody says what it is");
    }

    #[test]
    fn two_that_wait_for_each_other_go_as_they_stand() {
        let both =
            |known: &str, contents: &str| serde_json::json!({ "series": { known: { "status": "active" }, contents: { "retired": [] } } });
        assert_eq!(order(&[], &[both("a", "b"), both("b", "a")]), [0, 1]);
    }
}
