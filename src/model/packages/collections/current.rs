//! Which series is meant when none is named.
//!
//! The rule is Launchpad's: `currentseries` in `lib/lp/registry/model/distribution.py`, which goes through the series from the newest version to
//! the oldest, compared as Debian's versions are (`lib/lp/archivepublisher/debversion.py`).

use std::cmp::Ordering;

use crate::model::packages::{CollectionStatus, SeriesName, SeriesVersion};

/// What is looked for, in this order.
const WANTED: [CollectionStatus; 3] = [CollectionStatus::Frozen, CollectionStatus::Development, CollectionStatus::Active];

/// Which of two series' versions is the newer one, by Debian's rules: `9.10` is older than `10.04`, and words are newer than numbers.
#[must_use]
pub fn compare_series_versions(left: &SeriesVersion, right: &SeriesVersion) -> Ordering {
    deb_version::compare_versions(left.as_str(), right.as_str())
}

/// The current series: the one that is frozen, else the one in development, else the current stable one, else just the newest; of several, the
/// newest by version, and of equal versions the last by name. `None` only if there are no series.
#[must_use]
pub fn current_series<'a>(
    series: impl IntoIterator<Item = (&'a SeriesName, &'a SeriesVersion, CollectionStatus)>,
) -> Option<&'a SeriesName> {
    // The sooner it is wanted, the greater.
    let urgency = |status| WANTED.iter().rev().position(|wanted| *wanted == status);
    series
        .into_iter()
        .max_by(|(left_name, left, left_status), (right_name, right, right_status)| {
            urgency(*left_status)
                .cmp(&urgency(*right_status))
                .then_with(|| compare_series_versions(left, right))
                .then_with(|| left_name.cmp(right_name))
        })
        .map(|(name, _, _)| name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> SeriesVersion {
        text.parse().unwrap()
    }

    fn current(series: &[(&str, &str, CollectionStatus)]) -> Option<String> {
        let series: Vec<(SeriesName, _, _)> = series
            .iter()
            .map(|(name, number, status)| (name.parse().unwrap(), version(number), *status))
            .collect();
        current_series(series.iter().map(|(name, number, status)| (name, number, *status))).map(ToString::to_string)
    }

    #[test]
    fn the_frozen_series_comes_first_then_development_then_stable_then_the_newest() {
        use CollectionStatus::{Active, Development, Eol, Experimental, Frozen, Future, Maintenance};
        let all = [
            ("sid", "99", Future),
            ("lab", "98", Experimental),
            ("quick", "26.04", Frozen),
            ("next", "26.10", Development),
            ("plucky", "25.04", Active),
            ("noble", "24.04", Maintenance),
            ("warty", "4.10", Eol),
        ];
        assert_eq!(current(&all).as_deref(), Some("quick"));
        let without = |names: &[&str]| current(&all.into_iter().filter(|(name, _, _)| !names.contains(name)).collect::<Vec<_>>());
        assert_eq!(without(&["quick"]).as_deref(), Some("next"));
        assert_eq!(without(&["quick", "next"]).as_deref(), Some("plucky"));
        assert_eq!(without(&["quick", "next", "plucky"]).as_deref(), Some("sid"));
        assert_eq!(without(&["quick", "next", "plucky", "sid", "lab"]).as_deref(), Some("noble"));
        assert_eq!(current(&[]), None);
    }

    #[test]
    fn of_several_the_newest_is_current_by_its_version_and_not_by_its_text() {
        use CollectionStatus::{Active, Development};
        assert_eq!(
            current(&[("karmic", "9.10", Active), ("lucid", "10.04", Active)]).as_deref(),
            Some("lucid")
        );
        assert_eq!(
            current(&[("f41", "41", Development), ("f9", "9", Development), ("f40", "40", Development)]).as_deref(),
            Some("f41")
        );
        assert_eq!(
            current(&[("b", "1", Active), ("c", "1.0", Active), ("a", "1.0", Active)]).as_deref(),
            Some("c")
        );
    }

    #[test]
    fn a_version_that_is_a_word_is_newer_than_any_number() {
        assert_eq!(compare_series_versions(&version("eln"), &version("99")), Ordering::Greater);
        assert_eq!(compare_series_versions(&version("0"), &version("1")), Ordering::Less);
    }

    proptest! {
        #[test]
        fn the_order_in_which_series_are_given_changes_nothing(
            series in prop::collection::btree_map("[a-e]{1,2}", ("[0-2]{1,2}(\\.[01]{1,2})?", prop::sample::select(CollectionStatus::ALL.to_vec())), 0..8),
        ) {
            let series: Vec<(&str, &str, _)> = series.iter().map(|(name, (number, status))| (name.as_str(), number.as_str(), *status)).collect();
            let mut reversed = series.clone();
            reversed.reverse();
            prop_assert_eq!(current(&series), current(&reversed));
            prop_assert_eq!(current(&series).is_none(), series.is_empty());
        }
    }
}
