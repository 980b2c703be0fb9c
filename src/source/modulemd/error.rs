//! Why documents cannot be read.

use std::io;
use std::str::Utf8Error;

use granit_parser::ScanError;

use crate::remedy::Remedy;

/// Why documents cannot be read. `name` is what they came from: a file, or an address.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be unpacked.
    #[error("{name}: the {format} data are damaged")]
    Damaged {
        /// What it came from.
        name: String,
        /// How it is packed.
        format: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It is packed in a way that kinset does not know.
    #[error("{name} is packed with {format}")]
    Packed {
        /// What it came from.
        name: String,
        /// How it is packed.
        format: &'static str,
    },
    /// Unpacked there is more than any repository has.
    #[error("{name} has more than {limit} bytes when it is unpacked")]
    TooLarge {
        /// What it came from.
        name: String,
        /// How much is allowed.
        limit: u64,
    },
    /// It is no text.
    #[error("{name} is no UTF-8 text")]
    NoText {
        /// What it came from.
        name: String,
        /// Why.
        source: Utf8Error,
    },
    /// It is no YAML.
    #[error("{name}, line {line}: this is no YAML")]
    Syntax {
        /// What it came from.
        name: String,
        /// The line, from 1.
        line: usize,
        /// Why.
        source: Box<ScanError>,
    },
    /// YAML that documents of modules do not use.
    #[error("{name}, line {line}: {what} has no place in a document about modules")]
    Unusual {
        /// What it came from.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What it is.
        what: &'static str,
    },
    /// A field is not as it should be.
    #[error("{name}, line {line}: {field}: expected {expected}; found {found}")]
    Field {
        /// What it came from.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The field, from the top of its document.
        field: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// There is no document in it.
    #[error("{name} has no document about modules in it")]
    Nothing {
        /// What it came from.
        name: String,
    },
}

impl Remedy for ReadError {
    fn remedy(&self) -> Option<String> {
        match self {
            Self::Packed { .. } => Some("unpack it first; gzip and zstd are read as they are".to_owned()),
            Self::Nothing { .. } => Some(
                "the file is the one that `repodata/repomd.xml` names as `<data type=\"modules\">`; a repository without one has no modules".to_owned(),
            ),
            Self::Field { field, found, .. } if found == "nothing" && field == "data.name" => {
                Some("a packager's file is of the stream that its repository and branch say; `--stream` names it".to_owned())
            }
            Self::TooLarge { .. } => Some("no repository has that many modules; it may be packed to fill up machines like this one, or another file".to_owned()),
            Self::Damaged { .. }
            | Self::NoText { .. }
            | Self::Syntax { .. }
            | Self::Unusual { .. }
            | Self::Field { .. } => None,
        }
    }
}
