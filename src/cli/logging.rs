//! Where the log goes, and how it looks.

use std::io::IsTerminal as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use super::args::LogFormat;
use super::output;

/// Says what is logged, in the syntax of `tracing`.
const LOG_VARIABLE: &str = "KINSET_LOG";

/// What systemd says of the journal that standard error leads to: device and inode, with a colon in between (`systemd.exec(5)`).
const JOURNAL_VARIABLE: &str = "JOURNAL_STREAM";

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
        LogFormat::Auto if !is_the_journal() => text(),
        LogFormat::Auto | LogFormat::Journald => match tracing_journald::layer() {
            Ok(layer) => layer.with_field_prefix(Some("KINSET".to_owned())).boxed(),
            Err(error) => {
                output::say(&format!("warning: the journal cannot be written to, so the log is text: {error}"));
                text()
            }
        },
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

/// Whether standard error leads to the journal, and was not turned elsewhere since systemd said so.
fn is_the_journal() -> bool {
    let stderr = || {
        let stderr = std::io::stderr().as_fd().try_clone_to_owned()?;
        std::fs::File::from(stderr).metadata()
    };
    let said = std::env::var(JOURNAL_VARIABLE);
    said.is_ok_and(|said| stderr().is_ok_and(|stderr| said == format!("{}:{}", stderr.dev(), stderr.ino())))
}
