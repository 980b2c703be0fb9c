//! What reaches its end, and when.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::{Branches, EndCause, Lifecycles, Matrix, StreamPath};
use crate::model::packages::{Milestone, PackageName, SeriesName};

/// Something that reaches its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ending {
    /// The day.
    pub date: Date,
    /// What does.
    #[serde(flatten)]
    pub what: Ended,
}

/// What reaches its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Ended {
    /// A kind of support for a series.
    Series {
        /// The series.
        series: SeriesName,
        /// Which kind.
        milestone: Milestone,
    },
    /// A stream, wherever it is built.
    Stream {
        /// The stream.
        stream: StreamPath,
        /// What says so.
        cause: EndCause,
    },
    /// A package that is in modules: in no release it lives longer.
    Package {
        /// The package.
        package: PackageName,
        /// The streams that last had it; none if its own branch did.
        through: BTreeSet<StreamPath>,
    },
}

impl Ended {
    /// What kind of thing it is.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Series { .. } => "series",
            Self::Stream { .. } => "stream",
            Self::Package { .. } => "package",
        }
    }
}

impl Lifecycles {
    /// The streams, and the packages in them, that reach their end on these days, by day. A package lives as long as it does in any release.
    #[must_use]
    pub fn endings(&self, matrix: &Matrix, branches: &BTreeMap<PackageName, Branches>, from: Date, by: Date) -> Vec<Ending> {
        let is_meant = |date: &Date| (from..=by).contains(date);
        let streams = self.streams.keys().filter_map(|stream| {
            let end = self.end_of(stream)?.end?;
            let date = end.date.filter(is_meant)?;
            let (stream, cause) = (stream.clone(), end.cause);
            Some(Ending {
                date,
                what: Ended::Stream { stream, cause },
            })
        });
        let in_modules = self.packages_in_modules();
        let lives = self.lives(matrix, branches);
        let packages = lives
            .iter()
            .filter(|(package, _)| in_modules.contains(package))
            .filter_map(|(package, lives)| {
                let last = lives
                    .iter()
                    .map(|life| life.until)
                    .collect::<Option<Vec<Date>>>()?
                    .into_iter()
                    .max();
                let date = last.filter(is_meant)?;
                let through = lives
                    .iter()
                    .filter(|life| life.until == Some(date))
                    .flat_map(|life| life.through.iter().cloned());
                let what = Ended::Package {
                    package: package.clone(),
                    through: through.collect(),
                };
                Some(Ending { date, what })
            });
        let mut endings: Vec<Ending> = streams.chain(packages).collect();
        endings.sort();
        endings
    }
}
