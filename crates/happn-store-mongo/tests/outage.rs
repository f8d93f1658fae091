//! What callers see when the database goes away, is silent, or is slow, and that what was answered
//! "ok" is there afterwards.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests stop at what fails, as tests do, and say what they leave out"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use happn_core::{DataStore, Increment, Query, Removal, StoreError, SystemClock, Write, WriteMode};
use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;
use happn_store_mongo::{MongoConfig, MongoSettings, MongoStore};
use support::Place;
use support::relay::{Line, Relay};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// No call may take longer, whatever the database does: the store's own limits and some room for
/// a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

struct Stage {
    place: Place,
    relay: Relay,
    store: Arc<MongoStore>,
}

/// A store behind a relay, with shorter limits than usual.
async fn stage() -> Option<Stage> {
    let place = Place::new()?;
    let relay = Relay::to(&place.url).await;
    let settings = MongoSettings {
        url: Some(relay.url()),
        ..place.settings()
    };
    let mut config = MongoConfig::new(settings).unwrap();
    config.selection_timeout = Duration::from_secs(2);
    config.connect_timeout = Duration::from_secs(1);
    config.item_timeout = Duration::from_secs(3);
    config.scan_timeout = Duration::from_secs(3);
    config.turn_timeout = Duration::from_secs(3);
    let store = MongoStore::open(config, &SystemClock::new()).await.unwrap();
    Some(Stage {
        place,
        relay,
        store: Arc::new(store),
    })
}

fn write(path: &str, data: &str) -> Write {
    Write {
        path: Path::for_set(path).unwrap(),
        data: Json::parse(data).unwrap(),
        mode: WriteMode::Replace,
        at: 1,
        modified_by: None,
    }
}

fn increment(path: &str) -> Increment {
    Increment {
        path: Path::for_set(path).unwrap(),
        gauge: "c".into(),
        by: 1.into(),
    }
}

fn all(mask: &str) -> Query {
    Query::all(StoreGlob::new(mask))
}

/// Every kind of call fails as unavailable, in time.
async fn everything_is_unavailable(store: &Arc<MongoStore>) {
    let unavailable = |error: Option<StoreError>, call: &str| match error {
        Some(StoreError::Unavailable(reason)) => {
            assert!(!reason.contains("Kind:"), "{call}: {reason}");
        }
        other => panic!("{call} ended with {other:?}"),
    };
    let removal = Removal::all(StoreGlob::new("/gone"));
    let merge = Write {
        mode: WriteMode::Merge,
        ..write("/m", "{}")
    };
    // All at once: none waits for another's limit.
    let (set, merge, increment, remove, find, count) = timeout(PATIENCE, async {
        tokio::join!(
            store.upsert(write("/a", "{}")),
            store.upsert(merge),
            store.increment(increment("/i")),
            store.remove(removal),
            store.find(all("*")).all(),
            store.count(all("*")),
        )
    })
    .await
    .expect("every call ends in time");
    unavailable(set.err(), "set");
    unavailable(merge.err(), "merge");
    unavailable(increment.err(), "increment");
    unavailable(remove.err(), "remove");
    unavailable(find.err(), "find");
    unavailable(count.err(), "count");
}

/// Without a restart, once the line is open again.
async fn it_recovers(stage: &Stage) {
    stage.relay.set(Line::Open);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match stage.store.upsert(write("/back", r#"{"n":1}"#)).await {
            Ok(_) => break,
            Err(StoreError::Unavailable(_)) if Instant::now() < deadline => {}
            Err(error) => panic!("the store did not recover: {error}"),
        }
    }
    let back = stage.store.find(all("/back")).all().await.unwrap();
    assert_eq!(back[0].data.as_str(), r#"{"n":1}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_refuses_connections_is_unavailable_until_it_is_back() {
    let Some(stage) = stage().await else { return };
    stage.store.upsert(write("/kept", "{}")).await.unwrap();
    stage.relay.set(Line::Reset);
    everything_is_unavailable(&stage.store).await;
    it_recovers(&stage).await;
    assert_eq!(stage.store.count(all("/kept")).await, Ok(1));
    stage.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_database_is_unavailable_until_it_speaks_again() {
    let Some(stage) = stage().await else { return };
    stage.store.upsert(write("/kept", "{}")).await.unwrap();
    stage.relay.set(Line::Silent);
    everything_is_unavailable(&stage.store).await;
    it_recovers(&stage).await;
    assert_eq!(stage.store.count(all("/kept")).await, Ok(1));
    stage.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_all_who_were_before_while_the_database_is_away() {
    let Some(stage) = stage().await else { return };
    stage.relay.set(Line::Reset);
    let writes: Vec<_> = (0..2000)
        .map(|number| stage.store.upsert(write(&format!("/n/{number}"), "{}")))
        .collect();
    let answers = timeout(PATIENCE, futures_util::future::join_all(writes)).await;
    let answers = answers.expect("all are answered in time");
    let unavailable = |answer: &Result<_, _>| matches!(answer, Err(StoreError::Unavailable(_)));
    assert!(answers.iter().all(unavailable));
    it_recovers(&stage).await;
    stage.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_database_only_makes_calls_slow() {
    let Some(stage) = stage().await else { return };
    stage.relay.set(Line::Slow(Duration::from_millis(300)));
    let stored = stage
        .store
        .upsert(write("/slow", r#"{"n":1}"#))
        .await
        .unwrap();
    let found = stage.store.find(all("/slow")).all().await.unwrap();
    assert_eq!(found, [stored]);
    stage.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_a_store_whose_database_is_silent_ends() {
    let Some(stage) = stage().await else { return };
    stage.relay.set(Line::Silent);
    let write = stage.store.upsert(write("/late", "{}"));
    timeout(PATIENCE, stage.store.close())
        .await
        .expect("closing ends");
    assert!(matches!(write.await, Err(StoreError::Unavailable(_))));
    stage.relay.set(Line::Open);
}

/// Four writers, each on items of its own, while the line breaks again and again in every way.
/// Each keeps what was acknowledged; in the end all of it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_by_outages() {
    let Some(stage) = stage().await else { return };
    let (ledger, seen) = watch::channel(Ledger::default());
    let ledger = Arc::new(ledger);
    let stop = CancellationToken::new();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let write = write_on(stage.store.clone(), writer, ledger.clone(), stop.clone());
            tokio::spawn(write)
        })
        .collect();
    let until = |condition: fn(&Ledger, &Ledger) -> bool| {
        let mut seen = seen.clone();
        async move {
            let before = seen.borrow().clone();
            let wait = seen.wait_for(|now| condition(now, &before));
            timeout(Duration::from_secs(30), wait)
                .await
                .expect("in time")
                .unwrap();
        }
    };
    let more_stored =
        |now: &Ledger, before: &Ledger| now.acknowledged.len() > before.acknowledged.len() + 20;
    let more_refused = |now: &Ledger, before: &Ledger| now.refused > before.refused;
    for line in [Line::Reset, Line::Deaf, Line::Silent] {
        until(more_stored).await;
        stage.relay.set(line);
        until(more_refused).await;
        stage.relay.set(Line::Open);
    }
    stage.relay.set(Line::Slow(Duration::from_millis(20)));
    until(more_stored).await;
    it_recovers(&stage).await;
    stop.cancel();
    for writer in writers {
        writer.await.unwrap();
    }
    let acknowledged = seen.borrow().acknowledged.clone();
    // Read by another store, straight from the database.
    let reader = stage.place.store().await;
    let stored = reader.find(all("/w/*")).all().await.unwrap();
    let stored: BTreeSet<String> = stored.iter().map(|item| item.path.to_string()).collect();
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "lost {lost:?}");
    stage.store.close().await;
    reader.close().await;
}

/// What became of the writes.
#[derive(Clone, Debug, Default)]
struct Ledger {
    acknowledged: BTreeSet<String>,
    refused: u32,
}

async fn write_on(
    store: Arc<MongoStore>,
    writer: usize,
    ledger: Arc<watch::Sender<Ledger>>,
    stop: CancellationToken,
) {
    for number in 0.. {
        if stop.is_cancelled() {
            return;
        }
        let path = format!("/w/{writer}/{number}");
        match timeout(PATIENCE, store.upsert(write(&path, "{}"))).await {
            Ok(Ok(_)) => ledger.send_modify(|ledger| {
                ledger.acknowledged.insert(path);
            }),
            Ok(Err(StoreError::Unavailable(_))) => {
                ledger.send_modify(|ledger| ledger.refused += 1);
            }
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => panic!("a write hangs"),
        }
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_within_seconds() {
    let settings = MongoSettings {
        url: Some("mongodb://user:secret@127.0.0.1:1/?authSource=admin".to_owned()),
        ..MongoSettings::default()
    };
    let config = MongoConfig::new(settings).unwrap();
    let opened = timeout(PATIENCE, MongoStore::open(config, &SystemClock::new())).await;
    let error = opened
        .expect("opening ends in time")
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.starts_with("cannot use the database happn on MongoDB at 127.0.0.1:1: "),
        "{error}"
    );
    assert!(error.contains("refused"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test]
async fn duplicates_that_are_there_already_keep_a_store_from_starting() {
    let Some(place) = Place::new() else { return };
    let raw = place.raw().await;
    for _ in 0..2 {
        raw.insert_one(bson::doc! {"path": "/twice", "data": {}})
            .await
            .unwrap();
    }
    let config = MongoConfig::new(place.settings()).unwrap();
    let error = MongoStore::open(config, &SystemClock::new())
        .await
        .err()
        .unwrap();
    let error = error.to_string();
    assert!(
        error.starts_with("failed to create indexes: happn_path_index"),
        "{error}"
    );
    assert!(error.contains("E11000"), "{error}");
}

#[tokio::test]
async fn an_index_is_made_although_a_record_says_it_was() {
    let Some(place) = Place::new() else { return };
    let raw = place.raw().await;
    let record = bson::doc! {
        "path": "/_SYSTEM/INDEXES/happn_path_index", "data": {"restored": true}, "created": 1.0,
    };
    raw.insert_one(record.clone()).await.unwrap();
    let store = place.store().await;
    let names = raw.list_index_names().await.unwrap();
    assert!(names.contains(&"path_1".to_owned()), "{names:?}");
    let kept = raw
        .find_one(bson::doc! {"path": record.get_str("path").unwrap()})
        .await;
    let kept = kept.unwrap().unwrap();
    assert_eq!(kept.get("data"), record.get("data"));
    store.close().await;
}
