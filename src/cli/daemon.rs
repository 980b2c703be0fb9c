//! `kinset daemon`

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::Status;
use super::failure::{Failure, Misuse};
use super::wiring::{ConfigFile, shutdown_on_signals};
use crate::config::Config;
use crate::daemon::{LiveDocument, Start, Supervisor, Systemd, reload, run as work};

pub(super) async fn run(file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let shutdown = shutdown_on_signals()?;
    let mut hangups = signal(SignalKind::hangup()).map_err(Misuse::Runtime)?;
    let supervisor: Arc<dyn Supervisor> = Arc::new(Systemd::default());
    let (ask, asked) = mpsc::channel(1);
    let (reloads, reloaded) = watch::channel(None);
    let (live, _) = watch::channel(LiveDocument::default());
    let start = Start {
        config: config.clone(),
        clock: Timestamp::now,
        seed: RandomState::new().hash_one(std::process::id()),
        supervisor: Arc::clone(&supervisor),
        shutdown,
        reloads: reloaded,
        live,
    };
    let path = config.path.clone();
    let listening = async {
        // A second signal before the first was looked at asks for nothing more.
        while hangups.recv().await.is_some() {
            let _asked_already = ask.try_send(());
        }
    };
    let reloading = reload(&config, asked, || Config::load(&path), &*supervisor, &reloads);
    tokio::select! {
        worked = work(start) => worked?,
        () = listening => {}
        () = reloading => {}
    }
    Ok(Status::Done)
}
