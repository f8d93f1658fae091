//! Files: making, sharing, reopening them, and refusing those that are no good.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "the helpers of tests stop at what fails, as tests do"
)]

use std::fs;
use std::time::Duration;

use happn_core::{DataStore, Query, StoreError};
use happn_paths::StoreGlob;
use happn_store_sqlite::{OpenError, SqliteConfig, SqliteStore};
use rusqlite::Connection;

use crate::support::{Directory, increment, write};

mod support;

fn open(directory: &Directory) -> SqliteStore {
    SqliteStore::open(config(directory)).unwrap()
}

fn config(directory: &Directory) -> SqliteConfig {
    SqliteConfig::new(directory.file("happn.sqlite"))
}

fn refusal(config: SqliteConfig) -> OpenError {
    SqliteStore::open(config)
        .err()
        .expect("the file is refused")
}

fn all() -> Query {
    Query::all(StoreGlob::new("*"))
}

#[tokio::test]
async fn missing_directories_are_made() {
    let directory = Directory::new();
    let file = directory.file("deep/er/happn.sqlite");
    let store = SqliteStore::open(SqliteConfig::new(&file)).unwrap();
    store.upsert(write("/a", "{}")).await.unwrap();
    store.close().await;
    assert!(file.is_file());
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let directory = Directory::new();
    let store = open(&directory);
    let mut writes = Vec::new();
    for number in 0..500 {
        writes.push(store.upsert(write(&format!("/n/{number}"), r#"{"a":1}"#)));
    }
    for answer in writes {
        answer.await.unwrap();
    }
    // No close: the connections may still be open, as after a crash their log is.
    drop(store);
    let store = open(&directory);
    assert_eq!(store.count(all()).await, Ok(500));
    store.increment(increment("/n/1")).await.unwrap();
    store.close().await;

    let store = open(&directory);
    let query = Query::all(StoreGlob::new("/n/1"));
    let found = store.find(query).all().await.unwrap();
    assert_eq!(found[0].data.as_str(), r#"{"a":1,"counter":{"value":1}}"#);
    assert_eq!(found[0].created, Some(1000));
}

#[tokio::test]
async fn a_copy_of_a_live_file_and_its_log_holds_all_answered_writes() {
    let directory = Directory::new();
    let store = open(&directory);
    for number in 0..100 {
        let answer = store.upsert(write(&format!("/n/{number}"), "{}"));
        answer.await.unwrap();
    }
    // What a disk would hold had the machine stopped here.
    let crashed = Directory::new();
    for name in ["happn.sqlite", "happn.sqlite-wal"] {
        fs::copy(directory.file(name), crashed.file(name)).unwrap();
    }
    assert_eq!(open(&crashed).count(all()).await, Ok(100));
}

#[tokio::test]
async fn a_closed_file_is_whole_without_its_log() {
    let directory = Directory::new();
    let store = open(&directory);
    store.upsert(write("/a", "{}")).await.unwrap();
    store.close().await;
    assert!(!directory.file("happn.sqlite-wal").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_count_one_gauge_together() {
    let directory = Directory::new();
    let mut tasks = Vec::new();
    for store in [open(&directory), open(&directory)] {
        tasks.push(tokio::spawn(async move {
            for _ in 0..500 {
                store.increment(increment("/shared")).await.unwrap();
            }
            store.close().await;
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let found = open(&directory).find(all()).all().await.unwrap();
    assert_eq!(found[0].data.as_str(), r#"{"counter":{"value":1000}}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_store_does_not_starve_another_on_the_same_file() {
    let directory = Directory::new();
    let busy = std::sync::Arc::new(open(&directory));
    let quiet = open(&directory);
    let mut writers = Vec::new();
    for number in 0..64 {
        let busy = busy.clone();
        writers.push(tokio::spawn(async move {
            loop {
                let answer = busy.upsert(write(&format!("/busy/{number}"), "{}"));
                answer.await.unwrap();
            }
        }));
    }
    for _ in 0..50 {
        quiet.upsert(write("/quiet", "{}")).await.unwrap();
    }
    for writer in writers {
        writer.abort();
    }
}

#[tokio::test]
async fn one_store_sees_what_another_was_answered() {
    let directory = Directory::new();
    let (one, other) = (open(&directory), open(&directory));
    for number in 1..=50 {
        let answer = one.upsert(write(&format!("/n/{number}"), "{}"));
        answer.await.unwrap();
        assert_eq!(other.count(all()).await, Ok(number));
    }
}

#[test]
fn many_may_open_a_new_file_at_once() {
    let directory = Directory::new();
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&directory))).collect();
        for thread in opened {
            thread.join().unwrap();
        }
    });
}

#[tokio::test]
async fn a_lock_held_for_too_long_is_unavailable_and_passes() {
    let directory = Directory::new();
    let store = SqliteStore::open(SqliteConfig {
        busy_timeout: Duration::from_millis(30),
        ..config(&directory)
    })
    .unwrap();
    let holder = Connection::open(directory.file("happn.sqlite")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.upsert(write("/a", "{}")).await;
    let reason = "another process keeps the database locked".to_owned();
    assert_eq!(refused, Err(StoreError::Unavailable(reason)));
    assert_eq!(store.count(all()).await, Ok(0), "reads go on");
    holder.execute_batch("ROLLBACK").unwrap();
    store.upsert(write("/a", "{}")).await.unwrap();
}

/// What queued up would otherwise wait once for each batch.
#[tokio::test]
async fn only_the_first_writes_wait_for_a_lock_that_is_held_for_too_long() {
    let directory = Directory::new();
    let patience = Duration::from_millis(700);
    let store = SqliteStore::open(SqliteConfig {
        busy_timeout: patience,
        batch_max: 1,
        ..config(&directory)
    })
    .unwrap();
    let holder = Connection::open(directory.file("happn.sqlite")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = tokio::time::Instant::now();
    let answers: Vec<_> = (0..20).map(|_| store.increment(increment("/g"))).collect();
    for answer in answers {
        assert!(matches!(answer.await, Err(StoreError::Unavailable(_))));
    }
    assert!(started.elapsed() < patience * 10, "{:?}", started.elapsed());
    holder.execute_batch("ROLLBACK").unwrap();
    store.increment(increment("/g")).await.unwrap();
    // And then there is patience again.
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting = store.increment(increment("/g"));
    let releasing = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        holder.execute_batch("ROLLBACK").unwrap();
    };
    let (waited, ()) = tokio::join!(waiting, releasing);
    assert_eq!(waited.unwrap().value, 2.into());
}

#[tokio::test]
async fn a_full_queue_is_overloaded_at_once() {
    let directory = Directory::new();
    let store = SqliteStore::open(SqliteConfig {
        queue_max: 4,
        batch_max: 1,
        ..config(&directory)
    })
    .unwrap();
    let holder = Connection::open(directory.file("happn.sqlite")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answers: Vec<_> = (0..20).map(|_| store.increment(increment("/g"))).collect();
    holder.execute_batch("ROLLBACK").unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for answer in answers {
        match answer.await {
            Ok(_) => accepted += 1,
            Err(error) => {
                assert_eq!(error, StoreError::Overloaded);
                refused += 1;
            }
        }
    }
    // The writer may have taken one from the queue already.
    assert!((4..=5).contains(&accepted), "{accepted} accepted");
    assert_eq!(accepted + refused, 20);
    let next = store.increment(increment("/g")).await.unwrap();
    assert_eq!(next.value, (accepted + 1).into());
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = Directory::new();
    let text = "This is a letter, not a database. ".repeat(200);
    fs::write(directory.file("happn.sqlite"), &text).unwrap();
    let error = refusal(config(&directory));
    let file = directory.file("happn.sqlite");
    let expected = format!("the file {} is not a SQLite database", file.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let directory = Directory::new();
    let store = open(&directory);
    for number in 0..200 {
        store
            .upsert(write(&format!("/n/{number}"), r#"{"a":"0123456789"}"#))
            .await
            .unwrap();
    }
    store.close().await;
    let file = directory.file("happn.sqlite");
    let sound = fs::read(&file).unwrap();
    for (what, from, to) in [
        ("a table page", 4096, 4096 + 512),
        ("the schema", 100, 200),
        ("the end", sound.len() - 4096, sound.len()),
    ] {
        let mut damaged = sound.clone();
        damaged[from..to].fill(0xA5);
        fs::write(&file, &damaged).unwrap();
        let error = refusal(config(&directory));
        assert!(
            matches!(error, OpenError::Corrupt { .. }),
            "{what}: {error}"
        );
        assert!(
            error.to_string().contains("happn.sqlite is damaged: "),
            "{error}"
        );
        assert_eq!(error.to_string().lines().count(), 1);
    }
    fs::write(&file, &sound[..sound.len() - 4096]).unwrap();
    assert!(matches!(
        refusal(config(&directory)),
        OpenError::Corrupt { .. }
    ));
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let directory = Directory::new();
    let file = directory.file("happn.sqlite");
    let other = Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE mine (a)").unwrap();
    drop(other);
    let before = fs::read(&file).unwrap();
    assert!(matches!(
        refusal(config(&directory)),
        OpenError::Foreign { .. }
    ));
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let directory = Directory::new();
    open(&directory).close().await;
    let newer = Connection::open(directory.file("happn.sqlite")).unwrap();
    newer.pragma_update(None, "user_version", 7).unwrap();
    drop(newer);
    let error = refusal(config(&directory));
    assert!(
        error
            .to_string()
            .ends_with("has schema version 7, this program knows version 1"),
        "{error}"
    );
}

#[test]
fn places_that_cannot_hold_a_file_are_refused_by_name() {
    let directory = Directory::new();
    fs::write(directory.file("plain"), "").unwrap();
    let below_a_file = SqliteConfig::new(directory.file("plain/data/happn.sqlite"));
    let error = refusal(below_a_file);
    assert!(matches!(error, OpenError::Directory { .. }), "{error}");
    let place = directory.file("plain/data");
    let expected = format!("cannot make the directory {}", place.display());
    assert_eq!(error.to_string(), expected);

    fs::create_dir(directory.file("happn.sqlite")).unwrap();
    let error = refusal(config(&directory));
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
    for name in ["", ":memory:"] {
        let error = refusal(SqliteConfig::new(name));
        assert!(
            error.to_string().ends_with("a file name is needed"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_abandoned_search_does_not_keep_the_readers_busy() {
    let directory = Directory::new();
    let store = SqliteStore::open(SqliteConfig {
        readers: 1,
        ..config(&directory)
    })
    .unwrap();
    let writes: Vec<_> = (0..2000)
        .map(|number| store.upsert(write(&format!("/n/{number}"), "{}")))
        .collect();
    for answer in writes {
        answer.await.unwrap();
    }
    for _ in 0..1000 {
        drop(store.find(all()));
    }
    assert_eq!(store.count(all()).await, Ok(2000));
}
