//! Hearing of new items, where the database tells.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests may panic, and say what they leave out"
)]

mod support;

use std::time::Duration;

use happn_core::{Changes, DataStore, Removal, Write, WriteMode};
use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;
use happn_store_mongo::{MongoSettings, MongoStore};
use support::relay::{Line, Relay};
use support::{Place, open};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

async fn put(store: &MongoStore, path: &str) {
    let write = Write {
        path: Path::for_set(path).unwrap(),
        data: Json::EMPTY_OBJECT,
        mode: WriteMode::Replace,
        at: 5,
        modified_by: None,
    };
    store.upsert(write).await.unwrap();
}

async fn next(changes: &mut Changes) -> Option<()> {
    let next = timeout(SOON, changes.next()).await;
    next.expect("a hint or the end")
}

fn below(prefix: &str) -> StoreGlob {
    StoreGlob::new(&format!("{prefix}/*"))
}

#[tokio::test]
async fn new_items_are_hinted_at_and_nothing_else_is() {
    let Some(place) = Place::in_replica_set() else {
        return;
    };
    let (store, other) = (place.store().await, place.store().await);
    put(&store, "/t/old").await;
    let mut changes = store.watch(below("/t")).await.unwrap().unwrap();
    // Changes, removals and items elsewhere come first and are not told.
    put(&other, "/t/old").await;
    put(&other, "/elsewhere/1").await;
    other
        .remove(Removal::all(below("/elsewhere")))
        .await
        .unwrap();
    let early = timeout(Duration::from_millis(1500), changes.next()).await;
    assert!(early.is_err(), "{early:?}");
    put(&other, "/t/new").await;
    let since = tokio::time::Instant::now();
    assert_eq!(next(&mut changes).await, Some(()));
    eprintln!("a new item was told after {:?}", since.elapsed());
    assert!(
        since.elapsed() < Duration::from_secs(1),
        "{:?}",
        since.elapsed()
    );
    other.close().await;
    store.close().await;
    assert_eq!(
        next(&mut changes).await,
        None,
        "a closed store tells nothing"
    );
}

#[tokio::test]
async fn hints_end_with_the_connection_and_come_again_when_asked_for() {
    let Some(place) = Place::in_replica_set() else {
        return;
    };
    let relay = Relay::to(&place.url).await;
    // Without looking for the members of the set, which would lead around the relay.
    let settings = MongoSettings {
        url: Some(format!("{}/?directConnection=true", relay.url())),
        ..place.settings()
    };
    let store = open(settings).await;
    let direct = place.store().await;
    let mut changes = store.watch(below("/t")).await.unwrap().unwrap();
    relay.set(Line::Reset);
    assert_eq!(next(&mut changes).await, None);
    assert!(
        store.watch(below("/t")).await.is_err(),
        "an outage is no `None`"
    );
    relay.set(Line::Open);
    let watched = async {
        loop {
            match store.watch(below("/t")).await {
                Ok(changes) => return changes.unwrap(),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let mut changes = timeout(SOON, watched).await.expect("it is back");
    put(&direct, "/t/1").await;
    assert_eq!(next(&mut changes).await, Some(()));
    drop(changes);
    // What nobody listens to ends; otherwise this would wait.
    timeout(SOON, store.close()).await.expect("it closes");
    direct.close().await;
}
