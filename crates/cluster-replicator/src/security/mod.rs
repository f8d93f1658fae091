//! Changes of the security directory: collected, sent in batches, taken apart and applied.
//!
//! ```text
//! security service ──► replicate ──► Batch ──(interval)──► /__REPLICATE ──► other nodes
//! other nodes ──► /__REPLICATE ──► take_apart ──► one after the other ──► SecurityChanges::apply
//! ```

mod batch;
mod secrets;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use happn_core::{ChangeReplication, Clock, SecurityChange, SecurityChanges};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::{Replicator, TopicMessage};
use batch::Batch;

pub use batch::{Unpacked, take_apart};

/// The topic of changes of users and groups.
pub const SECURITY_TOPIC: &str = "/security/dataChanged";

/// What is not to wait for the interval: somebody has fewer rights.
const AT_ONCE: [&str; 3] = ["token-revoked", "delete-user", "delete-group"];

/// Changes collected before they are sent without waiting for the interval.
const PENDING_MAX: usize = 1000;

/// Sends changes that are made here to the other nodes, and applies theirs.
///
/// Order: changes arrive in the order in which they were handed in, and are applied one after the
/// other. A change that takes rights away is sent at once, with those before it. Where events of a
/// peer are missing, what is remembered of the directory is read anew. Each is sent once to every node that is connected or comes back in time; a node that was
/// away for longer reads the directory anew when it starts.
pub struct SecurityReplication {
    replicator: Arc<Replicator>,
    pending: Arc<Pending>,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct Pending {
    batch: Mutex<Batch>,
    /// Something is pending now.
    begun: Notify,
}

impl SecurityReplication {
    /// Starts sending every `interval` and applying with `changes`; must be called inside a tokio
    /// runtime. [`SecurityReplication::stop`] sends what is pending.
    #[must_use]
    pub fn start(
        replicator: Arc<Replicator>,
        changes: Arc<dyn SecurityChanges>,
        clock: Arc<dyn Clock>,
        interval: Duration,
    ) -> Self {
        let (cancel, tasks) = (CancellationToken::new(), TaskTracker::new());
        let pending = Arc::new(Pending::default());
        let sending = send_batches(
            Arc::clone(&replicator),
            Arc::clone(&pending),
            clock,
            interval,
        );
        tasks.spawn(cancel.clone().run_until_cancelled_owned(sending));
        let messages = replicator.subscribe(SECURITY_TOPIC);
        let applying = apply_all(messages, replicator.gaps(), changes);
        tasks.spawn(cancel.clone().run_until_cancelled_owned(applying));
        Self {
            replicator,
            pending,
            cancel,
            tasks,
        }
    }

    /// Sends what is pending and ends. It is queued for the links to the other nodes when this
    /// returns; they are closed after their queues are empty. May be called again.
    pub async fn stop(&self) {
        self.cancel.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.pending.flush(&self.replicator);
    }
}

impl ChangeReplication for SecurityReplication {
    fn replicate(&self, change: SecurityChange) {
        let is_due = {
            let is_urgent = AT_ONCE.contains(&change.kind.as_str());
            let mut batch = self.pending.lock();
            batch.push(change);
            is_urgent || batch.len() >= PENDING_MAX
        };
        if is_due {
            self.pending.flush(&self.replicator);
        } else {
            self.pending.begun.notify_one();
        }
    }
}

impl std::fmt::Debug for SecurityReplication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecurityReplication")
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

impl Pending {
    fn lock(&self) -> std::sync::MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what is pending. Sending does not wait, so that the lock keeps batches in order.
    fn flush(&self, replicator: &Replicator) {
        let mut batch = self.lock();
        if let Some(payload) = std::mem::take(&mut *batch).payload() {
            replicator.send_to_others(SECURITY_TOPIC, Some(payload));
        }
    }
}

async fn send_batches(
    replicator: Arc<Replicator>,
    pending: Arc<Pending>,
    clock: Arc<dyn Clock>,
    interval: Duration,
) {
    loop {
        pending.begun.notified().await;
        clock.sleep(interval).await;
        pending.flush(&replicator);
    }
}

async fn apply_all(
    mut messages: tokio::sync::broadcast::Receiver<TopicMessage>,
    gaps: Arc<Notify>,
    changes: Arc<dyn SecurityChanges>,
) {
    loop {
        let received = tokio::select! {
            received = messages.recv() => received,
            // What a peer said meanwhile may have been about users and groups.
            () = gaps.notified() => {
                changes.reload().await;
                continue;
            }
        };
        match received {
            Ok(message) if message.is_local => {}
            Ok(message) => apply(&message, &*changes).await,
            Err(RecvError::Lagged(lost)) => {
                tracing::warn!(
                    lost,
                    "security changes came faster than they could be applied"
                );
                changes.reload().await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

async fn apply(message: &TopicMessage, changes: &dyn SecurityChanges) {
    let origin = &message.origin;
    for unpacked in take_apart(message.payload.as_ref()) {
        match unpacked {
            Unpacked::Change(change) => {
                let kind = change.kind.clone();
                if let Err(error) = changes.apply(change).await {
                    tracing::warn!(%origin, kind, error, "a security change cannot be applied");
                }
            }
            Unpacked::Skipped { kind, problem } => {
                tracing::warn!(%origin, kind, problem, "a security change is skipped");
            }
        }
    }
}
