//! How long to wait after a failed accept.

use std::io;
use std::time::Duration;

/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause. Short enough that clients get in soon after descriptors are free again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Pauses that grow while accepting keeps failing.
///
/// A listener that is out of descriptors stays *ready*: accepting again at once would spin.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure in a row.
    pub(crate) fn failed(&mut self) -> Duration {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        pause.min(LONGEST_PAUSE)
    }

    /// Accepting worked. Whether it had failed before.
    pub(crate) fn worked(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }
}

/// Whether only the connection being accepted is broken, so that the next one may be tried at
/// once: its client went away while it was queued.
pub(crate) fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_over_after_success() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.failed(), Duration::from_millis(10));
        assert_eq!(backoff.failed(), Duration::from_millis(20));
        for _ in 0..100 {
            backoff.failed();
        }
        assert_eq!(backoff.failed(), LONGEST_PAUSE);
        assert!(backoff.worked());
        assert!(!backoff.worked());
        assert_eq!(backoff.failed(), FIRST_PAUSE);
    }
}
