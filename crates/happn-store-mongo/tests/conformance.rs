//! The guarantees every store gives, on a fresh collection.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests stop at what fails, as tests do, and say what they leave out"
)]

mod support;

use std::sync::Arc;

use happn_core::{
    Aggregation, BoxFuture, DataStore, Document, Documents, Increment, Incremented, Query, Removal,
    StoreFuture, Write,
};
use happn_protocol::Json;
use happn_store_mongo::MongoStore;

use support::Place;

happn_core::store_conformance_tests!(match empty_store().await {
    Some(store) => store,
    None => return,
});

async fn empty_store() -> Option<Arc<dyn DataStore>> {
    let place = Place::new()?;
    // The record of the index is an item like any other, and the checks want none.
    let mut settings = place.settings();
    settings.index = Some(serde_json::json!(false));
    let raw = place.raw().await;
    let unique = mongodb::options::IndexOptions::builder()
        .unique(true)
        .build();
    let index = mongodb::IndexModel::builder()
        .keys(bson::doc! {"path": 1})
        .options(unique)
        .build();
    raw.create_index(index).await.unwrap();
    Some(Arc::new(Placed {
        store: support::open(settings).await,
        _place: place,
    }))
}

/// Keeps the collection for as long as the store.
struct Placed {
    store: MongoStore,
    _place: Place,
}

impl DataStore for Placed {
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
