//! The answer of a search, in batches.

use std::fmt;

use tokio::sync::{mpsc, oneshot};

use crate::data_service::ReadTimer;
use crate::{BoxFuture, Document, StoreError};

/// Documents in a batch, about: enough to make the way from the store cheap, few enough to hold.
pub const BATCH: usize = 256;

/// The answer of a search, handed out in batches, so that a large one is never held as a whole.
///
/// Dropping it ends the search.
pub struct Documents {
    source: Source,
    /// Ends with the answer.
    timer: Option<ReadTimer>,
}

enum Source {
    Ready(Option<Result<Vec<Document>, StoreError>>),
    Single(oneshot::Receiver<Result<Vec<Document>, StoreError>>),
    Channel(mpsc::Receiver<Result<Vec<Document>, StoreError>>),
    Batches(Box<dyn Batches>),
}

/// Where batches come from.
pub trait Batches: Send {
    /// The next batch, `None` at the end. Not called again after the end or an error.
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Vec<Document>>, StoreError>>;
}

impl Documents {
    /// An answer that is there already.
    #[must_use]
    pub fn ready(answer: Result<Vec<Document>, StoreError>) -> Self {
        Self::of(Source::Ready(Some(answer)))
    }

    /// An answer that a thread or task sends as one batch. A sender that goes away without one
    /// makes it [`StoreError::Closed`].
    #[must_use]
    pub fn single(answer: oneshot::Receiver<Result<Vec<Document>, StoreError>>) -> Self {
        Self::of(Source::Single(answer))
    }

    /// Batches that a thread or task sends. Without an error, the end of the channel is the end
    /// of the answer, so a sender that gives up has to send one.
    #[must_use]
    pub fn channel(batches: mpsc::Receiver<Result<Vec<Document>, StoreError>>) -> Self {
        Self::of(Source::Channel(batches))
    }

    /// Batches that are made when asked for.
    #[must_use]
    pub fn batches(source: impl Batches + 'static) -> Self {
        Self::of(Source::Batches(Box::new(source)))
    }

    fn of(source: Source) -> Self {
        let timer = None;
        Self { source, timer }
    }

    /// The same, with the time taken until its end.
    pub(crate) fn timed(self, timer: ReadTimer) -> Self {
        let timer = Some(timer);
        Self { timer, ..self }
    }

    /// The next batch, `None` at the end. After an error nothing follows.
    ///
    /// # Errors
    /// What kept the store from answering.
    ///
    /// Cancel safe with all answers but [`Documents::batches`]; there dropping the
    /// future may lose a batch, so drop the whole answer then.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Document>>, StoreError> {
        let next = match &mut self.source {
            Source::Ready(answer) => answer.take().transpose(),
            Source::Single(answer) => {
                let answer = answer.await.unwrap_or(Err(StoreError::Closed));
                self.source = Source::Ready(None);
                self.timer = None;
                return answer.map(Some);
            }
            Source::Channel(batches) => batches.recv().await.transpose(),
            Source::Batches(batches) => batches.next_batch().await,
        };
        if !matches!(next, Ok(Some(_))) {
            self.source = Source::Ready(None);
            self.timer = None;
        }
        next
    }

    /// The whole answer at once, for callers that know it to be small.
    ///
    /// # Errors
    /// What kept the store from answering.
    pub async fn all(mut self) -> Result<Vec<Document>, StoreError> {
        let mut documents = Vec::new();
        while let Some(batch) = self.next_batch().await? {
            documents.extend(batch);
        }
        Ok(documents)
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}
