//! When a stream ends, and what says so.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use super::obsoletes::newest;
use super::{ContextDetails, Lifecycles, Platforms, StreamDetails, StreamEol, StreamPath};
use crate::model::packages::{ContextName, SeriesName};

/// What says that a stream ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum EndCause {
    /// Whoever looks after it said a day.
    Date,
    /// Whoever looks after it said a release, the last that it is built for.
    Release {
        /// The release.
        release: SeriesName,
    },
    /// Its service levels: this one lasts longest.
    ServiceLevel {
        /// The level.
        level: String,
    },
    /// It is obsolete from then on.
    Obsoletes {
        /// Why.
        message: String,
        /// What to use instead.
        #[serde(skip_serializing_if = "Option::is_none")]
        obsoleted_by: Option<StreamPath>,
    },
    /// It is wanted for listed releases alone.
    Platforms {
        /// The last of them; `None` if none of them is a release.
        last: Option<SeriesName>,
    },
}

/// An end of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct End {
    /// The day; `None` if it is not known, because that of a release is not.
    pub date: Option<Date>,
    /// What says so.
    #[serde(flatten)]
    pub cause: EndCause,
}

impl End {
    /// Sorts what comes first before the rest, and what is not known behind it.
    pub(super) fn order(&self) -> (bool, Option<Date>, &EndCause) {
        (self.date.is_none(), self.date, &self.cause)
    }
}

/// When a stream ends as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamEnd {
    /// The end that comes first; `None` if nothing says that there is one, and it is built for each new release.
    pub end: Option<End>,
    /// All that is said, what comes first before the rest.
    pub said: Vec<End>,
}

/// The days that are said for a stream in one of its contexts, apart from releases, the earliest first.
pub(super) fn days(stream: &StreamDetails, name: &ContextName, context: &ContextDetails) -> Vec<End> {
    let mut days = Vec::new();
    if let Some(StreamEol::Date(date)) = stream.eol {
        days.push(End {
            date: Some(date),
            cause: EndCause::Date,
        });
    }
    let levels = context.service_levels.iter().filter_map(|(level, date)| Some(((*date)?, level)));
    days.extend(levels.max().map(|(date, level)| End {
        date: Some(date),
        cause: EndCause::ServiceLevel { level: level.clone() },
    }));
    days.extend(newest(&stream.obsoletes, name).map(|obsoletes| End {
        date: Some(obsoletes.date()),
        cause: EndCause::Obsoletes {
            message: obsoletes.message.clone(),
            obsoleted_by: obsoletes.obsoleted_by.clone(),
        },
    }));
    days.sort_by(|left, right| left.order().cmp(&right.order()));
    days
}

impl Lifecycles {
    /// When a stream ends as a whole, wherever it is built: it lives as long as one of its contexts, and where no document describes it, until
    /// whatever is said of it. `None` if there is no such stream.
    #[must_use]
    pub fn end_of(&self, path: &StreamPath) -> Option<StreamEnd> {
        let stream = self.streams.get(path)?;
        let contexts = stream.contexts.iter().map(|(name, context)| self.ends_in(stream, name, context));
        let mut contexts: Vec<Vec<End>> = contexts.collect();
        if contexts.is_empty() {
            contexts.push(self.ends_in(stream, &ContextName::default(), &ContextDetails::default()));
        }
        let is_endless = contexts.iter().any(Vec::is_empty);
        let last = contexts
            .iter()
            .filter_map(|ends| ends.first())
            .max_by(|left, right| left.order().cmp(&right.order()));
        let end = last.filter(|_| !is_endless).cloned();
        let mut said: Vec<End> = contexts.into_iter().flatten().collect();
        said.sort_by(|left, right| left.order().cmp(&right.order()));
        said.dedup();
        Some(StreamEnd { end, said })
    }

    /// All that is said for one context, the earliest first.
    fn ends_in(&self, stream: &StreamDetails, name: &ContextName, context: &ContextDetails) -> Vec<End> {
        let mut ends = days(stream, name, context);
        let eol = |release: &SeriesName| self.releases.get(release)?.eol;
        if let Some(StreamEol::Release(release)) = &stream.eol {
            ends.push(End {
                date: eol(release),
                cause: EndCause::Release { release: release.clone() },
            });
        }
        if let Platforms::Listed(_) = &context.platforms {
            let listed: BTreeSet<&SeriesName> = self
                .releases
                .iter()
                .filter(|release| release.is_wanted_by(&context.platforms))
                .map(|release| &release.name)
                .collect();
            let last = self.releases.iter().rfind(|release| listed.contains(&release.name));
            let dates: Option<Vec<Date>> = listed.iter().map(|name| eol(name)).collect();
            ends.push(End {
                date: dates.and_then(|dates| dates.into_iter().max()),
                cause: EndCause::Platforms {
                    last: last.map(|release| release.name.clone()),
                },
            });
        }
        ends.sort_by(|left, right| left.order().cmp(&right.order()));
        ends
    }
}
