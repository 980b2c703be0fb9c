//! `kinset daemon`

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::Status;
use super::failure::{Failure, Misuse};
use super::wiring::{ConfigFile, shutdown_on_signals};
use crate::config::{Config, Listen};
use crate::daemon::http::{Sight, Teller};
use crate::daemon::{DaemonError, Heart, LiveDocument, Start, Supervisor, Systemd, reload, require_work, run as work};
use crate::store::DaemonLock;

pub(super) async fn run(file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    // Before anybody is told of a daemon that is not going to be.
    require_work(&config)?;
    let shutdown = shutdown_on_signals()?;
    let mut hangups = signal(SignalKind::hangup()).map_err(Misuse::Runtime)?;
    let heart = Arc::new(Heart::new(Arc::new(Systemd::default())));
    let supervisor: Arc<dyn Supervisor> = Arc::<Heart>::clone(&heart);
    let (ask, asked) = mpsc::channel(1);
    let (reloads, reloaded) = watch::channel(None);
    let (live, seen) = watch::channel(LiveDocument::beginning(Timestamp::now()));
    let sight = Sight {
        config: Arc::new(config.clone()),
        reloads: reloaded.clone(),
        live: seen,
        heart,
        clock: Timestamp::now,
    };
    let mut teller = tell(config.daemon.listen, &config.state_dir, sight).await?;
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
    let reloading = reload(&config, asked, || Config::load(&path), &*supervisor, &reloads, &mut teller);
    tokio::select! {
        worked = work(start) => worked?,
        () = listening => {}
        () = reloading => {}
    }
    Ok(Status::Done)
}

/// Begins to tell how things stand, where it is to be told.
async fn tell(listen: Listen, state_dir: &Path, sight: Sight) -> Result<Teller, Failure> {
    match Teller::begin(sight, listen).await {
        Ok(teller) => Ok(teller),
        Err(error) => {
            // Another daemon on the same state has its address as well, and says more.
            let _free = DaemonLock::acquire(state_dir, Timestamp::now()).map_err(DaemonError::State)?;
            Err(DaemonError::Serve(error).into())
        }
    }
}
