//! What can stand in the way of a repair.

use std::io;
use std::path::PathBuf;

use crate::remedy::Remedy;
use crate::store::StoreError;

/// Why a state could not be repaired. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The state cannot be worked on.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is so damaged that nothing in it can be told apart.
    #[error("nothing in the state file {} can be told apart any more", path.display())]
    NothingLeft {
        /// The file.
        path: PathBuf,
    },
    /// The damaged file cannot be read.
    #[error("cannot read the state file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A new file cannot be made in the folder of the state.
    #[error("cannot write a new state file in {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The new database cannot be written.
    #[error("cannot write a new state file in {}", folder.display())]
    Building {
        /// The folder.
        folder: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// The new database is not what it should be.
    #[error("the new state file is not sound: {found}")]
    Unsound {
        /// What was found.
        found: String,
    },
    /// A file cannot get its name.
    #[error("cannot rename {} to {}", from.display(), to.display())]
    Rename {
        /// The file.
        from: PathBuf,
        /// Its name to be.
        to: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl Remedy for RepairError {
    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Store(error) => return error.remedy(),
            Self::NothingLeft { path } => format!(
                "put a backup in its place (docs/state.md says how), or move {} away and run `kinset pull`: what goes with it is the journal \
                 of writes cut short, what people decided, the history, and distributions",
                path.display()
            ),
            Self::Unreadable { .. } => "see to it that this user can read it".to_owned(),
            Self::Folder { folder, .. } | Self::Building { folder, .. } => format!(
                "see to it that this user may write to {} and that there is room for a second state file; the damaged one is as it was",
                folder.display()
            ),
            Self::Unsound { .. } => "the damaged file is as it was; report this as a bug, with the file if that is possible".to_owned(),
            Self::Rename { .. } => "mend that, and run `kinset state repair` again: it finishes what was begun".to_owned(),
        })
    }
}
