//! Copies of the state, made while kinset works on it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde::Serialize;
use tempfile::NamedTempFile;

use super::USUAL;
use super::check::unsound;
use super::database::{FILE_NAME, with_suffix};
use super::error::StoreError;
use super::schema::APPLICATION_ID;
use crate::remedy::Remedy;

/// What becomes of a file that has the name of a backup already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and no backup is made.
    Refused,
    /// It gives way to the backup.
    Allowed,
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// The backup.
    pub file: PathBuf,
    /// Which moment it shows.
    pub as_of: Timestamp,
    /// The version of its schema.
    pub version: u32,
    /// How long it is.
    pub bytes: u64,
    /// The names of the trackers in it.
    pub trackers: Vec<String>,
    /// How many decisions of people stand.
    pub decisions: u64,
    /// How many writes are of unknown outcome.
    pub open_writes: u64,
    /// How many entries the log of distributions has.
    pub log_entries: u64,
}

/// Why a backup could not be made. There is none then, and what had its name is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The state cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something has the name of the backup.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// What has the name of the backup is no file.
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// The folder, device or pipe.
        path: PathBuf,
    },
    /// The name is one of the state itself.
    #[error("{} belongs to the state that is to be backed up", path.display())]
    OfTheState {
        /// The file.
        path: PathBuf,
    },
    /// The backup cannot be written.
    #[error("cannot write the backup {}", path.display())]
    Unwritable {
        /// The backup.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file system of the backup is full.
    #[error("no space is left for the backup {}", path.display())]
    Full {
        /// The backup.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// Copying ended in an error that is not about the state.
    #[error("cannot make the backup {}", path.display())]
    Copying {
        /// The backup.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// What was copied is not what it should be.
    #[error("the copy for the backup {} is not sound: {found}", path.display())]
    Unsound {
        /// The backup.
        path: PathBuf,
        /// What was found.
        found: String,
    },
}

impl Remedy for BackupError {
    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Store(error) => return error.remedy(),
            Self::Exists { .. } => "choose another name, or let the backup take its place with --force".to_owned(),
            Self::NotAFile { .. } | Self::OfTheState { .. } => "name a file of its own for the backup".to_owned(),
            Self::Unwritable { .. } => "see to it that its folder exists and that this user may write there".to_owned(),
            Self::Full { .. } => "make room there, or name a file elsewhere; the backup is about as long as the state file".to_owned(),
            Self::Copying { .. } | Self::Unsound { .. } => {
                "see to it that there is room where the backup goes, and that its disk is sound; \
                                                            `kinset state check` tells whether the state is"
                    .to_owned()
            }
        })
    }
}

/// Copies the state of a folder into a file that its owner alone may read, as it is at this moment, whoever is at work on it; nobody waits for it.
/// The file gets its name when all of it is on the disk and was checked. `as_of` is the time now.
///
/// # Errors
/// When the state cannot be read or is damaged, and when the file cannot be written.
pub fn backup(state_dir: &Path, file: &Path, overwrite: Overwrite, as_of: Timestamp) -> Result<BackupReport, BackupError> {
    let (database, version) = USUAL.open_any(state_dir)?;
    require_place(state_dir, file, overwrite)?;
    let unwritable = |source| BackupError::Unwritable {
        path: file.to_path_buf(),
        source,
    };
    let name = file.file_name().ok_or_else(|| unwritable(io::ErrorKind::InvalidFilename.into()))?;
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::metadata(folder).map_err(unwritable)?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    // It is for its owner alone, and goes unless it gets a name.
    let copy = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".partial")
        .tempfile_in(folder)
        .map_err(unwritable)?;
    let into = copy
        .path()
        .to_str()
        .ok_or_else(|| unwritable(io::ErrorKind::InvalidFilename.into()))?;
    database
        .copy_into(into)
        .map_err(|error| about_copy(&state_dir.join(FILE_NAME), file, error))?;
    copy.as_file().sync_all().map_err(unwritable)?;
    let report = look_at(&copy, file, version, as_of)?;
    match overwrite {
        Overwrite::Refused => copy.persist_noclobber(file),
        Overwrite::Allowed => copy.persist(file),
    }
    .map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists { path: file.to_path_buf() },
        _ => unwritable(error.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)?;
    Ok(report)
}

/// Refuses a place where something is, unless it is a file that may give way.
fn require_place(state_dir: &Path, file: &Path, overwrite: Overwrite) -> Result<(), BackupError> {
    let path = file.to_path_buf();
    let there = match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        there => there.map_err(|source| BackupError::Unwritable {
            path: path.clone(),
            source,
        })?,
    };
    let own = state_dir.join(FILE_NAME);
    let of_the_state = ["", "-wal", "-shm"].map(|suffix| with_suffix(&own, suffix));
    let is_same = |other: &PathBuf| fs::metadata(other).is_ok_and(|other| (other.dev(), other.ino()) == (there.dev(), there.ino()));
    if of_the_state.iter().any(is_same) {
        return Err(BackupError::OfTheState { path });
    }
    match overwrite {
        Overwrite::Allowed if there.is_file() => Ok(()),
        Overwrite::Refused if there.is_file() => Err(BackupError::Exists { path }),
        _ => Err(BackupError::NotAFile { path }),
    }
}

/// What an error while copying says: something of the state, or of the copy.
fn about_copy(state: &Path, file: &Path, error: rusqlite::Error) -> BackupError {
    let path = file.to_path_buf();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => BackupError::Full { path, source: error },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::from_sqlite(state, error).into()
        }
        _ => BackupError::Copying { path, source: error },
    }
}

/// Checks a copy, and tells what it holds.
fn look_at(copy: &NamedTempFile, file: &Path, version: u32, as_of: Timestamp) -> Result<BackupReport, BackupError> {
    let path = file.to_path_buf();
    let look = || {
        let connection = Connection::open_with_flags(copy.path(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mark: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let copied: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if (mark, copied) != (APPLICATION_ID, version) {
            return Ok(Err(format!("it is of application {mark:#x} and version {copied}")));
        }
        if let Some(found) = unsound(&connection)? {
            return Ok(Err(found));
        }
        let count = |table: &str, condition: &str| {
            // Older versions do not have all tables.
            if !connection.table_exists(None, table)? {
                return Ok(0);
            }
            connection.query_row(&format!("SELECT count(*) FROM {table} WHERE {condition}"), [], |row| row.get(0))
        };
        let mut trackers = connection.prepare("SELECT name FROM tracker ORDER BY name")?;
        Ok(Ok(BackupReport {
            file: path.clone(),
            as_of,
            version,
            bytes: 0,
            trackers: trackers.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?,
            decisions: count("decision", "ended_at IS NULL")?,
            open_writes: count("journal", "settled_at IS NULL")?,
            log_entries: count("log", "true")?,
        }))
    };
    let looked = look().map_err(|source: rusqlite::Error| BackupError::Copying {
        path: path.clone(),
        source,
    })?;
    let report = looked.map_err(|found| BackupError::Unsound { path: path.clone(), found })?;
    let length = copy
        .as_file()
        .metadata()
        .map_err(|source| BackupError::Unwritable { path, source })?
        .len();
    Ok(BackupReport { bytes: length, ..report })
}
