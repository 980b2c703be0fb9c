//! One kinset at a time works on a state, and one daemon at a time looks after it.

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::error::StoreError;
use super::private;

/// A file in the state folder that is locked, and what it means where somebody else has done so. What stands in it is for people; the lock itself is the
/// operating system's, and ends with the process however that ends.
#[derive(Debug)]
pub(super) struct Locked {
    file_name: &'static str,
    refusal: fn(&Path, Holder) -> StoreError,
}

/// The right to write to a state.
pub(super) static STATE: Locked = Locked {
    file_name: "kinset.lock",
    refusal: |state_dir, holder| StoreError::InUse {
        state_dir: state_dir.to_path_buf(),
        is_daemon: holder.is_daemon_of(state_dir),
        holder,
    },
};

/// The right to be the daemon of a state, which takes [`STATE`] only while it is at work.
static DAEMON: Locked = Locked {
    file_name: "daemon.lock",
    refusal: |state_dir, holder| StoreError::DaemonRuns {
        state_dir: state_dir.to_path_buf(),
        holder,
    },
};

/// How much of a command is noted and shown.
const SHOWN_LETTERS: usize = 200;

/// How often a lock that is held is looked at again before it is refused, and after what pauses.
const LOOKS: u32 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// The right to be the daemon of a state, until it is dropped. Others work on the state beside it, one at a time.
#[derive(Debug)]
pub struct DaemonLock {
    _lock: Lock,
}

impl DaemonLock {
    /// Takes the right, and makes the folder of the state when it is missing. `now` is noted for others to see.
    ///
    /// # Errors
    /// [`StoreError::DaemonRuns`] when there is a daemon, and when the folder cannot be written.
    pub fn acquire(state_dir: &Path, now: Timestamp) -> Result<Self, StoreError> {
        super::make_folder(state_dir)?;
        let lock = Lock::acquire(state_dir, &DAEMON, Some(now))?;
        Ok(Self { _lock: lock })
    }
}

/// Who is at work on a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtWork {
    /// Its daemon, in the middle of a run.
    Daemon,
    /// Somebody's command.
    Other(Holder),
}

/// Who is at work on a state, if anybody is. Where nobody is, who asks holds the lock for a moment, and somebody who wants to begin in that tries again.
///
/// # Errors
/// When it cannot be found out.
pub fn at_work(state_dir: &Path) -> Result<Option<AtWork>, StoreError> {
    let path = state_dir.join(STATE.file_name);
    let unreadable = |source| StoreError::Unreadable {
        path: path.clone(),
        source,
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| None).map_err(unreadable),
        Err(TryLockError::WouldBlock) => {
            let holder = Holder::noted_in(&file);
            Ok(Some(match holder.is_daemon_of(state_dir) {
                true => AtWork::Daemon,
                false => AtWork::Other(holder),
            }))
        }
        Err(TryLockError::Error(error)) => Err(unreadable(error)),
    }
}

/// A right, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing the file is not enough: a process that another thread has just started has a copy of it, and with it the lock, for the moment
    /// until it becomes another program.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of the state could not be given back before the file was closed");
        }
    }
}

impl Lock {
    /// Takes a lock of a state folder, and notes who holds it, and since when if that is told.
    pub(super) fn acquire(state_dir: &Path, locked: &Locked, since: Option<Timestamp>) -> Result<Self, StoreError> {
        let path = state_dir.join(locked.file_name);
        let unwritable = |source| StoreError::Unwritable {
            path: path.clone(),
            source,
        };
        let mut file = private::open(&path).map_err(unwritable)?;
        let mut looks = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // It may be somebody who only asks who is at work.
                Err(TryLockError::WouldBlock) if looks < LOOKS => {
                    looks += 1;
                    thread::sleep(BETWEEN_LOOKS);
                }
                Err(TryLockError::WouldBlock) => return Err((locked.refusal)(state_dir, Holder::noted_in(&file))),
                Err(TryLockError::Error(source)) => return Err(unwritable(source)),
            }
        }
        file.set_len(0).map_err(unwritable)?;
        let since = since.map(|since| format!("{since:.0}\n")).unwrap_or_default();
        write!(file, "{}\n{}\n{since}", std::process::id(), command(std::env::args_os())).map_err(unwritable)?;
        Ok(Self { file })
    }
}

/// Who holds a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A process that left its name.
    Process {
        /// Its number.
        pid: u32,
        /// What it was called with.
        command: String,
        /// Since when, where it left that.
        since: Option<Timestamp>,
    },
    /// A process of which nothing is known, as it has only just taken the lock.
    Unknown,
}

impl Holder {
    /// Whether it is the daemon of a state. Its number alone does not tell: that may be another's by now, and in a container it is the same each time.
    fn is_daemon_of(&self, state_dir: &Path) -> bool {
        let noted = File::open(state_dir.join(DAEMON.file_name)).map(|file| Self::noted_in(&file));
        match (self, noted) {
            (
                Self::Process { pid, command, since: _ },
                Ok(Self::Process {
                    pid: of_daemon,
                    command: called,
                    since: _,
                }),
            ) => *pid == of_daemon && *command == called,
            _ => false,
        }
    }

    /// Reads a holder's note. One that cannot be read is no reason to keep silent about the lock.
    fn noted_in(file: &File) -> Self {
        let mut note = String::new();
        let read = file.take(4096).read_to_string(&mut note);
        let mut lines = note.lines();
        match (read, lines.next().map(str::parse)) {
            (Ok(_), Some(Ok(pid))) => Self::Process {
                pid,
                command: lines.next().unwrap_or_default().to_owned(),
                since: lines.next().and_then(|since| since.parse().ok()),
            },
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, command, since } => {
                write!(f, "process {pid} ({}", command.escape_debug())?;
                since.iter().try_for_each(|since| write!(f, ", since {since}"))?;
                f.write_str(")")
            }
            Self::Unknown => f.write_str("another kinset"),
        }
    }
}

/// A command as one line: the program without its folder, then its arguments.
fn command(mut arguments: impl Iterator<Item = OsString>) -> String {
    let program = arguments.next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or(&program).to_owned();
    let words: Vec<String> = std::iter::once(program)
        .chain(arguments)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    words
        .join(" ")
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(SHOWN_LETTERS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{SHOWN_LETTERS, command};

    fn command_of(words: &[&str]) -> String {
        command(words.iter().map(Into::into))
    }

    #[test]
    fn a_command_is_noted_on_one_line_and_without_the_program_s_folder() {
        assert_eq!(command_of(&["/usr/bin/kinset", "apply", "--yes"]), "kinset apply --yes");
        assert_eq!(command_of(&["kinset", "a\nb"]), "kinset a b");
        assert_eq!(command_of(&[]), "");
    }

    #[test]
    fn a_long_command_is_cut() {
        assert_eq!(command_of(&["kinset", &"é".repeat(1000)]).chars().count(), SHOWN_LETTERS);
    }
}
