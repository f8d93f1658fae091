//! Who has guessed too often.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::generations::Generations;
use super::{Source, fingerprint};

/// How many names, sources and pairs of both are remembered at least.
const REMEMBERED: usize = 10_000;
/// From all sources together a name may be tried this many times as often as from one.
const ALL_SOURCES: u32 = 10;
/// With all names together a source may try this many times as often as with one.
const ALL_NAMES: u32 = 25;

/// What `accountLockout` configures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockoutConfig {
    /// Whether anything is counted.
    pub enabled: bool,
    /// Failures of one name from one source until both together are locked; 0 counts as 1.
    pub attempts: u32,
    /// How long after the last failure that was counted.
    pub retry_interval: Duration,
}

impl Default for LockoutConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            attempts: 4,
            retry_interval: Duration::from_secs(600),
        }
    }
}

/// Counts failed logins: by name and source, so that nobody locks others out with a few guesses;
/// by name, and by source, with higher limits, against guessing from many places or many names.
///
/// Bounded, whatever names are tried. Time is monotonic time.
#[derive(Debug)]
pub struct Lockout {
    config: LockoutConfig,
    counters: Mutex<Counters>,
}

#[derive(Debug)]
struct Counters {
    pairs: Generations<(Name, Source), Count>,
    names: Generations<Name, Count>,
    sources: Generations<Source, Count>,
}

type Name = [u8; 32];

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    failures: u32,
    last: Duration,
}

/// Somebody guessed too often; clients know the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Account locked out")]
pub struct LockedOut;

impl Lockout {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(config: LockoutConfig) -> Self {
        Self {
            config,
            counters: Mutex::new(Counters {
                pairs: Generations::new(REMEMBERED),
                names: Generations::new(REMEMBERED),
                sources: Generations::new(REMEMBERED),
            }),
        }
    }

    /// Whether `name`, as the client wrote it, may be tried from `source` at `now`.
    ///
    /// Ask right before the password is hashed: while a login waited for its turn, others may have
    /// failed.
    ///
    /// # Errors
    /// When it may not.
    pub fn check(&self, name: &str, source: Source, now: Duration) -> Result<(), LockedOut> {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        match self.config.enabled && self.is_locked(&counters, fingerprint(name), source, now) {
            true => Err(LockedOut),
            false => Ok(()),
        }
    }

    /// Counts a failure at `now`. Failures while locked are not counted, so that the lock ends.
    pub fn failed(&self, name: &str, source: Source, now: Duration) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let name = fingerprint(name);
        if !self.config.enabled || self.is_locked(&counters, name, source, now) {
            return;
        }
        let interval = self.config.retry_interval;
        counters.pairs.touch((name, source)).add(now, interval);
        counters.names.touch(name).add(now, interval);
        counters.sources.touch(source).add(now, interval);
    }

    /// Forgets the failures of `name` from `source`, and no others: somebody who guesses must not
    /// clear his own count by logging in as himself.
    pub fn succeeded(&self, name: &str, source: Source) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.pairs.remove(&(fingerprint(name), source));
    }

    fn is_locked(&self, counters: &Counters, name: Name, source: Source, now: Duration) -> bool {
        let attempts = self.config.attempts.max(1);
        let full = |count: Option<&Count>, factor: u32| {
            count.is_some_and(|count| {
                count.failures >= attempts.saturating_mul(factor)
                    && count.is_recent(now, self.config.retry_interval)
            })
        };
        full(counters.pairs.get(&(name, source)), 1)
            || full(counters.names.get(&name), ALL_SOURCES)
            || full(counters.sources.get(&source), ALL_NAMES)
    }
}

impl Count {
    fn add(&mut self, now: Duration, interval: Duration) {
        if !self.is_recent(now, interval) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.last = now;
    }

    fn is_recent(&self, now: Duration, interval: Duration) -> bool {
        now.saturating_sub(self.last) < interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    const INTERVAL: Duration = Duration::from_secs(600);

    fn source(last: u32) -> Source {
        IpAddr::from(Ipv4Addr::from(0x0a00_0000 + last)).into()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn lockout() -> Lockout {
        Lockout::new(LockoutConfig::default())
    }

    #[test]
    fn a_name_is_locked_after_four_failures_until_the_interval_has_passed() {
        let lockout = lockout();
        for at in 0..4 {
            assert_eq!(lockout.check("joe", source(1), seconds(at)), Ok(()));
            lockout.failed("joe", source(1), seconds(at));
        }
        assert_eq!(lockout.check("joe", source(1), seconds(4)), Err(LockedOut));
        // Not counted, so that it does not prolong the lock.
        lockout.failed("joe", source(1), seconds(500));
        assert_eq!(
            lockout.check("joe", source(1), seconds(602)),
            Err(LockedOut)
        );
        assert_eq!(lockout.check("joe", source(1), seconds(603)), Ok(()));
    }

    #[test]
    fn a_success_starts_the_count_anew() {
        let lockout = lockout();
        for _ in 0..3 {
            lockout.failed("joe", source(1), seconds(0));
        }
        lockout.succeeded("joe", source(1));
        lockout.failed("joe", source(1), seconds(0));
        assert_eq!(lockout.check("joe", source(1), seconds(0)), Ok(()));
    }

    #[test]
    fn who_guesses_locks_out_neither_others_nor_himself_under_another_name() {
        let lockout = lockout();
        for _ in 0..4 {
            lockout.failed("joe", source(1), seconds(0));
        }
        assert_eq!(lockout.check("joe", source(2), seconds(0)), Ok(()));
        assert_eq!(lockout.check("ann", source(1), seconds(0)), Ok(()));
    }

    #[test]
    fn a_name_that_is_guessed_from_everywhere_is_locked_everywhere() {
        let lockout = lockout();
        for nth in 0..40 {
            assert_eq!(lockout.check("joe", source(nth), seconds(0)), Ok(()));
            lockout.failed("joe", source(nth), seconds(0));
        }
        assert_eq!(lockout.check("joe", source(99), seconds(0)), Err(LockedOut));
        assert_eq!(lockout.check("joe", source(99), INTERVAL), Ok(()));
    }

    #[test]
    fn a_source_that_tries_many_names_is_locked_and_others_keep_working() {
        let lockout = lockout();
        for nth in 0..100 {
            lockout.failed(&format!("user-{nth}"), source(1), seconds(0));
        }
        assert_eq!(lockout.check("joe", source(1), seconds(0)), Err(LockedOut));
        assert_eq!(lockout.check("joe", source(2), seconds(0)), Ok(()));
        lockout.succeeded("mine", source(1));
        assert_eq!(lockout.check("joe", source(1), seconds(0)), Err(LockedOut));
    }

    #[test]
    fn any_number_of_names_and_sources_takes_bounded_memory() {
        let lockout = lockout();
        for nth in 0..50_000 {
            lockout.failed(&format!("user-{nth}"), source(nth), seconds(0));
        }
        let counters = lockout.counters.lock().unwrap();
        assert!(counters.pairs.len() <= 2 * REMEMBERED);
        assert!(counters.names.len() <= 2 * REMEMBERED);
        assert!(counters.sources.len() <= 2 * REMEMBERED);
    }

    #[test]
    fn nothing_is_locked_when_it_is_turned_off() {
        let lockout = Lockout::new(LockoutConfig {
            enabled: false,
            ..LockoutConfig::default()
        });
        for _ in 0..1000 {
            lockout.failed("joe", source(1), seconds(0));
        }
        assert_eq!(lockout.check("joe", source(1), seconds(0)), Ok(()));
    }
}
