//! What is measured beside the decisions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use happn_core::{Beat, Histogram, HistogramReading};

use crate::skew::{ClockSkew, Skews};

/// How the writing of this node's own record goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepaliveReading {
    /// How long each write took, failed ones included.
    pub latency: HistogramReading,
    /// How many failed.
    pub failed: u64,
}

/// The measurements while they are taken.
#[derive(Debug, Default)]
pub(super) struct Measured {
    beats: Histogram,
    failed_beats: AtomicU64,
    skews: Mutex<Skews>,
}

impl Measured {
    pub(super) fn beat(&self, took: Duration, succeeded: bool) {
        self.beats.observe(took);
        if !succeeded {
            self.failed_beats.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn keepalives(&self) -> KeepaliveReading {
        KeepaliveReading {
            latency: self.beats.read(),
            failed: self.failed_beats.load(Ordering::Relaxed),
        }
    }

    /// The table was read between these two times of the wall clock.
    pub(super) fn table(&self, beats: &[Beat], began: i64, ended: i64) {
        self.skews().observe(beats, began, ended);
    }

    pub(super) fn known_skews(&self) -> Vec<ClockSkew> {
        self.skews().known()
    }

    /// Whatever a panic left behind is an estimate, too.
    fn skews(&self) -> MutexGuard<'_, Skews> {
        self.skews.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
