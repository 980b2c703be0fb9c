//! Signs of life, for whoever watches over work that may take long.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

tokio::task_local! {
    static PULSE: Pulse;
}

/// Whom work tells that it goes on: with each request that is sent and each answer that comes or is given up, and with each turn at the state.
///
/// It goes with the task, so that nothing between those who work and those who watch has to pass it on.
#[derive(Clone)]
pub struct Pulse(Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pulse")
    }
}

impl Pulse {
    /// Calls this at each sign of life.
    #[must_use]
    pub fn new(beat: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(beat))
    }

    /// Gives a sign of life.
    pub fn beat(&self) {
        (self.0)();
    }

    /// Does work whose signs of life this hears.
    pub async fn watch<T>(self, work: impl Future<Output = T>) -> T {
        PULSE.scope(self, work).await
    }
}

/// Gives a sign of life, if somebody watches.
pub(crate) fn beat() {
    // Outside of `Pulse::watch` nobody does.
    let _watched = PULSE.try_with(Pulse::beat);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Pulse, beat};

    #[tokio::test]
    async fn work_is_heard_by_whoever_watches_it_and_by_nobody_else() {
        let beats = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&beats);
        let pulse = Pulse::new(move || _ = counted.fetch_add(1, Ordering::Relaxed));
        beat();
        assert_eq!(beats.load(Ordering::Relaxed), 0);
        pulse.watch(async { beat() }).await;
        assert_eq!(beats.load(Ordering::Relaxed), 1);
    }
}
