//! A group file's text, whole or in parts.

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
        let text = match read(path) {
            Err(GroupsError::Unreadable { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Self::read_parts(path)?,
            bytes => Self {
                bytes: bytes?,
                parts: vec![(0, path.to_owned())],
            },
        };
        match u32::try_from(text.bytes.len()) {
            Ok(_) => Ok(text),
            Err(_) => Err(GroupsError::TooLarge {
                path: path.to_owned(),
                bytes: text.bytes.len() as u64,
            }),
        }
    }

    fn read_parts(path: &Path) -> Result<Self, GroupsError> {
        let numbers = part_numbers(path)?;
        let mut text = Self {
            bytes: Vec::new(),
            parts: Vec::new(),
        };
        for (expected, number) in numbers.into_iter().enumerate() {
            let part = part_path(path, expected);
            if number != expected {
                return Err(GroupsError::MissingPart { path: part });
            }
            let bytes = read(&part)?;
            text.parts.push((text.bytes.len(), part));
            text.bytes.extend_from_slice(&bytes);
        }
        if text.parts.is_empty() {
            Err(GroupsError::Missing { path: path.to_owned() })
        } else {
            Ok(text)
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
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

fn read(path: &Path) -> Result<Vec<u8>, GroupsError> {
    std::fs::read(path).map_err(|source| GroupsError::Unreadable {
        path: path.to_owned(),
        source,
    })
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
    let missing = |_| GroupsError::Missing { path: path.to_owned() };
    let stem = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(missing)? {
        let entry = entry.map_err(|source| GroupsError::Unreadable {
            path: folder.to_owned(),
            source,
        })?;
        let name = entry.file_name();
        let digits = name
            .to_str()
            .and_then(|name| name.strip_prefix(&stem))
            .and_then(|rest| rest.strip_prefix('.'));
        if let Some(digits) = digits.filter(|digits| digits.len() >= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            && let Ok(number) = digits.parse()
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
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
