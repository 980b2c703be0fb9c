//! `kinset completions` and `kinset man`: made from the command line itself.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Arguments;
use super::failure::{Failure, Misuse};
use super::{Status, output};

pub(super) fn completions(shell: Shell) -> Result<Status, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "kinset", &mut script);
    output::data(|out| out.write_all(&script))?;
    Ok(Status::Done)
}

pub(super) fn manual(folder: Option<&Path>) -> Result<Status, Failure> {
    match folder {
        Some(folder) => clap_mangen::generate_to(Arguments::command(), folder).map_err(|source| Misuse::Unwritable {
            what: folder.display().to_string(),
            source,
        })?,
        None => output::data(|out| {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
            out.write_all(&page)
        })?,
    }
    Ok(Status::Done)
}
