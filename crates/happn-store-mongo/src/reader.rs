//! The reads: bounded in number, in time, and in what one batch holds.

use std::sync::Arc;
use std::time::Duration;

use bson::{RawDocumentBuf, doc};
use happn_core::{
    Aggregation, BATCH, Batches, BoxFuture, Document, Query, SearchBounds, StoreError,
};
use happn_protocol::Json;
use mongodb::Cursor;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connection::{Connection, within};
use crate::decode;
use crate::failure::Failure;
use crate::questions;

/// A batch ends when it holds this much data, in bytes.
const BATCH_BYTES: usize = 1024 * 1024;
/// How much longer than the server's own limit we wait for its verdict.
const GRACE: Duration = Duration::from_secs(2);

/// Performs reads. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) connection: Connection,
    pub(crate) item_timeout: Duration,
    pub(crate) scan_timeout: Duration,
    /// How long to wait for a place.
    pub(crate) turn_timeout: Duration,
    /// Reads that may run at the same time.
    pub(crate) places: Arc<Semaphore>,
    /// Reads that may wait for a place.
    pub(crate) waiting: Arc<Semaphore>,
}

/// A search under way.
pub(crate) struct Scan {
    reader: Reader,
    state: State,
    bounds: SearchBounds,
    /// Documents and bytes so far.
    seen: (u64, u64),
    patience: Duration,
}

enum State {
    Start(Box<Query>),
    Under(Box<Cursor<RawDocumentBuf>>),
    /// Over, or a step of it is under way.
    Over,
}

impl Reader {
    /// The answer to `query`, asked for batch by batch.
    pub(crate) fn find(&self, query: Query) -> Scan {
        Scan {
            reader: self.clone(),
            bounds: query.bounds,
            seen: (0, 0),
            patience: self.patience(query.selector.is_exact(), query.max_time),
            state: State::Start(Box::new(query)),
        }
    }

    /// How many documents `query` names.
    pub(crate) async fn count(&self, query: Query) -> Result<u64, StoreError> {
        let counted = self.try_count(query).await;
        counted.map_err(|failure| self.store_error(&failure))
    }

    async fn try_count(&self, query: Query) -> Result<u64, Failure> {
        let Some((skip, limit)) = questions::page(&query) else {
            return Ok(0);
        };
        let mut pipeline = vec![doc! {"$match": questions::search(&query)?}];
        if skip > 0 {
            pipeline.push(doc! {"$skip": skip});
        }
        if let Some(limit) = limit {
            pipeline.push(doc! {"$limit": limit});
        }
        pipeline.push(doc! {"$group": {"_id": 1, "n": {"$sum": 1}}});
        let mut aggregate = self.connection.collection.aggregate(pipeline);
        if let Some(collation) = questions::collation(&query.collation)? {
            aggregate = aggregate.collation(collation);
        }
        if let Some(time) = query.max_time {
            aggregate = aggregate.max_time(time);
        }
        let patience = self.patience(query.selector.is_exact(), query.max_time);
        let _place = self.place().await?;
        let count = within(patience, async move {
            let mut rows = aggregate.await?;
            let row = rows
                .advance()
                .await?
                .then(|| rows.current().get("n").ok().flatten());
            Ok(row.flatten().map_or(0, questions::whole))
        });
        count.await
    }

    /// The rows that the pipeline makes.
    pub(crate) async fn aggregate(&self, asked: Aggregation) -> Result<Vec<Json>, StoreError> {
        let rows = self.start_aggregation(&asked).await;
        let mut rows = rows.map_err(|failure| self.store_error(&failure))?;
        let patience = self.patience(false, asked.max_time);
        let mut answer = Vec::new();
        let mut bytes = 0;
        loop {
            let (cursor, row) = next(rows, patience).await;
            let row = row.map_err(|failure| self.store_error(&failure))?;
            let (Some(cursor), Some(row)) = (cursor, row) else {
                return Ok(answer);
            };
            bytes += row.as_bytes().len() as u64;
            answer.push(row);
            asked.bounds.check(answer.len() as u64, bytes)?;
            rows = cursor;
        }
    }

    async fn start_aggregation(
        &self,
        asked: &Aggregation,
    ) -> Result<Cursor<RawDocumentBuf>, Failure> {
        let pipeline = questions::pipeline(asked)?;
        let aggregate = self.connection.collection.aggregate(pipeline);
        let mut aggregate = aggregate.batch_size(BATCH as u32).allow_disk_use(true);
        if let Some(collation) = questions::collation(&asked.collation)? {
            aggregate = aggregate.collation(collation);
        }
        if let Some(time) = asked.max_time {
            aggregate = aggregate.max_time(time);
        }
        let _place = self.place().await?;
        let aggregate = aggregate.with_type::<RawDocumentBuf>();
        within(self.patience(false, asked.max_time), aggregate).await
    }

    async fn start(&self, query: &Query, patience: Duration) -> Result<Start, Failure> {
        let Some((skip, limit)) = questions::page(query) else {
            return Ok(None);
        };
        let find = self.connection.collection.find(questions::search(query)?);
        let mut find = find.batch_size(BATCH as u32);
        if let Some(sort) = questions::sort(query) {
            find = find.sort(sort).allow_disk_use(true);
        }
        if let Some(projection) = questions::projection(query) {
            find = find.projection(projection);
        }
        if skip > 0 {
            find = find.skip(skip.unsigned_abs());
        }
        if let Some(limit) = limit {
            find = find.limit(limit);
        }
        if let Some(collation) = questions::collation(&query.collation)? {
            find = find.collation(collation);
        }
        if let Some(time) = query.max_time {
            find = find.max_time(time);
        }
        within(patience, find).await.map(Some)
    }

    fn patience(&self, exact: bool, max_time: Option<Duration>) -> Duration {
        let patience = match exact {
            true => self.item_timeout,
            false => self.scan_timeout,
        };
        max_time.map_or(patience, |time| patience.max(time + GRACE))
    }

    /// Waits for a place among the reads that run, if there is room to wait.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let waiting = self.waiting.try_acquire();
        let _waiting = waiting.map_err(|_| Failure::Overloaded)?;
        let place = self.places.clone().acquire_owned();
        match tokio::time::timeout(self.turn_timeout, place).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Failure::Overloaded),
        }
    }

    pub(crate) fn store_error(&self, failure: &Failure) -> StoreError {
        failure.to_store_error(|| self.connection.servers())
    }
}

/// `None` when the answer is known to be empty.
type Start = Option<Cursor<RawDocumentBuf>>;

/// The next row, and the cursor unless it has ended.
async fn next(
    mut cursor: Cursor<RawDocumentBuf>,
    patience: Duration,
) -> (
    Option<Cursor<RawDocumentBuf>>,
    Result<Option<Json>, Failure>,
) {
    match within(patience, cursor.advance()).await {
        Ok(true) => {
            let row = decode::json(bson::raw::RawBsonRef::Document(cursor.current()));
            (Some(cursor), row.map(Some).map_err(Failure::from))
        }
        Ok(false) => (None, Ok(None)),
        Err(failure) => (None, Err(failure)),
    }
}

impl Scan {
    /// One step, in a task of its own: whoever waits may stop waiting, the driver may not.
    async fn step(&mut self) -> Result<Option<Vec<Document>>, StoreError> {
        let state = std::mem::replace(&mut self.state, State::Over);
        let (reader, patience) = (self.reader.clone(), self.patience);
        let task = tokio::spawn(async move {
            let _place = reader.place().await?;
            let cursor = match state {
                State::Start(query) => reader.start(&query, patience).await?,
                State::Under(cursor) => Some(*cursor),
                State::Over => None,
            };
            match cursor {
                Some(cursor) => batch(cursor, patience).await,
                None => Ok((Vec::new(), None)),
            }
        });
        let (documents, cursor) = match task.await {
            Ok(step) => step.map_err(|failure| self.reader.store_error(&failure))?,
            Err(_) => return Err(StoreError::Closed),
        };
        if let Some(cursor) = cursor {
            self.state = State::Under(Box::new(cursor));
        }
        self.seen.0 += documents.len() as u64;
        let bytes = documents
            .iter()
            .map(|document| document.data.as_bytes().len() as u64);
        self.seen.1 += bytes.sum::<u64>();
        self.bounds.check(self.seen.0, self.seen.1)?;
        Ok((!documents.is_empty()).then_some(documents))
    }
}

impl Batches for Scan {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Vec<Document>>, StoreError>> {
        Box::pin(self.step())
    }
}

/// A batch, and the cursor unless it has ended.
type Batch = (Vec<Document>, Option<Cursor<RawDocumentBuf>>);

async fn batch(mut cursor: Cursor<RawDocumentBuf>, patience: Duration) -> Result<Batch, Failure> {
    let mut documents = Vec::new();
    let mut bytes = 0;
    while documents.len() < BATCH && bytes < BATCH_BYTES {
        if !within(patience, cursor.advance()).await? {
            return Ok((documents, None));
        }
        bytes += cursor.current().as_bytes().len();
        documents.push(decode::item(cursor.current())?);
    }
    Ok((documents, Some(cursor)))
}
