//! Building a database anew out of what is left of a damaged one.
//!
//! What is no copy of something is taken over row by row; what is a copy, where all of it is there, and else left for the next pull to read. The new
//! database is built beside the damaged one, and gets its name only when it is complete, checked and wanted. The damaged one is kept.

mod count;
mod error;
mod rebuild;
mod swap;
mod take;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use super::check::{Finding, structure};
use super::database::{FILE_NAME, with_suffix};
use super::error::StoreError;
use super::lock::{Lock, STATE};
use super::tables::Origin;

pub use error::RepairError;

/// What became of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableRepair {
    /// Its name.
    pub table: String,
    /// Where what stands in it comes from.
    pub origin: Origin,
    /// How many rows were taken over.
    pub kept: u64,
    /// How many were not. `None`: perhaps some, and nothing tells how many. Where only numbers of rows tell it, what an earlier repair lost counts, too.
    pub lost: Option<u64>,
}

/// What is left of a damaged database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepairReport {
    /// The damaged file.
    pub file: PathBuf,
    /// The name that it is kept under.
    pub kept_as: PathBuf,
    /// The version of the schema that it has, and that the new one has too.
    pub version: u32,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What became of each table that had rows, or lost some.
    pub tables: Vec<TableRepair>,
    /// How many patches are no longer marked as exported, of those that could be read. Before version 10 the marks stood with the patches, and went
    /// with them; since then they are a [table](Self::tables) of their own, and this is 0.
    pub export_marks_lost: u64,
    /// How many patches could not be read, so that nobody knows whether they were marked. `None`: some, and nothing tells how many. As
    /// above, `Some(0)` since version 10.
    pub patches_unread: Option<u64>,
}

impl RepairReport {
    /// The tables that lost what is nowhere else.
    pub fn losses(&self) -> impl Iterator<Item = &TableRepair> {
        self.tables.iter().filter(|table| !table.origin.is_copy() && table.lost != Some(0))
    }

    /// The tables that the next pull fills again.
    pub fn left_out(&self) -> impl Iterator<Item = &TableRepair> {
        self.tables.iter().filter(|table| table.origin.is_copy() && table.lost != Some(0))
    }

    /// Whether anything is lost that is nowhere else.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.export_marks_lost > 0 || self.losses().next().is_some()
    }
}

/// What there is to do about a state.
#[derive(Debug)]
pub enum Repair {
    /// Nothing: its file is whole.
    Needless {
        /// The file.
        file: PathBuf,
    },
    /// An earlier repair was cut short when the files changed names, and is finished now.
    Finished {
        /// The file.
        file: PathBuf,
    },
    /// A new file stands ready.
    Ready(Box<Rebuilt>),
}

/// A database that was built anew and waits for its name. Dropped, it goes again.
#[derive(Debug)]
pub struct Rebuilt {
    new: NamedTempFile,
    report: RepairReport,
    state_dir: PathBuf,
    _lock: Lock,
}

impl Repair {
    /// Looks at the state in a folder, and builds its database anew if it is damaged. The state is as it was until [`Rebuilt::install`].
    ///
    /// # Errors
    /// When another kinset is at work on the state, when there is none, when it is not kinset's or of a newer version, when nothing in it can be
    /// told apart any more, and when the folder cannot be written.
    pub fn prepare(state_dir: &Path) -> Result<Self, RepairError> {
        let file = state_dir.join(FILE_NAME);
        if !state_dir.is_dir() {
            return Err(StoreError::Absent { path: file }.into());
        }
        let lock = Lock::acquire(state_dir, &STATE, None)?;
        if swap::finish(state_dir)? {
            return Ok(Self::Finished { file });
        }
        let findings = structure(state_dir)?;
        if findings.is_empty() {
            return Ok(Self::Needless { file });
        }
        let rebuild::Outcome {
            new,
            version,
            tables,
            export_marks_lost,
            patches_unread,
        } = rebuild::rebuild(state_dir)?;
        let report = RepairReport {
            kept_as: swap::place_for_damaged(&file).map_err(|source| swap::unwritable(state_dir, source))?,
            file,
            version,
            findings,
            tables,
            export_marks_lost,
            patches_unread,
        };
        Ok(Self::Ready(Box::new(Rebuilt {
            new,
            report,
            state_dir: state_dir.to_path_buf(),
            _lock: lock,
        })))
    }
}

impl Rebuilt {
    /// What was taken over and what was not.
    #[must_use]
    pub const fn report(&self) -> &RepairReport {
        &self.report
    }

    /// Puts the new database in the place of the damaged one, which is kept under another name.
    ///
    /// # Errors
    /// When a file cannot be renamed. A repair that is cut short here is finished by the next one.
    pub fn install(self) -> Result<(), RepairError> {
        swap::swap(&self.state_dir, self.new, &self.report.kept_as)
    }
}

/// Where a repair that is complete waits while the files change names.
pub(super) fn waiting(file: &Path) -> PathBuf {
    with_suffix(file, ".repaired")
}
