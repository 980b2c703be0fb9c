//! What kinset remembers between runs: one `SQLite` database in a folder of its own.
//!
//! Two kinds of things are in it. Snapshots are copies of what the trackers hold, as are the beginnings of those that were cut short; they can
//! be read again at any time, and nothing else hangs on them. The rest is not a copy of anything. The journal says which writes were under way
//! when a process ended, so each entry is on the disk, beyond a power failure, before the write that it announces. The accounts say what
//! tracker and kinset last agreed on, what people decided since, and which relations were seen when. Cycles, and what
//! the daemon did and has to do, are noted for whoever asks how things stand.
//!
//! Nothing here looks at the clock: every time is given by the caller, and stored as RFC 3339 text in UTC. Nothing here deletes a file: what
//! is damaged, foreign or too new is left as it is, and the error says what to do.

mod accounts;
mod backup;
mod check;
mod classes;
mod cursor;
mod cycles;
mod daemon;
mod database;
mod decisions;
mod error;
mod exported;
mod gone;
mod history;
mod journal;
mod known;
mod lock;
pub mod packages;
mod patches;
mod private;
mod projects;
mod reads;
mod repair;
mod salvage;
mod schema;
mod snapshot;
mod sweep;
mod tables;
#[cfg(test)]
mod tests;
mod trackers;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use database::{Database, Opening};
use lock::{Lock, STATE};

pub use accounts::{Accounts, Base, Settlement};
pub use backup::{BackupError, BackupReport, Overwrite, backup};
pub use check::{CheckReport, Finding, check};
pub use cycles::Cycle;
pub use daemon::{DaemonEnd, DaemonJob, DaemonOutcome, DaemonRun, DaemonRunId, WaitingBecause, WaitingPlan};
pub use database::{Ending, Fault, Stamp};
pub use decisions::{Decided, Decision, DecisionFilter, DecisionId, DecisionKind, Ended, NewDecision};
pub use error::{Damage, Inconsistency, StoreError};
pub use history::{Author, Sighted, Sighting};
pub use journal::{Journal, JournalEntry, JournalId, JournalOperation, JournalStep, Outcome, Run, RunId, RunOutcome, SettledEntry};
pub use known::PullState;
pub use lock::{AtWork, DaemonLock, Holder, at_work};
pub use repair::{Rebuilt, Repair, RepairError, RepairReport, TableRepair};
pub use snapshot::{StoredSnapshot, Sweep};
pub use sweep::StagedSweep;
pub use tables::Origin;

/// The state folder is for its owner alone.
const PRIVATE_FOLDER: u32 = 0o700;

/// How the command line opens the database. Other programs that look into it hold it for moments; five seconds outlast those.
const USUAL: Opening = Opening {
    migrations: schema::MIGRATIONS,
    busy_timeout: Duration::from_secs(5),
};

/// An open state.
#[derive(Debug)]
pub struct Store {
    // Closed before the lock is given up, as fields are dropped in this order.
    database: Database,
    _lock: Option<Lock>,
}

impl Store {
    /// Opens the state in a folder for reading and writing, and makes folder and state when they are missing. A state of an older version is
    /// brought up to date; a copy of it is kept as `kinset.sqlite3.vN.bak`.
    ///
    /// # Errors
    /// When another kinset is at work on the state, when the folder or a file in it cannot be written, and when the file there is damaged, of
    /// a newer version, or not kinset's.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        Self::open_as(state_dir, USUAL)
    }

    /// Opens the state in a folder for reading, which may happen while another kinset works on it.
    ///
    /// # Errors
    /// When there is no state, when it cannot be read or is of an older version, and as for [`Self::open`].
    pub fn open_read_only(state_dir: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            database: USUAL.open_read_only(state_dir)?,
            _lock: None,
        })
    }

    /// As [`Self::open_read_only`], but where there is no state, an empty one that is nowhere on the disk.
    ///
    /// # Errors
    /// When the state cannot be read or is of an older version, and as for [`Self::open`].
    pub fn open_read_only_or_empty(state_dir: &Path) -> Result<Self, StoreError> {
        let database = match USUAL.open_read_only(state_dir) {
            Err(StoreError::Absent { path }) => USUAL.empty(path),
            opened => opened,
        };
        Ok(Self {
            database: database?,
            _lock: None,
        })
    }

    fn open_as(state_dir: &Path, opening: Opening) -> Result<Self, StoreError> {
        make_folder(state_dir)?;
        let lock = Lock::acquire(state_dir, &STATE, None)?;
        Ok(Self {
            database: opening.open(state_dir)?,
            _lock: Some(lock),
        })
    }
}

fn make_folder(state_dir: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(state_dir);
    made.map_err(|source| StoreError::Folder {
        path: state_dir.to_path_buf(),
        source,
    })
}
