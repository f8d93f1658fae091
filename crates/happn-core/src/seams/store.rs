//! Where documents live.

use std::sync::Arc;
use std::time::Duration;

use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;
use happn_query::{Collation, Criteria, Fields, Pipeline, QueryError, Sort};

use crate::{BoxFuture, Changes, Documents};

/// What a store hands back: owned, so that it outlives the call.
pub type StoreFuture<T> = BoxFuture<'static, Result<T, StoreError>>;

/// A flat map from path to document.
///
/// Guarantees every implementation gives:
/// - **Order.** A write takes its place in the store's order when the method is *called*, not when
///   its future is polled. Writes are answered in that order; writes that touch one path, removals
///   by mask included, are applied in it, too. Others may be applied side by side.
/// - **Durability.** An `Ok` of a persistent store means the write survives the death of the
///   process. Dropping a future does not undo a write that was already queued.
/// - **Atomicity.** Merge and increment happen in one step; concurrent ones do not lose each other.
/// - **Bounds.** A full queue is [`StoreError::Overloaded`], never unbounded memory.
///
/// `store_conformance` (feature `conformance`) checks these for an implementation.
pub trait DataStore: Send + Sync + 'static {
    /// Stores or merges one document and answers the whole stored document.
    fn upsert(&self, write: Write) -> StoreFuture<Document>;

    /// Adds to a gauge at `data.<gauge>.value`, creating what is missing.
    fn increment(&self, increment: Increment) -> StoreFuture<Incremented>;

    /// Removes every document that is meant and answers how many. Takes its place in the order of
    /// writes.
    fn remove(&self, removal: Removal) -> StoreFuture<u64>;

    /// The documents that are meant, in the order the query asks for, after `skip`, at most
    /// `limit`. Those that compare equal, and all without a sort, come by path (bytewise).
    ///
    /// A query that the store cannot evaluate is [`StoreError::Query`], as the first batch.
    fn find(&self, query: Query) -> Documents;

    /// How many documents [`DataStore::find`] would answer.
    fn count(&self, query: Query) -> StoreFuture<u64>;

    /// What a pipeline makes of the documents that are meant, each row as JSON. A pipeline that
    /// the store cannot run is [`StoreError::Query`].
    fn aggregate(&self, aggregation: Aggregation) -> StoreFuture<Vec<Json>>;

    /// Hints at items that `selector` names being made from now on, by anybody, as far as the store
    /// can tell; changes and removals may or may not be hinted at. `None` when it cannot tell at
    /// all: whoever wants to know has to ask again and again, and does so as well when the hints
    /// end, which an outage makes them do.
    fn watch(&self, selector: StoreGlob) -> StoreFuture<Option<Changes>> {
        drop(selector);
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Finishes what is queued and releases the store. Later calls answer [`StoreError::Closed`].
    fn close(&self) -> BoxFuture<'static, ()>;
}

/// One stored item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The exact key.
    pub path: Arc<str>,
    /// Always a JSON object.
    pub data: Json,
    /// Ms since 1970 by the writing node's clock; absent on items made by an increment.
    pub created: Option<i64>,
    /// Ms since 1970 by the writing node's clock; absent on items only ever incremented.
    pub modified: Option<i64>,
    /// Who wrote it last, where the writer said so.
    pub modified_by: Option<Arc<str>>,
}

impl Document {
    /// The document reduced to its path.
    #[must_use]
    pub fn path_alone(&self) -> Self {
        Self {
            path: self.path.clone(),
            data: Json::EMPTY_OBJECT,
            created: None,
            modified: None,
            modified_by: None,
        }
    }
}

/// How a write treats what is already there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// The data is replaced as a whole.
    Replace,
    /// The top-level members are laid over those stored.
    Merge,
    /// Nothing happens to a document that is there: it stays, and is the answer. Of several inserts
    /// at once, on whatever nodes, one stores its document and all are answered with that one.
    Insert,
    /// As [`WriteMode::Merge`] where the top-level member `member` of the stored data is the text
    /// `was`; any other document stays, and is the answer. In one step: of several at once that
    /// expect the same, one changes the document. Where there is none the answer is
    /// [`StoreError::Failed`], and nothing is made.
    MergeIf {
        /// The member's name, without dots and dollars.
        member: &'static str,
        /// What it has to be.
        was: Arc<str>,
    },
    /// The document becomes what is given, whatever was there: data, author and these times, absent
    /// ones too. For bringing documents in from elsewhere; [`Write::at`] does not matter then.
    Restore {
        /// As [`Document::created`].
        created: Option<i64>,
        /// As [`Document::modified`].
        modified: Option<i64>,
    },
}

/// One write.
#[derive(Clone, Debug)]
pub struct Write {
    /// Where to.
    pub path: Path,
    /// A JSON object without a top-level `_meta`.
    pub data: Json,
    /// Replace or merge.
    pub mode: WriteMode,
    /// The time to store, ms since 1970: `modified`, and `created` if the path is new.
    pub at: i64,
    /// Stored if given; otherwise an earlier author stays.
    pub modified_by: Option<Arc<str>>,
}

/// One addition to a gauge. It leaves `created` and `modified` alone.
#[derive(Clone, Debug)]
pub struct Increment {
    /// Where the gauge lives.
    pub path: Path,
    /// The gauge's name, a literal key of the document's data.
    pub gauge: Arc<str>,
    /// What to add; integers stay integers.
    pub by: serde_json::Number,
}

/// The gauge after an increment.
#[derive(Clone, Debug, PartialEq)]
pub struct Incremented {
    /// The new total.
    pub value: serde_json::Number,
}

/// Which documents to read, in which order, and how much of them.
#[derive(Clone, Debug)]
pub struct Query {
    /// Exact path or store mask.
    pub selector: StoreGlob,
    /// Which of the documents there.
    pub criteria: Criteria,
    /// In which order.
    pub sort: Sort,
    /// How text compares in criteria and sort.
    pub collation: Collation,
    /// How many matches to leave out first.
    pub skip: u64,
    /// The most documents to answer.
    pub limit: Option<u64>,
    /// Which parts are wanted. A hint: a store may answer more, the caller selects.
    pub fields: Fields,
    /// Leaves `data`, times and author out (`data` is then `{}`).
    pub paths_only: bool,
    /// How long it may take; longer is [`StoreError::TimedOut`].
    pub max_time: Option<Duration>,
    /// How much the answer may hold; more is [`StoreError::TooLarge`].
    pub bounds: SearchBounds,
}

impl Query {
    /// Everything `selector` names.
    #[must_use]
    pub fn all(selector: StoreGlob) -> Self {
        Self {
            selector,
            criteria: Criteria::default(),
            sort: Sort::default(),
            collation: Collation::default(),
            skip: 0,
            limit: None,
            fields: Fields::default(),
            paths_only: false,
            max_time: None,
            bounds: SearchBounds::UNLIMITED,
        }
    }
}

/// Which documents to remove.
#[derive(Clone, Debug)]
pub struct Removal {
    /// Exact path or store mask.
    pub selector: StoreGlob,
    /// Which of the documents there.
    pub criteria: Criteria,
}

impl Removal {
    /// Everything `selector` names.
    #[must_use]
    pub fn all(selector: StoreGlob) -> Self {
        Self {
            selector,
            criteria: Criteria::default(),
        }
    }
}

/// What to compute from which documents.
#[derive(Clone, Debug)]
pub struct Aggregation {
    /// Exact path or store mask.
    pub selector: StoreGlob,
    /// Which of the documents there are handed to the pipeline.
    pub criteria: Criteria,
    /// What to compute.
    pub pipeline: Pipeline,
    /// How text compares.
    pub collation: Collation,
    /// How long it may take; longer is [`StoreError::TimedOut`].
    pub max_time: Option<Duration>,
    /// How much the answer, and what a stage gathers for it, may hold; more is
    /// [`StoreError::TooLarge`].
    pub bounds: SearchBounds,
}

/// How much a search may gather or answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchBounds {
    /// Documents or rows.
    pub documents_max: u64,
    /// Bytes of their data.
    pub bytes_max: u64,
}

impl SearchBounds {
    /// No bounds, for callers that know what they ask for.
    pub const UNLIMITED: Self = Self {
        documents_max: u64::MAX,
        bytes_max: u64::MAX,
    };

    /// Whether `documents` with `bytes` of data are still within the bounds.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] when they are not.
    pub fn check(&self, documents: u64, bytes: u64) -> Result<(), StoreError> {
        let exceeded = |what: &str, limit: u64| {
            Err(StoreError::TooLarge {
                limit,
                what: what.to_owned(),
            })
        };
        match () {
            () if documents > self.documents_max => exceeded("items", self.documents_max),
            () if bytes > self.bytes_max => exceeded("bytes", self.bytes_max),
            () => Ok(()),
        }
    }
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store's queue is full; the write was not accepted. Worth a retry.
    #[error("the data store is overloaded")]
    Overloaded,
    /// The store has been closed.
    #[error("the data store is closed")]
    Closed,
    /// The store cannot be reached or written right now. Worth a retry.
    #[error("the data store is unavailable: {0}")]
    Unavailable(String),
    /// The question cannot be answered by this store, or by none.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The search would answer, or gather on the way, more than it may.
    #[error(
        "the search is too large: it exceeds {limit} {what}; narrow the path or the criteria, \
         select fields or set a limit"
    )]
    TooLarge {
        /// How much is allowed.
        limit: u64,
        /// Of what.
        what: String,
    },
    /// The search took longer than its `max_time`.
    #[error("operation exceeded time limit")]
    TimedOut,
    /// The gauge to increment, or a member on the way to it, is not a number.
    #[error("cannot increment {gauge} on path {path}: not a number")]
    NotANumber {
        /// The item.
        path: String,
        /// The gauge.
        gauge: String,
    },
    /// The store refused or failed; a retry will not help.
    #[error("{0}")]
    Failed(String),
}
