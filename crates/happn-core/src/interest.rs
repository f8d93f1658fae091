//! Keeps count of what clients want to hear of other nodes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use happn_paths::Mask;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::seams::interest::{LocalInterest, LocalMasks};
use crate::{BoxFuture, Clock, Node};

/// The masks of all clients, and what other nodes know of them.
///
/// Its lock comes after that of the subscription table, and nothing is asked for under it.
#[derive(Debug)]
pub(crate) struct Interest {
    counts: Mutex<Counts>,
    changes: watch::Sender<u64>,
    confirmed: watch::Sender<u64>,
    overdue: AtomicU64,
    /// How long a subscription may wait.
    wait_max: Duration,
}

#[derive(Debug, Default)]
struct Counts {
    by_mask: HashMap<Mask, Wanted>,
    number: u64,
}

#[derive(Debug)]
struct Wanted {
    subscriptions: u32,
    /// The change with which it began.
    since: u64,
}

impl Interest {
    /// Nobody wants anything, and there is nobody to tell.
    pub(crate) fn new(wait_max: Duration) -> Self {
        Self {
            counts: Mutex::default(),
            changes: watch::Sender::new(0),
            confirmed: watch::Sender::new(u64::MAX),
            overdue: AtomicU64::new(0),
            wait_max,
        }
    }

    /// One more subscription to `mask`; answers the change that others have to know of.
    pub(crate) fn add(&self, mask: &Mask) -> u64 {
        let mut counts = self.lock();
        let next = counts.number + 1;
        match counts.by_mask.entry(canonical(mask)) {
            Entry::Occupied(mut held) => {
                held.get_mut().subscriptions += 1;
                held.get().since
            }
            Entry::Vacant(free) => {
                free.insert(Wanted {
                    subscriptions: 1,
                    since: next,
                });
                counts.number = next;
                self.changes.send_replace(next);
                next
            }
        }
    }

    /// One subscription to `mask` less.
    pub(crate) fn remove(&self, mask: &Mask) {
        let mut counts = self.lock();
        let Entry::Occupied(mut held) = counts.by_mask.entry(canonical(mask)) else {
            return;
        };
        held.get_mut().subscriptions -= 1;
        if held.get().subscriptions == 0 {
            held.remove();
            counts.number += 1;
            self.changes.send_replace(counts.number);
        }
    }

    /// What completes when others know of change `since`, or when that takes too long. `None` when
    /// there is nothing to wait for: they do, or one of them is so far behind that waiting for it
    /// would only make everybody slow.
    pub(crate) fn confirmation(
        self: &Arc<Self>,
        since: u64,
        clock: &Arc<dyn Clock>,
        stopping: &CancellationToken,
    ) -> Option<BoxFuture<'static, ()>> {
        let known = *self.confirmed.borrow();
        if known >= since {
            return None;
        }
        if self.overdue() > known {
            self.overdue.fetch_max(since, Ordering::AcqRel);
            return None;
        }
        let (interest, stopping) = (Arc::clone(self), stopping.clone());
        let expired = clock.sleep(self.wait_max);
        Some(Box::pin(async move {
            let mut confirmed = interest.confirmed.subscribe();
            tokio::select! {
                // What is confirmed counts, even if the time is over, too.
                biased;
                _ = confirmed.wait_for(|known| *known >= since) => {}
                () = expired => {
                    interest.overdue.fetch_max(since, Ordering::AcqRel);
                    tracing::debug!("another node did not confirm a subscription in time");
                }
                () = stopping.cancelled() => {}
            }
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// What completes when other nodes know of change `change` of the interest, if that is worth
    /// waiting for.
    pub(crate) fn told_elsewhere(&self, change: u64) -> Option<BoxFuture<'static, ()>> {
        let interest = self.subscriptions.interest()?;
        interest.confirmation(change, self.clock(), &self.stopping)
    }
}

impl LocalInterest for Interest {
    fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn masks(&self, max: usize) -> LocalMasks {
        let counts = self.lock();
        let fits = counts.by_mask.len() <= max;
        LocalMasks {
            number: counts.number,
            masks: fits.then(|| counts.by_mask.keys().cloned().collect()),
        }
    }

    fn confirm(&self, number: u64) {
        self.confirmed.send_replace(number);
    }

    fn overdue(&self) -> u64 {
        self.overdue.load(Ordering::Acquire)
    }
}

/// One spelling for masks that mean the same.
fn canonical(mask: &Mask) -> Mask {
    let text = mask.as_str();
    if mask.is_everything() || text.starts_with('/') {
        return mask.clone();
    }
    Mask::parse(&format!("/{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;

    fn interest() -> (Arc<Interest>, Arc<dyn Clock>, CancellationToken) {
        let interest = Interest::new(Duration::from_secs(1));
        let clock = Arc::new(SystemClock::new());
        (Arc::new(interest), clock, CancellationToken::new())
    }

    fn mask(text: &str) -> Mask {
        Mask::parse(text)
    }

    #[test]
    fn a_mask_counts_once_however_often_and_in_whichever_spelling_it_is_wanted() {
        let (interest, ..) = interest();
        assert_eq!(interest.add(&mask("/a/*")), 1);
        assert_eq!(interest.add(&mask("a/*")), 1);
        assert_eq!(interest.add(&mask("*")), 2);
        assert_eq!(interest.add(&mask("/*")), 3, "not the bare star");
        assert_eq!(interest.masks(2).masks, None);
        interest.remove(&mask("/a/*"));
        assert_eq!(*interest.watch().borrow(), 3);
        interest.remove(&mask("/a/*"));
        interest.remove(&mask("/unknown"));
        let LocalMasks { number, masks } = interest.masks(2);
        let mut masks = masks.unwrap();
        masks.sort();
        assert_eq!((number, masks), (4, vec![mask("*"), mask("/*")]));
        assert_eq!(interest.add(&mask("/a/*")), 5, "a new beginning");
    }

    #[tokio::test(start_paused = true)]
    async fn a_subscription_waits_until_others_know_of_it_or_for_so_long() {
        let (interest, clock, stopping) = interest();
        let waits = |since| interest.confirmation(since, &clock, &stopping);
        assert!(waits(interest.add(&mask("/a"))).is_none(), "nobody to tell");
        interest.confirm(0);
        let since = interest.add(&mask("/b"));
        let ((), ()) = tokio::join!(waits(since).unwrap(), async {
            interest.confirm(since - 1);
            tokio::task::yield_now().await;
            interest.confirm(since);
        });
        assert_eq!(interest.overdue(), 0);
        assert!(waits(since).is_none());

        let started = tokio::time::Instant::now();
        let late = interest.add(&mask("/c"));
        waits(late).unwrap().await;
        assert_eq!(started.elapsed(), Duration::from_secs(1));
        assert_eq!(interest.overdue(), late);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_node_that_is_behind_until_it_has_caught_up() {
        let (interest, clock, stopping) = interest();
        interest.confirm(0);
        let waits = |since| interest.confirmation(since, &clock, &stopping);
        let first = interest.add(&mask("/a"));
        waits(first).unwrap().await;
        let second = interest.add(&mask("/b"));
        assert!(waits(second).is_none());
        assert_eq!(interest.overdue(), second, "it is told what was missed");
        interest.confirm(second);
        assert!(waits(interest.add(&mask("/c"))).is_some());
    }
}
