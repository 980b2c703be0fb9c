//! Which stream is built for which release, and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::ends::days;
use super::{ContextDetails, Defaults, End, EndCause, Platforms, Release, Releases, StreamDetails, StreamEol, StreamPath};
use crate::model::packages::word::words;
use crate::model::packages::{ContextName, ModuleName, SeriesName};

words! {
    /// How the day on which a stream ends meets the days of releases: the two answers that the third seed weighs.
    #[derive(Default)]
    DatePolicy, "policy for dates" {
        /// A stream is built for the releases that are out on that day or before. When they themselves end makes no difference.
        #[default]
        GaBeforeEol = "ga-before-eol",
        /// Of those, for the ones alone that do not outlive it.
        CoversRelease = "covers-release",
    }
}

words! {
    /// What a stream is to a release.
    Standing, "standing of a stream" {
        /// What somebody gets who names no stream.
        Default = "default",
        /// There for whoever names it.
        Available = "available",
        /// Not there.
        NotBuilt = "not-built",
    }
}

/// Why a stream is, or is not, built for a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Because {
    /// It is wanted for all releases.
    AllReleases,
    /// The release is listed.
    Listed,
    /// The release is not among those that are excluded.
    NotExcluded,
    /// The release is not listed.
    NotListed {
        /// What is.
        platforms: Platforms,
    },
    /// The release is excluded.
    Excluded,
    /// Nothing says that the stream ends before the release.
    NoEnd,
    /// The release is the one that the stream ends with, or comes before it.
    NotAfterLast {
        /// The release that the stream ends with.
        last: SeriesName,
    },
    /// The release comes after the one that the stream ends with.
    AfterLast {
        /// The release that the stream ends with.
        last: SeriesName,
    },
    /// The release goes out while the stream lives.
    OutBeforeEnd {
        /// When the release goes out.
        released: Date,
        /// The end of the stream.
        end: End,
    },
    /// When the release goes out is not known; as far as is known the stream may live then.
    MayBeOutBeforeEnd {
        /// The end of the stream.
        end: End,
    },
    /// The release goes out after the stream has ended.
    OutAfterEnd {
        /// When the release goes out.
        released: Date,
        /// The end of the stream.
        end: End,
    },
    /// When the release goes out is not known, but it is after the stream has ended: not before this day.
    OutAfterEndAnyway {
        /// The day.
        not_before: Date,
        /// The end of the stream.
        end: End,
    },
    /// The stream lives as long as the release.
    Covers {
        /// When the release ends.
        eol: Date,
    },
    /// The release outlives the stream.
    Outlived {
        /// When the release ends.
        eol: Date,
        /// The end of the stream.
        end: End,
    },
    /// When the release ends is not known, so that the stream is not known to live as long.
    MayBeOutlived {
        /// The end of the stream.
        end: End,
    },
    /// No document describes it.
    Undescribed,
    /// It is the default of its module there.
    IsDefault,
}

impl Because {
    /// The reason as a sentence about a stream and a release, without a full stop.
    pub fn sentence(&self, stream: &StreamPath, release: &SeriesName) -> String {
        let ends = |end: &End| match end.date {
            Some(date) => format!("{stream} ends on {date} ({})", end.cause.words()),
            None => format!("{stream} ends, nobody knows when ({})", end.cause.words()),
        };
        match self {
            Self::AllReleases => "it is wanted for all releases".to_owned(),
            Self::Listed => format!("{release} is listed as one that it is wanted for"),
            Self::NotExcluded => format!("{release} is not excluded from those that it is wanted for"),
            Self::NotListed { platforms } => format!("it is wanted for {platforms} alone"),
            Self::Excluded => format!("{release} is excluded from those that it is wanted for"),
            Self::NoEnd => "nothing says that it ends".to_owned(),
            Self::NotAfterLast { last } => format!("it ends with {last}, and {release} is not after that"),
            Self::AfterLast { last } => format!("it ends with {last}, and {release} is after that"),
            Self::OutBeforeEnd { released, end } => format!("{release} is out on {released}, and {}", ends(end)),
            Self::MayBeOutBeforeEnd { end } => format!("nobody knows when {release} is out, and {}", ends(end)),
            Self::OutAfterEnd { released, end } => format!("{release} is out on {released} only, and {}", ends(end)),
            Self::OutAfterEndAnyway { not_before, end } => {
                format!("{release} is out on {not_before} at the earliest, and {}", ends(end))
            }
            Self::Covers { eol } => format!("{release} ends on {eol}, and not after it"),
            Self::Outlived { eol, end } => format!("{release} lives until {eol}, and {}", ends(end)),
            Self::MayBeOutlived { end } => format!("nobody knows when {release} ends, and {}", ends(end)),
            Self::Undescribed => "no document describes it".to_owned(),
            Self::IsDefault => format!("it is the default of {} in {release}", stream.module),
        }
    }
}

/// What a stream is to a release, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// What it is.
    pub standing: Standing,
    /// Until when it is looked after there: until it ends or the release does. `None` if it is not built, or if no end is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Why: of what is built all that had to hold, of what is not built what stands against it.
    pub because: Vec<Because>,
    /// The contexts that are built for the release.
    #[serde(skip)]
    pub contexts: BTreeSet<ContextName>,
}

/// A default that nobody gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StrayDefault {
    /// The release.
    pub release: SeriesName,
    /// The stream, which is not built for it or is not known at all.
    pub stream: StreamPath,
}

/// What each stream is to each release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// How days met days.
    pub policy: DatePolicy,
    /// The releases, oldest first.
    pub releases: Vec<SeriesName>,
    /// The streams, each with all releases.
    pub streams: BTreeMap<StreamPath, BTreeMap<SeriesName, Cell>>,
    /// The defaults that nobody gets.
    pub stray_defaults: Vec<StrayDefault>,
}

impl Matrix {
    /// What a stream is to a release, and why. `None` if one of them is not known.
    #[must_use]
    pub fn why(&self, stream: &StreamPath, release: &SeriesName) -> Option<&Cell> {
        self.streams.get(stream)?.get(release)
    }

    /// The same for some of the releases.
    #[must_use]
    pub fn of_releases(mut self, wanted: &BTreeSet<SeriesName>) -> Self {
        self.releases.retain(|release| wanted.contains(release));
        for cells in self.streams.values_mut() {
            cells.retain(|release, _| wanted.contains(release));
        }
        self.stray_defaults.retain(|stray| wanted.contains(&stray.release));
        self
    }
}

/// All that decides where streams are built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifecycles {
    /// The releases.
    pub releases: Releases,
    /// The streams.
    pub streams: BTreeMap<StreamPath, StreamDetails>,
    /// The default streams of modules.
    pub defaults: BTreeMap<ModuleName, Defaults>,
    /// The day on which this is asked: what is not out yet goes out no sooner.
    pub today: Date,
}

/// What became of a stream in one of its contexts.
enum Fate {
    Built { until: Option<Date>, because: Vec<Because> },
    NotBuilt(Vec<Because>),
}

impl Lifecycles {
    /// What each stream is to each release.
    #[must_use]
    pub fn matrix(&self, policy: DatePolicy) -> Matrix {
        let cells = |stream: &StreamPath, details: &StreamDetails| {
            let cell = |release: &Release| (release.name.clone(), self.cell(stream, details, release, policy));
            (stream.clone(), self.releases.iter().map(cell).collect())
        };
        let streams: BTreeMap<StreamPath, BTreeMap<SeriesName, Cell>> =
            self.streams.iter().map(|(stream, details)| cells(stream, details)).collect();
        let mut stray_defaults = Vec::new();
        for release in self.releases.iter() {
            for (module, defaults) in &self.defaults {
                let Some(stream) = defaults.of(&release.name) else { continue };
                let stream = StreamPath {
                    module: module.clone(),
                    stream: stream.clone(),
                };
                let cell = streams.get(&stream).and_then(|cells| cells.get(&release.name));
                if cell.is_none_or(|cell| cell.standing == Standing::NotBuilt) {
                    let release = release.name.clone();
                    stray_defaults.push(StrayDefault { release, stream });
                }
            }
        }
        Matrix {
            policy,
            releases: self.releases.iter().map(|release| release.name.clone()).collect(),
            streams,
            stray_defaults,
        }
    }

    fn cell(&self, path: &StreamPath, stream: &StreamDetails, release: &Release, policy: DatePolicy) -> Cell {
        let mut built: Option<(Option<Date>, Vec<Because>)> = None;
        let mut against: Vec<Because> = Vec::new();
        let mut contexts = BTreeSet::new();
        for (name, context) in &stream.contexts {
            match self.fate(stream, name, context, release, policy) {
                Fate::Built { until, because } => {
                    contexts.insert(name.clone());
                    // No known end is the latest of all.
                    let is_longer = |(best, _): &(Option<Date>, _)| best.is_some() && (until.is_none() || until > *best);
                    if built.as_ref().is_none_or(is_longer) {
                        built = Some((until, because));
                    }
                }
                Fate::NotBuilt(because) => against.extend(because),
            }
        }
        let Some((until, mut because)) = built else {
            let mut distinct: Vec<Because> = Vec::new();
            if stream.contexts.is_empty() {
                distinct.push(Because::Undescribed);
            }
            for because in against {
                if !distinct.contains(&because) {
                    distinct.push(because);
                }
            }
            return Cell {
                standing: Standing::NotBuilt,
                until: None,
                because: distinct,
                contexts,
            };
        };
        let default = self.defaults.get(&path.module).and_then(|defaults| defaults.of(&release.name));
        let is_default = default == Some(&path.stream);
        because.extend(is_default.then_some(Because::IsDefault));
        Cell {
            standing: if is_default { Standing::Default } else { Standing::Available },
            until,
            because,
            contexts,
        }
    }

    /// Each rule is asked in turn, and all have to agree: so whatever ends a stream first wins.
    fn fate(&self, stream: &StreamDetails, name: &ContextName, context: &ContextDetails, release: &Release, policy: DatePolicy) -> Fate {
        let last = match &stream.eol {
            Some(StreamEol::Release(last)) => Some(last),
            Some(StreamEol::Date(_)) | None => None,
        };
        let end = days(stream, name, context).into_iter().next();
        let mut verdicts = vec![wanted(&context.platforms, release)];
        if let Some(last) = last {
            let last = last.clone();
            verdicts.push(match self.releases.is_after(&release.name, &last) {
                true => Err(Because::AfterLast { last }),
                false => Ok(Because::NotAfterLast { last }),
            });
        }
        if let Some(end) = &end {
            verdicts.push(self.out_before(release, end));
            if policy == DatePolicy::CoversRelease {
                verdicts.push(covers(release, end));
            }
        }
        if last.is_none() && end.is_none() {
            verdicts.push(Ok(Because::NoEnd));
        }
        let (mut because, mut against) = (Vec::new(), Vec::new());
        for verdict in verdicts {
            match verdict {
                Ok(reason) => because.push(reason),
                Err(reason) => against.push(reason),
            }
        }
        if !against.is_empty() {
            return Fate::NotBuilt(against);
        }
        let last = last.and_then(|last| self.releases.get(last)?.eol);
        let end = end.and_then(|end| end.date);
        Fate::Built {
            until: [release.eol, last, end].into_iter().flatten().min(),
            because,
        }
    }

    fn out_before(&self, release: &Release, end: &End) -> Result<Because, Because> {
        let Some(day) = end.date else {
            return Ok(Because::NoEnd);
        };
        let end = end.clone();
        if let Some(released) = release.released {
            return match released <= day {
                true => Ok(Because::OutBeforeEnd { released, end }),
                false => Err(Because::OutAfterEnd { released, end }),
            };
        }
        match self.releases.not_before(release, self.today) {
            Some(not_before) if not_before > day => Err(Because::OutAfterEndAnyway { not_before, end }),
            _ => Ok(Because::MayBeOutBeforeEnd { end }),
        }
    }
}

fn wanted(platforms: &Platforms, release: &Release) -> Result<Because, Because> {
    match (platforms, release.is_wanted_by(platforms)) {
        (Platforms::All, _) => Ok(Because::AllReleases),
        (Platforms::Listed(_), true) => Ok(Because::Listed),
        (Platforms::Excluded(_), true) => Ok(Because::NotExcluded),
        (Platforms::Listed(_), false) => Err(Because::NotListed {
            platforms: platforms.clone(),
        }),
        (Platforms::Excluded(_), false) => Err(Because::Excluded),
    }
}

fn covers(release: &Release, end: &End) -> Result<Because, Because> {
    let (eol, end) = match (release.eol, end.date) {
        (_, None) => return Ok(Because::NoEnd),
        (None, Some(_)) => return Err(Because::MayBeOutlived { end: end.clone() }),
        (Some(eol), Some(_)) => (eol, end.clone()),
    };
    match end.date >= Some(eol) {
        true => Ok(Because::Covers { eol }),
        false => Err(Because::Outlived { eol, end }),
    }
}

impl EndCause {
    /// What says so, in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Date => "said for the stream".to_owned(),
            Self::Release { release } => format!("with {release}"),
            Self::ServiceLevel { level } => format!("service level {level}"),
            Self::Obsoletes { obsoleted_by: None, .. } => "obsolete".to_owned(),
            Self::Obsoletes {
                obsoleted_by: Some(by), ..
            } => format!("obsoleted by {by}"),
            Self::Platforms { last: None } => "wanted for no release that there is".to_owned(),
            Self::Platforms { last: Some(last) } => format!("wanted for no release after {last}"),
        }
    }
}
