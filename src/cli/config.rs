//! `kinset config`

use std::fs::OpenOptions;
use std::io::Write as _;

use super::args::ConfigCommand;
use super::distributions::file_order;
use super::failure::{Failure, Misuse};
use super::wiring::ConfigFile;
use super::{Status, output};
use crate::config::example;
use crate::reconcile::{check_token, read_analysis};
use crate::store::packages::Force;
use crate::text::count;

pub(super) fn run(command: &ConfigCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        ConfigCommand::Init => init(file),
        ConfigCommand::Check => check(file),
        ConfigCommand::Show => show(file),
    }
}

fn init(file: &ConfigFile) -> Result<Status, Failure> {
    let path = &file.path;
    let created = OpenOptions::new().write(true).create_new(true).open(path);
    let written = created.and_then(|mut created| created.write_all(example().as_bytes()));
    written.map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => Misuse::Exists { path: path.clone() },
        _ => Misuse::NoPlaceForExample {
            path: path.clone(),
            source,
        },
    })?;
    output::say(&format!("wrote {}; edit it, then run `kinset config check`", path.display()));
    Ok(Status::Done)
}

fn check(file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let among = config.trackers.len() + config.distributions.len();
    let mut status = Status::Done;
    for tracker in &config.trackers {
        let problems = [check_token(tracker).err(), read_analysis(tracker).err()];
        for problem in problems.into_iter().flatten() {
            Failure::from(problem).report_on(tracker, among);
            status = Status::Failed;
        }
    }
    for distribution in &config.distributions {
        if let Some(Err(problem)) = file_order(distribution, None, Force::Not).map(|order| order.read()) {
            Failure::from(problem).report_on(distribution, among);
            status = Status::Failed;
        }
    }
    if let Some(address) = config.daemon.listen.open_to_others() {
        output::say(&format!(
            "warning: under [daemon], `listen` opens {address} to other machines: whoever reaches it may read how all things stand"
        ));
    }
    if status == Status::Done {
        let trackers = count(config.trackers.len(), "tracker");
        let named = match config.distributions.len() {
            0 => trackers,
            distributions => format!("{trackers}, {}", count(distributions, "distribution")),
        };
        output::say(&format!("{} is fine: {named}", config.path.display()));
    }
    Ok(status)
}

fn show(file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    output::data(|out| out.write_all(config.to_effective_toml().as_bytes()))?;
    Ok(Status::Done)
}
