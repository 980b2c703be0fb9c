//! A group file's text, whole or in parts.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::{GroupsError, Location};

/// The bytes of a file, or of its parts in order, read as one.
#[derive(Debug, Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    /// Where each file begins.
    parts: Vec<(usize, PathBuf)>,
}

impl Text {
    /// Reads `path`, or, when it is missing, `path.000`, `path.001` and so on.
    pub(super) fn read(path: &Path) -> Result<Self, GroupsError> {
        match File::open(path) {
            Ok(file) => Self::read_files(path, vec![(path.to_owned(), file)]),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::read_files(path, open_parts(path)?),
            Err(error) => Err(unreadable(path)(error)),
        }
    }

    fn read_files(path: &Path, files: Vec<(PathBuf, File)>) -> Result<Self, GroupsError> {
        let mut expected = 0;
        for (part, file) in &files {
            expected += file.metadata().map_err(unreadable(part))?.len();
        }
        let mut text = Self::default();
        let capacity = addressable(path, expected)?;
        text.bytes
            .try_reserve_exact(capacity)
            .map_err(|error| unreadable(path)(error.into()))?;
        for (part, mut file) in files {
            let start = text.bytes.len();
            file.read_to_end(&mut text.bytes).map_err(unreadable(&part))?;
            text.parts.push((start, part));
        }
        // What a pipe holds is not known beforehand.
        addressable(path, text.bytes.len() as u64)?;
        Ok(text)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where each file ends.
    pub(super) fn ends(&self) -> impl Iterator<Item = usize> {
        let next_starts = self.parts.iter().skip(1).map(|(start, _)| *start);
        next_starts.chain([self.bytes.len()])
    }

    /// The file, or its first part.
    pub(super) fn path(&self) -> &Path {
        self.parts.first().map_or(Path::new(""), |(_, path)| path)
    }

    pub(super) fn locate(&self, offset: usize) -> Location {
        let part = self.parts.partition_point(|(start, _)| *start <= offset).max(1) - 1;
        let (start, file) = &self.parts[part];
        let before = &self.bytes[*start..offset];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        Location {
            file: file.clone(),
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: before.len() - line_start + 1,
        }
    }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> GroupsError {
    move |source| GroupsError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

/// Passes a size on if places in so many bytes, and in twice as many elements, can be told with 32 bits.
fn addressable(path: &Path, bytes: u64) -> Result<usize, GroupsError> {
    match u32::try_from(bytes) {
        Ok(size) if size < u32::MAX => Ok(size as usize),
        _ => Err(GroupsError::TooLarge {
            path: path.to_owned(),
            bytes,
        }),
    }
}

fn open_parts(path: &Path) -> Result<Vec<(PathBuf, File)>, GroupsError> {
    let mut files = Vec::new();
    for (expected, number) in part_numbers(path)?.into_iter().enumerate() {
        let part = part_path(path, expected);
        if number != expected {
            return Err(GroupsError::MissingPart { path: part });
        }
        let file = File::open(&part).map_err(unreadable(&part))?;
        files.push((part, file));
    }
    if files.is_empty() {
        return Err(GroupsError::Missing { path: path.to_owned() });
    }
    Ok(files)
}

fn part_path(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number:03}"));
    name.into()
}

/// The numbers of the parts that lie beside each other, ascending. PaStA writes three digits; a longer analysis just goes on counting.
fn part_numbers(path: &Path) -> Result<Vec<usize>, GroupsError> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable(folder))?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable(folder))?.file_name();
        numbers.extend(path.file_name().and_then(|whole| part_number(whole, &name)));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The number of a part, if the name is that of a part.
fn part_number(whole: &OsStr, name: &OsStr) -> Option<usize> {
    let rest = name.as_encoded_bytes().strip_prefix(whole.as_encoded_bytes())?;
    let digits = std::str::from_utf8(rest.strip_prefix(b".")?).ok()?;
    let number = digits.parse().ok()?;
    (digits == format!("{number:03}")).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_file_is_read_in_order_and_knows_its_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("patch-groups");
        std::fs::write(part_path(&path, 1), "c d\n").unwrap();
        std::fs::write(part_path(&path, 0), "a b\ne\n").unwrap();
        let text = Text::read(&path).unwrap();
        assert_eq!(text.bytes(), b"a b\ne\nc d\n");
        let at = text.locate(8);
        assert_eq!((at.file, at.line, at.column), (part_path(&path, 1), 1, 3));
        assert_eq!(text.locate(4).line, 2);
    }

    #[test]
    fn the_whole_file_comes_before_its_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("patch-groups");
        std::fs::write(part_path(&path, 0), "old\n").unwrap();
        std::fs::write(&path, "new\n").unwrap();
        assert_eq!(Text::read(&path).unwrap().bytes(), b"new\n");
    }

    #[test]
    fn only_numbers_of_three_digits_or_as_many_as_they_need_are_parts() {
        let number = |name: &str| part_number("groups".as_ref(), name.as_ref());
        assert_eq!(
            [number("groups.000"), number("groups.042"), number("groups.1000")],
            [Some(0), Some(42), Some(1000)]
        );
        for name in [
            "groups",
            "groups.",
            "groups.1",
            "groups.0001",
            "groups.+01",
            "groups.001~",
            "other.001",
            "groups001",
        ] {
            assert_eq!(number(name), None, "{name}");
        }
    }

    #[test]
    fn a_gap_between_parts_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("patch-groups");
        std::fs::write(part_path(&path, 0), "a\n").unwrap();
        std::fs::write(part_path(&path, 2), "b\n").unwrap();
        let error = Text::read(&path).unwrap_err();
        assert!(
            matches!(&error, GroupsError::MissingPart { path: missing } if *missing == part_path(&path, 1)),
            "{error}"
        );
    }
}
