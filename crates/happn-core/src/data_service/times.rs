//! How long a store takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::{Histogram, HistogramReading};

/// What one store has done since the node's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreReading {
    /// The store's name.
    pub name: Arc<str>,
    /// Writes, from the store being told to its answer being passed on, in order.
    pub writes: HistogramReading,
    /// Searches, from the question to the end of the answer.
    pub reads: HistogramReading,
    /// Writes that failed; they are among the others.
    pub failed_writes: u64,
}

/// The times while they are taken.
#[derive(Debug, Default)]
pub(crate) struct StoreTimes {
    writes: Histogram,
    reads: Histogram,
    failed_writes: AtomicU64,
}

impl StoreTimes {
    pub(crate) fn wrote(&self, took: Duration, succeeded: bool) {
        self.writes.observe(took);
        if !succeeded {
            self.failed_writes.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self, name: Arc<str>) -> StoreReading {
        StoreReading {
            name,
            writes: self.writes.read(),
            reads: self.reads.read(),
            failed_writes: self.failed_writes.load(Ordering::Relaxed),
        }
    }
}

/// Takes the time of one search until it is dropped.
#[derive(Debug)]
pub(crate) struct ReadTimer {
    started: Instant,
    times: Arc<StoreTimes>,
}

impl ReadTimer {
    pub(crate) fn start(times: Arc<StoreTimes>) -> Self {
        Self {
            started: Instant::now(),
            times,
        }
    }
}

impl Drop for ReadTimer {
    fn drop(&mut self) {
        self.times.reads.observe(self.started.elapsed());
    }
}
