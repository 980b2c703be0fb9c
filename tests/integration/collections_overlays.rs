//! Overlays in the store ask in the pure order, now and at any time that was.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::packages::{Base, Overlays, SeriesName};
use kinset::store::packages::Force;
use proptest::prelude::*;

use crate::packages_support::Kept;

const SERIES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// One change: the bases of a series from now on, or a package that comes and goes.
#[derive(Clone, Debug)]
enum Step {
    Bases(usize, BTreeMap<usize, i32>),
    Come(usize, &'static str),
    Go(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let series = 0..SERIES.len();
    let bases = prop::collection::btree_map(series.clone(), -1..2, 0..4);
    prop_oneof![
        4 => (series.clone(), bases).prop_map(|(series, bases)| Step::Bases(series, bases)),
        3 => (series.clone(), prop::sample::select(&["approved", "awaitingreview", "denied"][..])).prop_map(|(series, status)| Step::Come(series, status)),
        1 => series.prop_map(Step::Go),
    ]
}

/// What each series answers: who provides the package, and the way there.
type Answers = Vec<Option<(SeriesName, Vec<SeriesName>)>>;

#[derive(Clone, Debug, Default)]
struct Model {
    bases: BTreeMap<SeriesName, Vec<Base>>,
    listing: BTreeSet<SeriesName>,
}

impl Model {
    fn overlays(&self) -> Option<Overlays> {
        Overlays::of(self.bases.iter().map(|(name, bases)| (name, bases.as_slice()))).ok()
    }

    fn answers(&self) -> Answers {
        let overlays = self.overlays().unwrap();
        let answer = |name: &&str| {
            let asked: SeriesName = name.parse().unwrap();
            let found = overlays.lookup(&asked, |series| self.listing.contains(series))?;
            Some((found.collection.clone(), found.path.into_iter().cloned().collect()))
        };
        SERIES.iter().map(answer).collect()
    }
}

fn answers(kept: &Kept, as_of: Option<jiff::Timestamp>) -> Answers {
    let answer = |name: &&str| {
        let provided = kept.lookup(name, "p", as_of).ok()?;
        Some((provided.series.path.series, provided.path))
    };
    SERIES.iter().map(answer).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_lookup_in_the_store_asks_in_the_pure_order(steps in prop::collection::vec(step(), 1..25)) {
        let mut kept = Kept::new("rpm", &SERIES, &["p"]);
        let mut model = Model::default();
        let mut moments = Vec::new();
        for step in steps {
            let mut next = model.clone();
            let (operation, is_legal) = match &step {
                Step::Bases(series, bases) => {
                    let bases: Vec<Base> = bases.iter().map(|(&base, &priority)| Base { base: SERIES[base].parse().unwrap(), priority }).collect();
                    let text = serde_json::to_string(&bases).unwrap();
                    next.bases.insert(SERIES[*series].parse().unwrap(), bases);
                    let is_legal = next.overlays().is_some();
                    (format!(r#"{{"op":"change-series","in":"d/{}","owner":"ann","bases":{text}}}"#, SERIES[*series]), is_legal)
                }
                Step::Come(series, status) => {
                    let name = SERIES[*series];
                    if *status == "approved" {
                        next.listing.insert(name.parse().unwrap());
                    } else {
                        next.listing.remove(&name.parse().unwrap());
                    }
                    let is_new = kept.of(name, None, |view, row| Ok(view.find_listing(&row, &"p".parse().unwrap())?.is_none()));
                    let verb = if is_new { "add" } else { "change" };
                    (format!(r#"{{"op":"{verb}-listing","in":"d/{name}","package":"p","owner":"ann","status":"{status}"}}"#), true)
                }
                Step::Go(series) => {
                    let name = SERIES[*series];
                    let is_legal = kept.of(name, None, |view, row| Ok(view.find_listing(&row, &"p".parse().unwrap())?.is_some()));
                    next.listing.remove(&name.parse().unwrap());
                    (format!(r#"{{"op":"remove-listing","in":"d/{name}","package":"p"}}"#), is_legal)
                }
            };
            prop_assert_eq!(kept.attempt(&operation, Force::Insisted).is_ok(), is_legal, "{}", operation);
            if is_legal {
                model = next;
            }
            let expected = model.answers();
            prop_assert_eq!(&answers(&kept, None), &expected, "{}", operation);
            moments.push((kept.now, expected));
        }
        for (at, expected) in moments {
            prop_assert_eq!(answers(&kept, Some(at)), expected);
        }
    }
}

#[test]
fn ten_overlays_are_looked_through() {
    let names: Vec<String> = (0..11).map(|number| format!("s{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut kept = Kept::new("rpm", &names, &["bash", "dash"]);
    for pair in names.windows(2) {
        kept.done(&format!(
            r#"{{"op":"change-series","in":"d/{}","owner":"ann","bases":[{{"base":"{}"}}]}}"#,
            pair[0], pair[1]
        ));
    }
    kept.list("s10", "bash");
    kept.version("s10", "bash", "5.2-1");
    let provided = kept.lookup("s0", "bash", None).unwrap();
    assert_eq!(provided.series.path.series.as_str(), "s10");
    assert_eq!(provided.path.len(), 11);
    assert_eq!(provided.newest.unwrap().as_str(), "5.2-1");
    assert_eq!(kept.lookup("s10", "bash", None).unwrap().path.len(), 1);
    insta::assert_snapshot!(kept.lookup("s8", "dash", None).unwrap_err(), @"package dash is in none of s8, s9, s10 -- `kinset collection add-package` lists it");
    insta::assert_snapshot!(kept.lookup("s8", "bahs", None).unwrap_err(), @"distribution d has no package `bahs` -- the nearest names that there are: `bash` for `bahs`");
}
