//! Trying again when another writer was in the way.

use std::time::Duration;

/// With the waits below, about half a second in all.
const ATTEMPTS_MAX: u32 = 8;
const WAIT_FIRST_MS: u64 = 2;

/// How often one write has been tried, and how long to wait before the next time.
///
/// Waits double, and each is drawn from between half and all of that, so that writers that met
/// once do not meet again.
pub(crate) struct Attempts {
    made: u32,
    random: u64,
}

impl Attempts {
    /// `seed` should differ between writers.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            made: 0,
            random: seed,
        }
    }

    /// How long to wait; `None` when it has been tried often enough.
    pub(crate) fn next_wait(&mut self) -> Option<Duration> {
        self.made += 1;
        if self.made >= ATTEMPTS_MAX {
            return None;
        }
        let full = Duration::from_millis(WAIT_FIRST_MS << self.made);
        // Ten bits are fine enough for a wait of milliseconds.
        let share = u32::try_from(self.draw() % 1024).unwrap_or_default();
        Some(full / 2 + full / 2 * share / 1024)
    }

    /// The next number of a splitmix64 sequence.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(seed: u64) -> Vec<Duration> {
        let mut attempts = Attempts::new(seed);
        std::iter::from_fn(|| attempts.next_wait()).collect()
    }

    #[test]
    fn waits_grow_and_end() {
        let waits = waits(1);
        assert_eq!(waits.len(), 7);
        for (number, wait) in (1..).zip(&waits) {
            let full = Duration::from_millis(2 << number);
            assert!(*wait >= full / 2 && *wait <= full, "{wait:?} of {full:?}");
        }
    }

    #[test]
    fn writers_that_met_once_wait_differently() {
        assert_ne!(waits(1), waits(2));
        assert_eq!(waits(1), waits(1));
    }
}
