//! The store: two queues and the threads behind them.

use std::future::ready;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use happn_core::{
    Aggregation, BoxFuture, Computation, DataStore, Document, Documents, Increment, Incremented,
    Query, Removal, Search, StoreFuture, Write,
};
use happn_protocol::Json;
use tokio::sync::{mpsc, oneshot, watch};

use crate::connection::{open_reader, open_writer};
use crate::queue::Queue;
use crate::reader::{self, Read, ReadOne};
use crate::writer::{Change, Writer};
use crate::{OpenError, SqliteConfig};

/// What a write takes in the queue beside its path and data, roughly, in bytes.
const WRITE_OVERHEAD: usize = 256;

/// Batches a reader may be ahead of the caller that takes them.
const BATCHES_AHEAD: usize = 2;

/// A data store in one SQLite file.
///
/// Several stores, in one process or in several processes of one machine, may have the same file
/// open; each sees the others' writes as soon as they are answered.
///
/// Dropping the store without [`DataStore::close`] returns at once: writes that are queued are
/// still done, unless the process ends first.
pub struct SqliteStore {
    changes: Queue<Change>,
    ones: Queue<ReadOne>,
    reads: Queue<Read>,
    /// Closes when the last thread has ended.
    threads: watch::Receiver<()>,
}

impl SqliteStore {
    /// Opens or makes the file and starts the threads. Blocks while it does; waits up to the busy
    /// timeout for other processes that start on the same file.
    ///
    /// # Errors
    /// When the file cannot be used; see [`OpenError`].
    pub fn open(config: SqliteConfig) -> Result<Self, OpenError> {
        let connection = open_writer(&config)?;
        let of_ones = open_reader(&config)?;
        let connections = (0..config.readers.max(1))
            .map(|_| open_reader(&config))
            .collect::<Result<Vec<_>, _>>()?;
        let (changes, change_jobs) = Queue::new(config.queue_max, config.queue_bytes_max);
        let (ones, one_jobs) = Queue::new(config.read_queue_max, usize::MAX);
        let (reads, read_jobs) = Queue::new(config.read_queue_max, usize::MAX);
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        tracing::debug!(file = %config.filename.display(), "database opened");

        let (running, threads) = watch::channel(());
        let running = Running {
            token: Arc::new(running),
            file: config.filename,
        };
        let mut writer = Writer::new(connection, config.busy_timeout);
        let batch_max = config.batch_max;
        // Whoever closes a file last moves its log into it; of several at once, nobody does.
        let (reading, readers_ended) = std::sync::mpsc::channel::<()>();
        running.spawn("sqlite-writer".to_owned(), move || {
            writer.run(change_jobs, batch_max);
            // Nothing is ever sent: this ends when every reader has.
            let _ = readers_ended.recv();
        })?;
        let of_reader = reading.clone();
        running.spawn("sqlite-reader".to_owned(), move || {
            reader::run_ones(&of_ones, one_jobs);
            drop((of_ones, of_reader));
        })?;
        for (number, mut connection) in connections.into_iter().enumerate() {
            let (jobs, of_walker) = (read_jobs.clone(), reading.clone());
            running.spawn(format!("sqlite-walker-{number}"), move || {
                reader::run(&mut connection, &jobs);
                drop((connection, of_walker));
            })?;
        }
        Ok(Self {
            changes,
            ones,
            reads,
            threads,
        })
    }
}

/// Starts threads and lets others notice when all have ended.
struct Running {
    token: Arc<watch::Sender<()>>,
    file: PathBuf,
}

impl Running {
    fn spawn(&self, name: String, work: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        let token = self.token.clone();
        let body = move || {
            work();
            drop(token);
        };
        match thread::Builder::new().name(name).spawn(body) {
            Ok(_) => Ok(()),
            Err(source) => Err(OpenError::Thread {
                file: self.file.clone(),
                source,
            }),
        }
    }
}

impl DataStore for SqliteStore {
    fn upsert(&self, write: Write) -> StoreFuture<Document> {
        let bytes = write.path.as_str().len() + write.data.as_bytes().len() + WRITE_OVERHEAD;
        self.changes
            .submit(bytes, |reply| Change::Upsert(write, reply))
    }

    fn increment(&self, increment: Increment) -> StoreFuture<Incremented> {
        let bytes = increment.path.as_str().len() + increment.gauge.len() + WRITE_OVERHEAD;
        self.changes
            .submit(bytes, |reply| Change::Increment(increment, reply))
    }

    fn remove(&self, removal: Removal) -> StoreFuture<u64> {
        if let Err(error) = removal.criteria.check_evaluable() {
            return Box::pin(ready(Err(error.into())));
        }
        let bytes = removal.selector.as_str().len() + WRITE_OVERHEAD;
        self.changes
            .submit(bytes, |reply| Change::Remove(removal, reply))
    }

    fn find(&self, query: Query) -> Documents {
        let search = match Search::new(query) {
            Ok(search) => search,
            Err(error) => return Documents::ready(Err(error)),
        };
        if search.query().selector.is_exact() {
            let (reply, answer) = oneshot::channel();
            return match self.ones.put(0, || ReadOne { search, reply }) {
                Ok(()) => Documents::single(answer),
                Err(error) => Documents::ready(Err(error)),
            };
        }
        let (batches, answer) = mpsc::channel(BATCHES_AHEAD);
        match self.reads.put(0, || Read::Find(search, batches)) {
            Ok(()) => Documents::channel(answer),
            Err(error) => Documents::ready(Err(error)),
        }
    }

    fn count(&self, query: Query) -> StoreFuture<u64> {
        match Search::counting(query) {
            Ok(search) => self.reads.submit(0, |reply| Read::Count(search, reply)),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    fn aggregate(&self, aggregation: Aggregation) -> StoreFuture<Vec<Json>> {
        match Computation::new(aggregation) {
            Ok(computation) => {
                let read = |reply| Read::Aggregate(Box::new(computation), reply);
                self.reads.submit(0, read)
            }
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    /// Refuses new calls at once. The future completes when all accepted ones are answered and
    /// the file is closed; dropping it does not stop that.
    fn close(&self) -> BoxFuture<'static, ()> {
        self.changes.close();
        self.ones.close();
        self.reads.close();
        let mut threads = self.threads.clone();
        Box::pin(async move { while threads.changed().await.is_ok() {} })
    }
}
