//! How long to wait before dialing again.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// The first pause, and the shortest between two dials of one endpoint.
pub(super) const BASE: Duration = Duration::from_millis(200);

/// The longest pause. After an outage of any length a peer is to be back within a second, and the
/// dial, the login and the question for what was missed take their time, too.
pub(super) const CAP: Duration = Duration::from_millis(400);

/// The pause after somebody answered who does not want this node, or is none: that lasts longer.
pub(super) const UNWANTED: Duration = Duration::from_secs(3);

/// Doubling pauses with jitter, so that nodes that lost one peer do not return in step.
#[derive(Debug)]
pub(super) struct Backoff {
    random: SmallRng,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        let random = SmallRng::seed_from_u64(seed);
        Self { random }
    }

    /// The pause after `failures` earlier failures in a row: between a half and the whole of
    /// `BASE * 2^failures`, at most `CAP`, at least `BASE / 2`.
    pub(super) fn pause(&mut self, failures: u32) -> Duration {
        let whole = BASE.saturating_mul(1 << failures.min(8)).min(CAP);
        whole.mul_f64(self.random.random_range(0.5..=1.0))
    }
}
