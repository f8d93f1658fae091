//! The guarantees every store gives, on a fresh file.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "the helpers of tests stop at what fails, as tests do"
)]

use std::sync::Arc;

use happn_core::{
    Aggregation, BoxFuture, DataStore, Document, Documents, Increment, Incremented, Query, Removal,
    StoreFuture, Write,
};
use happn_protocol::Json;
use happn_store_sqlite::{SqliteConfig, SqliteStore};

use crate::support::Directory;

#[allow(dead_code, reason = "other test files need more of it")]
mod support;

happn_core::store_conformance_tests!(empty_store());

fn empty_store() -> Arc<dyn DataStore> {
    let directory = Directory::new();
    let file = directory.file("happn.sqlite");
    let store = SqliteStore::open(SqliteConfig::new(file)).unwrap();
    Arc::new(InDirectory {
        store,
        _directory: directory,
    })
}

/// Keeps the directory for as long as the store.
struct InDirectory {
    store: SqliteStore,
    _directory: Directory,
}

impl DataStore for InDirectory {
    fn upsert(&self, write: Write) -> StoreFuture<Document> {
        self.store.upsert(write)
    }

    fn increment(&self, increment: Increment) -> StoreFuture<Incremented> {
        self.store.increment(increment)
    }

    fn remove(&self, removal: Removal) -> StoreFuture<u64> {
        self.store.remove(removal)
    }

    fn find(&self, query: Query) -> Documents {
        self.store.find(query)
    }

    fn count(&self, query: Query) -> StoreFuture<u64> {
        self.store.count(query)
    }

    fn aggregate(&self, aggregation: Aggregation) -> StoreFuture<Vec<Json>> {
        self.store.aggregate(aggregation)
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.store.close()
    }
}
