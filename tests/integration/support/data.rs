//! Files that tests read.

use std::fs;
use std::path::PathBuf;

use serde::de::DeserializeOwned;

/// A file of the project's own test data.
pub(crate) fn own<T: DeserializeOwned>(name: &str) -> T {
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect();
    parse(&file)
}

/// A file of the reference data beside the project, or `None` where there is none.
pub(crate) fn shared<T: DeserializeOwned>(name: &str) -> Option<T> {
    shared_path(name).map(|file| parse(&file))
}

/// As [`shared`], as it stands there.
pub(crate) fn shared_text(name: &str) -> Option<String> {
    shared_path(name).map(|file| read(&file))
}

/// Where a file or folder of the reference data is, or `None` where there is none.
pub(crate) fn shared_path(name: &str) -> Option<PathBuf> {
    let root =
        std::env::var_os("KINSET_SHARED").map_or_else(|| [env!("CARGO_MANIFEST_DIR"), "..", "shared"].iter().collect(), PathBuf::from);
    Some(root.join(name)).filter(|path| path.exists())
}

fn parse<T: DeserializeOwned>(file: &PathBuf) -> T {
    serde_json::from_str(&read(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn read(file: &PathBuf) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
