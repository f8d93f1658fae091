//! How many websockets may begin in a while.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use happn_core::UpgradeLimit;
use tokio::time::Instant;

/// So many upgrades per interval, over all clients together: after an outage everybody comes back
/// at once, and a node that lets them in a few at a time keeps serving those it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpgradeRate {
    /// The most upgrades in one interval, at least 1.
    pub allowed: u32,
    /// How long an interval is.
    pub interval: Duration,
    /// What clients are told to wait; the rest of the interval if `None`.
    pub retry_after: Option<Duration>,
}

/// Counts upgrades against a rate; without a rate it lets everybody in.
pub(crate) struct UpgradeCounter {
    rate: Option<UpgradeRate>,
    interval: Mutex<Interval>,
}

struct Interval {
    began: Instant,
    admitted: u32,
}

impl UpgradeCounter {
    pub(crate) fn new(rate: Option<UpgradeRate>) -> Self {
        Self {
            rate,
            interval: Mutex::new(Interval {
                began: Instant::now(),
                admitted: 0,
            }),
        }
    }
}

impl UpgradeLimit for UpgradeCounter {
    fn admit(&self) -> Result<(), Duration> {
        let Some(rate) = self.rate else {
            return Ok(());
        };
        let now = Instant::now();
        let mut current = self.interval.lock().unwrap_or_else(PoisonError::into_inner);
        current.admit(rate, now)
    }
}

impl Interval {
    fn admit(&mut self, rate: UpgradeRate, now: Instant) -> Result<(), Duration> {
        let elapsed = now.duration_since(self.began);
        if elapsed >= rate.interval {
            self.began = now;
            self.admitted = 0;
        } else if self.admitted >= rate.allowed {
            return Err(rate.retry_after.unwrap_or(rate.interval - elapsed));
        }
        self.admitted += 1;
        Ok(())
    }
}

impl fmt::Debug for UpgradeCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradeCounter")
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: UpgradeRate = UpgradeRate {
        allowed: 2,
        interval: Duration::from_secs(10),
        retry_after: None,
    };

    #[tokio::test(start_paused = true)]
    async fn the_rest_of_the_interval_is_to_wait_when_all_upgrades_are_taken() {
        let counter = UpgradeCounter::new(Some(RATE));
        assert_eq!(counter.admit(), Ok(()));
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(counter.admit(), Ok(()));
        assert_eq!(counter.admit(), Err(Duration::from_secs(6)));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(counter.admit(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn clients_are_told_the_configured_pause_if_there_is_one() {
        let retry_after = Some(Duration::from_secs(77));
        let counter = UpgradeCounter::new(Some(UpgradeRate {
            allowed: 1,
            retry_after,
            ..RATE
        }));
        assert_eq!(counter.admit(), Ok(()));
        assert_eq!(counter.admit(), Err(Duration::from_secs(77)));
    }

    #[tokio::test]
    async fn without_a_rate_everybody_gets_in() {
        let counter = UpgradeCounter::new(None);
        assert!((0..10_000).all(|_| counter.admit().is_ok()));
    }
}
