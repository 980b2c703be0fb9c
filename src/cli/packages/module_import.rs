//! `kinset module import`

use std::path::Path;

use super::arguments::Doing;
use super::perform;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::cli::{Status, output};
use crate::model::packages::modules::StreamPath;
use crate::model::packages::{DistributionName, SeriesName};
use crate::source::file;
use crate::source::modulemd::{Index, MOST_BYTES};

/// What a file does not say itself.
pub(super) struct Meant {
    pub(super) distribution: Option<DistributionName>,
    pub(super) release: Option<SeriesName>,
    pub(super) stream: Option<StreamPath>,
}

pub(super) fn import(path: &Path, meant: &Meant, doing: &Doing, file: &ConfigFile) -> Result<Status, Failure> {
    let name = path.display().to_string();
    let bytes = file::bytes(path, MOST_BYTES)?;
    let index = Index::read_of(&name, &bytes, meant.stream.as_ref())?;
    for skipped in &index.skipped {
        let said = format!(
            "{name}, line {}: a document that is skipped: {} {}",
            skipped.line, skipped.document, skipped.version
        );
        output::say(&super::show::printable(&said));
    }
    for (module, _) in index.defaults.iter().filter(|(_, default)| default.is_contradicted) {
        output::say(&format!(
            "{name}: two defaults of {module} that are equally new contradict each other: it has none"
        ));
    }
    perform(file, doing, |view| {
        let row = view.distribution_meant(meant.distribution.as_ref())?;
        let facts = index.facts(meant.release.as_ref());
        Ok(facts.operations(&row.name, &view.known_modules(&row)?))
    })
}
