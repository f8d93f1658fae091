//! A store of one's own, here one that notes every write before it hands it on:
//! `cargo run -p happn-core --example own_store`
//!
//! A real one is checked by `happn_core::store_conformance` (feature `conformance`) in its tests.

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::sync::Arc;

use happn_core::{
    Aggregation, BoxFuture, DataStore, Document, Documents, Increment, Incremented, MemoryStore,
    Node, Query, Removal, StoreFuture, Write, WriteMode,
};
use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;

/// Journals in front of another store.
struct Journal<S> {
    inner: S,
}

impl<S: DataStore> DataStore for Journal<S> {
    fn upsert(&self, write: Write) -> StoreFuture<Document> {
        // What happens here happens in the order of the calls, which is that of the writes.
        println!(
            "journal: {:?} {} {}",
            write.mode,
            write.path.as_str(),
            write.data
        );
        self.inner.upsert(write)
    }

    fn increment(&self, increment: Increment) -> StoreFuture<Incremented> {
        println!(
            "journal: add {} on {}",
            increment.by,
            increment.path.as_str()
        );
        self.inner.increment(increment)
    }

    fn remove(&self, removal: Removal) -> StoreFuture<u64> {
        println!("journal: remove {}", removal.selector.as_str());
        self.inner.remove(removal)
    }

    fn find(&self, query: Query) -> Documents {
        self.inner.find(query)
    }

    fn count(&self, query: Query) -> StoreFuture<u64> {
        self.inner.count(query)
    }

    fn aggregate(&self, aggregation: Aggregation) -> StoreFuture<Vec<Json>> {
        self.inner.aggregate(aggregation)
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        println!("journal: closed");
        self.inner.close()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Arc::new(Journal {
        inner: MemoryStore::new(),
    });
    let node = Node::builder("example").store(store.clone()).build();

    // Clients write through the node; the program around it may also ask the store itself.
    for (data, mode) in [
        (r#"{"state":"new","items":2}"#, WriteMode::Replace),
        (r#"{"state":"paid"}"#, WriteMode::Merge),
    ] {
        let write = Write {
            path: Path::for_set("/orders/7")?,
            data: Json::parse(data)?,
            mode,
            at: node.clock().wall_ms(),
            modified_by: None,
        };
        println!("stored: {}", store.upsert(write).await?.data);
    }
    let orders = store.find(Query::all(StoreGlob::new("/orders/*"))).all();
    println!("orders: {}", orders.await?.len());
    node.data().close().await;
    Ok(())
}
