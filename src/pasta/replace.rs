//! Files that are replaced whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// What a new file may be used for by whom, before the umask takes its part.
const NEW_FILE: u32 = 0o666;

/// Whether a file had to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replaced {
    /// It held the very bytes, and was left alone.
    Unchanged,
    /// It holds them now.
    Written,
}

/// Makes a file hold these bytes.
///
/// They are written beside it and get its name when they are on the disk. A file that is there keeps its mode, and a link keeps pointing to
/// where it does.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<Replaced> {
    let (path, permissions) = match fs::canonicalize(path) {
        Ok(path) if fs::read(&path)? == content => return Ok(Replaced::Unchanged),
        Ok(path) => {
            let permissions = fs::metadata(&path)?.permissions();
            (path, Some(permissions))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
        Err(error) => return Err(error),
    };
    let folder = folder_of(&path);
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(NEW_FILE))
        .tempfile_in(&folder)?;
    file.write_all(content)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    sync_folder(&folder)?;
    Ok(Replaced::Written)
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

/// Makes sure that the names of a folder's files are on the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
