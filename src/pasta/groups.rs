//! Reading a group file into its elements and lines.

use std::hash::BuildHasher;
use std::path::Path;

use foldhash::quality::FixedState;

use super::error::GroupsError;
use super::intern::common_prefix;
use super::text::Text;

/// The longest element: RFC 5322 allows no line, and so no message id, of more than 998 bytes.
const LONGEST: usize = 998;

/// What the elements of a group file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Message ids in angle brackets, as PaStA writes them.
    MessageIds,
    /// Patchwork's patch ids, as its older tooling writes them.
    PatchIds,
    /// Any words. One that opens an angle bracket must still close it.
    Tokens,
}

/// Whether the last line must be complete. PaStA ends every line, so that a file without a last newline is one that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A missing last newline is an error: what follows from the file will be written to a tracker.
    Complete,
    /// A missing last newline is accepted, as for files written by hand that are only compared.
    Open,
}

/// A group file, checked and taken apart. Its elements are spans of the text, which is kept as it was read.
#[derive(Debug)]
pub struct GroupFile {
    text: Text,
    /// The elements, in the order of the file.
    spans: Vec<Span>,
    /// The hash of each element.
    hashes: Vec<u64>,
    /// For each line that holds anything, its first element; then the number of elements.
    lines: Vec<u32>,
    /// Upstream commits, each with its line (as in [`Self::lines`]).
    commits: Vec<(u32, Span)>,
    /// The hash of each of them.
    commit_hashes: Vec<u64>,
    /// How many bytes all elements begin with in common.
    common: usize,
}

/// Where a word stands in the text.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    len: u16,
}

impl GroupFile {
    /// Reads and checks a file, or its parts.
    ///
    /// A file without any group is accepted; [`GroupFile::require_groups`] refuses it.
    ///
    /// # Errors
    /// When the file is missing, cannot be read, is not text, or is not laid out as groups of the given dialect.
    pub fn read(path: &Path, dialect: Dialect, ending: Ending) -> Result<Self, GroupsError> {
        Self::parse(Text::read(path)?, dialect, ending)
    }

    /// The file without elements.
    pub(super) fn empty() -> Self {
        Self {
            text: Text::default(),
            spans: Vec::new(),
            hashes: Vec::new(),
            lines: vec![0],
            commits: Vec::new(),
            commit_hashes: Vec::new(),
            common: 0,
        }
    }

    /// Passes the file on unless it holds nothing.
    ///
    /// # Errors
    /// [`GroupsError::Empty`] when no line holds an element.
    pub fn require_groups(self) -> Result<Self, GroupsError> {
        if self.is_empty() {
            Err(GroupsError::Empty {
                path: self.text.path().to_owned(),
            })
        } else {
            Ok(self)
        }
    }

    /// Whether no line holds an element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many elements the file names, each time that it names them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    fn parse(text: Text, dialect: Dialect, ending: Ending) -> Result<Self, GroupsError> {
        check_text(&text)?;
        check_ends(&text, ending)?;
        let estimate = text.bytes().len() / 40;
        let mut file = Self {
            text,
            spans: Vec::with_capacity(estimate),
            hashes: Vec::with_capacity(estimate),
            lines: Vec::with_capacity(estimate / 2),
            commits: Vec::new(),
            commit_hashes: Vec::new(),
            common: 0,
        };
        file.scan(dialect)?;
        file.common = file.common_length();
        Ok(file)
    }

    fn scan(&mut self, dialect: Dialect) -> Result<(), GroupsError> {
        let hasher = FixedState::default();
        let bytes = self.text.bytes();
        let mut begin = 0;
        while begin < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[begin..]).map_or(bytes.len(), |length| begin + length);
            let first = self.spans.len() as u32;
            let commits = self.commits.len();
            let line = self.lines.len() as u32;
            let mut after_separator = false;
            for (start, token) in words(bytes, begin, end) {
                if token.len() > LONGEST {
                    return Err(GroupsError::TooLong {
                        at: self.text.locate(start),
                        length: token.len(),
                        limit: LONGEST,
                    });
                }
                let span = Span {
                    start: start as u32,
                    len: token.len() as u16,
                };
                if token == b"=>" {
                    after_separator = true;
                } else if after_separator {
                    self.commits.push((line, span));
                    self.commit_hashes.push(hasher.hash_one(token));
                } else {
                    check_element(&self.text, start, token, dialect)?;
                    self.spans.push(span);
                    self.hashes.push(hasher.hash_one(token));
                }
            }
            if self.spans.len() as u32 > first || self.commits.len() > commits {
                self.lines.push(first);
            }
            begin = end + 1;
        }
        self.lines.push(self.spans.len() as u32);
        Ok(())
    }

    /// The `index`-th element of the file.
    pub(super) fn element(&self, index: usize) -> &[u8] {
        self.word(self.spans[index])
    }

    /// The elements in the order of the file.
    pub(super) fn elements(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.spans.iter().map(|&span| self.word(span))
    }

    fn word(&self, Span { start, len }: Span) -> &[u8] {
        &self.text.bytes()[start as usize..][..usize::from(len)]
    }

    /// How many bytes all elements begin with in common. It is few as a rule, so the elements are compared with a prefix that shrinks.
    fn common_length(&self) -> usize {
        let mut elements = self.elements();
        let Some(mut common) = elements.next() else { return 0 };
        for element in elements {
            if !common.iter().zip(element).all(|(left, right)| left == right) || element.len() < common.len() {
                common = common_prefix(common, element);
            }
        }
        common.len()
    }

    /// What all elements begin with, or `None` if there are none.
    pub(super) fn common_prefix(&self) -> Option<&[u8]> {
        self.elements().next().map(|first| &first[..self.common])
    }

    /// The hashes of the elements. Equal elements have equal hashes; the reverse has to be seen to.
    pub(super) fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// The elements of each line, by their places in the file.
    pub(super) fn lines(&self) -> impl ExactSizeIterator<Item = std::ops::Range<u32>> + '_ {
        self.lines.windows(2).map(|pair| pair[0]..pair[1])
    }

    /// The upstream commits, each with the line that names it.
    pub(super) fn commits(&self) -> impl ExactSizeIterator<Item = (u32, &[u8])> {
        self.commits.iter().map(|&(line, span)| (line, self.word(span)))
    }

    /// The `index`-th commit, with the line that names it.
    pub(super) fn commit(&self, index: usize) -> (u32, &[u8]) {
        let (line, span) = self.commits[index];
        (line, self.word(span))
    }

    /// The hashes of the commits, as [`Self::hashes`].
    pub(super) fn commit_hashes(&self) -> &[u64] {
        &self.commit_hashes
    }
}

/// The words of a line, with where they begin.
pub(super) fn words(bytes: &[u8], begin: usize, end: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let mut next = begin;
    std::iter::from_fn(move || {
        while next < end && bytes[next] == b' ' {
            next += 1;
        }
        let start = next;
        let rest = &bytes[start..end];
        next += memchr::memchr(b' ', rest).unwrap_or(rest.len());
        (start < next).then_some((start, &bytes[start..next]))
    })
}

fn check_text(text: &Text) -> Result<(), GroupsError> {
    if text.bytes().starts_with("\u{feff}".as_bytes()) {
        return Err(GroupsError::ByteOrderMark { at: text.locate(0) });
    }
    let is_control = |byte: u8| (byte < b' ' && byte != b'\n') || byte == 0x7f;
    let mut ascii = true;
    // Whole blocks first, without a branch per byte.
    for (block, bytes) in text.bytes().chunks(4096).enumerate() {
        if bytes.iter().fold(false, |found, &byte| found | is_control(byte))
            && let Some(place) = bytes.iter().position(|&byte| is_control(byte))
        {
            return Err(GroupsError::Binary {
                at: text.locate(block * 4096 + place),
                byte: bytes[place],
            });
        }
        ascii &= bytes.is_ascii();
    }
    if ascii {
        return Ok(());
    }
    std::str::from_utf8(text.bytes()).map(|_| ()).map_err(|error| GroupsError::NotUtf8 {
        at: text.locate(error.valid_up_to()),
    })
}

/// PaStA cuts between lines, so that only the last part may lack the end of its last line, and only where that is accepted.
fn check_ends(text: &Text, ending: Ending) -> Result<(), GroupsError> {
    let last = text.bytes().len();
    let accepted = |end: usize| text.bytes()[..end].last().is_none_or(|&byte| byte == b'\n') || (ending == Ending::Open && end == last);
    match text.ends().find(|&end| !accepted(end)) {
        Some(end) => Err(GroupsError::HalfWritten { at: text.locate(end - 1) }),
        None => Ok(()),
    }
}

fn check_element(text: &Text, start: usize, token: &[u8], dialect: Dialect) -> Result<(), GroupsError> {
    let quoted = || String::from_utf8_lossy(token).chars().take(80).collect();
    let (opens, closes) = (token.first() == Some(&b'<'), token.last() == Some(&b'>'));
    let is_patch_id = || token.len() <= 18 && token[0] != b'0' && token.iter().all(u8::is_ascii_digit);
    if opens && !closes {
        return Err(GroupsError::Unclosed {
            at: text.locate(start),
            token: quoted(),
        });
    }
    match dialect {
        Dialect::MessageIds if !opens || token == b"<>" => Err(GroupsError::NotMessageId {
            at: text.locate(start),
            token: quoted(),
        }),
        Dialect::PatchIds if !is_patch_id() => Err(GroupsError::NotPatchId {
            at: text.locate(start),
            token: quoted(),
        }),
        Dialect::MessageIds | Dialect::PatchIds | Dialect::Tokens => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::GroupFile;

    impl GroupFile {
        /// The file as it would be if all of its elements, and all of its commits, happened to have one of two hashes.
        pub(in crate::pasta) fn with_colliding_hashes(mut self) -> Self {
            self.hashes.iter_mut().chain(&mut self.commit_hashes).for_each(|hash| *hash %= 2);
            self
        }
    }
}
