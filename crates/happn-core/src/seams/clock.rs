//! Time.

use std::time::Duration;

use crate::BoxFuture;

/// Time as decision logic sees it.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock, ms since 1970. May jump; only for stamps that people and peers read.
    fn wall_ms(&self) -> i64;

    /// Time since an arbitrary start. Never goes back; the only basis for decisions.
    fn monotonic(&self) -> Duration;

    /// Completes after `duration`. Cancel-safe.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's clock; its monotonic side follows tokio's, so tests can pause it.
#[derive(Debug)]
pub struct SystemClock {
    start: tokio::time::Instant,
    ahead_ms: i64,
}

impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: tokio::time::Instant::now(),
            ahead_ms: 0,
        }
    }

    /// The same clock, its wall side ahead by `duration`: to see what a wrong clock does.
    #[must_use]
    pub fn ahead_by(self, duration: Duration) -> Self {
        Self {
            ahead_ms: i64::try_from(duration.as_millis()).unwrap_or(i64::MAX),
            ..self
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the wall clock"
    )]
    fn wall_ms(&self) -> i64 {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = since_1970.map_or(0, |time| {
            i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
        });
        now.saturating_add(self.ahead_ms)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
