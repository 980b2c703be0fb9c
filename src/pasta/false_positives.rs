//! PaStA's false positives: mails that must not be grouped with each other.
//!
//! Each line of the file is an origin, then the elements that must not be grouped with it, with single spaces between them. PaStA writes the
//! lines, and the elements after an origin, in their order; it reads them in any. Where two lines have the same origin it knows only the last,
//! and takes a line that begins with a space for one without an origin. It ends lines with a newline, and reads a carriage return before that as
//! a part of the line's end.
//!
//! PaStA looks a pair up in one direction: as it compares an origin, or a mail that it has grouped with it, to another mail. It marks one
//! direction only when a person rates, and so does kinset.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::error::Location;
use super::groups::words;
use crate::model::MessageId;
use crate::remedy::Remedy;

/// Two mails, the smaller id first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    smaller: MessageId,
    larger: MessageId,
}

impl Pair {
    /// Two mails in either order; `None` if they are one.
    #[must_use]
    pub fn new(one: MessageId, other: MessageId) -> Option<Self> {
        let (smaller, larger) = if one <= other { (one, other) } else { (other, one) };
        (smaller != larger).then_some(Self { smaller, larger })
    }

    /// The mail whose id comes first.
    #[must_use]
    pub fn smaller(&self) -> &MessageId {
        &self.smaller
    }

    /// The mail whose id comes last.
    #[must_use]
    pub fn larger(&self) -> &MessageId {
        &self.larger
    }

    /// Both directions in which a line can hold it: the origin, then the element.
    fn directions(&self) -> [(&MessageId, &MessageId); 2] {
        [(&self.smaller, &self.larger), (&self.larger, &self.smaller)]
    }
}

/// Why a file of false positives was refused.
#[derive(Debug, thiserror::Error)]
pub enum FalsePositivesError {
    /// There is something, but it cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Bytes that are not UTF-8.
    #[error("{at}: expected UTF-8 text, found other bytes")]
    NotUtf8 {
        /// Where.
        at: Location,
    },
    /// A word that is no message id.
    #[error("{at}: expected a message id in angle brackets, found {token:?}")]
    NotMessageId {
        /// Where it begins.
        at: Location,
        /// The word as it stands.
        token: String,
    },
    /// The last line has no end.
    #[error("{at}: the file ends in the middle of a line")]
    HalfWritten {
        /// The last byte of the file.
        at: Location,
    },
}

impl Remedy for FalsePositivesError {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Unreadable { .. } => "check that it is a file, and that this user may read it",
            Self::NotUtf8 { .. } | Self::NotMessageId { .. } => {
                "nothing was written; correct or remove this line, or name another folder with `feedback` in the configuration"
            }
            Self::HalfWritten { .. } => {
                "nothing was written; if PaStA is writing the file, the next run will find it complete, else end its last line"
            }
        };
        Some(text.to_owned())
    }
}

/// For each origin, what must not be grouped with it.
type Entries<'a> = BTreeMap<&'a MessageId, BTreeSet<&'a MessageId>>;

/// A file of false positives, as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FalsePositives {
    text: String,
    /// The lines that hold anything: an origin, and what follows it.
    lines: Vec<(MessageId, BTreeSet<MessageId>)>,
    /// What PaStA knows of them: of each origin the last line, unless it is indented.
    known: BTreeMap<MessageId, BTreeSet<MessageId>>,
}

/// What a file of false positives becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedPairs {
    /// The text of the file: the text as it was, to the byte, unless there is something to change.
    pub text: String,
    /// The wanted pairs that were not there.
    pub added: BTreeSet<Pair>,
    /// The pairs that are there no longer.
    pub removed: BTreeSet<Pair>,
}

impl FalsePositives {
    /// Reads a file; one that is missing holds nothing.
    ///
    /// # Errors
    /// When the file cannot be read, or is no file of false positives of mails.
    pub fn read(path: &Path) -> Result<Self, FalsePositivesError> {
        match fs::read(path) {
            Ok(bytes) => Self::parse(bytes, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(FalsePositivesError::Unreadable {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Reads the bytes of the file `path`.
    ///
    /// Blank lines, further spaces, carriage returns at the ends of lines and origins without elements are accepted, and so is any order:
    /// they say nothing, and PaStA reads them too.
    ///
    /// # Errors
    /// When a word is no message id, the last line is not complete, or the bytes are not text.
    pub fn parse(bytes: Vec<u8>, path: &Path) -> Result<Self, FalsePositivesError> {
        let text = String::from_utf8(bytes).map_err(|error| FalsePositivesError::NotUtf8 {
            at: locate(path, error.as_bytes(), error.utf8_error().valid_up_to()),
        })?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(FalsePositivesError::HalfWritten {
                at: locate(path, text.as_bytes(), text.len() - 1),
            });
        }
        let mut lines = Vec::new();
        let mut known = BTreeMap::new();
        let mut begin = 0;
        for line in text.split_inclusive('\n') {
            let end = begin + line.trim_end_matches(['\r', '\n']).len();
            let mut ids = words(text.as_bytes(), begin, end).map(|(start, word)| {
                let word = &text[start..start + word.len()];
                MessageId::parse(word).map_err(|_| FalsePositivesError::NotMessageId {
                    at: locate(path, text.as_bytes(), start),
                    token: word.chars().take(80).collect(),
                })
            });
            if let Some(origin) = ids.next() {
                let (origin, elements) = (origin?, ids.collect::<Result<BTreeSet<_>, _>>()?);
                if !line.starts_with(' ') {
                    known.insert(origin.clone(), elements.clone());
                }
                lines.push((origin, elements));
            }
            begin += line.len();
        }
        Ok(Self { text, lines, known })
    }

    /// Puts pairs in, and takes pairs out that kinset had put in.
    ///
    /// Nothing else in the file is lost. It stays as it is, however it is laid out, unless something changes; then it is laid out as PaStA
    /// would, and lines that have the same origin become one.
    ///
    /// A pair is put in with each of its mails as the origin, because PaStA refuses a pair only in the direction that it finds in the file, and
    /// which mail it compares with which is chance. One that is there in either direction already is somebody else's, and left as it is. One
    /// that is wanted is not taken out.
    #[must_use]
    pub fn merge(&self, wanted: &BTreeSet<Pair>, take_back: &BTreeSet<Pair>) -> MergedPairs {
        let mut entries = self.entries();
        let missing: BTreeSet<&Pair> = wanted.iter().filter(|pair| standing(&entries, pair).next().is_none()).collect();
        let removed: BTreeSet<&Pair> = take_back
            .difference(wanted)
            .filter(|pair| standing(&entries, pair).next().is_some())
            .collect();
        if missing.is_empty() && removed.is_empty() && !self.hides_any(wanted) {
            return MergedPairs {
                text: self.text.clone(),
                added: BTreeSet::new(),
                removed: BTreeSet::new(),
            };
        }
        for pair in &removed {
            remove(&mut entries, pair);
        }
        for (origin, element) in missing.iter().flat_map(|pair| pair.directions()) {
            entries.entry(origin).or_default().insert(element);
        }
        MergedPairs {
            text: rendered(&entries),
            added: missing.into_iter().cloned().collect(),
            removed: removed.into_iter().cloned().collect(),
        }
    }

    fn entries(&self) -> Entries<'_> {
        let mut entries = Entries::new();
        for (origin, elements) in &self.lines {
            entries.entry(origin).or_default().extend(elements);
        }
        entries
    }

    /// Whether one of the pairs stands only on lines that PaStA does not know.
    fn hides_any(&self, pairs: &BTreeSet<Pair>) -> bool {
        let known: Entries<'_> = self
            .known
            .iter()
            .map(|(origin, elements)| (origin, elements.iter().collect()))
            .collect();
        pairs.iter().any(|pair| standing(&known, pair).next().is_none())
    }
}

fn locate(path: &Path, bytes: &[u8], offset: usize) -> Location {
    let before = &bytes[..offset];
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    Location {
        file: path.to_owned(),
        line: memchr::memchr_iter(b'\n', before).count() + 1,
        column: offset - line_start + 1,
    }
}

/// The directions in which a pair stands.
fn standing<'a>(entries: &Entries<'_>, pair: &'a Pair) -> impl Iterator<Item = (&'a MessageId, &'a MessageId)> {
    pair.directions()
        .into_iter()
        .filter(|(origin, element)| entries.get(origin).is_some_and(|elements| elements.contains(element)))
}

/// Takes a pair out; a line that is left with its origin alone goes.
fn remove(entries: &mut Entries<'_>, pair: &Pair) {
    for (origin, element) in pair.directions() {
        if let Some(elements) = entries.get_mut(origin)
            && elements.remove(element)
            && elements.is_empty()
        {
            entries.remove(origin);
        }
    }
}

fn rendered(entries: &Entries<'_>) -> String {
    let mut text = String::new();
    for (origin, elements) in entries {
        text.push_str(origin.as_str());
        for element in elements {
            text.push(' ');
            text.push_str(element.as_str());
        }
        text.push('\n');
    }
    text
}
