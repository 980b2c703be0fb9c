//! What can go wrong with the state.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::daemon::DaemonRunId;
use super::journal::{JournalId, RunId};
use super::lock::Holder;
use crate::model::packages::Refusal;
use crate::model::{PatchId, ProjectId};
use crate::remedy::Remedy;

/// Why the state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder is not there and cannot be made.
    #[error("cannot make the state folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file of the state cannot be opened or written.
    #[error("cannot write the state file {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Whether there is a state cannot even be looked up.
    #[error("cannot look for the state file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another kinset holds the state.
    #[error("{holder} is at work on the state in {}", state_dir.display())]
    InUse {
        /// The folder of the state.
        state_dir: PathBuf,
        /// Who holds it.
        holder: Holder,
        /// Whether that is the state's daemon, which holds it during a run only.
        is_daemon: bool,
    },
    /// Another daemon looks after the state.
    #[error("{holder} is the daemon of the state in {}", state_dir.display())]
    DaemonRuns {
        /// The folder of the state.
        state_dir: PathBuf,
        /// Who it is.
        holder: Holder,
    },
    /// Nothing was ever stored.
    #[error("there is no state at {} yet", path.display())]
    Absent {
        /// The database that was looked for.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("the state file {} is not a database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// The file is a database of another program.
    #[error("the state file {} is a database of another program (application id {application_id:#x})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        application_id: i32,
    },
    /// The database was written by a newer kinset. It was not touched.
    #[error("the state file {} is of version {found}, and this kinset knows versions up to {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that this kinset knows.
        known: u32,
    },
    /// The database is of an older version, and was opened for reading only.
    #[error("the state file {} is of version {found}, and must be brought up to version {known} before it can be read", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that is needed.
        known: u32,
    },
    /// The database is damaged.
    #[error("the state file {} is damaged", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: Damage,
    },
    /// A repair was cut short when the files changed names.
    #[error("a repair of the state file {} was cut short", path.display())]
    HalfRepaired {
        /// The file.
        path: PathBuf,
    },
    /// Another program holds a lock on the database.
    #[error("the state file {} is locked by another program", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// The file system is full. The transaction was undone.
    #[error("no space is left for the state file {}", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// Anything else that `SQLite` reports. The transaction was undone.
    #[error("cannot use the state file {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// A database of an older version could not be brought up to date. It is as it was.
    #[error("cannot bring the state file {} up to date", path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: rusqlite_migration::Error,
    },
    /// What was read of a tracker contradicts itself, and was not stored.
    #[error("what was read of tracker `{tracker}` cannot be stored")]
    Inconsistent {
        /// The tracker.
        tracker: String,
        /// The contradiction.
        source: Inconsistency,
    },
    /// Single patches of a tracker were to be updated that was never read in full.
    #[error("tracker `{tracker}` was never pulled")]
    NeverPulled {
        /// The tracker.
        tracker: String,
    },
    /// A full read of a tracker was to be gone on with that was never begun, or is over.
    #[error("no full read of tracker `{tracker}` is under way")]
    NotSweeping {
        /// The tracker.
        tracker: String,
    },
    /// A run that does not exist, or has ended, was to be continued or ended.
    #[error("run {run} is not under way")]
    RunNotOpen {
        /// The run.
        run: RunId,
    },
    /// A run of the daemon's that does not exist, or has ended, was to be ended.
    #[error("run {run} of the daemon is not under way")]
    DaemonRunNotOpen {
        /// The run.
        run: DaemonRunId,
    },
    /// A change to the package model is refused, or a question about it has no answer. Nothing has changed.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// A journal entry that does not exist, or is settled, was to be settled.
    #[error("journal entry {entry} is not open")]
    EntryNotOpen {
        /// The entry.
        entry: JournalId,
    },
}

/// What is wrong in a damaged database.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// A statement came upon it.
    #[error(transparent)]
    Found(#[from] rusqlite::Error),
    /// `SQLite`'s own check found it.
    #[error("the check after an unclean end found: {0}")]
    Checked(String),
}

/// How a snapshot can contradict itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistency {
    /// Two patches do not agree on the relation that both are in, or one is in two. Somebody wrote while the pages were read.
    #[error("patch {patch} and patch {other} tell of different relations")]
    Torn {
        /// The one.
        patch: PatchId,
        /// The other.
        other: PatchId,
    },
    /// A patch belongs to a project that was not read.
    #[error("patch {patch} belongs to project {project}, which was not read")]
    StrayPatch {
        /// The patch.
        patch: PatchId,
        /// Its project.
        project: ProjectId,
    },
}

impl StoreError {
    /// Tells what an error of `SQLite` means for the file that it happened on.
    pub(super) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path, source },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt {
                path,
                source: Damage::Found(source),
            },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path, source },
            Some(ErrorCode::DiskFull) => Self::Full { path, source },
            None if is_unreadable_value(&source) => Self::Corrupt {
                path,
                source: Damage::Found(source),
            },
            _ => Self::Sqlite { path, source },
        }
    }

    /// Tells what an error while migrating means for the file that it happened on.
    pub(super) fn from_migration(path: &Path, source: rusqlite_migration::Error) -> Self {
        match source {
            rusqlite_migration::Error::RusqliteError { err, .. } if is_about_the_file(&err) => Self::from_sqlite(path, err),
            source => Self::Migration {
                path: path.to_path_buf(),
                source,
            },
        }
    }
}

/// Whether an error says something about the file, and nothing about the statement that came upon it.
fn is_about_the_file(error: &rusqlite::Error) -> bool {
    use ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase};
    matches!(
        error.sqlite_error_code(),
        Some(NotADatabase | DatabaseCorrupt | DatabaseBusy | DatabaseLocked | DiskFull)
    )
}

/// Whether nothing more can be written for want of room, on the disk or in what this user may have of it.
fn is_about_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn make_room(path: &Path) -> String {
    format!(
        "make room on the file system of {}, or lift the limit on what this user may write, and run the command again; the daemon does so by itself",
        path.display()
    )
}

/// Whether a value in the database is one that kinset never writes.
fn is_unreadable_value(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
    )
}

impl Remedy for StoreError {
    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Folder { path, source } | Self::Unwritable { path, source } if is_about_room(source) => make_room(path),
            Self::Folder { path, source } | Self::Unwritable { path, source } if source.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                format!(
                    "the file system of {} lets nobody write: the kernel's log (`dmesg`) says why, and `mount -o remount,rw` lets it be written again",
                    path.display()
                )
            }
            Self::Folder { path, .. } => {
                format!(
                    "make {} a folder that this user may write to, or set another one with `state_dir` in the configuration",
                    path.display()
                )
            }
            Self::Unwritable { path, .. } => format!(
                "see to it that this user may write {} and its folder, or set another folder with `state_dir` in the configuration",
                path.display()
            ),
            Self::InUse { is_daemon: true, .. } => {
                "the daemon is in the middle of a run; try again when it is over, `kinset status` shows it".to_owned()
            }
            Self::InUse { holder, .. } => {
                format!(
                    "wait until {holder} is done, or stop it: one kinset at a time works on a state; another state is set with `state_dir`"
                )
            }
            Self::DaemonRuns { .. } => {
                "a state has one daemon: stop that one first, or set another folder with `state_dir` in the configuration".to_owned()
            }
            Self::Absent { .. } => "run `kinset pull` first; the folder is set with `state_dir` in the configuration".to_owned(),
            Self::NotADatabase { path, .. } => format!(
                "if it was kinset's, `kinset state repair` shows what is left in it; else move {} away, or set another folder with \
                 `state_dir` in the configuration, and run `kinset pull`; kinset leaves the file alone",
                path.display()
            ),
            Self::Foreign { path, .. } => format!(
                "kinset leaves the file alone; move {} away, or set another folder with `state_dir` in the configuration, and run \
                 `kinset pull`",
                path.display()
            ),
            Self::Newer { .. } => "use the newer kinset that wrote it; the file was not touched".to_owned(),
            Self::Older { .. } => "run `kinset pull` once: it brings the state up to date and keeps a copy of the old one".to_owned(),
            Self::Corrupt { .. } => {
                "`kinset state check` tells what is damaged, and `kinset state repair` shows what can be saved, and builds \
                                     the state anew of that when it is told to; the damaged file is kept"
                    .to_owned()
            }
            Self::HalfRepaired { .. } => "run `kinset state repair`: it finishes what was begun".to_owned(),
            Self::Busy { path, .. } => {
                format!(
                    "close the program that has {} open (`fuser {}` names it), and run the command again",
                    path.display(),
                    path.display()
                )
            }
            Self::Full { path, .. } => make_room(path),
            Self::Unreadable { path, .. } | Self::Sqlite { path, .. } => format!(
                "see to it that {} and its folder can be read and written by this user, and that there is room",
                path.display()
            ),
            Self::Migration { path, .. } => format!(
                "the file is as it was; use the kinset that wrote it, or move {} away and run `kinset pull`, and report this as a bug",
                path.display()
            ),
            Self::Inconsistent {
                source: Inconsistency::Torn { .. },
                ..
            } => "somebody changed relations while they were read: run `kinset pull` again; nothing was stored".to_owned(),
            Self::Inconsistent {
                source: Inconsistency::StrayPatch { .. },
                ..
            } => "the tracker answered with patches that were not asked for; nothing was stored".to_owned(),
            Self::NeverPulled { tracker } => format!("run `kinset pull {tracker}` first"),
            Self::NotSweeping { tracker } => format!("run `kinset pull {tracker}` again: it reads the tracker from the beginning"),
            Self::Refused(refusal) => return refusal.remedy(),
            Self::RunNotOpen { .. } | Self::DaemonRunNotOpen { .. } | Self::EntryNotOpen { .. } => return None,
        })
    }
}
