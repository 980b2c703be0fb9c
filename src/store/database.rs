//! Opening the database, and running work on it in transactions.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::error::{Damage, StoreError};
use super::private;
use super::repair::waiting;
use super::schema::APPLICATION_ID;
use crate::model::packages::Refusal;

/// The database in the state folder.
pub(super) const FILE_NAME: &str = "kinset.sqlite3";

/// More than the number of different statements that kinset runs, so that each is compiled once.
const CACHED_STATEMENTS: usize = 128;

/// How much memory of the database is at hand while it is written, in KiB: what a large change touches again and again need not be read again and again.
const CACHE_KIB: i64 = 64 * 1024;

/// How to open a database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    /// What builds the newest version.
    pub(super) migrations: &'static [M<'static>],
    /// How long to wait for another program's lock.
    pub(super) busy_timeout: Duration,
}

/// An open database of the newest version.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
}

/// Why work on the database was given up: by `SQLite`, or by the work itself.
#[derive(Debug)]
pub enum Fault {
    /// `SQLite` reported it.
    Sqlite(rusqlite::Error),
    /// The work came upon it.
    Refused(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(StoreError::Refused(Box::new(refusal)))
    }
}

/// What becomes of what work wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is kept.
    Keep,
    /// It is taken back.
    TakeBack,
}

/// What a file turns out to be, where it is nothing to refuse.
enum Kind {
    Empty,
    OfVersion(u32),
}

impl Opening {
    /// Opens the database of a state folder for reading and writing. It is made when there is none, and brought up to date when it is older;
    /// a copy of the older one is kept beside it. The caller holds the lock of the folder.
    pub(super) fn open(self, state_dir: &Path) -> Result<Database, StoreError> {
        let path = state_dir.join(FILE_NAME);
        // SQLite removes this file at the end of every process that wrote and ended well. Those that only read leave an empty one.
        let ended_unclean = fs::metadata(with_suffix(&path, "-wal")).is_ok_and(|wal| wal.len() > 0);
        require_no_half_repair(&path)?;
        private::make(&path).map_err(|source| StoreError::Unwritable {
            path: path.clone(),
            source,
        })?;
        let mut database = self.connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let kind = database.kind(self.newest())?;
        if ended_unclean {
            database.check()?;
        }
        database.prepare_for_writing()?;
        if let Kind::OfVersion(version) = kind
            && version < self.newest()
        {
            database.keep_copy(version)?;
        }
        Migrations::from_slice(self.migrations)
            .to_latest(&mut database.connection)
            .map_err(|error| StoreError::from_migration(&database.path, error))?;
        Ok(database)
    }

    /// Opens the database of a state folder for reading only. Nothing is made or brought up to date.
    pub(super) fn open_read_only(self, state_dir: &Path) -> Result<Database, StoreError> {
        match self.open_any(state_dir)? {
            (database, found) if found < self.newest() => Err(StoreError::Older {
                path: database.path,
                found,
                known: self.newest(),
            }),
            (database, _) => Ok(database),
        }
    }

    /// Opens the database of a state folder for reading only, of this version or an older one. Its version is told.
    pub(super) fn open_any(self, state_dir: &Path) -> Result<(Database, u32), StoreError> {
        let path = state_dir.join(FILE_NAME);
        require_no_half_repair(&path)?;
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Err(StoreError::Absent { path }),
            // A folder that this user may not enter is no missing state.
            Err(source) => return Err(StoreError::Unreadable { path, source }),
        }
        let database = self.connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        match database.kind(self.newest())? {
            Kind::Empty => Err(StoreError::Absent { path: database.path }),
            Kind::OfVersion(version) => Ok((database, version)),
        }
    }

    /// An empty database in memory, in place of the one at `path` that is not there.
    pub(super) fn empty(self, path: PathBuf) -> Result<Database, StoreError> {
        let mut connection = Connection::open_in_memory().map_err(|error| StoreError::from_sqlite(&path, error))?;
        Migrations::from_slice(self.migrations)
            .to_latest(&mut connection)
            .map_err(|error| StoreError::from_migration(&path, error))?;
        Ok(Database { connection, path })
    }

    /// The version that the migrations build.
    fn newest(self) -> u32 {
        self.migrations.len().try_into().unwrap_or(u32::MAX)
    }

    fn connect(self, path: PathBuf, access: OpenFlags) -> Result<Database, StoreError> {
        let connection = Connection::open_with_flags(&path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .and_then(|connection| connection.busy_timeout(self.busy_timeout).map(|()| connection))
            .map_err(|error| StoreError::from_sqlite(&path, error))?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        Ok(Database { connection, path })
    }
}

impl Database {
    /// Runs work that reads. It sees one state of the database from its beginning to its end.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        let run = || {
            let transaction = self.connection.unchecked_transaction()?;
            work(&transaction)
        };
        run().map_err(|fault| self.blame(fault))
    }

    /// Runs work that writes. All of it is on the disk when this returns well, else none of it.
    pub(super) fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.write_or_rehearse(|transaction| Ok((work(transaction)?, Ending::Keep)))
    }

    /// Runs work that writes, and takes back what it wrote.
    pub(super) fn rehearse<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.write_or_rehearse(|transaction| Ok((work(transaction)?, Ending::TakeBack)))
    }

    /// Runs work that writes, and that says in the end what becomes of that.
    pub(super) fn write_or_rehearse<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<(T, Ending), Fault>,
    ) -> Result<T, StoreError> {
        let run = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let (result, ending) = work(&transaction)?;
            match ending {
                Ending::Keep => transaction.commit()?,
                Ending::TakeBack => transaction.rollback()?,
            }
            Ok(result)
        };
        run().map_err(|fault| self.blame(fault))
    }

    /// Copies the database as it is at this moment into a file that is empty. Nobody who writes to it meanwhile waits for that.
    pub(super) fn copy_into(&self, file: &str) -> rusqlite::Result<()> {
        self.connection.execute("VACUUM INTO ?1", [file]).map(|_| ())
    }

    fn blame(&self, fault: Fault) -> StoreError {
        match fault {
            Fault::Sqlite(error) => StoreError::from_sqlite(&self.path, error),
            Fault::Refused(error) => error,
        }
    }

    /// Finds out what the file is, without changing anything in it.
    fn kind(&self, newest: u32) -> Result<Kind, StoreError> {
        let (application_id, version, objects): (i32, u32, u64) = self.read(|connection| {
            let application_id = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
            let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let objects = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            Ok((application_id, version, objects))
        })?;
        let path = self.path.clone();
        match application_id {
            0 if version == 0 && objects == 0 => Ok(Kind::Empty),
            APPLICATION_ID if version > newest => Err(StoreError::Newer {
                path,
                found: version,
                known: newest,
            }),
            APPLICATION_ID => Ok(Kind::OfVersion(version)),
            _ => Err(StoreError::Foreign { path, application_id }),
        }
    }

    /// Has `SQLite` look at every page. That takes time, so it is done only where damage is likely.
    fn check(&self) -> Result<(), StoreError> {
        let verdict: String = self.read(|connection| Ok(connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?))?;
        if verdict == "ok" {
            return Ok(());
        }
        Err(StoreError::Corrupt {
            path: self.path.clone(),
            source: Damage::Checked(verdict),
        })
    }

    fn prepare_for_writing(&self) -> Result<(), StoreError> {
        let set = || {
            self.connection.pragma_update(None, "journal_mode", "WAL")?;
            // With NORMAL a power failure may take back the last transactions, and the journal is no journal if that can happen.
            self.connection.pragma_update(None, "synchronous", "FULL")?;
            // Said as a negative number, it is KiB; else it would be pages.
            self.connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            self.connection.pragma_update(None, "foreign_keys", true)
        };
        set().map_err(|error: rusqlite::Error| StoreError::from_sqlite(&self.path, error))
    }

    /// Keeps a copy of a database that is about to be brought up to date. It gets its name only when it is complete.
    fn keep_copy(&self, version: u32) -> Result<(), StoreError> {
        let copy = with_suffix(&self.path, &format!(".v{version}.bak"));
        let partial = with_suffix(&copy, ".partial");
        let unwritable = |source| StoreError::Unwritable {
            path: copy.clone(),
            source,
        };
        private::open(&partial).and_then(|file| file.set_len(0)).map_err(unwritable)?;
        let name = partial.to_str().ok_or_else(|| unwritable(io::ErrorKind::InvalidFilename.into()))?;
        self.copy_into(name).map_err(|error| StoreError::from_sqlite(&self.path, error))?;
        private::open(&partial).and_then(|file| file.sync_all()).map_err(unwritable)?;
        fs::rename(&partial, &copy).map_err(unwritable)
    }
}

/// What can be seen of a database from outside: as long as nothing is written it stays as it is, and with each write it becomes another.
///
/// Files carry times that are some milliseconds coarse, so of a write that was just made the stamp may be the one of a second that follows at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp([Option<FileStamp>; 2]);

/// A file's number, size and time of change in nanoseconds.
type FileStamp = (u64, u64, i128);

impl Stamp {
    /// Looks at the database of a state folder. No database is opened, so nobody who works on it is in the way or is held up.
    ///
    /// # Errors
    /// When the folder cannot be looked at.
    pub fn of(state_dir: &Path) -> Result<Self, StoreError> {
        let path = state_dir.join(FILE_NAME);
        let look = |file: &Path| match fs::metadata(file) {
            Ok(seen) => {
                let changed = i128::from(seen.mtime()) * 1_000_000_000 + i128::from(seen.mtime_nsec());
                Ok(Some((seen.ino(), seen.len(), changed)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Unreadable {
                path: file.to_path_buf(),
                source,
            }),
        };
        Ok(Self([look(&path)?, look(&with_suffix(&path, "-wal"))?]))
    }

    /// Whether the last change is long enough ago, at this time in nanoseconds since 1970, that no other can have the same stamp.
    #[must_use]
    pub fn is_settled(&self, now: i128) -> bool {
        const COARSE: i128 = 50_000_000;
        self.0.iter().flatten().all(|(_, _, changed)| (now - changed).abs() > COARSE)
    }
}

/// Refuses a state whose new database still waits for its name: an empty one in its place would be taken for the state.
fn require_no_half_repair(path: &Path) -> Result<(), StoreError> {
    if waiting(path).exists() && !path.exists() {
        return Err(StoreError::HalfRepaired { path: path.to_path_buf() });
    }
    Ok(())
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The error of a column that holds what kinset never writes.
pub(super) fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

/// The error of a column that holds a word that kinset never writes.
pub(super) fn unknown_word(column: usize, word: &str) -> rusqlite::Error {
    unreadable(column, UnknownWord(word.to_owned()))
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` has no meaning here")]
struct UnknownWord(String);
