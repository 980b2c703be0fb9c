//! `kinset daemon`: what a person would do with `kinset pull`, `kinset plan` and `kinset apply`, again and again, when the configuration says so.
//!
//! | what | where |
//! | --- | --- |
//! | when what is due | `Agenda`, which knows no time but what it is told |
//! | the one worker | `Worker`: one job after the other, each as if it were a command |
//! | a job | `jobs`: [`crate::reconcile`] does it, and nobody else |
//! | writes | `permit`: without a permit nothing can make a [`Writer`](crate::tracker::Writer), and plan-only has none |
//! | the configuration, read again | [`reload()`] |
//! | whoever watches over the process | [`Supervisor`], which is systemd or nobody |
//! | whoever asks | [`http`]: pages and numbers, from the state and from what is in memory |
//! | whoever has to know | `notice`: a command, told once of each thing that is new |
//!
//! What is due is no more than the name of a job: what there is to do is found out when it is done, so a run that was missed, put off or cut short costs
//! nothing but time. The state is open during a run and closed between runs, so that others can work on it.

mod agenda;
mod error;
mod heart;
pub mod http;
mod jobs;
mod live;
mod notice;
mod notify_socket;
mod permit;
mod reload;
mod supervisor;
mod tally;
mod worker;

use std::sync::Arc;

use tokio::sync::watch;

use crate::config::Config;
use crate::reconcile::{Clock, Shutdown};
use crate::store::DaemonLock;

pub use error::DaemonError;
pub use heart::{Heart, ReloadTally, Requests};
pub use live::{AskedInVain, ClockSet, LiveDocument, LiveJob, LiveRun, Unrecorded};
pub use reload::{Reloads, reload, require_work};
pub use supervisor::{Supervisor, Systemd, Unwatched};
pub use tally::{JobTally, Tally, TrackerTally};

use agenda::Agenda;
use worker::Worker;

/// All that the daemon is given.
#[derive(Debug)]
pub struct Start {
    /// What is to be done, and when.
    pub config: Config,
    /// Where the time comes from. Waits are tokio's; what is due is a matter of this.
    pub clock: Clock,
    /// What the spread of times is drawn from; the same gives the same.
    pub seed: u64,
    /// Who watches over the process.
    pub supervisor: Arc<dyn Supervisor>,
    /// What ends it.
    pub shutdown: Shutdown,
    /// Configurations that replace the first.
    pub reloads: Reloads,
    /// Where it says what it is doing.
    pub live: watch::Sender<LiveDocument>,
}

/// Does what is due until it is told to stop.
///
/// # Errors
/// When there is nothing to do, when the state has another daemon, and when its folder cannot be written. What goes wrong later is recorded and logged,
/// and tried again.
pub async fn run(start: Start) -> Result<(), DaemonError> {
    let Start {
        config,
        clock,
        seed,
        supervisor,
        shutdown,
        reloads,
        live,
    } = start;
    require_work(&config)?;
    let state_dir = config.state_dir.clone();
    let lock = DaemonLock::acquire(&state_dir, clock()).map_err(DaemonError::State)?;
    let agenda = Agenda::new(&config, seed, clock());
    let mut worker = Worker::new(config, agenda, clock, Arc::clone(&supervisor), shutdown.clone(), reloads, live);
    worker.recall().await;
    supervisor.ready();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), state_dir = %state_dir.display(), "ready");
    let stopping = async {
        shutdown.requested().await;
        supervisor.stopping();
    };
    tokio::join!(worker.run(), stopping);
    tracing::info!("stopped");
    drop(lock);
    Ok(())
}
