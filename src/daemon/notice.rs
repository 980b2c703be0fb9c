//! What a person should know, told to a command.

use std::process::Stdio;

use jiff::Timestamp;
use serde::Serialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::config::Notice;
use crate::model::Job;
use crate::reconcile::DecisionDocument;
use crate::remedy::Remedy;

/// The layout of [`NoticeDocument`].
const FORMAT: u32 = 1;

/// What there is to tell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "notice", rename_all = "kebab-case")]
pub(super) enum What {
    /// Something was refused, and a person has to look.
    Refused {
        /// Why.
        message: String,
        /// What to do about it.
        remedy: Option<String>,
        /// The guards that tripped, each with the key that sets its limit.
        guards: serde_json::Value,
    },
    /// Something fails again and again.
    Failing {
        /// How often in a row.
        failures: u32,
        /// Why it failed last.
        message: String,
        /// What to do about it.
        remedy: Option<String>,
    },
    /// People decided something on a tracker.
    Decisions {
        /// What is new.
        decisions: Vec<DecisionDocument>,
    },
}

/// A notice, as the command gets it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct NoticeDocument {
    /// The layout of this document.
    format: u32,
    /// When.
    at: Timestamp,
    /// What it is about.
    #[serde(flatten)]
    job: Job,
    /// The run of the daemon's, where it is known.
    run: Option<u64>,
    /// What there is to tell.
    #[serde(flatten)]
    what: What,
}

impl NoticeDocument {
    pub(super) fn new(at: Timestamp, job: &Job, run: Option<u64>, what: What) -> Self {
        Self {
            format: FORMAT,
            at,
            job: job.clone(),
            run,
            what,
        }
    }
}

/// Why nobody could be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoticeError {
    #[error("cannot put the notice into JSON")]
    Unspeakable(#[source] serde_json::Error),
    #[error("cannot run {command}")]
    Unstartable { command: String, source: std::io::Error },
    #[error("{command} took longer than {seconds} s, and was killed")]
    TooSlow { command: String, seconds: u32 },
    #[error("{command} ended with {status}")]
    Ended { command: String, status: std::process::ExitStatus },
}

impl Remedy for NoticeError {
    fn remedy(&self) -> Option<String> {
        match self {
            Self::Unspeakable(_) => None,
            Self::Unstartable { .. } => Some("check `command` under [daemon.notice], and that the daemon may run it".to_owned()),
            Self::TooSlow { .. } => {
                Some("have the command hand over what it was told, or give it more `seconds` under [daemon.notice]".to_owned())
            }
            Self::Ended { .. } => {
                Some("run the command by hand with a notice on its standard input; docs/operations.md shows one".to_owned())
            }
        }
    }
}

/// Runs the command with the notice on its standard input, for as long as it may take. What it writes to standard error goes where the daemon's does.
pub(super) async fn tell(notice: &Notice, document: &NoticeDocument) -> Result<(), NoticeError> {
    let text = serde_json::to_vec(document).map_err(NoticeError::Unspeakable)?;
    let [program, arguments @ ..] = &notice.command[..] else {
        return Ok(());
    };
    let command = || program.clone();
    let unstartable = |source| NoticeError::Unstartable {
        command: command(),
        source,
    };
    let mut child = Command::new(program)
        .args(arguments)
        // These are the daemon's alone.
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .env_remove("WATCHDOG_PID")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(unstartable)?;
    let stdin = child.stdin.take();
    let work = async {
        if let Some(mut stdin) = stdin
            && let Err(error) = stdin.write_all(&text).await
        {
            // A command need not read it; how it ends says whether it is content.
            tracing::debug!(%error, "the notice was not read to its end");
        }
        child.wait().await
    };
    match tokio::time::timeout(notice.patience(), work).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(NoticeError::Ended {
            command: command(),
            status,
        }),
        Ok(Err(error)) => Err(unstartable(error)),
        Err(_) => Err(NoticeError::TooSlow {
            command: command(),
            seconds: notice.seconds.get(),
        }),
    }
}
