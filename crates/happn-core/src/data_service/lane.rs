//! The order in which one store's writes are made and answered.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::data_service::times::{ReadTimer, StoreTimes};
use crate::{BoxFuture, DataStore, StoreError, StoreFuture};

/// Writes that may wait for one store, and that may be under way in it.
const LANE_MAX: usize = 4096;

/// A store, and the queue of what is to be written to it.
///
/// Its task ends when the last lane of that store is dropped, and has then finished what was
/// accepted.
pub(crate) struct Lane {
    pub(crate) name: Arc<str>,
    pub(crate) store: Arc<dyn DataStore>,
    jobs: mpsc::Sender<Job>,
    times: Arc<StoreTimes>,
}

/// A write and what follows it.
struct Job {
    start: Start,
}

/// Hands a write to its store.
type Start = Box<dyn FnOnce(&dyn DataStore) -> Run + Send>;

/// A write under way; completes when what follows it has run.
type Run = BoxFuture<'static, ()>;

/// The lane is full: wait, without reading further requests of this session.
pub(crate) type Blocked = BoxFuture<'static, ()>;

impl Lane {
    /// A lane to `store`, and what completes when everything the lane accepted is done after it
    /// was dropped. Must be called within a tokio runtime.
    pub(crate) fn start(
        name: &str,
        store: Arc<dyn DataStore>,
        tasks: &TaskTracker,
    ) -> (Arc<Self>, Drained) {
        let (jobs, queue) = mpsc::channel(LANE_MAX);
        let (done, drained) = oneshot::channel();
        let worked = store.clone();
        tasks.spawn(async move {
            run(worked, queue).await;
            let _ = done.send(());
        });
        let name = name.into();
        let times = Arc::default();
        let lane = Self {
            name,
            store,
            jobs,
            times,
        };
        (Arc::new(lane), Drained(drained))
    }

    /// Begins to take the time of a read.
    pub(crate) fn reading(&self) -> ReadTimer {
        ReadTimer::start(self.times.clone())
    }

    pub(crate) fn times(&self) -> &StoreTimes {
        &self.times
    }

    /// Puts a write behind those already accepted.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        start: impl FnOnce(&dyn DataStore) -> StoreFuture<T> + Send + 'static,
        then: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Option<Blocked> {
        let times = self.times.clone();
        self.enqueue(Box::new(move |store| {
            let started = Instant::now();
            let answer = start(store);
            Box::pin(async move {
                let outcome = answer.await;
                times.wrote(started.elapsed(), outcome.is_ok());
                then(outcome);
            })
        }))
    }

    fn enqueue(&self, start: Start) -> Option<Blocked> {
        match self.jobs.try_send(Job { start }) {
            Ok(()) => None,
            Err(mpsc::error::TrySendError::Full(job)) => {
                let jobs = self.jobs.clone();
                Some(Box::pin(async move {
                    // The lane only ends with the node; then nobody waits for the answer either.
                    let _ = jobs.send(job).await;
                }))
            }
            Err(mpsc::error::TrySendError::Closed(_)) => None,
        }
    }

    /// Completes when the writes accepted before this call have been applied and followed up.
    pub(crate) fn settled(&self) -> BoxFuture<'static, ()> {
        let (passed, passing) = oneshot::channel();
        let blocked = self.enqueue(Box::new(|_| {
            Box::pin(async {
                let _ = passed.send(());
            })
        }));
        Box::pin(async move {
            if let Some(blocked) = blocked {
                blocked.await;
            }
            let _ = passing.await;
        })
    }
}

/// Completes when a dropped lane has finished.
pub(crate) struct Drained(oneshot::Receiver<()>);

impl Drained {
    pub(crate) async fn wait(self) {
        // An error means that the task is gone, with the runtime; that is an end as well.
        let _ = self.0.await;
    }
}

/// Starts jobs in arrival order and finishes them in that order.
async fn run(store: Arc<dyn DataStore>, mut queue: mpsc::Receiver<Job>) {
    let mut under_way: VecDeque<Run> = VecDeque::new();
    let mut arrived = Vec::with_capacity(64);
    loop {
        let room = LANE_MAX - under_way.len();
        let open = tokio::select! {
            biased;
            // Only the front needs polling: a store answers in order, and what follows a write
            // must run in order anyway.
            () = front(&mut under_way) => { under_way.pop_front(); true }
            count = queue.recv_many(&mut arrived, room.min(64)), if room > 0 => count > 0,
        };
        under_way.extend(arrived.drain(..).map(|job| (job.start)(store.as_ref())));
        if !open {
            break;
        }
    }
    for run in under_way {
        run.await;
    }
}

async fn front(under_way: &mut VecDeque<Run>) {
    poll_fn(|context| match under_way.front_mut() {
        Some(run) => Pin::new(run).poll(context),
        None => Poll::Pending,
    })
    .await;
}
