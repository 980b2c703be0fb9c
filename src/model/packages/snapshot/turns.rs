//! In which order sources are taken in.

use std::collections::{BTreeMap, BTreeSet};

use super::{Remark, SeriesFacts, SourceSnapshot};
use crate::model::packages::document::DistributionDocument;
use crate::model::packages::{PackageSetName, SeriesName, Target};

/// A series, or a package set of one.
type Thing = (SeriesName, Option<PackageSetName>);

/// How much a source knows of what a series or a set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Knows {
    /// Only what is in the series, or who may do what with the set.
    Contents,
    /// Something to add, such as dates.
    Additions,
    /// Something, such as dates.
    Something,
    /// The stage of the series too, or what is in the set.
    Whole,
}

/// The order in which sources are taken in, as places in `said`: that in which they stand, but for those that speak of a series or a set which is not
/// there and of which another knows more. They come after that one, so that there is something for them to speak of. Where two wait for each other, the one that
/// stands first comes first.
#[must_use]
pub fn turns(have: Option<&DistributionDocument>, listed: &BTreeSet<SeriesName>, said: &[&SourceSnapshot]) -> Vec<usize> {
    let mut there: BTreeSet<Thing> = BTreeSet::new();
    for series in have.into_iter().flat_map(|have| &have.series) {
        let sets = series.packagesets.iter().map(|set| Some(set.name.clone()));
        there.extend(sets.chain([None]).map(|set| (series.name.clone(), set)));
    }
    let known: Vec<BTreeMap<Thing, Knows>> = said.iter().map(|snapshot| snapshot.knows(listed)).collect();
    let mut waiting: Vec<usize> = (0..said.len()).collect();
    let mut turns = Vec::new();
    while !waiting.is_empty() {
        let waits = |place: &usize| {
            let is_known_better = |(thing, knows): (&Thing, &Knows)| {
                let others = waiting.iter().filter(|other| *other != place).filter_map(|other| known.get(*other));
                !there.contains(thing) && others.filter_map(|known| known.get(thing)).any(|better| better > knows)
            };
            known.get(*place).is_some_and(|known| known.iter().any(is_known_better))
        };
        let next = waiting.iter().position(|place| !waits(place)).unwrap_or_default();
        let next = waiting.remove(next);
        let brought = known
            .get(next)
            .into_iter()
            .flatten()
            .filter(|(_, knows)| **knows >= Knows::Something);
        there.extend(brought.map(|(thing, _)| thing.clone()));
        turns.push(next);
    }
    turns
}

impl SourceSnapshot {
    /// The series and the sets that it speaks of, and how much it knows of each.
    fn knows(&self, listed: &BTreeSet<SeriesName>) -> BTreeMap<Thing, Knows> {
        let contents = self.contents(listed).into_keys().map(|series| ((series, None), Knows::Contents));
        let mut known: BTreeMap<Thing, Knows> = contents.collect();
        for permission in self.permissions.iter().flatten() {
            if let Target::PackageSet { series, set } = &permission.target {
                known.insert((series.clone(), Some(set.clone())), Knows::Contents);
            }
        }
        for (name, facts) in &self.series {
            if facts.says_what_it_is() {
                let knows = match (facts.status, &facts.owner) {
                    (Some(_), Some(_)) => Knows::Whole,
                    (Some(_), None) if !self.is_additive => Knows::Whole,
                    _ if self.is_additive => Knows::Additions,
                    _ => Knows::Something,
                };
                known.insert((name.clone(), None), knows);
            }
            for set in facts.sets.iter().flat_map(BTreeMap::keys) {
                let knows = if self.brings_set(name, set) {
                    Knows::Whole
                } else {
                    Knows::Contents
                };
                known.insert((name.clone(), Some(set.clone())), knows);
            }
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
        let mut left: BTreeSet<Remark> = contents
            .filter(|(series, _)| !is_there(series))
            .map(|(series, what)| Remark::NoSeries {
                what: what.to_owned(),
                series,
            })
            .collect();
        for series in &want.series {
            let there: BTreeSet<&PackageSetName> = series.packagesets.iter().map(|set| &set.name).collect();
            let sets = self.series.get(&series.name).and_then(|facts| facts.sets.as_ref());
            let lost = sets.into_iter().flat_map(BTreeMap::keys).filter(|set| !there.contains(set));
            left.extend(lost.map(|set| Remark::NoSet {
                series: series.name.clone(),
                set: set.clone(),
            }));
        }
        left
    }
}

impl SourceSnapshot {
    /// The series that a source which only adds to others would have to begin, although nobody says of them what every series has; with what is not said.
    #[must_use]
    pub fn unfounded(&self, have: Option<&DistributionDocument>, others: &[&Self]) -> BTreeMap<SeriesName, Vec<&'static str>> {
        let is_there = |name: &SeriesName| have.is_some_and(|have| have.series.iter().any(|series| series.name == *name));
        let is_brought = |name: &SeriesName| {
            let mut told = others
                .iter()
                .filter(|other| !other.is_additive)
                .filter_map(|other| other.series.get(name));
            told.any(SeriesFacts::says_what_it_is)
        };
        let new = self
            .series
            .iter()
            .filter(|(name, facts)| self.is_additive && facts.says_what_it_is() && !is_there(name) && !is_brought(name));
        let unfounded = new.map(|(name, _)| {
            let mut said = others.iter().copied().chain([self]).filter_map(|all| all.series.get(name));
            let mut missing = Vec::new();
            missing.extend(said.clone().all(|facts| facts.status.is_none()).then_some("status"));
            missing.extend(said.all(|facts| facts.owner.is_none()).then_some("owner"));
            (name.clone(), missing)
        });
        unfounded.filter(|(_, missing)| !missing.is_empty()).collect()
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
