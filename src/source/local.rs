//! A distribution that is kept in a file, as TOML or JSON.
//!
//! [`LocalFile::load`] takes a file in whole or not at all, and reports everything that is wrong in it together, each with its line. [`render()`] is
//! the other way round: text that a person can read, with one name a line, so that a change shows as what it is.

mod error;
mod json;
mod read;
mod table;
mod tree;
mod write;

use std::path::{Path, PathBuf};

use super::{Reading, SourceError, Trouble, file};
use crate::model::packages::document::{DistributionDocument, Mistake};
use crate::model::packages::snapshot::SourceSnapshot;
use crate::model::packages::{PackageSetName, SeriesName};

use error::Problems;
use table::Need;
use tree::Node;

pub use error::{LocalError, Problem, ProblemKind};
pub use write::render;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

impl FileFormat {
    /// What a file of that name is written in.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        [Self::Toml, Self::Json]
            .into_iter()
            .find(|format| extension.eq_ignore_ascii_case(format.word()))
    }

    /// The word for it, which is also the end of the name of such a file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Json => "json",
        }
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct LocalFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub document: DistributionDocument,
    text: String,
    tree: Node,
}

impl LocalFile {
    /// Reads a file: in the format that is named, else in that of its name.
    ///
    /// # Errors
    /// When it is missing, no regular file, larger than 1 GiB, cannot be read, is no text or empty, is of no known format, or says something that makes
    /// no sense: then all of it.
    pub fn load(path: &Path, format: Option<FileFormat>) -> Result<Self, LocalError> {
        Self::load_with(path, format, Need::Required)
    }

    /// Reads a file that says something of what others say the rest of: a series may have no status and no owner in it, and a package set no owner.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn load_part(path: &Path) -> Result<Self, LocalError> {
        Self::load_with(path, None, Need::Optional)
    }

    fn load_with(path: &Path, format: Option<FileFormat>, need: Need) -> Result<Self, LocalError> {
        let bytes = file::bytes(path, MOST_BYTES)?;
        let format = format.or_else(|| FileFormat::of(path));
        let format = format.ok_or_else(|| LocalError::WhichFormat { path: path.to_path_buf() })?;
        Self::parse_with(bytes, format, path, need)
    }

    /// Reads what stands in a file of that name.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn parse(bytes: Vec<u8>, format: FileFormat, path: &Path) -> Result<Self, LocalError> {
        Self::parse_with(bytes, format, path, Need::Required)
    }

    fn parse_with(bytes: Vec<u8>, format: FileFormat, path: &Path, need: Need) -> Result<Self, LocalError> {
        let text = String::from_utf8(bytes).map_err(|error| LocalError::NotText {
            path: path.to_path_buf(),
            offset: error.utf8_error().valid_up_to(),
        })?;
        if text.trim().is_empty() {
            return Err(LocalError::Empty { path: path.to_path_buf() });
        }
        let mut problems = Problems::new(&text);
        let tree = match format {
            FileFormat::Toml => tree::of_toml(&text, &mut problems),
            FileFormat::Json => json::tree(&text, &mut problems),
        };
        let read = tree.map(|tree| (read::document(&tree, format, need, &mut problems), tree));
        let problems = problems.into_sorted();
        match read {
            Some((Some(document), tree)) if problems.is_empty() => {
                let mistakes = document.mistakes();
                let file = Self {
                    path: path.to_path_buf(),
                    document,
                    text,
                    tree,
                };
                if mistakes.is_empty() {
                    Ok(file)
                } else {
                    Err(file.refuse(&mistakes))
                }
            }
            _ => Err(LocalError::Invalid {
                path: path.to_path_buf(),
                problems,
            }),
        }
    }

    /// Whether it says something by itself of a series, or of one of its sets, under this key. A set that is as in another series says all of it.
    #[must_use]
    pub fn says(&self, series: &SeriesName, set: Option<&PackageSetName>, key: &str) -> bool {
        let mut node = self.tree.named("series", series.as_str());
        if let Some(set) = set {
            node = node.and_then(|series| series.named("packageset", set.as_str()));
        }
        node.is_some_and(|node| [key, "as_in"].iter().any(|key| node.entry(key).is_some()))
    }

    /// What is wrong in it, with the places where that stands.
    #[must_use]
    pub fn refuse(&self, mistakes: &[Mistake]) -> LocalError {
        let mut problems = Problems::new(&self.text);
        for Mistake { at, kind } in mistakes {
            let (offset, key) = self.tree.find(at);
            problems.push(offset, key, ProblemKind::Mistake(kind.clone()));
        }
        LocalError::Invalid {
            path: self.path.clone(),
            problems: problems.into_sorted(),
        }
    }
}

/// A file as one source of a distribution among others.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The source's name in the configuration.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// Reads a file as one source among others: see [`SourceSnapshot::of`].
///
/// # Errors
/// As for [`LocalFile::load`].
pub async fn read(settings: &Settings) -> Result<Reading, SourceError> {
    let file = LocalFile::load_part(&settings.path).map_err(|error| SourceError {
        name: settings.name.clone(),
        trouble: Trouble::Local(Box::new(error)),
    })?;
    Ok(Reading {
        snapshot: SourceSnapshot::of(&file.document, |series, set, key| file.says(series, set, key)),
        ..Reading::default()
    })
}

/// The largest file that is read: far more than all of Debian takes.
const MOST_BYTES: u64 = 1 << 30;
