//! The command line: arguments in, settings out, one file per command.
//!
//! Data go to standard output, words about them to standard error; colour and progress bars only to a terminal. An error is put into words
//! here, once, with its causes and with what to do about it.

mod apply;
mod args;
mod config;
mod daemon;
mod decisions;
mod demo;
mod distributions;
mod failure;
mod journal;
mod logging;
mod output;
mod packages;
mod plan;
mod plan_files;
mod progress;
mod pull;
mod relations;
mod relations_export;
mod relations_history;
mod relations_list;
mod render;
mod shell;
mod simulate;
mod state;
mod status;
mod turn;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use args::{Arguments, Command};
use failure::Failure;
use packages::acl::AclCommand;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// It did what it was asked to do.
    Done,
    /// It did not; what is wrong was told.
    Failed,
    /// Asked for a detailed exit code: there is something to do.
    Changes,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Done => Self::SUCCESS,
            Status::Failed => Self::FAILURE,
            Status::Changes => Self::from(2),
        }
    }
}

/// The exit code of a yes-or-no question that has no answer, where 1 is a no.
const NO_ANSWER: u8 = 2;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let on_error = if matches!(arguments.command, Command::Acl(AclCommand::Can { .. })) {
        ExitCode::from(NO_ANSWER)
    } else {
        ExitCode::FAILURE
    };
    let (format, usual) = match &arguments.command {
        Command::Daemon(daemon) => (daemon.log_format, "warn,kinset=info"),
        _ => (args::LogFormat::Text, "warn"),
    };
    logging::start(format, usual);
    match run(arguments) {
        Ok(status) => status.into(),
        Err(failure) => {
            failure.report();
            failure.exit_code(on_error)
        }
    }
}

/// Help and version are data; anything else is an error like any other. Clap's own exit code for those is 2, which here means "changes".
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print().is_ok();
    let is_asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if printed && is_asked_for {
        ExitCode::SUCCESS
    } else if std::env::args_os()
        .skip(1)
        .collect::<Vec<_>>()
        .windows(2)
        .any(|words| words == ["acl", "can"])
    {
        ExitCode::from(NO_ANSWER)
    } else {
        ExitCode::FAILURE
    }
}

fn run(Arguments { config, command }: Arguments) -> Result<Status, Failure> {
    let config = wiring::ConfigFile::new(config.as_deref());
    match command {
        Command::Demo => wiring::block_on(demo::run()),
        Command::Config(command) => config::run(&command, &config),
        Command::Pull(pull) => wiring::block_on(pull::run(&pull, &config)),
        Command::Plan(plan) => match plan.files()? {
            Some(files) => plan_files::run(&files),
            None => wiring::block_on(plan::run(&plan, &config)),
        },
        Command::Apply(apply) => wiring::block_on(apply::run(&apply, &config)),
        Command::Status(status) => wiring::block_on(status::run(&status, &config)),
        Command::Daemon(_) => wiring::block_on(daemon::run(&config)),
        Command::Decisions(command) => wiring::block_on(decisions::run(&command, &config)),
        Command::Relations(command) => wiring::block_on(relations::run(&command, &config)),
        Command::Distribution(command) => packages::distribution::run(command, &config),
        Command::Series(command) => packages::series::run(command, &config),
        Command::Collection(command) => packages::collection::run(command, &config),
        Command::Packageset(command) => packages::packageset::run(command, &config),
        Command::Acl(command) => packages::acl::run(command, &config),
        Command::Module(command) => packages::module::run(command, &config),
        Command::Eol(eol) => packages::eol::run(&eol, &config),
        Command::Team(command) => packages::team::run(command, &config),
        Command::Log(log) => packages::log::run(log, &config),
        Command::State(command) => state::run(&command, &config),
        Command::Simulate(simulate) => wiring::block_on(simulate::run(&simulate)),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { out } => shell::manual(out.as_deref()),
    }
}
