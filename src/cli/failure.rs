//! Errors at the edge: put into words once, with their causes and what to do.

use std::error::Error;
use std::fmt;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::output;
use crate::config::{Distribution, Tracker};
use crate::model::packages::Action;
use crate::remedy::{Remedy, causes};

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
        if self.is_for_want_of_a_reader() {
            return;
        }
        let mut text = format!("error: {}\n", self.0);
        for cause in causes(&*self.0) {
            text.push_str(&format!("  because: {}\n", indented(&cause, "           ")));
        }
        if let Some(remedy) = self.0.remedy() {
            text.push_str(&format!("  help: {}\n", indented(&remedy, "        ")));
        }
        // Where standard error is gone there is nobody left to tell.
        let _told = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// The same of one of several trackers and distributions, naming it where that could be in doubt.
    pub(super) fn report_on(&self, subject: &impl Subject, among: usize) {
        if among > 1 {
            output::say(&format!("{}:", subject.label()));
        }
        self.report();
    }

    /// What is said of failures, but for a reader of our output that has seen enough, which is none.
    pub(super) fn exit_code(&self, of_failure: ExitCode) -> ExitCode {
        if self.is_for_want_of_a_reader() {
            ExitCode::SUCCESS
        } else {
            of_failure
        }
    }

    /// Whether it failed only because nobody reads standard output any more.
    pub(super) fn is_for_want_of_a_reader(&self) -> bool {
        let error: &(dyn Error + 'static) = &*self.0;
        matches!(error.downcast_ref(), Some(Misuse::NobodyReads))
    }
}

/// What a command does one after the other.
pub(super) trait Subject {
    /// What it is, and its name.
    fn label(&self) -> String;
}

impl Subject for Tracker {
    fn label(&self) -> String {
        format!("tracker {}", self.name)
    }
}

impl Subject for Distribution {
    fn label(&self) -> String {
        format!("distribution {}", self.name)
    }
}

fn indented(text: &str, indent: &str) -> String {
    text.lines().collect::<Vec<_>>().join(&format!("\n{indent}"))
}

/// Where somebody can read what would be done, but for what is printed before the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preview {
    /// Nowhere.
    Printed,
    /// With the same command, told not to do it.
    DryRun,
    /// With the command that plans.
    Plan,
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Printed => Ok(()),
            Self::DryRun => f.write_str(" or with --dry-run"),
            Self::Plan => f.write_str(" or with `kinset plan`"),
        }
    }
}

/// What is wrong with what a command was asked to do, or with the place that it runs in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Misuse {
    /// One of two files is missing.
    #[error("a plan between files needs both --current and --desired")]
    OneFileOfTwo,
    /// Mails have nowhere to go.
    #[error("mails are added to a file, and none is named")]
    NoMbox,
    /// An argument that goes with mails only.
    #[error("the argument '{argument}' can only be used with '--format mbox'")]
    ForMboxOnly {
        /// The argument.
        argument: &'static str,
    },
    /// Nobody can be asked.
    #[error("nothing was written: there is no terminal to ask on")]
    NobodyToAsk {
        /// Where what the question is about can be read.
        preview: Preview,
    },
    /// A file exists that would be overwritten.
    #[error("{} exists already", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The same, where a distribution was to be written to it.
    #[error("{} exists already", .path.display())]
    ExportExists {
        /// The file.
        path: PathBuf,
    },
    /// Whoever read standard output has seen enough.
    #[error("nobody reads the output any more")]
    NobodyReads,
    /// The same, where something was to be written to a tracker after it.
    #[error("nothing was written: standard output was closed before all of the plan was shown")]
    PlanUnread,
    /// There is no place for a configuration to start from.
    #[error("cannot write a configuration to {}", .path.display())]
    NoPlaceForExample {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A repair would lose what is nowhere else.
    #[error("the state file was not repaired: what is lost is nowhere else")]
    Loss,
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
    /// A patch was named that no decision is about.
    #[error("no decision that stands is about patch {patch}")]
    NothingDecided {
        /// The patch.
        patch: u64,
    },
    /// A question about permissions is not complete, or says too much.
    #[error("whether somebody may {action} cannot be told")]
    AclNeeds {
        /// What they would do.
        action: Action,
        /// What has to be said.
        what: &'static str,
    },
    /// A series was named for a right that has none.
    #[error("a right to a component, or to a package as such, is one in all series")]
    NoSeriesThere,
    /// What a tracker said in the past is not kept.
    #[error("who maintained a tracker's project in the past is not known")]
    NoPast,
    /// A tracker has no such project, as far as is known.
    #[error("tracker {tracker} has no project {project} among those that were pulled")]
    NoProject {
        /// The tracker.
        tracker: String,
        /// The project.
        project: String,
    },
    /// The asynchronous runtime does not start.
    #[error("cannot start")]
    Runtime(#[source] std::io::Error),
}

impl Remedy for Misuse {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::OneFileOfTwo => "name what there is with --current and what is wanted with --desired",
            Self::NoMbox => "name the mbox with --out, or begin with the patches that arrive from now on with --skip",
            Self::ForMboxOnly { .. } => "leave it out: relations are exported as a whole",
            Self::NobodyToAsk { preview } => {
                return Some(format!(
                    "read first what would be done, as it was printed{preview}; then run the command again with --yes"
                ));
            }
            Self::Exists { .. } => "move it away, or choose another path with --config",
            Self::ExportExists { .. } => "move it away, or choose another path with --out; a file is never written over",
            Self::Loss => {
                "put a backup in its place if there is a better one (docs/state.md says how), or accept the loss with --accept-loss"
            }
            Self::PlanUnread => "let all of the plan be read, or send it to a file",
            Self::NoPlaceForExample { .. } => {
                "check that its folder exists and that this user may write there, or name another file with `--config FILE`"
            }
            Self::AclNeeds { what, .. } => return Some(format!("name {what}")),
            Self::NoSeriesThere => "leave out --series, or give a right to a package in one series with --listing",
            Self::NoPast => "leave out --as-of: the answer is as of the last pull",
            Self::NoProject { .. } => "name one of its `projects` in the configuration, and run `kinset pull` if it never was",
            Self::NothingDecided { .. } => "nothing was dropped; `kinset decisions list` shows those that stand",
            Self::Unwritable { .. } => "check that the folder exists and that this user may write there",
            Self::NobodyReads | Self::Unreadable { .. } | Self::Runtime(_) => return None,
        };
        Some(text.to_owned())
    }
}
