//! Events from a publisher on one node to a listener on another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{SinkExt, StreamExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::nodes::Nodes;
use crate::bench::Plan;
use crate::bench::client::{Socket, frames, log_in, set_of, subscribe};
use crate::bench::fan_out::Spent;
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
    clients.spawn(publish(publisher, path.to_owned(), bytes, permits));
    let running = async {
        tokio::time::sleep(plan.warm_up).await;
        let start = (
            Instant::now(),
            cluster.cpu_seconds()?,
            heard.load(Ordering::Relaxed),
        );
        tokio::time::sleep(plan.measured).await;
        anyhow::Ok(Spent {
            count: heard.load(Ordering::Relaxed) - start.2,
            cpu_seconds: cluster.cpu_seconds()? - start.1,
            seconds: start.0.elapsed().as_secs_f64(),
        })
    };
    let spent = tokio::select! {
        spent = running => spent,
        Some(ended) = clients.join_next() => {
            ended??;
            anyhow::bail!("a client ended before the measurement")
        }
    };
    clients.shutdown().await;
    spent
}

async fn listen(
    mut socket: Socket,
    permits: Arc<Semaphore>,
    heard: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    loop {
        let count = frames(&mut socket).await?;
        heard.fetch_add(count as u64, Ordering::Relaxed);
        permits.add_permits(count);
    }
}

async fn publish(
    socket: Socket,
    path: String,
    bytes: usize,
    permits: Arc<Semaphore>,
) -> anyhow::Result<()> {
    let frame = r#"{"x":""}"#.len();
    let data = format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes.saturating_sub(frame)));
    let publication = set_of(&path, &data, r#","noStore":true"#);
    let (mut sink, mut answers) = socket.split();
    let sending = async {
        loop {
            permits.acquire_many(u32::try_from(BATCH)?).await?.forget();
            for _ in 0..BATCH {
                sink.feed(publication.clone()).await?;
            }
            sink.flush().await?;
        }
    };
    let draining = async {
        loop {
            frames(&mut answers).await?;
        }
    };
    tokio::select! {
        ended = sending => ended,
        ended = draining => ended,
    }
}
