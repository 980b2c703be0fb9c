//! How patiently something is read that does not come.

use std::{num::NonZeroU32, time::Duration};

use backon::ExponentialBuilder;

/// How a read is tried again when trying again may help.
///
/// The wait doubles from `base` up to `cap`. A server may ask for another wait with `Retry-After`; of that, no more than `cap` is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a read is tried in all.
    pub attempts: NonZeroU32,
    /// No read is tried again once this much time has gone since its first attempt.
    pub patience: Duration,
    /// The first wait.
    pub base: Duration,
    /// The longest wait.
    pub cap: Duration,
    /// Whether the waits are spread.
    pub jitter: Jitter,
}

/// Whether waits are spread, lest clients that failed together try again together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Each wait is as long as the policy says.
    None,
    /// Each wait is drawn at random between half of what the policy says and all of it.
    Half,
}

impl Default for RetryPolicy {
    /// Seventeen minutes: Patchwork servers answer slow lists with 502 and 504 for minutes on end, and clients that gave up after three and
    /// a half minutes had to be taught to wait for that long.
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN.saturating_add(39),
            patience: Duration::from_secs(17 * 60),
            base: Duration::from_secs(1),
            cap: Duration::from_secs(60),
            jitter: Jitter::Half,
        }
    }
}

impl RetryPolicy {
    /// The default, for as long as this; no time at all tries once.
    #[must_use]
    pub fn lasting(patience: Duration) -> Self {
        Self {
            attempts: NonZeroU32::MAX,
            patience,
            ..Self::default()
        }
    }

    /// Tries up to `attempts` times without any wait: for servers that live in the same process.
    #[must_use]
    pub const fn without_waiting(attempts: NonZeroU32) -> Self {
        Self {
            attempts,
            patience: Duration::MAX,
            base: Duration::ZERO,
            cap: Duration::ZERO,
            jitter: Jitter::None,
        }
    }

    pub(crate) fn backoff(&self) -> ExponentialBuilder {
        let retries = usize::try_from(self.attempts.get() - 1).unwrap_or(usize::MAX);
        let builder = ExponentialBuilder::new().with_factor(2.0).with_max_times(retries);
        match self.jitter {
            Jitter::None => builder.with_min_delay(self.base).with_max_delay(self.cap),
            // The builder's jitter adds up to the whole of a delay to it.
            Jitter::Half => builder.with_min_delay(self.base / 2).with_max_delay(self.cap / 2).with_jitter(),
        }
    }

    /// The wait to take, given what the back-off says and what the server asked for.
    pub(crate) fn wait(&self, backoff: Duration, asked: Option<Duration>) -> Duration {
        asked.map_or(backoff, |asked| asked.max(backoff).min(self.cap))
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use backon::BackoffBuilder;

    use super::{Jitter, RetryPolicy};

    #[test]
    fn the_default_waits_double_up_to_a_minute_and_outlast_the_patience() {
        let policy = RetryPolicy {
            jitter: Jitter::None,
            ..RetryPolicy::default()
        };
        let waits: Vec<u64> = policy.backoff().build().map(|wait| wait.as_secs()).collect();
        assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(waits.iter().sum::<u64>() > policy.patience.as_secs());
    }

    #[test]
    fn jitter_shortens_waits_by_up_to_half_and_never_lengthens_them() {
        let policy = RetryPolicy::default();
        let plain = RetryPolicy {
            jitter: Jitter::None,
            ..policy.clone()
        };
        for (spread, whole) in policy.backoff().build().zip(plain.backoff().build()) {
            assert!(spread >= whole / 2 && spread <= whole, "{spread:?} of {whole:?}");
        }
    }

    #[test]
    fn jittered_waits_outlast_the_patience_too() {
        let policy = RetryPolicy::default();
        assert!(policy.backoff().build().sum::<Duration>() > policy.patience);
    }

    #[test]
    fn a_server_may_ask_for_a_longer_wait_but_not_for_more_than_the_cap() {
        let policy = RetryPolicy::default();
        let second = Duration::from_secs(1);
        assert_eq!(policy.wait(second, None), second);
        assert_eq!(policy.wait(second, Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(policy.wait(second, Some(Duration::from_secs(3600))), Duration::from_secs(60));
        assert_eq!(policy.wait(second, Some(Duration::ZERO)), second);
    }

    #[test]
    fn a_policy_lasts_as_long_as_it_is_told_to_however_often_that_is() {
        for seconds in [0, 1, 50_000] {
            let policy = RetryPolicy::lasting(Duration::from_secs(seconds));
            assert_eq!(policy.patience.as_secs(), seconds);
            let first_waits = policy.backoff().build().take(2000);
            assert!(first_waits.sum::<Duration>() > policy.patience);
        }
    }

    #[test]
    fn without_waiting_there_are_only_attempts() {
        let waits: Vec<Duration> = RetryPolicy::without_waiting(NonZeroU32::new(3).unwrap())
            .backoff()
            .build()
            .collect();
        assert_eq!(waits, [Duration::ZERO; 2]);
    }
}
