//! What can be wrong with a configuration.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::keys::Key;
use super::{DEFAULT_PATH, PATH_VARIABLE, TrackerName};
use crate::remedy::{Remedy, nearest};
use crate::text::{key_meant, position, problems_in};

/// Why there is no configuration to work with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("there is no configuration at {}", path.display())]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// There is something, but it cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not text in UTF-8.
    #[error("{}:{line}:{column}: the configuration is not text in UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The line of the first byte that is wrong, from 1.
        line: usize,
        /// Its column in characters, from 1.
        column: usize,
    },
    /// The file can be read and says something that kinset does not accept.
    #[error("the configuration has {}", problems_in(path, problems, usize::MAX))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Every problem of the file, in its order; at least one.
        problems: Vec<Problem>,
    },
    /// Names were asked for that the configuration does not have.
    #[error("the configuration {} has no {kind} {}", path.display(), joined(unknown, &format!(" and no {kind} ")))]
    UnknownNames {
        /// The file.
        path: PathBuf,
        /// What they should stand for.
        kind: Kind,
        /// The names that are not there; at least one.
        unknown: Vec<UnknownName>,
        /// The names that are.
        known: Vec<String>,
    },
    /// All of something was asked for, and there is none.
    #[error("the configuration {} names no {kind}", path.display())]
    Nothing {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        kind: Kind,
        /// How many distributions it names.
        distributions: usize,
    },
}

/// What a name in a configuration may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tracker.
    Tracker,
    /// A tracker or a distribution.
    Either,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tracker => "tracker",
            Self::Either => "tracker or distribution",
        })
    }
}

impl Remedy for ConfigError {
    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => format!(
                "`kinset config init` gives a commented example to start from; another file is named with `--config FILE` or ${PATH_VARIABLE} \
                 (without either it is {DEFAULT_PATH})"
            ),
            Self::Unreadable { path, .. } => {
                format!(
                    "make sure that {} is a file that this user may read, or name another with `--config FILE`",
                    path.display()
                )
            }
            Self::NotText { .. } => {
                "save the file as UTF-8 text, or name another with `--config FILE` if this is not the configuration".to_owned()
            }
            Self::Invalid { .. } => {
                "correct these lines; `kinset config init` shows every key with its meaning, and `kinset config check` \
                                     looks at the file again without doing anything else"
                    .to_owned()
            }
            Self::UnknownNames { known, kind, .. } if known.is_empty() => format!("it names no {kind} at all; {}", add(*kind)),
            Self::UnknownNames { known, kind, .. } => match kind {
                Kind::Tracker => format!("the trackers it has: {}", known.join(", ")),
                Kind::Either => format!("the trackers and distributions it has: {}", known.join(", ")),
            },
            Self::Nothing { kind, distributions, .. } => {
                let others = match (kind, distributions) {
                    (Kind::Tracker, 1..) => "this command is about trackers, and not about distributions; ",
                    _ => "",
                };
                format!("{others}{}", add(*kind))
            }
        })
    }
}

fn add(kind: Kind) -> &'static str {
    match kind {
        Kind::Tracker => "add a [[tracker]] table; `kinset config init` shows one with every key",
        Kind::Either => "add a [[tracker]] or [[distribution]] table; `kinset config init` shows them with every key",
    }
}

/// A name that stands for nothing that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// The name that was asked for.
    pub name: String,
    /// The name that was probably meant.
    pub nearest: Option<String>,
    /// Whether there is a distribution of that name.
    pub is_distribution: bool,
}

impl UnknownName {
    pub(super) fn new(name: &str, known: &BTreeSet<&str>, is_distribution: bool) -> Self {
        Self {
            name: name.to_owned(),
            nearest: nearest(name, known.iter().copied()).map(str::to_owned),
            is_distribution,
        }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.escape_debug();
        match &self.nearest {
            _ if self.is_distribution => write!(f, "`{name}` (which is a distribution)"),
            Some(nearest) => write!(f, "`{name}` (did you mean `{nearest}`?)"),
            None => write!(f, "`{name}`"),
        }
    }
}

/// One thing that is wrong in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The full name of the key that it is about; where the text is not even TOML the key alone, or nothing.
    pub key: String,
    /// What is wrong, and what to do about it.
    pub kind: ProblemKind,
}

impl Problem {
    /// Whether the text is no TOML here.
    pub(super) const fn is_syntax(&self) -> bool {
        matches!(self.kind, ProblemKind::Syntax(_))
    }

    /// Whether this is about something that is not there.
    pub(super) const fn is_absence(&self) -> bool {
        matches!(self.kind, ProblemKind::Missing { .. })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        self.kind.fmt(f)
    }
}

/// The ways in which a place in a configuration file can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Not TOML; what the TOML parser says.
    #[error("not valid TOML: {0}")]
    Syntax(String),
    /// A key that exists nowhere.
    #[error("unknown key; {}", key_meant(*nearest, known))]
    Unknown {
        /// The key that was probably meant.
        nearest: Option<&'static str>,
        /// The keys that may stand there.
        known: Vec<&'static str>,
    },
    /// A key that exists, but not there.
    #[error("this key does not belong here: move it to its place {home}")]
    Misplaced {
        /// Where it belongs.
        home: &'static str,
    },
    /// A key that must be there and is not.
    #[error("missing; add it {place}: {expected}")]
    Missing {
        /// What its value shall be.
        expected: &'static str,
        /// Where it shall stand.
        place: &'static str,
    },
    /// A value that is not what its key expects.
    #[error("expected {expected}, found {found}")]
    Wrong {
        /// What the value shall be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A value that stands in the file more than once where it may stand but once.
    #[error("{value:?} stands on line {first_line} already: give this one another name, or remove it")]
    Repeated {
        /// The value.
        value: String,
        /// The line where it stands first.
        first_line: usize,
    },
    /// A project that two trackers at the same address have.
    #[error("{project:?} is a project of tracker `{other}` at the same address already: take it out of `{other}` or out of `{tracker}`")]
    SharedProject {
        /// The project.
        project: String,
        /// The tracker that it stands under here.
        tracker: TrackerName,
        /// The tracker that has it first in the file.
        other: TrackerName,
    },
    /// A project of which something is said, and which is none of the tracker's.
    #[error("{project:?} is none of the tracker's `projects`{}: name it there, too, or remove this table", or_meant(nearest.as_deref()))]
    ForeignProject {
        /// The project.
        project: String,
        /// The project that was probably meant.
        nearest: Option<String>,
    },
    /// A second place for the same token.
    #[error("`{first}` says already where the token is kept: remove one of them")]
    SecondToken {
        /// The key that comes first in the file.
        first: &'static str,
    },
    /// A key that a source of this kind does not have.
    #[error("a source of the kind `{kind}` has no such key: remove it; its keys are {}", joined(known, ", "))]
    NotOfKind {
        /// The kind.
        kind: &'static str,
        /// The keys that it has.
        known: Vec<&'static str>,
    },
    /// A distribution that is to follow two things.
    #[error("a distribution follows a file or services: remove `file`, or the [[distribution.source]] tables and what belongs to them")]
    FileAndSources,
    /// Something that is to be in two places.
    #[error("`{first}` says already where it is: remove one of them")]
    TwoPlaces {
        /// The key that says so.
        first: &'static str,
    },
    /// A key that a distribution which is kept in a file has no use for.
    #[error("this is for a distribution that follows services, and this one is kept in a file, which says it: remove it")]
    OnlyOfServices,
    /// The first wait after a failure is longer than the longest.
    #[error(
        "the wait after a first failure would be {first} s, and the longest {longest} s: make `backoff_seconds` less, or `max_backoff_seconds` more"
    )]
    BackoffTooLong {
        /// The first.
        first: NonZeroU32,
        /// The longest.
        longest: NonZeroU32,
    },
    /// A user name or password inside an address.
    #[error("expected an address without a user name or password: put the API token into a file, and name that with `token_file`")]
    PasswordInUrl,
    /// The address of the API where that of the site is due.
    #[error("expected the address of the site: remove what follows `/api/`, kinset finds the way by itself")]
    ApiInUrl,
}

impl ProblemKind {
    /// The value is not what the key expects.
    pub(super) fn wrong(key: &Key, value: &DeValue<'_>) -> Self {
        Self::found(key, shown(value))
    }

    /// Something was found that the key does not expect.
    pub(super) fn found(key: &Key, found: impl Into<String>) -> Self {
        Self::Wrong {
            expected: key.expected,
            found: found.into(),
        }
    }

    /// The value is not what the key expects, and may be a secret that was put into the wrong place.
    pub(super) fn hidden(key: &Key) -> Self {
        Self::found(key, "something else (not shown, as it may be the token itself)")
    }
}

/// The text in the bytes of a file. A zero byte is legal UTF-8, but no text has one.
pub(super) fn text_of<'b>(bytes: &'b [u8], path: &Path) -> Result<&'b str, ConfigError> {
    let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    match text.find('\0') {
        None if text.len() == bytes.len() => Ok(text),
        zero => {
            let (line, column) = position(text, zero.unwrap_or(text.len()));
            Err(ConfigError::NotText {
                path: path.to_path_buf(),
                line,
                column,
            })
        }
    }
}

/// How much of a wrong value is repeated in a message.
const SHOWN_LETTERS: usize = 60;

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.chars().count() > SHOWN_LETTERS => {
            format!("{:?}…", text.chars().take(SHOWN_LETTERS).collect::<String>())
        }
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(elements) if elements.is_empty() => "an empty list".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

fn or_meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(" (did you mean {nearest:?}?)"))
}

fn joined<T: fmt::Display>(words: &[T], separator: &str) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}
