//! How much may be asked. Pure: time is an argument.

use std::time::Duration;

use happn_security::credentials::{Generations, Source};

/// How many addresses are remembered at least.
const REMEMBERED: usize = 10_000;

/// So many at once, and then one more each time `every` has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once; 0 counts as 1.
    pub burst: u32,
    /// How long until one more may come.
    pub every: Duration,
}

/// A bucket of tokens, as the moment at which it will be full again.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    full_at: Duration,
}

impl Bucket {
    /// Takes one token at `now`, or says how long until there is one.
    fn take(&mut self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let full_at = self.full_at.max(now).saturating_add(rate.every);
        let empty_at = now.saturating_add(rate.every.saturating_mul(rate.burst.max(1)));
        if full_at > empty_at {
            return Err(full_at - empty_at);
        }
        self.full_at = full_at;
        Ok(())
    }
}

/// Keeps every address to a rate, and all of them together to another one.
///
/// Bounded, whoever comes: an address that was forgotten begins anew, and what very many addresses
/// do is kept within bounds by the rate of all.
#[derive(Debug)]
pub(super) struct Limiter {
    of_each: Rate,
    of_all: Option<Rate>,
    sources: Generations<Source, Bucket>,
    all: Bucket,
}

impl Limiter {
    pub(super) fn new(of_each: Rate, of_all: Option<Rate>) -> Self {
        Self {
            of_each,
            of_all,
            sources: Generations::new(REMEMBERED),
            all: Bucket::default(),
        }
    }

    /// Counts what `source` asks at `now`, by monotonic time.
    ///
    /// An address that asks too much takes nothing away from the others.
    ///
    /// # Errors
    /// How long it has to wait.
    pub(super) fn admit(&mut self, source: Source, now: Duration) -> Result<(), Duration> {
        self.sources.touch(source).take(self.of_each, now)?;
        match self.of_all {
            Some(of_all) => self.all.take(of_all, now),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        every: Duration::from_secs(2),
    };

    fn source(number: u32) -> Source {
        Source::from(IpAddr::from(number.to_be_bytes()))
    }

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn so_many_come_at_once_and_then_one_at_a_time() {
        let mut limiter = Limiter::new(RATE, None);
        for _ in 0..3 {
            assert_eq!(limiter.admit(source(1), at(100)), Ok(()));
        }
        assert_eq!(limiter.admit(source(1), at(100)), Err(at(2000)));
        assert_eq!(limiter.admit(source(1), at(1600)), Err(at(500)));
        assert_eq!(limiter.admit(source(1), at(2100)), Ok(()));
        assert_eq!(limiter.admit(source(1), at(2100)), Err(at(2000)));
        let later = at(3_600_000);
        for _ in 0..3 {
            assert_eq!(
                limiter.admit(source(1), later),
                Ok(()),
                "and no more than these"
            );
        }
        assert!(limiter.admit(source(1), later).is_err());
    }

    #[test]
    fn an_address_that_asks_too_much_takes_nothing_from_the_others() {
        let of_all = Rate { burst: 5, ..RATE };
        let mut limiter = Limiter::new(RATE, Some(of_all));
        for _ in 0..10_000 {
            let _ = limiter.admit(source(1), at(0));
        }
        assert_eq!(limiter.admit(source(2), at(0)), Ok(()));
        assert_eq!(limiter.admit(source(3), at(0)), Ok(()));
        assert!(limiter.admit(source(4), at(0)).is_err(), "all together");
    }

    #[test]
    fn very_many_addresses_are_forgotten_and_kept_within_the_rate_of_all() {
        let of_all = Rate { burst: 50, ..RATE };
        let mut limiter = Limiter::new(RATE, Some(of_all));
        let admitted = (0..100_000).filter(|number| limiter.admit(source(*number), at(0)).is_ok());
        assert_eq!(admitted.count(), 50);
    }

    #[test]
    fn no_rate_is_too_large_to_count_with() {
        let endless = Rate {
            burst: u32::MAX,
            every: Duration::MAX,
        };
        let mut limiter = Limiter::new(endless, None);
        assert_eq!(limiter.admit(source(1), at(1)), Ok(()));
        let none = Rate {
            burst: 0,
            every: Duration::ZERO,
        };
        assert_eq!(Limiter::new(none, None).admit(source(1), at(1)), Ok(()));
    }

    proptest! {
        #[test]
        fn in_any_time_no_more_come_than_the_rate_says(
            burst in 1_u32..5,
            every in 1_u64..1000,
            pauses in prop::collection::vec(0_u64..500, 1..200),
        ) {
            let rate = Rate { burst, every: at(every) };
            let (mut bucket, mut now, mut admitted) = (Bucket::default(), 0, Vec::new());
            for pause in pauses {
                now += pause;
                match bucket.take(rate, at(now)) {
                    Ok(()) => admitted.push(now),
                    Err(wait) => {
                        let mut patient = bucket;
                        prop_assert_eq!(patient.take(rate, at(now) + wait), Ok(()));
                    }
                }
            }
            for (first, from) in admitted.iter().enumerate() {
                for (last, until) in admitted.iter().enumerate().skip(first) {
                    let number = (last - first + 1) as u64;
                    prop_assert!(number <= u64::from(burst) + (until - from) / every);
                }
            }
        }
    }
}
