//! One kinset at a time works on a state.

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::database::PRIVATE_FILE;
use super::error::StoreError;

/// The file in the state folder that is locked. What stands in it is for people; the lock itself is the operating system's, and ends with the
/// process however that ends.
const FILE_NAME: &str = "kinset.lock";

/// How much of a command is noted and shown.
const SHOWN_LETTERS: usize = 200;

/// The right to write to a state, until it is dropped.
#[derive(Debug)]
pub(super) struct StateLock {
    file: File,
}

impl Drop for StateLock {
    /// Closing the file is not enough: a process that another thread has just started has a copy of it, and with it the lock, for the moment
    /// until it becomes another program.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of the state could not be given back before the file was closed");
        }
    }
}

impl StateLock {
    /// Takes the lock of a state folder, and notes who holds it.
    pub(super) fn acquire(state_dir: &Path) -> Result<Self, StoreError> {
        let path = state_dir.join(FILE_NAME);
        let unwritable = |source| StoreError::Unwritable {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(PRIVATE_FILE);
        let mut file = options.open(&path).map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse {
                    state_dir: state_dir.to_path_buf(),
                    holder: Holder::noted_in(&file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unwritable(source)),
        }
        file.set_len(0).map_err(unwritable)?;
        writeln!(file, "{}\n{}", std::process::id(), command(std::env::args_os())).map_err(unwritable)?;
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
    },
    /// A process of which nothing is known, as it has only just taken the lock.
    Unknown,
}

impl Holder {
    /// Reads a holder's note. One that cannot be read is no reason to keep silent about the lock.
    fn noted_in(file: &File) -> Self {
        let mut note = String::new();
        let read = file.take(4096).read_to_string(&mut note);
        let mut lines = note.lines();
        match (read, lines.next().map(str::parse)) {
            (Ok(_), Some(Ok(pid))) => Self::Process {
                pid,
                command: lines.next().unwrap_or_default().to_owned(),
            },
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, command } => write!(f, "process {pid} ({})", command.escape_debug()),
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
