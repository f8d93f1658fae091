//! A bounded queue between callers and threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use happn_core::{StoreError, StoreFuture};
use tokio::sync::{mpsc, oneshot};

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// The callers' end. Bounded in jobs and in bytes.
pub(crate) struct Queue<O> {
    sender: RwLock<Option<mpsc::Sender<Job<O>>>>,
    budget: Arc<Budget>,
}

/// Something to do, with its share of the byte budget.
pub(crate) struct Job<O> {
    pub(crate) operation: O,
    pub(crate) share: Share,
}

/// Bytes that are given back when this is dropped.
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

struct Budget {
    used: AtomicUsize,
    bytes_max: usize,
}

impl<O: Send + 'static> Queue<O> {
    pub(crate) fn new(jobs_max: usize, bytes_max: usize) -> (Self, mpsc::Receiver<Job<O>>) {
        let (sender, receiver) = mpsc::channel(jobs_max.max(1));
        let budget = Arc::new(Budget {
            used: AtomicUsize::new(0),
            bytes_max,
        });
        let sender = RwLock::new(Some(sender));
        (Self { sender, budget }, receiver)
    }

    /// Puts an operation in its place now; the future only waits for the answer.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        bytes: usize,
        operation: impl FnOnce(Reply<T>) -> O,
    ) -> StoreFuture<T> {
        let (reply, answer) = oneshot::channel();
        if let Err(error) = self.put(bytes, || operation(reply)) {
            return Box::pin(std::future::ready(Err(error)));
        }
        // A thread that ended without an answer is a store that has ended.
        Box::pin(async move { answer.await.unwrap_or(Err(StoreError::Closed)) })
    }

    /// Refuses everything from now on; what is queued is still done.
    pub(crate) fn close(&self) {
        let mut sender = self.sender.write().unwrap_or_else(PoisonError::into_inner);
        *sender = None;
    }

    /// Puts an operation that answers by itself in its place.
    pub(crate) fn put(
        &self,
        bytes: usize,
        operation: impl FnOnce() -> O,
    ) -> Result<(), StoreError> {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let place = match sender.as_ref().ok_or(StoreError::Closed)?.try_reserve() {
            Ok(place) => place,
            Err(mpsc::error::TrySendError::Full(())) => return Err(StoreError::Overloaded),
            Err(mpsc::error::TrySendError::Closed(())) => return Err(StoreError::Closed),
        };
        let share = Budget::take(&self.budget, bytes).ok_or(StoreError::Overloaded)?;
        place.send(Job {
            operation: operation(),
            share,
        });
        Ok(())
    }
}

impl Budget {
    /// A share of `bytes`; one that is larger than the whole budget must come alone.
    fn take(budget: &Arc<Self>, bytes: usize) -> Option<Share> {
        let used = budget.used.fetch_add(bytes, Ordering::Relaxed);
        let share = Share {
            budget: budget.clone(),
            bytes,
        };
        (used == 0 || used.saturating_add(bytes) <= budget.bytes_max).then_some(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_queue_is_bounded_in_jobs_and_in_bytes() {
        let (queue, mut jobs) = Queue::<Reply<()>>::new(2, 100);
        let first = queue.submit(1000, |reply: Reply<()>| reply);
        assert_eq!(
            queue.submit(1, |reply| reply).await,
            Err(StoreError::Overloaded)
        );
        let job = jobs.recv().await.unwrap();
        job.operation.send(Ok(())).unwrap();
        drop(job.share);
        assert_eq!(first.await, Ok(()));

        let waiting = [
            queue.submit(50, |reply| reply),
            queue.submit(50, |reply| reply),
        ];
        assert_eq!(
            queue.submit(0, |reply| reply).await,
            Err(StoreError::Overloaded)
        );
        drop(jobs.recv().await);
        assert_eq!(
            queue.submit(51, |reply| reply).await,
            Err(StoreError::Overloaded)
        );
        let last = queue.submit(50, |reply| reply);
        drop(jobs);
        for answer in waiting.into_iter().chain([last]) {
            assert_eq!(answer.await, Err(StoreError::Closed));
        }
        queue.close();
        assert_eq!(
            queue.submit(0, |reply| reply).await,
            Err(StoreError::Closed)
        );
    }
}
