//! The releases of a distribution, with the dates that streams are measured by.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::Platforms;
use crate::model::packages::{CollectionStatus, Milestone, PlatformName, SeriesName, SeriesVersion, compare_series_versions};

/// A release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: SeriesName,
    /// Its version, by which releases follow each other.
    pub version: SeriesVersion,
    /// What modules call it: its own name, that of its branch, its dist tag.
    pub platforms: BTreeSet<PlatformName>,
    /// Its stage.
    pub status: CollectionStatus,
    /// When it was, or is to be, generally available.
    pub released: Option<Date>,
    /// When it ends.
    pub eol: Option<Date>,
}

impl Release {
    /// Whether a stream that is wanted for these platforms is wanted for it.
    #[must_use]
    pub fn is_wanted_by(&self, platforms: &Platforms) -> bool {
        match platforms {
            Platforms::All => true,
            Platforms::Listed(listed) => !self.platforms.is_disjoint(listed),
            Platforms::Excluded(excluded) => self.platforms.is_disjoint(excluded),
        }
    }

    /// Whether it is still to go out.
    #[must_use]
    pub const fn is_to_come(&self) -> bool {
        use CollectionStatus::{Development, Experimental, Frozen, Future};
        matches!(self.status, Future | Experimental | Development | Frozen)
    }
}

/// The releases of a distribution, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Releases(Vec<Release>);

impl Releases {
    /// Puts releases in order: by version, as [`compare_series_versions`] has it, and of equal versions by name.
    pub fn new(releases: impl IntoIterator<Item = Release>) -> Self {
        let mut releases: Vec<Release> = releases.into_iter().collect();
        releases.sort_by(|left, right| compare_series_versions(&left.version, &right.version).then_with(|| left.name.cmp(&right.name)));
        Self(releases)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Release> {
        self.0.iter()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &SeriesName) -> Option<&Release> {
        self.0.iter().find(|release| release.name == *name)
    }

    /// Whether one comes after another; not if one of them is none of these.
    #[must_use]
    pub fn is_after(&self, name: &SeriesName, other: &SeriesName) -> bool {
        let place = |name: &SeriesName| self.0.iter().position(|release| release.name == *name);
        place(name).zip(place(other)).is_some_and(|(place, other)| place > other)
    }

    /// The day before which a release without a date is not generally available: it follows those before it, and if it is still to come, not before
    /// today.
    #[must_use]
    pub fn not_before(&self, release: &Release, today: Date) -> Option<Date> {
        let before = self.0.iter().take_while(|other| other.name != release.name);
        let latest = before.filter_map(|other| other.released).max();
        latest.max(release.is_to_come().then_some(today))
    }

    /// The same with another date for a release. `None` if there is no such release, or if no stream is measured by that date.
    #[must_use]
    pub fn with(&self, name: &SeriesName, milestone: &Milestone, date: Option<Date>) -> Option<Self> {
        let mut moved = self.clone();
        let release = moved.0.iter_mut().find(|release| release.name == *name)?;
        if *milestone == Milestone::RELEASED {
            release.released = date;
        } else if *milestone == Milestone::EOL {
            release.eol = date;
        } else {
            return None;
        }
        Some(moved)
    }
}
