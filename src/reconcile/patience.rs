//! How patiently writes are tried.

use std::time::Duration;

/// How often a write is tried that is known not to have been carried out, and how long is waited in between.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often in all.
    pub attempts: u32,
    /// The first wait; it doubles each time.
    pub wait: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Patience {
    /// Seventeen minutes, as long as reads are tried again: servers were seen to be out of order for minutes on end.
    fn default() -> Self {
        Self::lasting(Duration::from_secs(17 * 60))
    }
}

impl Patience {
    /// Waits of a second, two, four, and so on up to a minute, as many as fit into this much time; no time at all tries once.
    #[must_use]
    pub fn lasting(total: Duration) -> Self {
        let mut patience = Self {
            attempts: 1,
            wait: Duration::from_secs(1),
            longest: Duration::from_secs(60),
        };
        let mut left = total;
        loop {
            let wait = patience.wait_before(patience.attempts, None);
            if wait == patience.longest {
                let waits = u32::try_from(left.as_secs() / wait.as_secs()).unwrap_or(u32::MAX);
                patience.attempts = patience.attempts.saturating_add(waits);
                return patience;
            }
            let Some(rest) = left.checked_sub(wait) else { return patience };
            left = rest;
            patience.attempts += 1;
        }
    }

    pub(super) fn wait_before(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let doubled = self
            .wait
            .saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled.max(asked.unwrap_or_default()).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Patience;

    /// How often a write is tried, and how long is waited for that in all.
    fn tried(seconds: u64) -> (u32, u64) {
        let patience = Patience::lasting(Duration::from_secs(seconds));
        let waits = (1..patience.attempts).map(|attempt| patience.wait_before(attempt, None).as_secs());
        (patience.attempts, waits.sum())
    }

    #[test]
    fn a_write_is_tried_as_often_as_its_waits_fit_into_the_patience() {
        assert_eq!(tried(0), (1, 0));
        assert_eq!(tried(1), (2, 1));
        assert_eq!(tried(2), (2, 1));
        assert_eq!(tried(3), (3, 3));
        assert_eq!(tried(63), (7, 63));
        assert_eq!(tried(122), (7, 63));
        assert_eq!(tried(123), (8, 123));
        assert_eq!(tried(17 * 60), (22, 963));
    }

    #[test]
    fn the_longest_patience_that_can_be_configured_has_an_end() {
        let patience = Patience::lasting(Duration::from_secs(u32::MAX.into()));
        assert_eq!(patience.attempts, 7 + (u32::MAX - 63) / 60);
    }
}
