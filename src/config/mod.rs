//! TOML to validated types, once.
//!
//! [`Config::load`] reads one file, and what it hands back needs no further checks: every number is in its range, every path absolute,
//! every tracker complete. All problems of a file are reported together, each with its line.
//!
//! This module knows nothing of the command line, opens no file but the configuration itself (and the system's time zones, where it names one), and
//! never reads a token: a [`TokenSource`] says where one is kept.

mod daemon;
mod distribution;
mod effective;
mod error;
mod keys;
mod parse;
mod parse_daemon;
mod parse_sources;
mod schedule;
mod section;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::model::ProjectName;
use crate::model::commits::CommitPolicy;
use crate::model::packages::SeriesPath;
use crate::model::relations::Policy;
use crate::model::relations::guard::Thresholds;

pub use daemon::{Daemon, Listen, NoListen, Notice};
pub use distribution::{Distribution, DistributionGuard, FileOrUrl, Follows, ModulesAt, ReadSets, Services, Source, SourceKind};
pub use error::{ConfigError, Kind, Problem, ProblemKind, UnknownName};
pub use schedule::{CronRule, DistributionSchedule, NoQuietTime, QuietTime, SyncMode, TrackerSchedule, Zone};

/// The variable of the environment that names the configuration file.
pub const PATH_VARIABLE: &str = "KINSET_CONFIG";

/// The configuration file when nothing names another.
pub const DEFAULT_PATH: &str = "/etc/kinset/kinset.toml";

/// Where kinset keeps its state when the configuration does not say: the folder that systemd's `StateDirectory=kinset` makes.
pub const DEFAULT_STATE_DIR: &str = "/var/lib/kinset";

/// The configuration file to use: what was asked for, else what [`PATH_VARIABLE`] holds, else [`DEFAULT_PATH`].
///
/// A variable that is set to nothing counts as not set, as is the custom for variables that hold paths.
#[must_use]
pub fn choose_path(asked: Option<&Path>, from_environment: Option<&OsStr>) -> PathBuf {
    asked
        .or_else(|| from_environment.filter(|value| !value.is_empty()).map(Path::new))
        .unwrap_or_else(|| Path::new(DEFAULT_PATH))
        .to_path_buf()
}

/// A configuration to start from, in which every key is explained. It is valid as it stands.
#[must_use]
pub const fn example() -> &'static str {
    include_str!("../../config/kinset.example.toml")
}

/// Everything that kinset is told before it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file that this was read from, for messages.
    pub path: PathBuf,
    /// The folder that holds what kinset remembers: snapshots and the journal of its writes. Default: [`DEFAULT_STATE_DIR`].
    pub state_dir: PathBuf,
    /// How the daemon goes about its work.
    pub daemon: Daemon,
    /// The trackers to keep in step, in the order of the file; no two of the same name.
    pub trackers: Vec<Tracker>,
    /// The distributions that are kept in files or follow services, in the order of the file; none has the name of another or of a tracker.
    pub distributions: Vec<Distribution>,
}

/// What names stand for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection<'c> {
    /// The trackers, in the order of the file.
    pub trackers: Vec<&'c Tracker>,
    /// The distributions, in the order of the file.
    pub distributions: Vec<&'c Distribution>,
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// When the file is missing, cannot be read, is not text, or has problems: then all of them.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let path = std::path::absolute(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_path_buf(),
            source,
        })?;
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ConfigError::Missing { path: path.clone() },
            _ => ConfigError::Unreadable {
                path: path.clone(),
                source,
            },
        })?;
        Self::parse(error::text_of(&bytes, &path)?, &path)
    }

    /// Reads a configuration from text, as if it stood in the file `path`: relative paths in it count from that file's folder. With an absolute
    /// `path`, all paths of the configuration are absolute.
    ///
    /// # Errors
    /// When the text has problems: then all of them.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        parse::config(text, path)
    }

    /// The trackers of these names, in the order of the file; all trackers when no name is given.
    ///
    /// # Errors
    /// When there is no tracker of one of the names: then all such names; and when there is no tracker at all.
    pub fn select<N: AsRef<str>>(&self, names: &[N]) -> Result<Vec<&Tracker>, ConfigError> {
        Ok(self.choose(names, Kind::Tracker)?.trackers)
    }

    /// The trackers and distributions of these names; all of both when no name is given.
    ///
    /// # Errors
    /// When there is neither of one of the names: then all such names; and when there is nothing at all.
    pub fn select_any<N: AsRef<str>>(&self, names: &[N]) -> Result<Selection<'_>, ConfigError> {
        self.choose(names, Kind::Either)
    }

    fn choose<N: AsRef<str>>(&self, names: &[N], kind: Kind) -> Result<Selection<'_>, ConfigError> {
        let asked: BTreeSet<&str> = names.iter().map(AsRef::as_ref).collect();
        let trackers = self.trackers.iter().map(|tracker| tracker.name.as_str());
        let distributions = self.distributions.iter().map(|distribution| distribution.name.as_str());
        let known: BTreeSet<&str> = match kind {
            Kind::Tracker => trackers.collect(),
            Kind::Either => trackers.chain(distributions.clone()).collect(),
        };
        if known.is_empty() && asked.is_empty() {
            return Err(ConfigError::Nothing {
                path: self.path.clone(),
                kind,
                distributions: self.distributions.len(),
            });
        }
        let others: BTreeSet<&str> = distributions.collect();
        let unknown = asked.difference(&known);
        let unknown: Vec<_> = unknown.map(|name| UnknownName::new(name, &known, others.contains(name))).collect();
        if !unknown.is_empty() {
            return Err(ConfigError::UnknownNames {
                path: self.path.clone(),
                kind,
                unknown,
                known: known.into_iter().map(str::to_owned).collect(),
            });
        }
        let is_wanted = |name: &str| asked.is_empty() || asked.contains(name);
        Ok(Selection {
            trackers: self.trackers.iter().filter(|tracker| is_wanted(tracker.name.as_str())).collect(),
            distributions: match kind {
                Kind::Tracker => Vec::new(),
                Kind::Either => {
                    let distributions = self.distributions.iter();
                    distributions.filter(|distribution| is_wanted(distribution.name.as_str())).collect()
                }
            },
        })
    }

    /// The configuration as it is in effect, as TOML: defaults filled in and marked, paths resolved.
    ///
    /// Read again it gives an equal configuration. No token is in it, because none is in the configuration: where one is kept is shown, and
    /// `***` in its place.
    #[must_use]
    pub fn to_effective_toml(&self) -> String {
        effective::render(self)
    }
}

/// A Patchwork instance, and what its relations shall become.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracker {
    /// What the tracker is called on the command line and in the state.
    pub name: TrackerName,
    /// The address of the site; `/api/` and a version behind it are left out, and its path ends in a slash. Over `http` or `https`, and never with a password inside.
    pub url: Url,
    /// The projects whose patches are in scope: at least one, no two alike. kinset reads no other project and writes to none.
    pub projects: Vec<ProjectName>,
    /// The collections that projects are of, where that is said: once one has ended, nothing is written to its projects. All are among
    /// [`Self::projects`].
    pub collections: BTreeMap<ProjectName, SeriesPath>,
    /// Who wins where the analysis and the tracker differ. There is no default, because no answer suits everybody.
    pub policy: Policy,
    /// Where the API token is kept. Without one, kinset reads only what everybody may read, and cannot write.
    pub token: Option<TokenSource>,
    /// Whom the tracker's operators can reach about this client; sent in the `User-Agent`. A good guest leaves an address.
    pub contact: Option<String>,
    /// The folder that tells the analysis what people decided, if it is told at all.
    pub feedback: Option<PathBuf>,
    /// What happens to the commits of patches. Default: nothing.
    pub commit_ref: CommitPolicy,
    /// Whether the daemon carries its plans out. Default: it does not.
    pub sync: SyncMode,
    /// The partition that the analysis wants.
    pub desired: Desired,
    /// How much is asked of the tracker at once.
    pub limits: Limits,
    /// How the tracker's patches are read.
    pub pull: Pull,
    /// When a plan is too drastic to be carried out unasked.
    pub guard: Guard,
    /// When the daemon does what. Default: never.
    pub schedule: TrackerSchedule,
}

/// The name of a tracker: ASCII letters, digits, `-`, `_` and `.`, the first a letter or digit, so that it can be no option.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackerName(String);

impl TrackerName {
    /// Takes a text as a name, unless it is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        (text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.chars().all(legal)).then(|| Self(text.to_owned()))
    }

    /// The name as it stands in the configuration.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrackerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a tracker's API token is kept. Reading it from there is the tracker client's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// In a file of its own, which nobody but its owner may read.
    File(PathBuf),
    /// In the variable of this name of the environment.
    Env(String),
    /// In the systemd credential of this name (`LoadCredential=`, `SetCredentialEncrypted=`).
    Credential(String),
}

/// Where the desired partition comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The file of groups that the analysis writes.
    pub path: PathBuf,
    /// What the elements of its groups are.
    pub format: DesiredFormat,
}

/// What the elements of the groups in a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DesiredFormat {
    /// Message ids, as `PaStA` writes them into `patch-groups`.
    Pasta,
    /// Patchwork's own numbers of patches, as its `replacerelations` command takes them.
    Ids,
}

impl DesiredFormat {
    /// The word that stands for the format in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pasta => "pasta",
            Self::Ids => "ids",
        }
    }
}

impl fmt::Display for DesiredFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much is asked of a tracker at once, and how patiently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second, reads and writes together. Default 10: a list page keeps a public server busy for about half a second.
    pub requests_per_second: NonZeroU32,
    /// Requests under way at the same time. Default 4: Patchwork usually runs with few worker processes, and people want some of them.
    pub concurrent_requests: NonZeroUsize,
    /// Patches named in one relating write. Default 50: each costs the server about 17 queries, and a write that takes long can fail half-way.
    pub attach_limit: NonZeroU32,
    /// Patches in one relation, at least 2. Default 200: a list page repeats every relative in every row, 20 MB for a relation of 200. Larger
    /// desired classes are reported and left undone.
    pub max_relation_size: u32,
    /// How long one request may take, from connecting to the last byte of the answer, in seconds, at most 120: between the two there is no sign of
    /// life. Default 60: Patchwork needs seconds for a page of large relations.
    pub timeout_seconds: NonZeroU32,
    /// How long a request that fails is tried again, in seconds; 0 tries each request once. Default 1020, which is 17 minutes: servers answer
    /// slow lists with 502 and 504 for minutes on end, and clients that gave up after three and a half had to be taught to wait for that long.
    pub patience_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: NonZeroU32::new(10).unwrap_or(NonZeroU32::MIN),
            concurrent_requests: NonZeroUsize::new(4).unwrap_or(NonZeroUsize::MIN),
            attach_limit: NonZeroU32::new(50).unwrap_or(NonZeroU32::MIN),
            max_relation_size: 200,
            timeout_seconds: NonZeroU32::new(60).unwrap_or(NonZeroU32::MIN),
            patience_seconds: 17 * 60,
        }
    }
}

impl Limits {
    /// How long one request may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.get().into())
    }

    /// How long a request that fails is tried again.
    #[must_use]
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_seconds.into())
    }
}

/// How a tracker's patches are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// How old the last full read may be before a pull reads everything again instead of walking the tracker's events, in hours; 0 makes
    /// every pull a full read. Default 24: events miss some changes, and a day is how long those may go unseen.
    pub sweep_hours: u32,
}

impl Default for Pull {
    fn default() -> Self {
        Self { sweep_hours: 24 }
    }
}

impl Pull {
    /// How old the last full read may be before a pull reads everything again.
    #[must_use]
    pub fn sweep_interval(&self) -> Duration {
        Duration::from_secs(u64::from(self.sweep_hours) * 60 * 60)
    }
}

/// When a plan is too drastic to be carried out unasked. A guard that trips writes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// The share of all related patches that may lose their relation in one run. Default 0.25: analyses improve by small steps, so more than a
    /// quarter at once is far more often a broken input than progress.
    pub max_clear_fraction: Fraction,
    /// The number of clears from which on [`Self::max_clear_fraction`] counts. Default 10: shares of a few patches say nothing.
    pub min_clears: u32,
    /// Whether the analysis may want no relation at all. Default false: an empty result is nearly always a failed analysis.
    pub allow_empty: bool,
    /// The share of the analysis's message ids that the tracker must know. Default 0.5: with less, the analysis is probably of another list.
    pub min_resolved_fraction: Fraction,
    /// The share of patches that may be gone since the last pull. Default 0.1: patches are hardly ever deleted, so a pull that finds far fewer
    /// saw only part of the tracker, and changes nothing.
    pub max_shrink_fraction: Fraction,
    /// The share of all related patches that somebody else may have taken out of their relations between two pulls before kinset no longer
    /// takes it for people's decisions. Default 0.25: more looks like a restored backup or a reload on the server. Counts from
    /// [`Self::min_clears`] such patches on.
    pub max_foreign_fraction: Fraction,
    /// The share of all patches that name a commit that may be made to name another in one run. Default 0.25, for the reason of
    /// [`Self::max_clear_fraction`]. Counts from [`Self::min_clears`] such patches on.
    pub max_overwrite_fraction: Fraction,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            max_clear_fraction: Fraction(0.25),
            min_clears: 10,
            allow_empty: false,
            min_resolved_fraction: Fraction(0.5),
            max_shrink_fraction: Fraction(0.1),
            max_foreign_fraction: Fraction(0.25),
            max_overwrite_fraction: Fraction(0.25),
        }
    }
}

impl Guard {
    /// The same, as the guards take it.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        let Self {
            max_clear_fraction,
            min_clears,
            allow_empty,
            min_resolved_fraction,
            max_shrink_fraction,
            max_foreign_fraction,
            max_overwrite_fraction,
        } = *self;
        Thresholds {
            max_clear_fraction: max_clear_fraction.get(),
            min_clears: min_clears as usize,
            allow_empty,
            min_resolved_fraction: min_resolved_fraction.get(),
            max_shrink_fraction: max_shrink_fraction.get(),
            max_foreign_fraction: max_foreign_fraction.get(),
            max_overwrite_fraction: max_overwrite_fraction.get(),
        }
    }
}

/// A share of a whole: 0 to 1, both included.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Fraction(f64);

impl Fraction {
    /// Takes a number as a share, unless it is none.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The share as a number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
