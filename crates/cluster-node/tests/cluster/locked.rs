//! A process that takes the database's write lock and then does nothing: paused, or in a debugger.

use std::time::Duration;

use futures_util::future::join_all;
use rusqlite::Connection;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::harness::{Folder, Listener, client, cluster, soon, stop};

/// Longer than a write waits for a lock, and than a node may be without a sign of life.
const HELD: Duration = Duration::from_secs(8);

/// The most that a write may take to be answered meanwhile.
const ANSWERED: Duration = Duration::from_secs(15);

/// More than the store writes at a time.
const WRITES: usize = 3000;

#[tokio::test(flavor = "multi_thread")]
async fn while_somebody_holds_the_write_lock_writes_fail_events_flow_and_nobody_leaves() {
    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let mut there = Listener::on(&nodes[1], "/x/*").await;
    let (writer, publisher) = (client(&nodes[0]).await, client(&nodes[0]).await);
    writer.set("/kept", &1).await.unwrap();

    let holder = Connection::open(folder.database()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let held = Instant::now();
    let writing = tokio::spawn(async move {
        let paths: Vec<String> = (0..WRITES).map(|at| format!("/w/{at}")).collect();
        let answers = join_all(paths.iter().map(|path| writer.set(path, &1))).await;
        let refused: Vec<String> = answers
            .into_iter()
            .map(|answer| answer.unwrap_err().to_string())
            .collect();
        (writer, refused, held.elapsed())
    });
    let mut published = 0;
    while held.elapsed() < HELD {
        let path = format!("/x/{published}");
        publisher.publish(&path, &json!({})).await.unwrap();
        assert_eq!(there.next().await.path(), path);
        for node in &nodes {
            assert_eq!(node.orchestrator().peers().len(), 2, "{}", node.name());
        }
        published += 1;
        sleep(Duration::from_millis(50)).await;
    }
    let (writer, refused, took) = soon("writes are answered", writing).await.unwrap();
    assert!(took < ANSWERED, "{took:?}");
    for error in refused {
        assert!(error.contains("keeps the database locked"), "{error}");
    }
    for node in &nodes {
        let mut view = node.orchestrator().view();
        soon(
            "the outage is seen",
            view.wait_for(|view| view.degraded.is_some()),
        )
        .await
        .unwrap();
    }

    holder.execute_batch("ROLLBACK").unwrap();
    for node in &nodes {
        let mut view = node.orchestrator().view();
        soon(
            "the node heals",
            view.wait_for(|view| view.degraded.is_none()),
        )
        .await
        .unwrap();
        assert_eq!(node.orchestrator().peers().len(), 2);
    }
    writer.set("/x/after", &1).await.unwrap();
    assert_eq!(there.next().await.path(), "/x/after");
    stop(nodes).await;
}
