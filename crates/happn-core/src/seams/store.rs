//! Where documents live.

use std::sync::Arc;

use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;

use crate::BoxFuture;

/// What a store hands back: owned, so that it outlives the call.
pub type StoreFuture<T> = BoxFuture<'static, Result<T, StoreError>>;

/// A flat map from path to document.
///
/// Guarantees every implementation gives:
/// - **Order.** A write takes its place in the store's order when the method is *called*, not when
///   its future is polled; writes are applied and answered in that order.
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

    /// Removes every document the selector names and answers how many.
    fn remove(&self, selector: StoreGlob) -> StoreFuture<u64>;

    /// The documents the query names, by path ascending (bytewise), after `skip`, at most `limit`.
    fn find(&self, query: Query) -> StoreFuture<Vec<Document>>;

    /// How many documents [`DataStore::find`] would answer.
    fn count(&self, query: Query) -> StoreFuture<u64>;

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

/// How a write treats what is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// The data is replaced as a whole.
    Replace,
    /// The top-level members are laid over those stored.
    Merge,
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

/// Which documents to read.
#[derive(Clone, Debug)]
pub struct Query {
    /// Exact path or store mask.
    pub selector: StoreGlob,
    /// How many matches to leave out first.
    pub skip: u64,
    /// The most documents to answer.
    pub limit: Option<u64>,
    /// Leaves `data`, times and author out (`data` is then `{}`).
    pub paths_only: bool,
}

impl Query {
    /// Everything `selector` names.
    #[must_use]
    pub fn all(selector: StoreGlob) -> Self {
        Self {
            selector,
            skip: 0,
            limit: None,
            paths_only: false,
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
