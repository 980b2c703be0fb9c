//! What becomes of the matrix when a date moves.

use jiff::civil::Date;
use serde::Serialize;

use super::{Cell, Lifecycles, Matrix, StreamPath};
use crate::model::packages::{Milestone, SeriesName};

/// What a stream was to a release, and what it is instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellChange {
    /// The stream.
    pub stream: StreamPath,
    /// The release.
    pub release: SeriesName,
    /// What it was; `None` if one of them was not known.
    pub before: Option<Cell>,
    /// What it is; `None` if one of them is known no longer.
    pub after: Option<Cell>,
}

impl Matrix {
    /// What changes from this one to another, by stream, and then in the order of releases: what is built, what is the default, and until when. Where
    /// only the reasons differ, nothing changes.
    #[must_use]
    pub fn changes_to(&self, after: &Self) -> Vec<CellChange> {
        let mut changes = Vec::new();
        let new_streams = after.streams.keys().filter(|stream| !self.streams.contains_key(stream));
        let mut streams: Vec<&StreamPath> = self.streams.keys().chain(new_streams).collect();
        streams.sort();
        let new_releases = after.releases.iter().filter(|release| !self.releases.contains(release));
        let releases: Vec<&SeriesName> = self.releases.iter().chain(new_releases).collect();
        for stream in streams {
            for release in &releases {
                let (old, new) = (self.why(stream, release), after.why(stream, release));
                let seen = |cell: Option<&Cell>| cell.map(|cell| (cell.standing, cell.until));
                if seen(old) != seen(new) {
                    changes.push(CellChange {
                        stream: stream.clone(),
                        release: (*release).clone(),
                        before: old.cloned(),
                        after: new.cloned(),
                    });
                }
            }
        }
        changes
    }
}

impl Lifecycles {
    /// The same with another date for a release. `None` if there is no such release, or if no stream is measured by that date.
    #[must_use]
    pub fn with_date(&self, release: &SeriesName, milestone: &Milestone, date: Option<Date>) -> Option<Self> {
        let releases = self.releases.with(release, milestone, date)?;
        Some(Self { releases, ..self.clone() })
    }
}
