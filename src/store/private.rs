//! Files that are for the owner of the state alone.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

use rustix::fs::{Access, OFlags, access};

const MODE: u32 = 0o600;

/// Makes a file of a state folder unless there is something of that name. It belongs to whom the folder belongs to, as [`give_away`] tells.
///
/// What is there already has to be such that it can be written, and is not even opened: to close any handle of a database gives up the locks that this process has on it.
pub(super) fn make(path: &Path) -> io::Result<()> {
    if create(path)?.is_none() {
        access(path, Access::READ_OK | Access::WRITE_OK)?;
        if fs::metadata(path)?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
    }
    Ok(())
}

/// Opens a file of a state folder for reading and writing, and makes it if need be. What is in it stays.
///
/// A link is refused: the folder may belong to somebody who is not to decide which files root writes to.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if let Some(file) = create(path)? {
        return Ok(file);
    }
    options().custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(MODE);
    options
}

fn create(path: &Path) -> io::Result<Option<File>> {
    match options().create_new(true).open(path) {
        Ok(file) => match give_away(&file, path) {
            Ok(()) => Ok(Some(file)),
            Err(error) => {
                // As it is, nobody else could use it.
                fs::remove_file(path)?;
                Err(error)
            }
        },
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives a file that was just made to the owner of its folder. Without effect unless root has made it in the folder of somebody else: the daemon, which
/// is that somebody, could not open it.
pub(super) fn give_away(file: &File, path: &Path) -> io::Result<()> {
    let made_by = file.metadata()?.uid();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = fs::metadata(folder)?;
    if made_by == 0 && folder.uid() != 0 {
        fchown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, chown};

    use super::{make, open};

    /// Whoever runs this: root can make a folder somebody else's, and all others have nothing but their own.
    #[test]
    fn what_is_made_belongs_to_the_owner_of_its_folder_and_to_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let me = fs::metadata(folder.path()).unwrap().uid();
        let owner = if me == 0 { 4711 } else { me };
        chown(folder.path(), Some(owner), None).unwrap();
        let path = folder.path().join("file");
        for _made_then_found in 0..2 {
            let seen = open(&path).unwrap().metadata().unwrap();
            assert_eq!((seen.uid(), seen.mode() & 0o777), (owner, 0o600));
        }
    }

    #[test]
    fn a_link_is_not_followed_wherever_it_leads() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (there, missing) = (elsewhere.path().join("there"), elsewhere.path().join("missing"));
        fs::write(&there, "kept").unwrap();
        for target in [&there, &missing] {
            let link = folder.path().join("file");
            std::os::unix::fs::symlink(target, &link).unwrap();
            assert!(open(&link).is_err());
            assert_eq!(make(&link).is_ok(), target.exists());
            fs::remove_file(link).unwrap();
        }
        assert_eq!(fs::read_to_string(there).unwrap(), "kept");
        assert!(!missing.exists());
    }
}
