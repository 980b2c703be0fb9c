//! Distributions that are kept in files, or follow services.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::PathBuf;

use url::Url;

use super::{DistributionSchedule, Fraction};
use crate::model::packages::document::Thresholds;
use crate::model::packages::{BranchName, DistributionName, SeriesName, Sharing, VersionScheme};

/// A distribution, and who says what it is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// Its name, on the command line, in the file and in the state.
    pub name: DistributionName,
    /// What it follows.
    pub follows: Follows,
    /// When a plan is too drastic to be carried out unasked.
    pub guard: DistributionGuard,
    /// When the daemon reads what it follows. Default: never.
    pub schedule: DistributionSchedule,
}

/// Who says what a distribution is to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Follows {
    /// A file, which says all of it.
    File(PathBuf),
    /// Services, each of which knows a part of it.
    Services(Services),
}

/// The services that a distribution follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Services {
    /// How package sets are tied to series, if the distribution is not there yet. Default: [`Sharing::CopyOnWrite`].
    pub sharing: Sharing,
    /// How versions are compared, if the distribution is not there yet. Default: as Debian does.
    pub versions: VersionScheme,
    /// The series that have all packages that a service tells of; default none.
    pub listed: BTreeSet<SeriesName>,
    /// The services, at least one, no two of the same name. What one says of something counts before what those behind it say.
    pub sources: Vec<Source>,
}

/// A service.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// What the source is called in messages and in the log. Default: its kind.
    pub name: String,
    /// What it is, and what is asked of it.
    pub kind: SourceKind,
    /// Whom its operators can reach about this client; sent in the `User-Agent`.
    pub contact: Option<String>,
    /// How many requests may start in a second. Default 4.
    pub requests_per_second: NonZeroU32,
}

/// What a service is, and what is asked of it.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceKind {
    /// Launchpad.
    Launchpad {
        /// The address of its API.
        url: Url,
        /// The series whose package sets are wanted; `None` for all.
        series: Option<BTreeSet<SeriesName>>,
        /// Which sets are read again.
        read_sets: ReadSets,
    },
    /// Bodhi.
    Bodhi {
        /// Its address.
        url: Url,
        /// What marks the distribution's own releases.
        id_prefixes: BTreeSet<String>,
    },
    /// A dist-git.
    Distgit {
        /// Its address.
        url: Url,
        /// The namespace that packages are in.
        namespace: String,
        /// The series that branches are for.
        branches: BTreeMap<BranchName, SeriesName>,
    },
    /// Dates of series, as distro-info has them.
    DistroInfo {
        /// Where the table is.
        at: FileOrUrl,
    },
    /// What a file says, beside others.
    Local {
        /// The file, as TOML or JSON.
        file: PathBuf,
    },
    /// Modules, as repositories publish them.
    Modulemd {
        /// Where they are.
        at: ModulesAt,
        /// The series that their defaults are of; `None` for all that have none of their own.
        release: Option<SeriesName>,
    },
}

/// Where modules are.
#[derive(Clone, Debug, PartialEq)]
pub enum ModulesAt {
    /// In a file, wherever that is.
    File(FileOrUrl),
    /// In the repository with this address.
    Repository(Url),
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq)]
pub enum FileOrUrl {
    /// On this machine.
    File(PathBuf),
    /// On a server.
    Url(Url),
}

/// Which sets of series that have not ended are read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadSets {
    /// Those that lists of sets show as new or changed, which do not tell of a package that was put into a set.
    Listed,
    /// These, and all sets of series that are not released yet.
    #[default]
    Unreleased,
    /// All of them.
    Living,
}

impl ReadSets {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Listed, Self::Unreleased, Self::Living];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Unreleased => "unreleased",
            Self::Living => "living",
        }
    }
}

impl SourceKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Launchpad { .. } => "launchpad",
            Self::Bodhi { .. } => "bodhi",
            Self::Distgit { .. } => "distgit",
            Self::DistroInfo { .. } => "distro-info",
            Self::Local { .. } => "local",
            Self::Modulemd { .. } => "modulemd",
        }
    }
}

/// How many requests to a service may start in a second when nothing else is said.
pub(super) const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(3);

/// When the plan of a distribution is too drastic to be carried out unasked. A guard that trips changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionGuard {
    /// The share of all memberships and permissions that may be taken away by one plan, and of each kind of thing that a service told of that may be gone
    /// from it. Default 0.25: more is far more often a file that was cut off than a decision.
    pub max_removed_fraction: Fraction,
    /// The number of those from which on [`Self::max_removed_fraction`] counts. Default 10.
    pub min_removed: u32,
    /// Whether the file may leave no membership and no permission at all, or a service have nothing any more of what it told of. Default false.
    pub allow_empty: bool,
}

impl Default for DistributionGuard {
    fn default() -> Self {
        Self {
            max_removed_fraction: Fraction(0.25),
            min_removed: 10,
            allow_empty: false,
        }
    }
}

impl DistributionGuard {
    /// The same, as the guards take it.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        let Self {
            max_removed_fraction,
            min_removed,
            allow_empty,
        } = *self;
        Thresholds {
            max_removed_fraction: max_removed_fraction.get(),
            min_removed: min_removed as usize,
            allow_empty,
        }
    }
}
