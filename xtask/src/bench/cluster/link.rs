//! Events from a publisher on one node to a listener on another.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::nodes::Nodes;
use crate::bench::Plan;
use crate::bench::client::{log_in, set_of, subscribe};
use crate::bench::fan_out::{Spent, watch_all};
use crate::bench::flow::{Batch, listen, publish};
use crate::bench::table::{Budget, Row, Table, grouped};

pub(super) const NAME: &str = "link events";

/// Publications under way between the two clients.
const WINDOW: usize = 4096;

/// Publications sent with one flush.
const BATCH: usize = 64;

/// Events per processor second of both nodes together, up to 1 kB each.
const BUDGET: f64 = 150_000.0;

/// Measures all sizes; answers the events per second at 1 kB.
pub(super) async fn measure(plan: Plan, table: &mut Table) -> anyhow::Result<f64> {
    let cluster = Nodes::start(2).await?;
    let mut per_second = 0.0;
    for (label, bytes) in [("10 B", 10), ("1 kB", 1000), ("10 kB", 10_000)] {
        let mut spent = Spent::default();
        for round in 0..plan.rounds {
            let path = format!("bench/link/{bytes}-{round}");
            spent.add(load(plan, &cluster, &path, bytes).await?);
        }
        if bytes == 1000 {
            per_second = spent.per_second();
        }
        table.add(Row {
            scenario: format!("{NAME} {label}"),
            detail: format!(
                "noStore events from node to node, per CPU second of both; {} per second",
                grouped(spent.per_second())
            ),
            value: spent.per_cpu_second(),
            unit: "/s",
            budget: (bytes <= 1000).then_some(Budget::AtLeast(BUDGET)),
        });
    }
    Ok(per_second)
}

async fn load(plan: Plan, cluster: &Nodes, path: &str, bytes: usize) -> anyhow::Result<Spent> {
    let permits = Arc::new(Semaphore::new(WINDOW));
    let heard = Arc::new(AtomicU64::new(0));
    let mut listener = log_in(cluster.nodes[1].address()).await?;
    subscribe(&mut listener, path).await?;
    let publisher = log_in(cluster.nodes[0].address()).await?;
    let mut clients = JoinSet::new();
    clients.spawn(listen(listener, permits.clone(), heard.clone()));
    let batch = Batch {
        publications: BATCH,
        listeners: 1,
    };
    clients.spawn(publish(publisher, publication(path, bytes), permits, batch));
    let spent = watch_all(plan, || cluster.cpu_seconds(), &heard, &mut clients).await;
    clients.shutdown().await;
    spent
}

/// A set of `bytes` of data that is not stored.
fn publication(path: &str, bytes: usize) -> Message {
    let frame = r#"{"x":""}"#.len();
    let data = format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes.saturating_sub(frame)));
    set_of(path, &data, r#","noStore":true"#)
}
