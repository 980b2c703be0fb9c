//! Mails as an mbox, for an analysis to take in.
//!
//! The format is the one known as mboxrd: each mail begins with a line `From …` and ends with a blank one, and a line of it that
//! begins with `From `, or with that after some `>`, gets one `>` more. PaStA splits an mbox with formail, which goes by the lines `From …` that
//! follow a blank line, but believes a `Content-Length` over both. Patchwork passes on the one of the mail that it got, and sends a body that
//! it put together anew, so that header is left out.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::replace::{folder_of, sync_folder};
use crate::remedy::Remedy;

/// What every mail in an mbox begins with.
const FROM: &[u8] = b"From ";

/// Stands before a mail that does not bring such a line: when it was delivered nobody knows.
const POSTMARK: &[u8] = b"From kinset Thu Jan  1 00:00:00 1970";

/// Why mails were not added to an mbox.
#[derive(Debug, thiserror::Error)]
pub enum MboxError {
    /// The file cannot be written. It is as it was.
    #[error("cannot write {}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written, and what had been written already cannot be taken away again.
    #[error("cannot write {}, which now ends in the middle of a mail", .path.display())]
    Torn {
        /// The file.
        path: PathBuf,
        /// How many bytes of it are good.
        length: u64,
        /// What the system said.
        source: io::Error,
    },
    /// There is such a file, and it is no mbox.
    #[error("{} is no mbox: it does not begin with `From `", .path.display())]
    NotMbox {
        /// The file.
        path: PathBuf,
    },
}

impl Remedy for MboxError {
    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Unwritable { .. } => "check that this user may write there, and that its disk has room".to_owned(),
            Self::Torn { path, length, .. } => {
                format!("make room on its disk, then cut it with `truncate -s {length} {}`", path.display())
            }
            Self::NotMbox { .. } => "name another file, or move this one away".to_owned(),
        })
    }
}

/// Writes one mail, as a tracker serves it, as a part of an mbox.
///
/// Its own first line `From …` is kept. Where its first line ends with a carriage return and a newline, all of its lines get single newlines;
/// elsewhere a carriage return is a part of the patch. A blank line ends it.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_mail(out: &mut impl Write, mail: &[u8]) -> io::Result<()> {
    let mut lines = lines(mail).peekable();
    let postmark = lines.next_if(|line| line.starts_with(FROM)).unwrap_or(POSTMARK);
    write_line(out, postmark)?;
    let mut part = Part::Header;
    for line in lines {
        part = part.next(line);
        if part == Part::ContentLength {
            continue;
        }
        if is_to_be_quoted(line) {
            out.write_all(b">")?;
        }
        write_line(out, line)?;
    }
    out.write_all(b"\n")
}

/// Adds mails to the mbox `path`, which is made if need be: all of them, or none. Without any mail nothing happens.
///
/// # Errors
/// When the file is something else than an mbox, or cannot be written.
pub fn append_mails<M: AsRef<[u8]>>(path: &Path, mails: impl IntoIterator<Item = M>) -> Result<(), MboxError> {
    let unwritable = |source| MboxError::Unwritable {
        path: path.to_owned(),
        source,
    };
    let mut content = Vec::new();
    for mail in mails {
        write_mail(&mut content, mail.as_ref()).map_err(unwritable)?;
    }
    if content.is_empty() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(path).map_err(unwritable)?;
    let length = file.metadata().map_err(unwritable)?.len();
    if length > 0 {
        if read_at(&mut file, SeekFrom::Start(0), FROM.len()).map_err(unwritable)? != FROM {
            return Err(MboxError::NotMbox { path: path.to_owned() });
        }
        let end = read_at(&mut file, SeekFrom::End(-2), 2).map_err(unwritable)?;
        content.splice(..0, gap_after(&end).iter().copied());
    }
    if let Err(source) = file.write_all(&content).and_then(|()| file.sync_all()) {
        return Err(match file.set_len(length) {
            Ok(()) => unwritable(source),
            Err(source) => MboxError::Torn {
                path: path.to_owned(),
                length,
                source,
            },
        });
    }
    sync_folder(&folder_of(path)).map_err(unwritable)
}

fn lines(mail: &[u8]) -> impl Iterator<Item = &[u8]> {
    let has_carriage_returns = memchr::memchr(b'\n', mail).is_some_and(|end| mail[..end].ends_with(b"\r"));
    mail.split_inclusive(|&byte| byte == b'\n').map(move |line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").filter(|_| has_carriage_returns).unwrap_or(line)
    })
}

fn write_line(out: &mut impl Write, line: &[u8]) -> io::Result<()> {
    out.write_all(line)?;
    out.write_all(b"\n")
}

fn is_to_be_quoted(line: &[u8]) -> bool {
    let quotes = line.iter().take_while(|&&byte| byte == b'>').count();
    line[quotes..].starts_with(FROM)
}

/// What a line of a mail belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    /// A `Content-Length`, or a line that continues one.
    ContentLength,
    Body,
}

impl Part {
    /// What the line after one of this part belongs to.
    fn next(self, line: &[u8]) -> Self {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        match (self, line.first()) {
            (Self::Body, _) | (_, None) => Self::Body,
            (_, Some(b' ' | b'\t')) => self,
            _ if name.trim_ascii_end().eq_ignore_ascii_case(b"content-length") => Self::ContentLength,
            _ => Self::Header,
        }
    }
}

/// What has to follow these last two bytes for a mail to be ended.
fn gap_after(end: &[u8]) -> &'static [u8] {
    match end {
        b"\n\n" => b"",
        [_, b'\n'] => b"\n",
        _ => b"\n\n",
    }
}

fn read_at(file: &mut File, place: SeekFrom, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    file.seek(place)?;
    io::Read::take(file, length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
