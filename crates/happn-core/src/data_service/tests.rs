//! Stores and routes that change while a service runs.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;
use tokio::sync::Semaphore;

use super::*;
use crate::{MemoryStore, WriteMode};

/// A store that applies writes only as far as it is permitted to.
struct Slow {
    inner: MemoryStore,
    permits: Arc<Semaphore>,
    closed: Arc<AtomicBool>,
}

impl DataStore for Slow {
    fn upsert(&self, write: Write) -> StoreFuture<Document> {
        let answer = self.inner.upsert(write);
        let permits = self.permits.clone();
        Box::pin(async move {
            permits.acquire().await.unwrap().forget();
            answer.await
        })
    }

    fn increment(&self, increment: Increment) -> StoreFuture<Incremented> {
        self.inner.increment(increment)
    }

    fn remove(&self, removal: Removal) -> StoreFuture<u64> {
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
        self.closed.store(true, Ordering::SeqCst);
        self.inner.close()
    }
}

fn memory() -> Arc<dyn DataStore> {
    Arc::new(MemoryStore::new())
}

fn write(path: &str) -> Write {
    Write {
        path: Path::for_set(path).unwrap(),
        data: Json::EMPTY_OBJECT,
        mode: WriteMode::Replace,
        at: 1,
        modified_by: None,
    }
}

async fn count(store: &Arc<dyn DataStore>) -> u64 {
    let everything = Query::all(StoreGlob::new("*"));
    store.count(everything).await.unwrap()
}

#[tokio::test]
async fn what_cannot_be_routed_is_told_in_the_words_of_the_javascript_server() {
    let data = DataService::named("def", memory(), RouteRule::Loose);
    data.add_store("two", memory()).unwrap();
    let missing = data.add_data_store_filter("/dyn/*", "nope").unwrap_err();
    assert_eq!(missing.to_string(), "missing datastore with the key [nope]");
    let unnamed = data.add_data_store_filter("/dyn/*", "").unwrap_err();
    assert_eq!(unnamed.to_string(), "missing datastoreKey parameter");
    assert_eq!(
        data.add_data_store_filter("", "two"),
        Err(RoutingError::EmptyPattern)
    );
    assert_eq!(
        data.add_store("two", memory()),
        Err(RoutingError::NameTaken("two".into()))
    );
    assert_eq!(
        data.remove_store("def").await,
        Err(RoutingError::IsDefault("def".into()))
    );
    assert_eq!(
        data.remove_store("gone").await,
        Err(RoutingError::NoSuchStore("gone".into()))
    );
    assert_eq!(&*data.store_name("/dyn/1"), "def");
}

#[tokio::test]
async fn routes_come_and_go_while_items_stay_where_they_are() {
    let data = DataService::new(memory());
    data.add_store("two", memory()).unwrap();
    let answered = |path: &str| {
        let (sent, answer) = tokio::sync::oneshot::channel();
        let blocked = data.upsert(write(path), move |outcome| {
            let _ = sent.send(outcome.is_ok());
        });
        assert!(blocked.is_none());
        async { assert!(answer.await.unwrap()) }
    };
    answered("/dyn/1").await;
    data.add_data_store_filter("/dyn/*", "two").unwrap();
    answered("/dyn/2").await;
    let [(_, first), (_, second)] = &data.stores()[..] else {
        panic!("two stores");
    };
    assert_eq!((count(first).await, count(second).await), (1, 1));
    data.remove_data_store_filter("/dyn/*");
    data.remove_data_store_filter("/unknown");
    answered("/dyn/3").await;
    assert_eq!((count(first).await, count(second).await), (2, 1));
}

#[tokio::test]
async fn patterns_can_follow_a_path() {
    let data = DataService::new(memory());
    data.add_store("two", memory()).unwrap();
    data.add_data_store_filter("/a/*", "two").unwrap();
    data.add_data_provider_patterns("/a/1", &["/b/*", "/c"])
        .unwrap();
    for path in ["/b/1", "/c"] {
        assert_eq!(&*data.store_name(path), "two", "{path}");
    }
    assert_eq!(&*data.store_name("/c/1"), "default");
}

#[tokio::test]
async fn a_removed_store_finishes_what_it_had_accepted_and_is_closed_then() {
    let data = DataService::new(memory());
    let (permits, closed) = (
        Arc::new(Semaphore::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let slow = Slow {
        inner: MemoryStore::new(),
        permits: permits.clone(),
        closed: closed.clone(),
    };
    data.add_store("slow", Arc::new(slow)).unwrap();
    data.add_data_store_filter("/slow/*", "slow").unwrap();
    let stored = Arc::new(AtomicU32::new(0));
    for number in 0..10 {
        let stored = stored.clone();
        let blocked = data.upsert(write(&format!("/slow/{number}")), move |outcome| {
            stored.fetch_add(u32::from(outcome.is_ok()), Ordering::SeqCst);
        });
        assert!(blocked.is_none());
    }
    let mut removing = Box::pin(data.remove_store("slow"));
    assert!(futures_poll(&mut removing).await.is_none());
    // It takes no paths any more, and still works on what it had.
    assert_eq!(&*data.store_name("/slow/1"), "default");
    assert!(!closed.load(Ordering::SeqCst));
    permits.add_permits(10);
    removing.await.unwrap();
    assert_eq!(stored.load(Ordering::SeqCst), 10);
    assert!(closed.load(Ordering::SeqCst));
    // The name is free again.
    data.add_store("slow", memory()).unwrap();
}

/// Polls once.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_lost_while_stores_come_and_go() {
    let data = DataService::new(memory());
    let answered = Arc::new(AtomicU32::new(0));
    let writer = {
        let (data, answered) = (data.clone(), answered.clone());
        tokio::spawn(async move {
            for number in 0..2000 {
                let answered = answered.clone();
                let blocked = data.upsert(write(&format!("/x/{number}")), move |outcome| {
                    answered.fetch_add(u32::from(outcome.is_ok()), Ordering::SeqCst);
                });
                if let Some(blocked) = blocked {
                    blocked.await;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    while !writer.is_finished() {
        data.add_store("other", memory()).unwrap();
        data.add_data_store_filter("/x/*", "other").unwrap();
        tokio::task::yield_now().await;
        data.remove_store("other").await.unwrap();
    }
    writer.await.unwrap();
    data.settled("/x/1").await;
    assert_eq!(answered.load(Ordering::SeqCst), 2000);
}
