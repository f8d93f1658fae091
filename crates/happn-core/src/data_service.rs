//! Which store a path lives in, and the order in which writes are answered.

use std::collections::VecDeque;
use std::future::{poll_fn, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use happn_paths::{RouteRule, Routes};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::{
    BoxFuture, DataStore, Document, Increment, Incremented, Query, StoreError, StoreFuture, Write,
};

/// Writes that may wait for one store, and that may be under way in it.
const LANE_MAX: usize = 4096;

/// Routes paths to stores.
///
/// Every store has a *lane*: writes go to the store in arrival order, and what follows a write
/// (publishing it, answering it) runs in that same order, whether or not the writer is still
/// connected. So subscribers see the versions of an item in the order they were stored.
#[derive(Clone)]
pub struct DataService {
    routes: Routes<usize>,
    stores: Vec<(Arc<dyn DataStore>, mpsc::Sender<Job>)>,
    lanes: TaskTracker,
}

/// A write and what follows it.
pub(crate) struct Job {
    start: Start,
}

/// Hands a write to its store.
type Start = Box<dyn FnOnce(&dyn DataStore) -> Run + Send>;

/// A write under way; completes when what follows it has run.
type Run = BoxFuture<'static, ()>;

/// The lane is full: wait, without reading further requests of this session.
pub(crate) type Blocked = BoxFuture<'static, ()>;

impl DataService {
    /// A service on one store. Must be called within a tokio runtime.
    #[must_use]
    pub fn new(default: Arc<dyn DataStore>) -> Self {
        let mut service = Self {
            routes: Routes::new(RouteRule::Strict),
            stores: Vec::new(),
            lanes: TaskTracker::new(),
        };
        service.add(default);
        service
    }

    /// Sends paths matching any of `patterns` to `store` instead of the default one.
    #[must_use]
    pub fn route(mut self, patterns: &[String], store: Arc<dyn DataStore>) -> Self {
        let at = self.add(store);
        for pattern in patterns {
            self.routes.insert(pattern, at);
        }
        self
    }

    /// The store that `path`, taken as text, lives in.
    #[must_use]
    pub fn store_of(&self, path: &str) -> &Arc<dyn DataStore> {
        &self.stores[self.place_of(path)].0
    }

    pub(crate) fn find(&self, query: Query) -> StoreFuture<Vec<Document>> {
        self.store_of(query.selector.as_str()).find(query)
    }

    pub(crate) fn count(&self, query: Query) -> StoreFuture<u64> {
        self.store_of(query.selector.as_str()).count(query)
    }

    pub(crate) fn upsert(
        &self,
        write: Write,
        then: impl FnOnce(Result<Document, StoreError>) + Send + 'static,
    ) -> Option<Blocked> {
        let place = self.place_of(write.path.as_str());
        self.submit(place, |store| store.upsert(write), then)
    }

    pub(crate) fn increment(
        &self,
        increment: Increment,
        then: impl FnOnce(Result<Incremented, StoreError>) + Send + 'static,
    ) -> Option<Blocked> {
        let place = self.place_of(increment.path.as_str());
        self.submit(place, |store| store.increment(increment), then)
    }

    pub(crate) fn remove(
        &self,
        selector: happn_paths::StoreGlob,
        then: impl FnOnce(Result<u64, StoreError>) + Send + 'static,
    ) -> Option<Blocked> {
        let place = self.place_of(selector.as_str());
        self.submit(place, |store| store.remove(selector), then)
    }

    /// Completes when the writes that `path`'s store was given before this call have been applied,
    /// published and answered.
    pub(crate) fn settled(&self, path: &str) -> BoxFuture<'static, ()> {
        let (passed, passing) = oneshot::channel();
        let nothing = |_: &dyn DataStore| -> StoreFuture<()> { Box::pin(ready(Ok(()))) };
        let blocked = self.submit(self.place_of(path), nothing, move |_| {
            let _ = passed.send(());
        });
        Box::pin(async move {
            if let Some(blocked) = blocked {
                blocked.await;
            }
            let _ = passing.await;
        })
    }

    /// Finishes what was accepted, then closes the stores.
    pub async fn close(&self) {
        for (store, _) in &self.stores {
            store.close().await;
        }
    }

    fn place_of(&self, path: &str) -> usize {
        self.routes.find(path).copied().unwrap_or_default()
    }

    fn add(&mut self, store: Arc<dyn DataStore>) -> usize {
        let (jobs, queue) = mpsc::channel(LANE_MAX);
        self.lanes.spawn(run_lane(store.clone(), queue));
        self.stores.push((store, jobs));
        self.stores.len() - 1
    }

    fn submit<T: Send + 'static>(
        &self,
        place: usize,
        start: impl FnOnce(&dyn DataStore) -> StoreFuture<T> + Send + 'static,
        then: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Option<Blocked> {
        let start: Start = Box::new(move |store| {
            let answer = start(store);
            Box::pin(async move { then(answer.await) })
        });
        let lane = &self.stores[place].1;
        match lane.try_send(Job { start }) {
            Ok(()) => None,
            Err(mpsc::error::TrySendError::Full(job)) => {
                let lane = lane.clone();
                Some(Box::pin(async move {
                    // The lane only ends with the node; then nobody waits for the answer either.
                    let _ = lane.send(job).await;
                }))
            }
            Err(mpsc::error::TrySendError::Closed(_)) => None,
        }
    }
}

impl std::fmt::Debug for DataService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataService")
            .field("stores", &self.stores.len())
            .finish_non_exhaustive()
    }
}

/// Starts jobs in arrival order and finishes them in that order.
async fn run_lane(store: Arc<dyn DataStore>, mut queue: mpsc::Receiver<Job>) {
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
