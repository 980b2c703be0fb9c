//! The folder through which an analysis hears what people decided.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Serialize;

use super::export::groups_text;
use super::false_positives::{FalsePositives, FalsePositivesError, MergedPairs, Pair};
use super::replace::{Replaced, replace};
use crate::model::MessageId;
use crate::remedy::Remedy;

/// The parted pairs: the file of PaStA's false-positives folder that is about mails. Its other files are left alone.
pub const PARTED_FILE: &str = "mbox-patch-stack";

/// The joined classes, in the format of PaStA's `patch-groups`. It is not called `patch-groups`, so that no mistake in the configuration can
/// make kinset overwrite what PaStA itself found.
pub const JOINED_FILE: &str = "joined.patch-groups";

/// Both with their reasons.
pub const DOCUMENT_FILE: &str = "decisions.json";

/// What an analysis is told.
#[derive(Clone, Debug, Default)]
pub struct Feedback<D> {
    /// Mails that must not be grouped with each other.
    pub parted: BTreeSet<Pair>,
    /// Pairs that kinset had put into the file of [`Self::parted`], as an earlier [`Written::added`] told, and that hold no longer.
    pub taken_back: BTreeSet<Pair>,
    /// Mails that belong together.
    pub joined: BTreeSet<BTreeSet<MessageId>>,
    /// The same, with all that is to be said of it; the same at each time as long as nothing is new, so that the file need not be written.
    pub document: D,
}

/// What became of feedback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The files that were made or changed.
    pub changed: Vec<PathBuf>,
    /// The parted pairs that the file did not hold before. They are kinset's own, to be taken back in time.
    pub added: BTreeSet<Pair>,
    /// The pairs that were taken out of it.
    pub removed: BTreeSet<Pair>,
}

/// Why feedback could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// The file of false positives was refused. Nothing was written.
    #[error("the false positives cannot be added to")]
    FalsePositives(#[source] FalsePositivesError),
    /// The document is no JSON. Nothing was written.
    #[error("the decisions cannot be written as JSON")]
    Document(#[source] serde_json::Error),
    /// A file, or the folder, cannot be written. Files named before it in the folder's list are complete, and it is as it was.
    #[error("cannot write {}", .path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Remedy for FeedbackError {
    fn remedy(&self) -> Option<String> {
        match self {
            Self::FalsePositives(error) => error.remedy(),
            Self::Document(_) => Some("this is a defect of kinset; please report it".to_owned()),
            Self::Unwritable { .. } => Some(
                "make it a folder that this user may write to, with room on its disk, or name another with `feedback` in the configuration"
                    .to_owned(),
            ),
        }
    }
}

/// Writes feedback into a folder, which is made when it is missing: [`PARTED_FILE`], [`JOINED_FILE`] and [`DOCUMENT_FILE`].
///
/// Each file is replaced whole, keeps its mode, and is left alone when it says the same already. A file that would say nothing is not made,
/// but one that is there stays, and holds nothing: PaStA reads both as no group and no false positive. What somebody else wrote into the file
/// of false positives stays in it.
///
/// PaStA writes that file in place, from what it read when it began, so pairs that are added while it runs are lost; the next call adds them
/// again. The files belong to the user that kinset runs as; for PaStA to go on writing its own, it has to be the same.
///
/// # Errors
/// When the file of false positives is none, or a file or the folder cannot be written.
pub fn write_feedback<D: Serialize>(folder: &Path, feedback: &Feedback<D>) -> Result<Written, FeedbackError> {
    let Feedback {
        parted,
        taken_back,
        joined,
        document,
    } = feedback;
    let false_positives = FalsePositives::read(&folder.join(PARTED_FILE)).map_err(FeedbackError::FalsePositives)?;
    let MergedPairs { text, added, removed } = false_positives.merge(parted, taken_back);
    let document = serde_json::to_string_pretty(document).map_err(FeedbackError::Document)? + "\n";
    let tells = |is_nothing| if is_nothing { Tells::Nothing } else { Tells::Something };
    let contents = [
        (PARTED_FILE, tells(text.is_empty()), text),
        (JOINED_FILE, tells(joined.is_empty()), groups_text(joined)),
        (DOCUMENT_FILE, tells(joined.is_empty() && parted.is_empty()), document),
    ];
    let mut changed = Vec::new();
    for (name, tells, content) in contents {
        let path = folder.join(name);
        if write(&path, tells, &content)? == Replaced::Written {
            changed.push(path);
        }
    }
    Ok(Written { changed, added, removed })
}

/// Whether there is anything in a file that somebody would want to read.
#[derive(Clone, Copy)]
enum Tells {
    Nothing,
    Something,
}

fn write(path: &Path, tells: Tells, content: &str) -> Result<Replaced, FeedbackError> {
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        |source| FeedbackError::Unwritable { path, source }
    };
    match tells {
        Tells::Nothing if !path.try_exists().map_err(unwritable(path))? => return Ok(Replaced::Unchanged),
        Tells::Nothing => {}
        Tells::Something => {
            let folder = path.parent().unwrap_or(path);
            fs::create_dir_all(folder).map_err(unwritable(folder))?;
        }
    }
    replace(path, content.as_bytes()).map_err(unwritable(path))
}
