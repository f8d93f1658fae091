//! The store: a queue of writes with its task, and reads beside it.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use happn_core::{
    Aggregation, BoxFuture, Changes, Clock, DataStore, Document, Documents, Increment, Incremented,
    Query, Removal, StoreError, StoreFuture, Write,
};
use happn_paths::StoreGlob;
use happn_protocol::Json;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::Connection;
use crate::operations::Operations;
use crate::reader::Reader;
use crate::writer::{Change, Job, Reply};
use crate::{MongoConfig, OpenError, indexes, watch, writer};

/// What a write takes in the queue beside its path and data, roughly, in bytes.
const WRITE_OVERHEAD: usize = 256;
/// Bytes are counted in units, so that any budget fits into a semaphore.
const BUDGET_UNIT: usize = 256;
/// How long closing waits for the driver to end its sessions.
const SHUTDOWN_MAX: Duration = Duration::from_secs(2);

/// A data store in one MongoDB collection, shared with other nodes, ours or JavaScript ones.
///
/// Writes of one item are applied in the order of their calls. Writes of different items are under
/// way at the same time, and all are answered in the order of their calls.
///
/// While the database cannot be reached, calls are answered `Unavailable` within seconds; when it
/// is back, everything goes on without a restart. A write that was answered so may still have been
/// applied, if its answer was lost on the way.
pub struct MongoStore {
    changes: RwLock<Option<mpsc::Sender<Job>>>,
    /// What is left of the bytes that may wait, in units.
    budget: Arc<Semaphore>,
    budget_units: u32,
    turn_timeout: Duration,
    reader: Reader,
    tasks: TaskTracker,
    /// Ends what would go on by itself.
    closing: CancellationToken,
    runtime: Handle,
}

impl MongoStore {
    /// Connects, makes the indexes that are missing, and starts the task that writes. Must be
    /// called within a tokio runtime, which has to live as long as the store.
    ///
    /// # Errors
    /// When the database cannot be used; see [`OpenError`]. Bounded by the configured times.
    pub async fn open(config: MongoConfig, clock: &dyn Clock) -> Result<Self, OpenError> {
        for warning in &config.warnings {
            tracing::warn!(store = ?config.address, "{warning}");
        }
        let connection = Connection::open(&config).await?;
        indexes::ensure(&connection, &config, clock.wall_ms()).await?;
        tracing::debug!(store = ?config.address, collection = config.collection(), "database opened");
        Ok(Self::on(connection, &config, clock.wall_ms()))
    }

    fn on(connection: Connection, config: &MongoConfig, now: i64) -> Self {
        let units = config.queue_bytes_max.div_ceil(BUDGET_UNIT).max(1);
        let budget_units = u32::try_from(units).unwrap_or(u32::MAX);
        // A write in the schedule has left the queue, so each may hold half of what may wait.
        let half = config.queue_max.div_ceil(2).max(1);
        let (changes, jobs) = mpsc::channel(half);
        let operations = Arc::new(Operations {
            connection: connection.clone(),
            item_timeout: config.item_timeout,
            scan_timeout: config.scan_timeout,
            seed: AtomicU64::new(now.unsigned_abs()),
        });
        let tasks = TaskTracker::new();
        tasks.spawn(writer::run(operations, jobs, config.writes_max, half));
        Self {
            changes: RwLock::new(Some(changes)),
            budget: Arc::new(Semaphore::new(budget_units as usize)),
            budget_units,
            turn_timeout: config.turn_timeout,
            reader: Reader {
                connection,
                item_timeout: config.item_timeout,
                scan_timeout: config.scan_timeout,
                turn_timeout: config.turn_timeout,
                places: Arc::new(Semaphore::new(config.reads_max.max(1))),
                waiting: Arc::new(Semaphore::new(config.read_queue_max)),
            },
            tasks,
            closing: CancellationToken::new(),
            runtime: Handle::current(),
        }
    }

    /// Puts a change in its place now; the future only waits for the answer.
    fn submit<T: Send + 'static>(
        &self,
        bytes: usize,
        change: impl FnOnce(Reply<T>) -> Change,
    ) -> StoreFuture<T> {
        let (reply, answer) = oneshot::channel();
        match self.enqueue(bytes, || change(reply)) {
            // A task that ended without an answer is a store that has ended.
            Ok(()) => Box::pin(async move { answer.await.unwrap_or(Err(StoreError::Closed)) }),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn enqueue(&self, bytes: usize, change: impl FnOnce() -> Change) -> Result<(), StoreError> {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        let place = match changes.as_ref().ok_or(StoreError::Closed)?.try_reserve() {
            Ok(place) => place,
            Err(mpsc::error::TrySendError::Full(())) => return Err(StoreError::Overloaded),
            Err(mpsc::error::TrySendError::Closed(())) => return Err(StoreError::Closed),
        };
        let share = self.share(bytes)?;
        place.send(Job {
            change: change(),
            share,
            start_by: Instant::now() + self.turn_timeout,
        });
        Ok(())
    }

    /// A share of the bytes that may wait; what is larger than all of them must come alone.
    fn share(&self, bytes: usize) -> Result<OwnedSemaphorePermit, StoreError> {
        let units = u32::try_from((bytes + WRITE_OVERHEAD).div_ceil(BUDGET_UNIT));
        let units = units.unwrap_or(u32::MAX).min(self.budget_units);
        let share = self.budget.clone().try_acquire_many_owned(units);
        share.map_err(|_| StoreError::Overloaded)
    }

    /// A read in a task of its own: whoever waits may stop waiting, the driver may not.
    fn read<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> StoreFuture<T> {
        if self.is_closed() {
            return Box::pin(std::future::ready(Err(StoreError::Closed)));
        }
        let task = self.tasks.spawn_on(work, &self.runtime);
        Box::pin(async move { task.await.unwrap_or(Err(StoreError::Closed)) })
    }

    fn is_closed(&self) -> bool {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        changes.is_none()
    }
}

impl DataStore for MongoStore {
    fn upsert(&self, write: Write) -> StoreFuture<Document> {
        let bytes = write.path.as_str().len() + write.data.as_bytes().len();
        self.submit(bytes, |reply| Change::Upsert(write, reply))
    }

    fn increment(&self, increment: Increment) -> StoreFuture<Incremented> {
        let bytes = increment.path.as_str().len() + increment.gauge.len();
        self.submit(bytes, |reply| Change::Increment(increment, reply))
    }

    fn remove(&self, removal: Removal) -> StoreFuture<u64> {
        let criteria = removal
            .criteria
            .json()
            .map_or(0, |json| json.as_bytes().len());
        let bytes = removal.selector.as_str().len() + criteria;
        self.submit(bytes, |reply| Change::Remove(removal, reply))
    }

    fn find(&self, query: Query) -> Documents {
        match self.is_closed() {
            true => Documents::ready(Err(StoreError::Closed)),
            false => Documents::batches(self.reader.find(query)),
        }
    }

    fn count(&self, query: Query) -> StoreFuture<u64> {
        let reader = self.reader.clone();
        self.read(async move { reader.count(query).await })
    }

    fn aggregate(&self, aggregation: Aggregation) -> StoreFuture<Vec<Json>> {
        let reader = self.reader.clone();
        self.read(async move { reader.aggregate(aggregation).await })
    }

    /// Hints at items that are made; those that are changed or removed are not told.
    fn watch(&self, selector: StoreGlob) -> StoreFuture<Option<Changes>> {
        let (reader, closing) = (self.reader.clone(), self.closing.clone());
        let tasks = self.tasks.clone();
        self.read(async move {
            let patience = reader.item_timeout;
            let opened = watch::open(&reader.connection, &selector, patience).await;
            let opened = opened.map_err(|failure| reader.store_error(&failure))?;
            Ok(opened.map(|stream| {
                let (hints, changes) = Changes::channel();
                tasks.spawn(watch::run(stream, hints, patience, closing));
                changes
            }))
        })
    }

    /// Refuses new calls at once. The future completes when all accepted ones are answered and
    /// the connections are closed; dropping it does not stop the writes.
    fn close(&self) -> BoxFuture<'static, ()> {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        let was_open = changes.take().is_some();
        drop(changes);
        self.closing.cancel();
        self.tasks.close();
        let (tasks, client) = (self.tasks.clone(), self.reader.connection.client.clone());
        Box::pin(async move {
            tasks.wait().await;
            if was_open {
                let shutdown = client.shutdown().immediate(true);
                let ended =
                    tokio::spawn(tokio::time::timeout(SHUTDOWN_MAX, shutdown.into_future()));
                // Connections end with the process at the latest.
                let _ = ended.await;
            }
        })
    }
}
