//! The threads that read.

use std::sync::{Mutex, PoisonError};

use happn_core::{Document, Search, StoreError};
use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::queue::{Job, Reply};
use crate::scan;

/// Where the documents of a search go.
pub(crate) type Batches = mpsc::Sender<Result<Vec<Document>, StoreError>>;

/// A question to the store.
pub(crate) enum Read {
    /// Which documents.
    Find(Search, Batches),
    /// How many documents.
    Count(Search, Reply<u64>),
}

/// Answers questions until the queue is closed and empty. Each statement sees the latest commit,
/// so whoever was told of a write also reads it.
pub(crate) fn run(connection: &Connection, jobs: &Mutex<mpsc::Receiver<Job<Read>>>) {
    while let Some(job) = next(jobs) {
        answer(connection, job.operation);
    }
}

/// One reader waits at the queue, the others behind it; each leaves with one job.
fn next(jobs: &Mutex<mpsc::Receiver<Job<Read>>>) -> Option<Job<Read>> {
    let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    jobs.blocking_recv()
}

/// Does no work, or no more, for a caller that has gone away.
fn answer(connection: &Connection, read: Read) {
    match read {
        Read::Find(search, batches) => {
            let send = |batch| batches.blocking_send(Ok(batch)).is_ok();
            if let Err(error) = scan::find(connection, search, send) {
                let _ = batches.blocking_send(Err(error));
            }
        }
        Read::Count(search, reply) => {
            let counted = scan::count(connection, search, || !reply.is_closed());
            let _ = reply.send(counted);
        }
    }
}
