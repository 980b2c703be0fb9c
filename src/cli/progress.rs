//! Progress bars, where somebody looks at them.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::tracker::Progress;

/// A bar on standard error; indicatif draws nothing where that is no terminal.
pub(super) fn bar(length: Option<u64>, what: &str) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {human_pos}/{human_len} {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// What a pull tells its progress to.
pub(super) fn follow(bar: &ProgressBar) -> impl Fn(Progress) + Sync + '_ {
    |Progress { patches, expected }| {
        if let Some(expected) = expected {
            bar.set_length(expected as u64);
        }
        bar.set_position(patches as u64);
    }
}
