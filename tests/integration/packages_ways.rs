//! All four ways of tying sets to series answer alike, now and for any time that was, whatever is done and whatever way they came from.

use jiff::Timestamp;
use kinset::model::packages::{Operation, Sharing};
use proptest::prelude::*;
use proptest::sample::select;

use crate::packages_operations::{Place, beginning, operation, packages};
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
    fn a_conversion_changes_no_answer(steps in prop::collection::vec(prop_oneof![
        5 => operation().prop_map(Ok),
        1 => select(&Sharing::ALL[..]).prop_map(Err),
    ], 1..50)) {
        let mut place = Place::new(Sharing::CopyOnWrite);
        let mut oracle = Oracle::new(false);
        let mut moments = Moments::new();
        let beginning: Vec<Result<Operation, Sharing>> = beginning().into_iter().map(Ok).collect();
        for step in beginning.iter().chain(&steps) {
            match step {
                Ok(operation) => {
                    let expected = oracle.perform(operation);
                    prop_assert_eq!(place.perform_with_clones(operation), expected, "{:?}", operation);
                }
                Err(to) => {
                    let convert = Operation::ConvertSharing { distribution: "d".parse().unwrap(), to: *to, hierarchy_of: None };
                    if place.perform_with_clones(&convert) {
                        oracle.convert(*to == Sharing::Tethered);
                    } else {
                        prop_assert_eq!(*to, Sharing::Tethered, "only a hierarchy for all may be refused");
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
