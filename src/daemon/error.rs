//! Why there is no daemon, or why it does not take a new configuration.

use std::path::PathBuf;

use super::http::ServeError;
use crate::config::ConfigError;
use crate::remedy::Remedy;
use crate::store::StoreError;

/// Why there is no daemon, or why it does not take a new configuration.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Nothing would ever be done.
    #[error("the configuration {} has no schedule, so there is nothing to do", path.display())]
    NothingScheduled {
        /// The configuration.
        path: PathBuf,
    },
    /// Nothing can be told over HTTP.
    #[error("the daemon cannot tell how things stand")]
    Serve(#[source] ServeError),
    /// The state cannot be had.
    #[error("the daemon cannot look after the state")]
    State(#[source] StoreError),
    /// The configuration cannot be read again.
    #[error("the configuration cannot be read again")]
    Config(#[source] ConfigError),
    /// Another state would be worked on.
    #[error("the state in {} is looked after, and cannot be exchanged for that in {}", old.display(), new.display())]
    OtherState {
        /// The folder of the state.
        old: PathBuf,
        /// The folder that the new configuration names.
        new: PathBuf,
    },
}

impl Remedy for DaemonError {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NothingScheduled { .. } => {
                "say when something is to be done, under [tracker.schedule] or [distribution.schedule]; `kinset config init` shows how"
            }
            Self::Serve(source) => return source.remedy(),
            Self::State(source) => return source.remedy(),
            Self::Config(source) => return source.remedy(),
            Self::OtherState { .. } => "stop the daemon and start it again, or put `state_dir` back",
        };
        Some(text.to_owned())
    }
}
