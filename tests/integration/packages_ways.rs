//! All four ways of tying sets to series answer alike, now and for any time that was, whatever is done and whatever way they came from.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kinset::model::packages::{Operation, PackageSetName, SeriesName, Sharing};
use kinset::store::packages::Change;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::packages_operations::{Place, beginning, operation, packages, series};
use crate::packages_oracle::{AllAnswers, Oracle};

fn ask(place: &Place, as_of: Option<Timestamp>) -> AllAnswers {
    crate::packages_oracle::ask(&place.store, as_of, &packages()).unwrap()
}

/// What was answered, and when.
type Moments = Vec<(Timestamp, AllAnswers)>;

fn assert_past(place: &Place, moments: &Moments) -> Result<(), TestCaseError> {
    for (at, expected) in moments {
        prop_assert_eq!(&ask(place, Some(*at)), expected, "as of {}", at);
    }
    Ok(())
}

/// The direct subsets of all sets that have some.
type Below = BTreeMap<(SeriesName, String), BTreeSet<PackageSetName>>;

fn below(answers: &AllAnswers) -> Below {
    let sets = answers.iter().flat_map(|(series, (sets, _))| {
        sets.iter()
            .map(move |(name, set)| ((series.clone(), name.to_string()), set.below().clone()))
    });
    sets.filter(|(_, below)| !below.is_empty()).collect()
}

/// The direct subsets that there are, by what there was and by what was told of changes.
fn retold(before: &AllAnswers, changes: &[Change]) -> Below {
    let mut below = below(before);
    for change in changes.iter().filter(|change| change.kind == "subsets") {
        let names = |value: &Option<Value>| -> BTreeSet<PackageSetName> {
            let value = value.clone().unwrap_or_else(|| Value::Array(Vec::new()));
            serde_json::from_value(value).unwrap()
        };
        let entry = below.entry((change.series.clone().unwrap(), change.name.clone())).or_default();
        let lost = names(&change.before);
        assert!(lost.is_subset(entry) && names(&change.after).is_disjoint(entry), "{change:?}");
        entry.retain(|name| !lost.contains(name));
        entry.extend(names(&change.after));
    }
    below.retain(|_, below| !below.is_empty());
    below
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn all_ways_answer_alike_now_and_for_any_time(operations in prop::collection::vec(operation(), 1..40)) {
        for sharing in Sharing::ALL {
            let mut place = Place::new(sharing);
            let mut oracle = Oracle::new(sharing == Sharing::Tethered);
            let mut moments = Moments::new();
            for operation in beginning().iter().chain(&operations) {
                let expected = oracle.perform(operation);
                prop_assert_eq!(place.perform_with_clones(operation), expected, "{} {:?}", sharing, operation);
                let answers = oracle.answers(&packages());
                prop_assert_eq!(&ask(&place, None), &answers, "{} {:?}", sharing, operation);
                moments.push((place.now, answers));
            }
            assert_past(&place, &moments)?;
        }
    }

    #[test]
    fn a_conversion_changes_no_answer_but_what_it_tells_of_hierarchies(steps in prop::collection::vec(prop_oneof![
        5 => operation().prop_map(Ok),
        1 => (select(&Sharing::ALL[..]), prop::option::of(series())).prop_map(Err),
    ], 1..50), apart in prop::collection::vec(operation().prop_map(Ok), 5..20), chosen in series()) {
        let mut place = Place::new(Sharing::CopyOnWrite);
        let mut oracle = Oracle::new(false);
        let mut moments = Moments::new();
        let beginning: Vec<Result<Operation, _>> = beginning().into_iter().map(Ok).collect();
        // At the end each series goes its own way, and then one has its way.
        let parting = [Err((Sharing::SharedNothing, None))];
        let joining = [Err((Sharing::Tethered, Some(chosen)))];
        for step in beginning.iter().chain(&steps).chain(&parting).chain(&apart).chain(&joining) {
            match step {
                Ok(operation) => {
                    let expected = oracle.perform(operation);
                    prop_assert_eq!(place.perform_with_clones(operation), expected, "{:?}", operation);
                }
                Err((to, hierarchy_of)) => {
                    let convert = Operation::ConvertSharing {
                        distribution: "d".parse().unwrap(),
                        to: *to,
                        hierarchy_of: hierarchy_of.clone(),
                    };
                    let before = ask(&place, None);
                    let performed = place.perform(convert);
                    let changes = performed.as_ref().map_or_else(|_| Vec::new(), |performed| performed.changes.clone());
                    prop_assert_eq!(below(&ask(&place, None)), retold(&before, &changes), "{:?}", step);
                    match hierarchy_of {
                        Some(chosen) if *to == Sharing::Tethered => {
                            prop_assert_eq!(performed.is_ok(), oracle.tether_as(chosen), "{:?}", step);
                        }
                        _ if performed.is_ok() => oracle.convert(*to == Sharing::Tethered),
                        _ => prop_assert_eq!(*to, Sharing::Tethered, "only a hierarchy for all may be refused"),
                    }
                }
            }
            let answers = oracle.answers(&packages());
            prop_assert_eq!(&ask(&place, None), &answers, "{:?}", step);
            moments.push((place.now, answers));
        }
        assert_past(&place, &moments)?;
    }
}
