//! The task that writes: different items at the same time, each item in order, answers in order.
//!
//! Writes are not grouped into one command. It would not answer when an item was created, and the
//! driver would not repeat it after a change of primary; `docs/testing.md` has figures.

use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use happn_core::{Document, Increment, Incremented, Removal, StoreError, Write};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::operations::SharedOperations;
use crate::schedule::{Place, Schedule};

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A change to the store.
pub(crate) enum Change {
    /// Store or merge.
    Upsert(Write, Reply<Document>),
    /// Add to a gauge.
    Increment(Increment, Reply<Incremented>),
    /// Remove what is meant.
    Remove(Removal, Reply<u64>),
}

/// A change, with its share of the bytes that may wait.
pub(crate) struct Job {
    pub(crate) change: Change,
    pub(crate) share: OwnedSemaphorePermit,
    /// When it has to be its turn.
    pub(crate) start_by: Instant,
}

/// Sends a result to its caller.
type Answer = Box<dyn FnOnce() + Send>;

/// A change that has ended: where it belongs among the others, and its answer.
type Ended = (u64, Place, Option<Answer>);

/// Performs jobs until the queue is closed and empty. At most `writes_max` run at a time and
/// `queue_max` are taken out of the queue.
pub(crate) async fn run(
    operations: SharedOperations,
    mut queue: mpsc::Receiver<Job>,
    writes_max: usize,
    queue_max: usize,
) {
    let mut schedule = Schedule::new(writes_max);
    let mut answers = Answers::default();
    let mut running = FuturesUnordered::new();
    let mut open = true;
    loop {
        while let Some((place, (number, job))) = schedule.next() {
            let task = tokio::spawn(perform(operations.clone(), job));
            running.push(ended(number, place, task));
        }
        if !open && running.is_empty() {
            return;
        }
        tokio::select! {
            biased;
            Some((number, place, answer)) = running.next(), if !running.is_empty() => {
                schedule.ended(&place);
                answers.give(number, answer);
            }
            job = queue.recv(), if open && answers.waiting() < queue_max => match job {
                Some(job) => schedule.push(place_of(&job.change), (answers.expect(), job)),
                None => open = false,
            },
        }
    }
}

fn place_of(change: &Change) -> Place {
    match change {
        Change::Upsert(write, _) => Place::Item(write.path.as_str().into()),
        Change::Increment(increment, _) => Place::Item(increment.path.as_str().into()),
        Change::Remove(removal, _) if removal.selector.is_exact() => {
            Place::Item(removal.selector.as_str().into())
        }
        Change::Remove(removal, _) => Place::Sweep(removal.selector.literal_prefix().into()),
    }
}

/// A task that dies leaves its caller without an answer, which counts as a closed store.
async fn ended(number: u64, place: Place, task: JoinHandle<Answer>) -> Ended {
    (number, place, task.await.ok())
}

/// What waited too long is refused without a try: while the database is away, nobody waits for all
/// who came before.
async fn perform(operations: SharedOperations, job: Job) -> Answer {
    let Job {
        change,
        share,
        start_by,
    } = job;
    let in_time = match Instant::now() <= start_by {
        true => Ok(()),
        false => Err(StoreError::Unavailable("too many were before".to_owned())),
    };
    match change {
        Change::Upsert(write, reply) => {
            let work = operations.upsert(&write);
            answer(reply, and_then(in_time, work).await, share)
        }
        Change::Increment(increment, reply) => {
            let work = operations.increment(&increment);
            answer(reply, and_then(in_time, work).await, share)
        }
        Change::Remove(removal, reply) => {
            let work = operations.remove(&removal);
            answer(reply, and_then(in_time, work).await, share)
        }
    }
}

async fn and_then<T>(
    condition: Result<(), StoreError>,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    condition?;
    work.await
}

fn answer<T: Send + 'static>(
    reply: Reply<T>,
    result: Result<T, StoreError>,
    share: OwnedSemaphorePermit,
) -> Answer {
    Box::new(move || {
        // Whoever asked may be gone.
        let _ = reply.send(result);
        drop(share);
    })
}

/// Holds answers back until those of all earlier changes are given.
#[derive(Default)]
struct Answers {
    /// `None` while the change runs or waits.
    held: VecDeque<Option<Option<Answer>>>,
    /// The number of the front.
    first: u64,
}

impl Answers {
    fn expect(&mut self) -> u64 {
        self.held.push_back(None);
        self.first + self.held.len() as u64 - 1
    }

    fn waiting(&self) -> usize {
        self.held.len()
    }

    fn give(&mut self, number: u64, answer: Option<Answer>) {
        let at = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        if let Some(place) = self.held.get_mut(at) {
            *place = Some(answer);
        }
        while let Some(Some(_)) = self.held.front() {
            if let Some(answer) = self.held.pop_front().flatten().flatten() {
                answer();
            }
            self.first += 1;
        }
    }
}
