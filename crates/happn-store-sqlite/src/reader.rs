//! The threads that read.

use std::sync::{Arc, Mutex, PoisonError};

use happn_core::{Computation, Document, Search, StoreError};
use happn_protocol::Json;
use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::failure::store_error;
use crate::queue::{Job, Reply};
use crate::scan::{self, Single};

/// Where the documents of a search go.
pub(crate) type Batches = mpsc::Sender<Result<Vec<Document>, StoreError>>;

/// The answer to a question about a single path.
type Found = Result<Vec<Document>, StoreError>;

/// A question about an exact path.
pub(crate) struct ReadOne {
    pub(crate) search: Search,
    pub(crate) reply: Reply<Vec<Document>>,
}

/// A question that may walk over many documents.
pub(crate) enum Read {
    /// Which documents.
    Find(Search, Batches),
    /// What a pipeline makes of documents.
    Aggregate(Box<Computation>, Reply<Vec<Json>>),
    /// How many documents.
    Count(Search, Reply<u64>),
}

/// Questions about single paths that are answered from one snapshot. It costs two locks of the
/// file, which is as much as a few of them.
const ONES_MAX: usize = 64;

/// Steps of SQLite's machine between two looks at the clock: about a millisecond.
const STEPS_PER_LOOK: i32 = 20_000;

/// Answers questions about single paths until the queue is closed and empty.
///
/// They have a thread of their own, so that no walk keeps them waiting. A snapshot is taken after
/// its questions have come, so whoever was told of a write also reads it.
pub(crate) fn run_ones(connection: &Connection, mut jobs: mpsc::Receiver<Job<ReadOne>>) {
    let mut single = Single::new(connection);
    let mut batch = Vec::with_capacity(ONES_MAX);
    let mut answers = Vec::with_capacity(ONES_MAX);
    let mut last_size = 0;
    while jobs.blocking_recv_many(&mut batch, ONES_MAX) > 0 {
        if batch.len() * 2 < last_size {
            top_up(&mut batch, &mut jobs);
        }
        last_size = batch.len();
        let wanted = batch.drain(..).map(|job| job.operation);
        let wanted = wanted.filter(|read| !read.reply.is_closed());
        match &mut single {
            Ok(single) => {
                let _snapshot = (last_size > 1).then(|| Snapshot::new(connection));
                answers.extend(wanted.map(|read| (single.find(read.search), read.reply)));
            }
            Err(error) => {
                let failure = store_error(error);
                answers.extend(wanted.map(|read| (Err(failure.clone()), read.reply)));
            }
        }
        answers.drain(..).for_each(send);
    }
}

fn send((answer, reply): (Found, Reply<Vec<Document>>)) {
    // A caller that has gone away is no reason to stop.
    let _ = reply.send(answer);
}

/// Lets callers come back before the others are answered. Gives up the processor once and never
/// waits.
fn top_up(batch: &mut Vec<Job<ReadOne>>, jobs: &mut mpsc::Receiver<Job<ReadOne>>) {
    std::thread::yield_now();
    while batch.len() < ONES_MAX
        && let Ok(job) = jobs.try_recv()
    {
        batch.push(job);
    }
}

/// A read transaction. Where it cannot be had, every statement has its own.
struct Snapshot<'c>(&'c Connection);

impl<'c> Snapshot<'c> {
    fn new(connection: &'c Connection) -> Self {
        let snapshot = Self(connection);
        snapshot.run("BEGIN");
        snapshot
    }

    fn run(&self, sql: &str) {
        let statement = self.0.prepare_cached(sql);
        let run = statement.and_then(|mut statement| statement.execute(()));
        if let Err(error) = run {
            tracing::debug!(%error, sql, "a read transaction failed");
        }
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            self.run("COMMIT");
        }
    }
}

/// Answers questions that walk until the queue is closed and empty. Each statement sees the
/// latest commit, so whoever was told of a write also reads it.
pub(crate) fn run(connection: &mut Connection, jobs: &Mutex<mpsc::Receiver<Job<Read>>>) {
    let alarm = Alarm::set_up(connection);
    while let Some(job) = next(jobs) {
        answer(connection, &alarm, job.operation);
    }
}

/// One reader waits at the queue, the others behind it; each leaves with one job.
fn next(jobs: &Mutex<mpsc::Receiver<Job<Read>>>) -> Option<Job<Read>> {
    let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    jobs.blocking_recv()
}

/// Does no work, or no more, for a caller that has gone away.
fn answer(connection: &Connection, alarm: &Alarm, read: Read) {
    match read {
        Read::Find(search, batches) => {
            alarm.ring_at(search.deadline());
            let wanted = || !batches.is_closed();
            let send = |batch| batches.blocking_send(Ok(batch)).is_ok();
            if let Err(error) = scan::find(connection, search, wanted, send) {
                let _ = batches.blocking_send(Err(error));
            }
        }
        Read::Aggregate(computation, reply) => {
            let rows = scan::aggregate(connection, *computation, || !reply.is_closed());
            let _ = reply.send(rows);
        }
        Read::Count(search, reply) => {
            alarm.ring_at(search.deadline());
            let counted = scan::count(connection, search, || !reply.is_closed());
            let _ = reply.send(counted);
        }
    }
}

/// Stops a statement whose time is over, even while it yields no rows.
#[derive(Clone, Debug, Default)]
struct Alarm(Arc<Mutex<Option<Instant>>>);

impl Alarm {
    fn set_up(connection: &mut Connection) -> Self {
        let alarm = Self::default();
        let heard = alarm.clone();
        let handler = move || heard.at().is_some_and(|at| Instant::now() >= at);
        // Without it, the clock is still looked at between rows.
        if let Err(error) = connection.progress_handler(STEPS_PER_LOOK, Some(handler)) {
            tracing::debug!(%error, "statements cannot be interrupted");
        }
        alarm
    }

    fn ring_at(&self, at: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn at(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
