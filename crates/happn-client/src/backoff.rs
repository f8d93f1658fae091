//! How long to wait before the next attempt.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Growing, jittered, bounded waits.
#[derive(Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    attempt: u32,
    rng: StdRng,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration, seed: u64) -> Self {
        Self {
            min,
            max: max.max(min),
            attempt: 0,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// The next wait: somewhere in the upper half of a bound that doubles each time. The jitter
    /// stays when the cap is reached, so that clients of a restarted server do not return at once.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.attempt.saturating_add(1));
        let ceiling = self.min.saturating_mul(doubled).min(self.max);
        let floor = (ceiling / 2).max(self.min);
        self.attempt = self.attempt.saturating_add(1);
        let spread = ceiling.saturating_sub(floor);
        floor + spread.mul_f64(self.rng.random_range(0.0..=1.0))
    }

    /// Starts over after a success.
    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }

    /// A number that no cache has seen.
    pub(crate) fn nonce(&mut self) -> u64 {
        self.rng.random()
    }
}

/// A seed that differs between processes and calls, for those who do not bring their own.
pub(crate) fn fresh_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_the_minimum_to_the_cap_and_never_leave_their_bounds() {
        for seed in 0..100 {
            let (min, max) = (Duration::from_millis(500), Duration::from_secs(180));
            let mut backoff = Backoff::new(min, max, seed);
            let first = backoff.next_wait();
            assert!(first >= min && first <= min * 2, "{first:?}");
            let waits: Vec<_> = (0..40).map(|_| backoff.next_wait()).collect();
            assert!(waits.iter().all(|wait| *wait >= min && *wait <= max));
            assert!(waits.last().is_some_and(|wait| *wait >= max / 2));
            backoff.reset();
            assert!(backoff.next_wait() <= min * 2);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let waits = |seed| {
            let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_secs(1), seed);
            (0..10).map(|_| backoff.next_wait()).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
    }
}
