//! `kinset simulate`

use super::args::SimulateArguments;
use super::failure::Failure;
use super::{Status, output};

pub(super) async fn run(arguments: &SimulateArguments) -> Result<Status, Failure> {
    let _ = arguments;
    output::data(|out| writeln!(out))?;
    Ok(Status::Done)
}
