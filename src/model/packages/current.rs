//! Which series is meant where none is named.

use super::{CollectionStatus, SeriesName};

/// The current series.
#[must_use]
pub fn current_series<'a>(series: impl IntoIterator<Item = (&'a SeriesName, &'a String, CollectionStatus)>) -> Option<&'a SeriesName> {
    let wanted = [CollectionStatus::Frozen, CollectionStatus::Development, CollectionStatus::Active];
    let urgency = |status| wanted.iter().rev().position(|wanted| *wanted == status);
    let series = series.into_iter();
    series
        .max_by_key(|(name, version, status)| (urgency(*status), *version, *name))
        .map(|(name, ..)| name)
}
