//! How a new database gets the name of a damaged one.
//!
//! The write-ahead log of the damaged database must never meet the new one, and must not be without its own for good. So the new one waits
//! under a name of its own until the others have theirs; while it waits and the database is missing, nobody makes an empty one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::RepairError;
use super::waiting;
use crate::store::database::{FILE_NAME, with_suffix};

/// What belongs to a database besides its own file.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// The name that a damaged database gets: a number higher than all that there are.
pub(super) fn place_for_damaged(file: &Path) -> io::Result<PathBuf> {
    Ok(damaged(file, last_damaged(file)? + 1))
}

fn damaged(file: &Path, number: u64) -> PathBuf {
    with_suffix(file, &format!(".damaged-{number}"))
}

/// The highest number that a damaged database has; 0 if there is none.
fn last_damaged(file: &Path) -> io::Result<u64> {
    let beginning = format!("{FILE_NAME}.damaged-");
    let mut last = 0;
    for entry in fs::read_dir(file.parent().unwrap_or(Path::new(".")))? {
        let name = entry?.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(&beginning));
        let number = rest.and_then(|rest| rest.split('-').next()).and_then(|number| number.parse().ok());
        last = last.max(number.unwrap_or(0));
    }
    Ok(last)
}

/// Gives the damaged database another name, and the new one that of the damaged.
pub(super) fn swap(state_dir: &Path, new: NamedTempFile, damaged: &Path) -> Result<(), RepairError> {
    let file = state_dir.join(FILE_NAME);
    let waiting = waiting(&file);
    let from = new.path().to_path_buf();
    new.persist(&waiting).map_err(|error| RepairError::Rename {
        from,
        to: waiting.clone(),
        source: error.error,
    })?;
    sync(state_dir)?;
    rename(&file, damaged)?;
    move_beside(&file, damaged)?;
    sync(state_dir)?;
    rename(&waiting, &file)?;
    sync(state_dir)
}

/// Finishes what [`swap`] began, where it was cut short after the database had lost its name. Whether that was so.
pub(super) fn finish(state_dir: &Path) -> Result<bool, RepairError> {
    let file = state_dir.join(FILE_NAME);
    let waiting = waiting(&file);
    if file.exists() || !waiting.exists() {
        return Ok(false);
    }
    // It has the highest number. What belongs to it may not be there yet.
    let last = last_damaged(&file).map_err(|source| unwritable(state_dir, source))?;
    let damaged = damaged(&file, last);
    move_beside(&file, &damaged)?;
    sync(state_dir)?;
    rename(&waiting, &file)?;
    sync(state_dir)?;
    Ok(true)
}

fn move_beside(file: &Path, damaged: &Path) -> Result<(), RepairError> {
    for suffix in BESIDE {
        let from = with_suffix(file, suffix);
        if from.exists() {
            rename(&from, &with_suffix(damaged, suffix))?;
        }
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), RepairError> {
    fs::rename(from, to).map_err(|source| RepairError::Rename {
        from: from.to_path_buf(),
        to: to.to_path_buf(),
        source,
    })
}

/// Has the names of a folder on the disk.
fn sync(folder: &Path) -> Result<(), RepairError> {
    let synced: io::Result<()> = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| unwritable(folder, source))
}

pub(super) fn unwritable(folder: &Path, source: io::Error) -> RepairError {
    RepairError::Folder {
        folder: folder.to_path_buf(),
        source,
    }
}
