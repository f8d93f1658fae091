//! Order, atomicity and the end of a store.

use std::task::{Context, Poll, Waker};

use super::{Store, all, found, increment, merge, merge_if, one, removal, replace};
use crate::{StoreError, Write, WriteMode};

/// Writes of one caller that does not wait take effect in the order of the calls.
pub async fn writes_are_applied_in_the_order_of_their_calls(store: Store) {
    let mut writes = Vec::new();
    for number in 0..200 {
        let data = format!(r#"{{"n":{number}}}"#);
        writes.push(store.upsert(replace("/order", &data, number)));
    }
    let removed = store.remove(removal("/order"));
    let last = store.upsert(replace("/order", r#"{"n":"last"}"#, 999));
    // Polling from the back must not change anything.
    let last = last.await.expect("an upsert succeeds");
    assert_eq!(removed.await, Ok(1));
    for (number, write) in writes.into_iter().enumerate().rev() {
        let answer = write.await.expect("an upsert succeeds");
        assert_eq!(answer.data.as_str(), format!(r#"{{"n":{number}}}"#));
        assert_eq!(answer.created, Some(0));
    }
    assert_eq!(last.created, Some(999));
    assert_eq!(found(&store, "/order").await, [last]);
}

/// Once a write is answered, so is every write that was called before it.
pub async fn writes_are_answered_in_the_order_of_their_calls(store: Store) {
    let write = |number: i64| store.upsert(replace(&format!("/a/{number}"), "{}", number));
    let mut earlier: Vec<_> = (0..100).map(write).collect();
    write(100).await.expect("an upsert succeeds");
    let mut context = Context::from_waker(Waker::noop());
    for write in &mut earlier {
        let answer = write.as_mut().poll(&mut context);
        assert!(matches!(answer, Poll::Ready(Ok(_))), "answered by now");
    }
}

/// Thirty tasks that merge different keys at one path keep all thirty.
pub async fn concurrent_merges_do_not_lose_each_other(store: Store) {
    let mut tasks = Vec::new();
    for number in 0..30 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let data = format!(r#"{{"key{number}":{number}}}"#);
            store.upsert(merge("/merged", &data, 1)).await
        }));
    }
    for task in tasks {
        let merged = task.await.expect("a task ends");
        merged.expect("a merge succeeds");
    }
    let data = one(&store, "/merged").await.data;
    for number in 0..30 {
        let member = format!(r#""key{number}":{number}"#);
        assert!(data.as_str().contains(&member), "{member} in {data}");
    }
}

/// Every increment is counted, and each answer is a total nobody else got.
pub async fn concurrent_increments_all_count(store: Store) {
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut totals = Vec::new();
            for _ in 0..25 {
                let answer = store.increment(increment("/gauge", "c", 1)).await;
                totals.push(answer.expect("an increment succeeds").value);
            }
            totals
        }));
    }
    let mut totals = Vec::new();
    for task in tasks {
        totals.extend(task.await.expect("a task ends"));
    }
    let mut totals: Vec<_> = totals.iter().filter_map(|total| total.as_i64()).collect();
    totals.sort_unstable();
    assert_eq!(totals, (1..=200).collect::<Vec<i64>>());
}

/// Of several who make an item at the same moment one does, and all are told what it made.
pub async fn concurrent_inserts_agree_on_one(store: Store) {
    let mut tasks = Vec::new();
    for number in 0..20 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let data = format!(r#"{{"secret":{number}}}"#);
            let write = Write {
                mode: WriteMode::Insert,
                ..replace("/inserted", &data, number)
            };
            store.upsert(write).await
        }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        let answer = task.await.expect("a task ends");
        answers.push(answer.expect("an insert succeeds"));
    }
    let stored = one(&store, "/inserted").await;
    assert!(answers.iter().all(|answer| *answer == stored));
}

/// Of several who change the same thing they have seen, one does, and the others see what it made.
pub async fn of_merges_with_one_condition_one_counts(store: Store) {
    store
        .upsert(replace("/raced", r#"{"key":"old"}"#, 1))
        .await
        .expect("an upsert succeeds");
    let mut tasks = Vec::new();
    for number in 0..20 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let data = format!(r#"{{"key":"{number}"}}"#);
            store.upsert(merge_if("/raced", &data, "old", number)).await
        }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        let answer = task.await.expect("a task ends");
        answers.push(answer.expect("a merge succeeds"));
    }
    let stored = one(&store, "/raced").await;
    assert!(answers.iter().all(|answer| *answer == stored));
}

/// A caller that stops waiting has still written.
pub async fn a_dropped_future_does_not_undo_its_write(store: Store) {
    drop(store.upsert(replace("/dropped", r#"{"a":1}"#, 1)));
    let next = store.upsert(replace("/next", "{}", 1));
    next.await.expect("an upsert succeeds");
    assert_eq!(one(&store, "/dropped").await.data.as_str(), r#"{"a":1}"#);
}

/// What was accepted before the close is still done and answered.
pub async fn closing_finishes_what_is_queued(store: Store) {
    let write = |number: i64| store.upsert(replace(&format!("/q/{number}"), "{}", number));
    let writes: Vec<_> = (0..100).map(write).collect();
    let read = store.count(all("/none"));
    store.close().await;
    for write in writes {
        write.await.expect("a queued write succeeds");
    }
    assert_eq!(read.await, Ok(0));
}

/// After the close every call answers `Closed`; closing again does no harm.
pub async fn a_closed_store_says_so(store: Store) {
    store.close().await;
    store.close().await;
    let closed = Some(StoreError::Closed);
    assert_eq!(store.upsert(replace("/a", "{}", 1)).await.err(), closed);
    assert_eq!(store.increment(increment("/a", "c", 1)).await.err(), closed);
    assert_eq!(store.remove(removal("*")).await.err(), closed);
    assert_eq!(store.find(all("*")).all().await.err(), closed);
    assert_eq!(store.count(all("*")).await.err(), closed);
}
