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
    let root =
        std::env::var_os("KINSET_SHARED").map_or_else(|| [env!("CARGO_MANIFEST_DIR"), "..", "shared"].iter().collect(), PathBuf::from);
    let file = root.join(name);
    file.exists().then(|| parse(&file))
}

fn parse<T: DeserializeOwned>(file: &PathBuf) -> T {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
