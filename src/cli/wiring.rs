//! What commands have in common: the configuration, the state, the runtime, signals.

use std::future::Future;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::{Failure, Misuse, Subject};
use super::turn::{Patience, in_turn};
use super::{Status, output};
use crate::config::{self, Config, Tracker};
use crate::reconcile::{Error, Keeper, Session, SessionOptions, Shutdown};
use crate::store::Store;

/// Which configuration file is meant; it is read when a command needs it.
#[derive(Debug)]
pub(super) struct ConfigFile {
    pub path: PathBuf,
}

impl ConfigFile {
    pub(super) fn new(asked: Option<&Path>) -> Self {
        let from_environment = std::env::var_os(config::PATH_VARIABLE);
        Self {
            path: config::choose_path(asked, from_environment.as_deref()),
        }
    }

    pub(super) fn load(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.path)?)
    }
}

/// Opens the state that the configuration names, for this process alone. A run of the daemon's is waited for.
pub(super) fn open_state(config: &Config) -> Result<Keeper, Failure> {
    Ok(Keeper::new(open_store(config)?, Timestamp::now))
}

/// The same, for a command that waits for nothing else.
pub(super) fn open_store(config: &Config) -> Result<Store, Failure> {
    Ok(in_turn(Patience::USUAL, || Store::open(&config.state_dir), output::say)?)
}

/// Opens the state that the configuration names to look at it, whoever is at work on it.
pub(super) fn open_state_to_read(config: &Config) -> Result<Keeper, Failure> {
    Ok(Keeper::new(Store::open_read_only(&config.state_dir)?, Timestamp::now))
}

/// The same, where there need not be any yet: then nothing is known of any tracker.
pub(super) fn open_state_if_any(config: &Config) -> Result<Keeper, Failure> {
    Ok(Keeper::new(Store::open_read_only_or_empty(&config.state_dir)?, Timestamp::now))
}

/// Reaches a tracker, as patiently as its configuration says.
pub(super) async fn open_session(tracker: &Tracker) -> Result<Session<'_>, Error> {
    Session::open(tracker, SessionOptions::of(tracker)).await
}

/// Gives each tracker its turn. A failure is told at once, and the others have their turn all the same. What came of the turns, and whether all
/// went well.
pub(super) async fn each<T>(trackers: &[&Tracker], turn: impl AsyncFn(&Tracker) -> Result<T, Failure>) -> (Vec<T>, Status) {
    each_among(trackers, trackers.len(), turn).await
}

/// The same of some among others.
pub(super) async fn each_among<S: Subject, T>(
    subjects: &[&S],
    among: usize,
    turn: impl AsyncFn(&S) -> Result<T, Failure>,
) -> (Vec<T>, Status) {
    let mut results = Vec::new();
    let mut status = Status::Done;
    for &subject in subjects {
        match turn(subject).await {
            Ok(result) => results.push(result),
            Err(failure) => {
                failure.report_on(subject, among);
                status = Status::Failed;
            }
        }
    }
    (results, status)
}

/// Looks for a patch in each tracker. That one of them does not know it is told only where none does.
pub(super) async fn look_up<T>(
    trackers: &[&Tracker],
    find: impl AsyncFn(&Tracker) -> Result<Vec<T>, Error>,
) -> Result<(Vec<T>, Status), Failure> {
    let mut found = Vec::new();
    let mut strangers = Vec::new();
    for &tracker in trackers {
        match find(tracker).await {
            Ok(documents) => found.extend(documents),
            Err(error @ (Error::NoSuchPatch { .. } | Error::NeverPulled { .. })) => strangers.push((tracker, error)),
            Err(error) => return Err(error.into()),
        }
    }
    if !found.is_empty() {
        return Ok((found, Status::Done));
    }
    for (tracker, error) in strangers {
        Failure::from(error).report_on(tracker, trackers.len());
    }
    Ok((found, Status::Failed))
}

/// Runs a command that waits for others.
pub(super) fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Misuse::Runtime)?;
    let result = runtime.block_on(command);
    // A thread may still be waiting for an answer that nobody wants any more.
    runtime.shutdown_background();
    result
}

/// The exit code of a process that was interrupted, as shells have it.
const INTERRUPTED: i32 = 130;

/// A shutdown that SIGINT and SIGTERM request. The second one ends the process at once, as if nothing listened.
pub(super) fn shutdown_on_signals() -> Result<Shutdown, Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Misuse::Runtime)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Misuse::Runtime)?;
    let (request, shutdown) = Shutdown::new();
    tokio::spawn(async move {
        for is_again in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if is_again {
                end_at_once();
            }
            output::say("stopping as soon as what is under way is finished; again to stop at once");
            request.send_replace(true);
        }
    });
    Ok(shutdown)
}

#[expect(clippy::exit, reason = "somebody insists, and the journal is made for this")]
fn end_at_once() -> ! {
    std::process::exit(INTERRUPTED)
}
