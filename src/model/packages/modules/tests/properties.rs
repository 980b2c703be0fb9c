//! What holds of any streams and releases.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::super::{
    ContextDetails, DatePolicy, Lifecycles, Matrix, Obsoletes, Platforms, Release, Releases, Standing, StreamDetails, StreamEol, StreamPath,
};
use crate::model::packages::{CollectionStatus, SeriesName};

use DatePolicy::{CoversRelease, GaBeforeEol};

fn day() -> impl Strategy<Value = Date> {
    (0_i64..2000).prop_map(|days| date(2017, 1, 1).saturating_add(days.days()))
}

fn release(number: usize) -> impl Strategy<Value = Release> {
    let status = prop::sample::select(CollectionStatus::ALL.to_vec());
    (prop::option::of(day()), prop::option::of(day()), status).prop_map(move |(released, eol, status)| Release {
        name: format!("f{number}").parse().unwrap(),
        version: number.to_string().parse().unwrap(),
        platforms: [format!("f{number}").parse().unwrap()].into(),
        status,
        released,
        eol,
    })
}

fn platforms() -> impl Strategy<Value = Platforms> {
    let some = || prop::collection::btree_set("f[1-4]".prop_map(|name| name.parse().unwrap()), 1..3);
    prop_oneof![
        2 => Just(Platforms::All),
        1 => some().prop_map(Platforms::Listed),
        1 => some().prop_map(Platforms::Excluded),
    ]
}

fn stream() -> impl Strategy<Value = StreamDetails> {
    let eol = prop_oneof![
        Just(None),
        day().prop_map(|day| Some(StreamEol::Date(day))),
        "f[1-4]".prop_map(|name| Some(StreamEol::Release(name.parse().unwrap()))),
    ];
    let levels = prop::collection::btree_map("[ab]", prop::option::of(day()), 0..3);
    let context = (platforms(), levels).prop_map(|(platforms, service_levels)| ContextDetails {
        platforms,
        service_levels,
        ..ContextDetails::default()
    });
    let contexts = prop::collection::btree_map("[xy]".prop_map(|name| name.parse().unwrap()), context, 1..3);
    let obsoletes = (prop::option::of(day()), 0_i64..4, any::<bool>(), prop::option::of("[xy]"));
    let obsoletes = obsoletes.prop_map(|(eol, modified, reset, context)| Obsoletes {
        modified: jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(modified + 24 * 365 * 49),
        context: context.map(|name| name.parse().unwrap()),
        reset,
        eol,
        message: String::new(),
        obsoleted_by: None,
    });
    (eol, contexts, prop::collection::vec(obsoletes, 0..3)).prop_map(|(eol, contexts, obsoletes)| StreamDetails {
        eol,
        contexts,
        obsoletes,
    })
}

fn lifecycles() -> impl Strategy<Value = Lifecycles> {
    let releases = (release(1), release(2), release(3), release(4));
    (releases, prop::collection::btree_map("m:[12]", stream(), 1..3), day()).prop_map(|((a, b, c, d), streams, today)| Lifecycles {
        releases: Releases::new([a, b, c, d]),
        streams: streams
            .into_iter()
            .map(|(name, details)| (name.parse().unwrap(), details))
            .collect(),
        defaults: BTreeMap::new(),
        today,
    })
}

fn builds(matrix: &Matrix) -> BTreeSet<(StreamPath, SeriesName)> {
    let cells = matrix
        .streams
        .iter()
        .flat_map(|(stream, cells)| cells.iter().map(move |cell| (stream, cell)));
    let built = cells.filter(|(_, (_, cell))| cell.standing != Standing::NotBuilt);
    built.map(|(stream, (release, _))| (stream.clone(), release.clone())).collect()
}

proptest! {
    #[test]
    fn what_covers_a_release_was_there_when_it_went_out(lifecycles in lifecycles()) {
        prop_assert!(builds(&lifecycles.matrix(CoversRelease)).is_subset(&builds(&lifecycles.matrix(GaBeforeEol))));
    }

    #[test]
    fn a_later_end_never_takes_a_build_away(lifecycles in lifecycles(), days in 0_i64..500) {
        let mut later = lifecycles.clone();
        for stream in later.streams.values_mut() {
            if let Some(StreamEol::Date(day)) = &mut stream.eol {
                *day = day.saturating_add(days.days());
            }
        }
        let mut endless = lifecycles.clone();
        endless.streams.values_mut().for_each(|stream| stream.eol = None);
        for policy in DatePolicy::ALL {
            let [before, after, without] = [&lifecycles, &later, &endless].map(|lifecycles| builds(&lifecycles.matrix(policy)));
            prop_assert!(before.is_subset(&after));
            prop_assert!(after.is_subset(&without));
        }
    }

    #[test]
    fn when_releases_end_makes_no_difference_to_what_is_built_where_only_their_day_counts(lifecycles in lifecycles(), eol in prop::option::of(day())) {
        let moved = lifecycles.with_date(&"f2".parse().unwrap(), &crate::model::packages::Milestone::EOL, eol).unwrap();
        prop_assert_eq!(builds(&moved.matrix(GaBeforeEol)), builds(&lifecycles.matrix(GaBeforeEol)));
    }

    #[test]
    fn each_cell_has_a_reason_and_nothing_outlives_its_release(lifecycles in lifecycles()) {
        for policy in DatePolicy::ALL {
            let matrix = lifecycles.matrix(policy);
            for (release, cell) in matrix.streams.values().flatten() {
                prop_assert!(!cell.because.is_empty());
                prop_assert_eq!(cell.standing == Standing::NotBuilt, cell.contexts.is_empty());
                let eol = lifecycles.releases.get(release).unwrap().eol;
                prop_assert!(cell.contexts.is_empty() || eol.is_none() || cell.until <= eol && cell.until.is_some());
            }
        }
    }

    #[test]
    fn a_change_of_the_matrix_leads_from_one_to_the_other(before in lifecycles(), after in lifecycles()) {
        let (before, after) = (before.matrix(GaBeforeEol), after.matrix(GaBeforeEol));
        let mut builds_then = builds(&before);
        for change in before.changes_to(&after) {
            let key = (change.stream, change.release);
            match change.after.map(|cell| cell.standing) {
                None | Some(Standing::NotBuilt) => _ = builds_then.remove(&key),
                Some(_) => _ = builds_then.insert(key),
            }
        }
        prop_assert_eq!(builds_then, builds(&after));
    }
}
