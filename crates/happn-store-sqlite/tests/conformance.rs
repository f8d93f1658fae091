//! The guarantees every store gives, on a fresh file.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "the helpers of tests stop at what fails, as tests do"
)]

use std::sync::Arc;

use happn_core::{
    BoxFuture, DataStore, Document, Increment, Incremented, Query, StoreFuture, Write,
};
use happn_paths::StoreGlob;
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

    fn remove(&self, selector: StoreGlob) -> StoreFuture<u64> {
        self.store.remove(selector)
    }

    fn find(&self, query: Query) -> StoreFuture<Vec<Document>> {
        self.store.find(query)
    }

    fn count(&self, query: Query) -> StoreFuture<u64> {
        self.store.count(query)
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.store.close()
    }
}
