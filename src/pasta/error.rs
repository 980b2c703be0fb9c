//! What can be wrong with a group file.

use std::fmt;
use std::path::PathBuf;

use crate::remedy::Remedy;

/// A place in a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file; of a split file, the part.
    pub file: PathBuf,
    /// The line.
    pub line: usize,
    /// The byte within the line.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// Why a group file was refused.
#[derive(Debug, thiserror::Error)]
pub enum GroupsError {
    /// Neither the file nor a first part of it exists.
    #[error("no group file at {}, nor a first part at {}.000", .path.display(), .path.display())]
    Missing {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// A part of a split file is missing.
    #[error("a split group file has a gap: expected {}, found a later part", .path.display())]
    MissingPart {
        /// The part that should be there.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file, or all of its parts together, is larger than can be addressed.
    #[error("{} holds {bytes} bytes, expected less than {}", .path.display(), u32::MAX)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The file holds no group at all.
    #[error("{} holds no groups", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A mark that some programs put before UTF-8 text. It would become a part of the first element.
    #[error("{at}: expected an element, found a byte order mark")]
    ByteOrderMark {
        /// The start of the file.
        at: Location,
    },
    /// A byte that no group file has.
    #[error("{at}: expected printable text, found the byte 0x{byte:02x}")]
    Binary {
        /// Where.
        at: Location,
        /// The byte.
        byte: u8,
    },
    /// Bytes that are not UTF-8.
    #[error("{at}: expected UTF-8 text, found other bytes")]
    NotUtf8 {
        /// Where.
        at: Location,
    },
    /// An element that is longer than any message id or number can be.
    #[error("{at}: an element of {length} bytes, expected at most {limit}")]
    TooLong {
        /// Where it begins.
        at: Location,
        /// Its length in bytes.
        length: usize,
        /// The longest that is accepted.
        limit: usize,
    },
    /// A message id whose closing bracket is missing.
    #[error("{at}: expected a message id to end in `>`, found {token:?}")]
    Unclosed {
        /// Where it begins.
        at: Location,
        /// The element as it stands.
        token: String,
    },
    /// The last line has no end.
    #[error("{at}: the file ends in the middle of a line")]
    HalfWritten {
        /// The last byte of the file.
        at: Location,
    },
    /// An element that is no message id where only those are expected.
    #[error("{at}: expected a message id in angle brackets, found {token:?}")]
    NotMessageId {
        /// Where it begins.
        at: Location,
        /// The element as it stands.
        token: String,
    },
    /// An element that is no patch id where only those are expected.
    #[error("{at}: expected a Patchwork patch id, found {token:?}")]
    NotPatchId {
        /// Where it begins.
        at: Location,
        /// The element as it stands.
        token: String,
    },
}

impl Remedy for GroupsError {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Missing { .. } => "check the path; kinset never takes a missing file for an analysis that found no groups",
            Self::MissingPart { .. } => "copy all parts of the analysis, then try again",
            Self::Unreadable { .. } => "check that it is a file, and that this user may read it",
            Self::TooLarge { .. } => "split the analysis by list or by project, and give each tracker its own",
            Self::Empty { .. } => {
                "an empty analysis would clear every relation; if that is meant, set `allow_empty = true` under [tracker.guard]"
            }
            Self::ByteOrderMark { .. } => "save the file as UTF-8 without a byte order mark",
            Self::Binary { byte: b'\t', .. } => "the file has tabs; separate elements by spaces",
            Self::Binary { byte: b'\r', .. } => "the file has carriage returns; convert its line ends to single newlines",
            Self::Binary { .. } | Self::NotUtf8 { .. } => "this is not a patch-groups file; check which file the path names",
            Self::TooLong { .. } => "a message id has no more than 998 bytes; check which file the path names",
            Self::Unclosed { .. } | Self::HalfWritten { .. } => {
                "the file was cut off or is still being written; wait for the analysis to finish and try again"
            }
            Self::NotMessageId { .. } => "if the file lists Patchwork's numbers, set `format = \"ids\"` under [tracker.desired]",
            Self::NotPatchId { .. } => "if the file lists message ids, set `format = \"pasta\"` under [tracker.desired]",
        };
        Some(text.to_owned())
    }
}
