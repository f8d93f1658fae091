//! The thread that writes: everything queued goes into one transaction.

use std::time::Duration;

use happn_core::{Document, Increment, Incremented, Removal, StoreError, Write};
use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::connection::begin;
use crate::failure::{is_busy, store_error};
use crate::operations;
use crate::queue::{Job, Reply, Share};

/// A change to the store.
pub(crate) enum Change {
    /// Store or merge.
    Upsert(Write, Reply<Document>),
    /// Add to a gauge.
    Increment(Increment, Reply<Incremented>),
    /// Remove what a selector names.
    Remove(Removal, Reply<u64>),
}

/// How long to wait for a process that has kept everybody waiting for too long already. Paused in
/// the middle of a write, it may stay so for ever, and what queued up behind it is to be answered
/// within seconds all the same.
const PATIENCE_LEFT: Duration = Duration::from_millis(50);

/// The writing side of a store; lives on its own thread.
pub(crate) struct Writer {
    connection: Connection,
    /// How long to wait for other processes.
    patience: Duration,
    /// Whether the last transaction could not begin because another process did not end its own.
    is_locked_out: bool,
    /// Whether the last transaction failed; an outage is logged once, not per write.
    failing: bool,
}

/// Sends a change's result, or what its transaction failed with.
type SendResult = Box<dyn FnOnce(Option<&StoreError>)>;

/// What one change came to, held back until the transaction is on disk.
struct Answer {
    error: Option<StoreError>,
    send: SendResult,
    _share: Share,
}

impl Writer {
    pub(crate) fn new(connection: Connection, patience: Duration) -> Self {
        Self {
            connection,
            patience,
            is_locked_out: false,
            failing: false,
        }
    }

    /// Writes until the queue is closed and empty.
    pub(crate) fn run(&mut self, mut jobs: mpsc::Receiver<Job<Change>>, batch_max: usize) {
        let batch_max = batch_max.max(1);
        let mut batch = Vec::new();
        let mut last_size = 0;
        while jobs.blocking_recv_many(&mut batch, batch_max) > 0 {
            if batch.len() * 2 < last_size {
                top_up(&mut batch, &mut jobs, batch_max);
            }
            last_size = batch.len();
            self.write(&mut batch);
        }
    }

    /// One transaction: all changes of `batch`, then their answers in the same order.
    fn write(&mut self, batch: &mut Vec<Job<Change>>) {
        let mut answers = Vec::with_capacity(batch.len());
        let mut jobs = batch.drain(..);
        let failure = self.transaction(&mut jobs, &mut answers).err();
        self.log(failure.as_ref());
        for answer in answers {
            (answer.send)(failure.as_ref());
        }
        // What a broken transaction did not get to.
        if let Some(failure) = failure {
            jobs.for_each(|job| refuse(job.operation, failure.clone()));
        }
    }

    fn transaction(
        &mut self,
        jobs: &mut impl Iterator<Item = Job<Change>>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), StoreError> {
        self.leave_failed().map_err(|error| store_error(&error))?;
        self.begin().map_err(|error| store_error(&error))?;
        let connection = &self.connection;
        for job in jobs {
            let answer = apply(connection, job);
            let error = answer.error.clone();
            answers.push(answer);
            // Some errors, such as a full disk, end the transaction for everybody.
            if connection.is_autocommit() {
                let reason = || StoreError::Unavailable("the transaction was lost".to_owned());
                return Err(error.unwrap_or_else(reason));
            }
        }
        self.commit().map_err(|error| store_error(&error))
    }

    fn begin(&mut self) -> rusqlite::Result<()> {
        let patience = match self.is_locked_out {
            true => self.patience.min(PATIENCE_LEFT),
            false => self.patience,
        };
        let begun = begin(&self.connection, patience);
        self.is_locked_out = begun.as_ref().is_err_and(is_busy);
        begun
    }

    fn commit(&self) -> rusqlite::Result<()> {
        let committed = self.connection.prepare_cached("COMMIT")?.execute(());
        if committed.is_err() {
            // Should this fail too, it is tried again before the next transaction.
            let _ = self.leave_failed();
        }
        committed.map(drop)
    }

    /// Rolls back what a failed commit left open.
    fn leave_failed(&self) -> rusqlite::Result<()> {
        match self.connection.is_autocommit() {
            true => Ok(()),
            false => self.connection.execute_batch("ROLLBACK"),
        }
    }

    fn log(&mut self, failure: Option<&StoreError>) {
        match (self.failing, failure) {
            (false, Some(failure)) => tracing::error!(%failure, "writing to the database fails"),
            (true, None) => tracing::info!("writing to the database works again"),
            _ => {}
        }
        self.failing = failure.is_some();
    }
}

/// Lets callers who were just answered come back before a commit is spent on the first few of
/// them. Gives up the processor once and never waits.
fn top_up(batch: &mut Vec<Job<Change>>, jobs: &mut mpsc::Receiver<Job<Change>>, batch_max: usize) {
    std::thread::yield_now();
    while batch.len() < batch_max
        && let Ok(job) = jobs.try_recv()
    {
        batch.push(job);
    }
}

fn apply(connection: &Connection, job: Job<Change>) -> Answer {
    match job.operation {
        Change::Upsert(write, reply) => {
            Answer::new(operations::upsert(connection, write), reply, job.share)
        }
        Change::Increment(increment, reply) => {
            let result = operations::increment(connection, &increment);
            Answer::new(result, reply, job.share)
        }
        Change::Remove(removal, reply) => {
            Answer::new(operations::remove(connection, &removal), reply, job.share)
        }
    }
}

/// Callers that have gone away are no reason to stop.
fn refuse(change: Change, failure: StoreError) {
    match change {
        Change::Upsert(_, reply) => drop(reply.send(Err(failure))),
        Change::Increment(_, reply) => drop(reply.send(Err(failure))),
        Change::Remove(_, reply) => drop(reply.send(Err(failure))),
    }
}

impl Answer {
    fn new<T: 'static>(result: Result<T, StoreError>, reply: Reply<T>, share: Share) -> Self {
        Self {
            error: result.as_ref().err().cloned(),
            send: Box::new(move |failure| {
                let _ = reply.send(failure.cloned().map_or(result, Err));
            }),
            _share: share,
        }
    }
}

#[cfg(test)]
mod tests {
    use happn_core::WriteMode;
    use happn_paths::Path;
    use happn_protocol::Json;
    use tokio::sync::oneshot;

    use super::*;
    use crate::queue::Queue;
    use crate::schema;

    fn write(path: &str, text_bytes: usize) -> Write {
        Write {
            path: Path::for_set(path).unwrap(),
            data: Json::parse(format!(r#"{{"text":"{}"}}"#, "x".repeat(text_bytes))).unwrap(),
            mode: WriteMode::Replace,
            at: 1,
            modified_by: None,
        }
    }

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection, Duration::ZERO).unwrap();
        Writer::new(connection, Duration::ZERO)
    }

    /// Writes all of `writes` in one transaction and tells which succeeded.
    fn commit(writer: &mut Writer, writes: Vec<Write>) -> Vec<Result<Document, StoreError>> {
        let (queue, mut jobs) = Queue::new(writes.len(), usize::MAX);
        let answers: Vec<_> = writes
            .into_iter()
            .map(|write| queue.submit(0, |reply| Change::Upsert(write, reply)))
            .collect();
        let mut batch: Vec<_> = answers.iter().map(|_| jobs.try_recv().unwrap()).collect();
        writer.write(&mut batch);
        let ready = |answer| futures_util::FutureExt::now_or_never(answer).unwrap();
        answers.into_iter().map(ready).collect()
    }

    #[test]
    fn a_full_disk_is_an_answer_and_passes_with_its_cause() {
        let mut writer = writer();
        let limit = |pages: i64| format!("PRAGMA max_page_count = {pages}");
        let set_limit = |writer: &Writer, pages| {
            let read = writer.connection.query_row(&limit(pages), (), |_| Ok(()));
            read.unwrap();
        };
        set_limit(&writer, 10);
        let answers = commit(&mut writer, vec![write("/large", 100_000)]);
        assert!(
            matches!(&answers[..], [Err(StoreError::Unavailable(why))] if why.contains("full")),
            "{answers:?}"
        );
        set_limit(&writer, 1000);
        let answers = commit(&mut writer, vec![write("/large", 100_000)]);
        assert!(answers[0].is_ok(), "{answers:?}");
    }

    #[test]
    fn what_was_answered_ok_beside_a_failing_write_is_there() {
        let mut writer = writer();
        let read = writer
            .connection
            .query_row("PRAGMA max_page_count = 10", (), |_| Ok(()));
        read.unwrap();
        let writes = vec![write("/a", 10), write("/large", 100_000), write("/b", 10)];
        let answers = commit(&mut writer, writes);
        assert!(answers[1].is_err());
        for (answer, path) in answers.iter().zip(["/a", "/large", "/b"]) {
            let stored = crate::scan::at(&writer.connection, path).unwrap();
            assert_eq!(stored.is_some(), answer.is_ok(), "{path}");
        }
    }

    #[test]
    fn a_failed_commit_fails_everybody_in_it() {
        let mut writer = writer();
        // A deferred constraint is what an in-memory database can refuse at commit.
        let constraint = "PRAGMA foreign_keys = ON;
            CREATE TABLE other (path TEXT REFERENCES documents DEFERRABLE INITIALLY DEFERRED);
            CREATE TRIGGER refuse AFTER INSERT ON documents WHEN new.path = '/bad'
            BEGIN INSERT INTO other VALUES ('/nowhere'); END;";
        writer.connection.execute_batch(constraint).unwrap();
        let writes = vec![write("/a", 1), write("/bad", 1), write("/b", 1)];
        let answers = commit(&mut writer, writes);
        assert!(answers.iter().all(Result::is_err), "{answers:?}");
        assert_eq!(crate::scan::at(&writer.connection, "/a"), Ok(None));
        let answers = commit(&mut writer, vec![write("/a", 1)]);
        assert!(answers[0].is_ok(), "{answers:?}");
    }

    #[test]
    fn a_caller_that_has_gone_away_does_not_stop_the_writer() {
        let mut writer = writer();
        let (queue, mut jobs) = Queue::new(1, usize::MAX);
        drop(queue.submit(0, |reply: Reply<Document>| {
            Change::Upsert(write("/gone", 1), reply)
        }));
        writer.write(&mut vec![jobs.try_recv().unwrap()]);
        assert!(
            crate::scan::at(&writer.connection, "/gone")
                .unwrap()
                .is_some()
        );
        let (reply, _) = oneshot::channel();
        refuse(Change::Upsert(write("/gone", 1), reply), StoreError::Closed);
    }
}
