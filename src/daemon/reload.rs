//! The configuration, read again.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::agenda::scheduled;
use super::http::Teller;
use super::{DaemonError, Supervisor};
use crate::config::{Config, ConfigError};
use crate::remedy::{Remedy as _, causes};

/// The configurations that replace the first: the last of them counts.
pub type Reloads = watch::Receiver<Option<Arc<Config>>>;

/// Reads the configuration again each time that somebody asks, and passes it on if the daemon can work by it, and tell how things stand where it says; else
/// the error is logged and all stays as it is. Ends when nobody can ask any more.
pub async fn reload(
    first: &Config,
    mut asked: mpsc::Receiver<()>,
    load: impl Fn() -> Result<Config, ConfigError>,
    supervisor: &dyn Supervisor,
    reloads: &watch::Sender<Option<Arc<Config>>>,
    teller: &mut Teller,
) {
    while asked.recv().await.is_some() {
        supervisor.reloading();
        let usable = load().map_err(DaemonError::Config).and_then(|config| usable(first, config));
        let taken = match usable {
            Ok(config) => teller
                .go_to(config.daemon.listen)
                .await
                .map(|()| config)
                .map_err(DaemonError::Serve),
            Err(error) => Err(error),
        };
        match taken {
            Ok(config) => {
                tracing::info!(path = %config.path.display(), "the configuration was read again");
                reloads.send_replace(Some(Arc::new(config)));
                supervisor.reloaded(None);
            }
            Err(error) => {
                let reason = causes(&error).join(": ");
                let remedy = error.remedy().unwrap_or_default();
                tracing::error!(reason, remedy, "{error}; the old configuration stays in effect");
                supervisor.status(&format!("{error}; the old configuration stays in effect"));
                supervisor.reloaded(Some(&super::jobs::told(&error)));
            }
        }
    }
}

/// Passes a configuration on that a daemon which began with another can work by.
fn usable(first: &Config, config: Config) -> Result<Config, DaemonError> {
    if config.state_dir != first.state_dir {
        return Err(DaemonError::OtherState {
            old: first.state_dir.clone(),
            new: config.state_dir,
        });
    }
    require_work(&config)?;
    Ok(config)
}

/// Makes sure that there is something to do.
///
/// # Errors
/// When the configuration has no schedule at all.
pub fn require_work(config: &Config) -> Result<(), DaemonError> {
    if scheduled(config).is_empty() {
        return Err(DaemonError::NothingScheduled { path: config.path.clone() });
    }
    Ok(())
}
