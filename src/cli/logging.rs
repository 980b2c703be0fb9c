//! Where the log goes, and how it looks.

use std::io::IsTerminal as _;
use std::path::Path;

use libsystemd::logging::{SD_JOURNAL_SOCK_PATH, connected_to_journal};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use super::args::LogFormat;
use super::journal::Journal;
use super::output;

/// Says what is logged, in the syntax of `tracing`.
const LOG_VARIABLE: &str = "KINSET_LOG";

/// Sends the log to standard error, or to the journal. `usual` is what is logged when nothing else is said.
pub(super) fn start(format: LogFormat, usual: &str) {
    let asked = std::env::var_os(LOG_VARIABLE).unwrap_or_default();
    let asked = asked.to_string_lossy();
    let usual = || EnvFilter::new(usual);
    let filter = if asked.is_empty() {
        usual()
    } else {
        EnvFilter::try_new(&*asked).unwrap_or_else(|error| {
            output::say(&format!("warning: {LOG_VARIABLE} is passed over, as it cannot be read: {error}"));
            usual()
        })
    };
    tracing_subscriber::registry().with(layer(format).with_filter(filter)).init();
}

fn layer(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    match format {
        LogFormat::Auto if !connected_to_journal() => text(),
        LogFormat::Journald if !Path::new(SD_JOURNAL_SOCK_PATH).exists() => {
            output::say(&format!(
                "warning: there is no journal at {SD_JOURNAL_SOCK_PATH}, so the log is text"
            ));
            text()
        }
        LogFormat::Auto | LogFormat::Journald => Journal.boxed(),
        LogFormat::Text => text(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(std::io::stderr)
            .boxed(),
    }
}

fn text() -> Box<dyn Layer<Registry> + Send + Sync> {
    fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .boxed()
}
