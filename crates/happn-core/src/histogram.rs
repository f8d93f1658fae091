//! How long things take, counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many buckets a [`Histogram`] has besides the one for everything longer.
const BOUNDS: usize = 16;

/// Counts durations by their length. Adding one costs two atomic additions and never waits.
#[derive(Debug, Default)]
pub struct Histogram {
    /// The last one is for what is longer than every bound.
    counts: [AtomicU64; BOUNDS + 1],
    total_micros: AtomicU64,
}

/// What a [`Histogram`] held at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistogramReading {
    /// How many took at most the bound of the same place and longer than the one before it; the
    /// last one is for what took longer than all of [`Histogram::BOUNDS`].
    pub counts: [u64; BOUNDS + 1],
    /// All durations together, to the microsecond.
    pub total: Duration,
}

impl Histogram {
    /// The longest durations of the buckets.
    pub const BOUNDS: [Duration; BOUNDS] = [
        Duration::from_micros(50),
        Duration::from_micros(100),
        Duration::from_micros(250),
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_micros(2_500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2_500),
        Duration::from_secs(10),
    ];

    /// Counts one duration.
    pub fn observe(&self, took: Duration) {
        let place = Self::BOUNDS.partition_point(|bound| *bound < took);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.total_micros.fetch_add(micros, Ordering::Relaxed);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
    }

    /// Everything counted so far.
    #[must_use]
    pub fn read(&self) -> HistogramReading {
        HistogramReading {
            counts: std::array::from_fn(|at| self.counts[at].load(Ordering::Relaxed)),
            total: Duration::from_micros(self.total_micros.load(Ordering::Relaxed)),
        }
    }
}

impl HistogramReading {
    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_where_its_bound_is() {
        let histogram = Histogram::default();
        for micros in [0, 50, 51, 1_000, 11_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let reading = histogram.read();
        let mut expected = [0; BOUNDS + 1];
        (expected[0], expected[1], expected[4], expected[BOUNDS]) = (2, 1, 1, 1);
        assert_eq!(reading.counts, expected);
        assert_eq!(reading.count(), 5);
        assert_eq!(reading.total, Duration::from_micros(11_001_101));
    }

    #[test]
    fn bounds_ascend() {
        assert!(Histogram::BOUNDS.is_sorted());
    }
}
