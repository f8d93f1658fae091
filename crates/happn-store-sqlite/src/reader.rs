//! The threads that read.

use std::sync::{Mutex, PoisonError};

use happn_core::{Document, Query};
use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::failure::store_error;
use crate::queue::{Job, Reply};
use crate::scan;

/// A question to the store.
pub(crate) enum Read {
    /// Which documents.
    Find(Query, Reply<Vec<Document>>),
    /// How many documents.
    Count(Query, Reply<u64>),
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
        Read::Find(query, reply) => {
            let found = scan::find(connection, &query, || !reply.is_closed());
            let _ = reply.send(found.map_err(|error| store_error(&error)));
        }
        Read::Count(query, reply) => {
            let counted = scan::count(connection, &query, || !reply.is_closed());
            let _ = reply.send(counted.map_err(|error| store_error(&error)));
        }
    }
}
