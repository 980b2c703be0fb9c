//! Errors at the edge: put into words once, with their causes and what to do.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::remedy::Remedy;

/// An error that ends a command.
#[derive(Debug)]
pub(super) struct Failure(Box<dyn Remedy + Send + Sync>);

impl<E: Remedy + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl Failure {
    /// Tells what happened, why, and what to do, on standard error.
    pub(super) fn report(&self) {
        if self.is_broken_pipe() {
            return;
        }
        let mut text = format!("error: {}\n", self.0);
        let mut cause = self.0.source();
        while let Some(source) = cause {
            text.push_str(&format!("  because: {}\n", indented(&source.to_string(), "           ")));
            cause = source.source();
        }
        if let Some(remedy) = self.0.remedy() {
            text.push_str(&format!("  help: {}\n", indented(&remedy, "        ")));
        }
        // Where standard error is gone there is nobody left to tell.
        let _told = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// 1, but for a reader of our output that has seen enough, which is no failure.
    pub(super) fn exit_code(&self) -> ExitCode {
        if self.is_broken_pipe() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn is_broken_pipe(&self) -> bool {
        let mut error: Option<&(dyn Error + 'static)> = Some(&*self.0);
        while let Some(current) = error {
            if current
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
            {
                return true;
            }
            error = current.source();
        }
        false
    }
}

fn indented(text: &str, indent: &str) -> String {
    text.lines().collect::<Vec<_>>().join(&format!("\n{indent}"))
}

/// What is wrong with what a command was asked to do, or with the place that it runs in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Misuse {
    /// One of two files is missing.
    #[error("a plan between files needs both --current and --desired")]
    OneFileOfTwo,
    /// Nobody can be asked.
    #[error("nothing was written: there is no terminal to ask on")]
    NobodyToAsk,
    /// A file exists that would be overwritten.
    #[error("{} exists already", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Something cannot be written.
    #[error("cannot write {what}")]
    Unwritable {
        /// A file, or standard output.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something cannot be read.
    #[error("cannot read {what}")]
    Unreadable {
        /// What.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The asynchronous runtime does not start.
    #[error("cannot start")]
    Runtime(#[source] std::io::Error),
}

impl Remedy for Misuse {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::OneFileOfTwo => "name what there is with --current and what is wanted with --desired",
            Self::NobodyToAsk => "read the plan with `kinset plan`, then apply it with `kinset apply --yes`",
            Self::Exists { .. } => "move it away, or choose another path with --config",
            Self::Unwritable { .. } => "check that the folder exists and that this user may write there",
            Self::Unreadable { .. } | Self::Runtime(_) => return None,
        };
        Some(text.to_owned())
    }
}
