//! Files that are for the owner of the state alone.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

const MODE: u32 = 0o600;

/// Opens a file of a state folder for reading and writing, and makes it if need be. What is in it stays.
///
/// One that is made belongs to whom the folder belongs to, as [`give_away`] tells.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).truncate(false).mode(MODE);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            give_away(&file, path)?;
            Ok(file)
        }
        // What was there already stays whose it is: it may be a link to anywhere.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.create(true).open(path),
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

    use super::open;

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
    fn what_a_link_leads_to_stays_whose_it_is() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
        let me = fs::metadata(folder.path()).unwrap().uid();
        chown(folder.path(), Some(if me == 0 { 4711 } else { me }), None).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("file")).unwrap();
        assert_eq!(open(&folder.path().join("file")).unwrap().metadata().unwrap().uid(), me);
    }
}
