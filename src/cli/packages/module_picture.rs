//! Pictures of lifecycles: the matrix, and the time line.

use super::ask;
use super::module::{Asked, require_releases};
use super::module_show::matrix_of;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::cli::{Status, output};
use crate::model::packages::SeriesName;
use crate::picture;

fn print(picture: &str) -> Result<Status, Failure> {
    output::data(|out| out.write_all(picture.as_bytes()))?;
    Ok(Status::Done)
}

pub(super) fn matrix(asked: &Asked, releases: &[SeriesName], file: &ConfigFile) -> Result<Status, Failure> {
    print(&picture::matrix(&matrix_of(asked, releases, file)?))
}

pub(super) fn timeline(asked: &Asked, releases: &[SeriesName], file: &ConfigFile) -> Result<Status, Failure> {
    let (lifecycles, wanted) = ask(file, asked.as_of, |view| {
        let (distribution, lifecycles) = asked.lifecycles(view)?;
        let wanted = require_releases(view, &distribution, releases)?;
        Ok((lifecycles, wanted))
    })?;
    let matrix = lifecycles.matrix(asked.policy);
    let matrix = if wanted.is_empty() { matrix } else { matrix.of_releases(&wanted) };
    print(&picture::timeline(&lifecycles, &matrix))
}
