//! How many events came in and what became of them.

use std::sync::atomic::{AtomicU64, Ordering};

use happn_core::{Delivery, Gap};

/// A reading of the replicator's counters since its start.
///
/// `received = republished + duplicates`. `delivered` and `refused` count frames at local
/// sessions, so one republished event adds any number to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Events that peers delivered.
    pub received: u64,
    /// Events handed on to local clients, whether or not anybody listened.
    pub republished: u64,
    /// Events left out because overlapping masks had brought them already.
    pub duplicates: u64,
    /// Frames that local sessions' outboxes took.
    pub delivered: u64,
    /// Frames that local sessions' outboxes refused.
    pub refused: u64,
    /// How often events of a peer went missing.
    pub gaps: u64,
    /// Events that are known to be missing; gaps of unknown size add nothing.
    pub lost: u64,
}

/// The counters while they run.
#[derive(Debug, Default)]
pub(crate) struct LiveCounters {
    received: AtomicU64,
    republished: AtomicU64,
    duplicates: AtomicU64,
    delivered: AtomicU64,
    refused: AtomicU64,
    gaps: AtomicU64,
    lost: AtomicU64,
}

impl LiveCounters {
    /// Adds one batch of a peer: `received` events, of which `fresh` were no duplicates.
    pub(crate) fn batch(&self, received: usize, fresh: usize) {
        add(&self.received, received as u64);
        add(&self.republished, fresh as u64);
        add(&self.duplicates, (received - fresh) as u64);
    }

    /// Adds what became of one republished event.
    pub(crate) fn delivery(&self, delivery: Delivery) {
        add(&self.delivered, u64::from(delivery.delivered));
        add(&self.refused, u64::from(delivery.refused));
    }

    /// Adds one gap.
    pub(crate) fn gap(&self, gap: Gap) {
        add(&self.gaps, 1);
        add(&self.lost, gap.lost.unwrap_or(0));
    }

    /// The totals now.
    pub(crate) fn read(&self) -> Counters {
        Counters {
            received: self.received.load(Ordering::Relaxed),
            republished: self.republished.load(Ordering::Relaxed),
            duplicates: self.duplicates.load(Ordering::Relaxed),
            delivered: self.delivered.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            gaps: self.gaps.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
