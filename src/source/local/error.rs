//! What can be wrong with a file of a distribution.

use std::fmt;
use std::path::PathBuf;

use super::tree::Node;
use crate::model::packages::document::MistakeKind;
use crate::remedy::Remedy;
use crate::source::FileError;
use crate::text::{key_meant, position, problems_in};

/// Why a file says nothing that can be worked with. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// There is no file to read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not text in UTF-8.
    #[error("{} is not text in UTF-8, from byte {offset} on", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that is wrong, from 0.
        offset: usize,
    },
    /// There is nothing in the file.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The name of the file does not tell what it is written in.
    #[error("expected a name that ends in .toml or .json, found {}", path.display())]
    WhichFormat {
        /// The file.
        path: PathBuf,
    },
    /// The file is of another distribution.
    #[error("expected a file of distribution {expected}, and {} is one of {found}", path.display())]
    OtherDistribution {
        /// The file.
        path: PathBuf,
        /// The distribution in the configuration.
        expected: String,
        /// That of the file.
        found: String,
    },
    /// The file can be read and says something that makes no sense.
    #[error("{} has {}", path.display(), problems_in(path, problems, MOST_TOLD))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Every problem of the file, in its order; at least one.
        problems: Vec<Problem>,
    },
}

impl Remedy for LocalError {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::File(FileError::Missing { .. }) => "check the path; `kinset distribution export --out FILE` writes a file to start from",
            Self::File(error) => return error.remedy(),
            Self::NotText { .. } => "nothing was changed; save the file as UTF-8 text",
            Self::Empty { .. } => {
                "nothing was changed; a file that says nothing is more likely to be cut off than meant, and a distribution is not \
                                   removed by one"
            }
            Self::WhichFormat { .. } => "say which it is with `--format`, or give the file another name",
            Self::OtherDistribution { .. } => "nothing was changed; correct `name` in the file, or `file` under [[distribution]]",
            Self::Invalid { .. } => {
                "nothing was changed; correct these lines, or see with `kinset distribution export` how it is written where it is right"
            }
        };
        Some(text.to_owned())
    }
}

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The full name of the key that it is about; empty where there is none.
    pub key: String,
    /// What is wrong, and what to do about it.
    pub kind: ProblemKind,
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

/// The ways in which a place in a file can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Not TOML or JSON; what the parser says.
    #[error("not valid {0}: {1}")]
    Syntax(&'static str, String),
    /// A key that does not exist there.
    #[error("unknown key; {}", key_meant(*nearest, known))]
    Unknown {
        /// The key that was probably meant.
        nearest: Option<&'static str>,
        /// The keys that may stand there.
        known: &'static [&'static str],
    },
    /// A key that must be there and is not.
    #[error("missing; add it: {expected}")]
    Missing {
        /// What its value shall be.
        expected: String,
    },
    /// A value that is not what its key expects.
    #[error("expected {expected}, found {found}")]
    Wrong {
        /// What the value shall be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A value that its type refuses, with its reason.
    #[error("{0}")]
    Refused(String),
    /// Something that may stand but once.
    #[error("{what} stands on line {first_line} already: remove one of them")]
    Repeated {
        /// What.
        what: String,
        /// The line where it stands first.
        first_line: usize,
    },
    /// A permission on more than one thing, or on nothing.
    #[error("a permission is on exactly one thing, and this one is on {found}: {remedy}")]
    Targets {
        /// What it is on.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// A set that is as in another series, and says what is in it all the same.
    #[error("`as_in` says that all but the score is as in another series: remove one of the two")]
    BesideAsIn,
    /// There is not as much as the file says that there is.
    #[error(
        "the file is to have {said}, and has {found}: it is cut off, so get it whole; if it is whole, correct the number, or remove `contents`"
    )]
    Counted {
        /// How many there are to be.
        said: i64,
        /// How many there are.
        found: usize,
    },
    /// The file says at its top what it has, and does not come to its end.
    #[error(
        "missing at the end of the file: it is cut off, so get it whole; if it is whole, add a last line `[end]`, or remove `contents`"
    )]
    NoEnd,
    /// The file does not hold together, or does not go with what there is.
    #[error("{0}")]
    Mistake(MistakeKind),
}

impl ProblemKind {
    /// A value is not what is expected.
    pub(super) fn wrong(expected: impl Into<String>, node: &Node) -> Self {
        Self::Wrong {
            expected: expected.into(),
            found: node.shown(),
        }
    }
}

/// The problems found so far in one text.
#[derive(Debug)]
pub(super) struct Problems<'t> {
    text: &'t str,
    found: Vec<(usize, Problem)>,
}

impl<'t> Problems<'t> {
    /// No problem yet.
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Adds a problem at an offset in bytes.
    pub(super) fn push(&mut self, offset: usize, key: String, kind: ProblemKind) {
        let (line, column) = position(self.text, offset);
        self.found.push((offset, Problem { line, column, key, kind }));
    }

    /// The line that an offset stands on.
    pub(super) fn line(&self, offset: usize) -> usize {
        position(self.text, offset).0
    }

    /// All of them, in the order of the text.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|(offset, _)| *offset);
        self.found.into_iter().map(|(_, problem)| problem).collect()
    }
}

/// More problems than this are counted and not told.
const MOST_TOLD: usize = 50;
