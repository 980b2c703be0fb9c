//! Files on this machine.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::remedy::Remedy;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error("there is no file {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// There is something, but it cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a folder, a device, or something else that is no file.
    #[error("{} is no regular file", path.display())]
    NoFile {
        /// What it is called.
        path: PathBuf,
    },
    /// The file is larger than anything that it could be.
    #[error("{} has {bytes} bytes, and at most {most} are read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// How many bytes are read.
        most: u64,
    },
}

impl Remedy for FileError {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Missing { .. } => "check the path",
            Self::Unreadable { .. } => "make sure that it is a file that this user may read",
            Self::NoFile { .. } => "name a file; what comes from elsewhere is to be kept in one first",
            Self::TooLarge { .. } => "nothing was changed; check that it is the file that is meant",
        };
        Some(text.to_owned())
    }
}

/// What stands in a regular file of at most so many bytes. A pipe is none: it would be waited for as long as it likes, and has no end that could be known.
///
/// # Errors
/// When it is missing, no regular file, too large, or cannot be read.
pub fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => FileError::Missing { path: path.to_path_buf() },
        _ => FileError::Unreadable {
            path: path.to_path_buf(),
            source,
        },
    };
    let too_large = |bytes| FileError::TooLarge {
        path: path.to_path_buf(),
        bytes,
        most,
    };
    // Looked at before it is opened, because that waits, too, where it is a pipe.
    let found = fs::metadata(path).map_err(failed)?;
    if !found.is_file() {
        return Err(FileError::NoFile { path: path.to_path_buf() });
    }
    if found.len() > most {
        return Err(too_large(found.len()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 {
        length if length > most => Err(too_large(length)),
        _ => Ok(bytes),
    }
}
