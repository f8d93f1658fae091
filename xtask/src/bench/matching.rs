//! One session with very many subscriptions, and publications that match one of them or none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::client::{Socket, frames, log_in, set, subscription};
use super::fan_out::{Spent, watch};
use super::process::ServerProcess;
use super::table::{Row, Table, grouped};
use super::{Plan, ServerKind};

const SUBSCRIPTIONS: usize = 10_000;

/// Publications that are not answered yet.
const WINDOW: usize = 256;

/// Publications sent with one flush.
const BATCH: usize = 16;

pub(super) async fn measure(plan: Plan, table: &mut Table) -> anyhow::Result<()> {
    let mut plain = None;
    for (name, subscriptions, matched) in [
        ("matching 1 of 1", 1, true),
        ("matching 1 of 10 000", SUBSCRIPTIONS, true),
        ("matching 0 of 10 000", SUBSCRIPTIONS, false),
    ] {
        let spent = load(plan, subscriptions, matched).await?;
        let rate = spent.per_cpu_second();
        let plain = *plain.get_or_insert(rate);
        table.add(Row {
            scenario: name.into(),
            detail: format!(
                "{} publications per CPU second; {} per second",
                grouped(rate),
                grouped(spent.per_second())
            ),
            value: 100.0 * rate / plain,
            unit: "%",
            budget: None,
        });
    }
    Ok(())
}

async fn load(plan: Plan, subscriptions: usize, matched: bool) -> anyhow::Result<Spent> {
    let server = ServerProcess::start(ServerKind::Happn).await?;
    let mut listener = log_in(server.address()).await?;
    subscribe_to(&mut listener, subscriptions).await?;
    let count = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            frames(&mut listener).await?;
        }
    });
    let prefix = if matched { "match" } else { "other" };
    // A prime step visits the subscriptions in no order a cache could learn.
    let sets = (0..256).map(|n| n * 7919 % subscriptions);
    let sets = sets.map(|item| set(&format!("bench/{prefix}/{item}/x"), r#","noStore":true"#));
    let publisher = log_in(server.address()).await?;
    tasks.spawn(publish(publisher, sets.collect(), count.clone()));
    let spent = watch(plan, &server, &count, &mut tasks).await;
    tasks.shutdown().await;
    spent
}

/// Subscribes in batches: who sends on without reading the answers ends up waiting for ever.
async fn subscribe_to(listener: &mut Socket, subscriptions: usize) -> anyhow::Result<()> {
    let requests = (0..subscriptions).map(|item| subscription(&format!("bench/match/{item}/*")));
    let requests: Vec<_> = requests.collect();
    for batch in requests.chunks(WINDOW) {
        for request in batch {
            listener.feed(Message::text(request.as_str())).await?;
        }
        listener.flush().await?;
        let mut answered = 0;
        while answered < batch.len() {
            answered += frames(listener).await?;
        }
    }
    Ok(())
}

async fn publish(socket: Socket, sets: Vec<Message>, count: Arc<AtomicU64>) -> anyhow::Result<()> {
    let (mut sink, mut answers) = socket.split();
    let permits = Semaphore::new(WINDOW);
    let mut sets = sets.iter().cycle();
    let sending = async {
        loop {
            permits.acquire_many(BATCH as u32).await?.forget();
            for _ in 0..BATCH {
                let set = sets.next().context("nothing to publish")?;
                sink.feed(set.clone()).await?;
            }
            sink.flush().await?;
        }
    };
    let answering = async {
        loop {
            let answered = frames(&mut answers).await?;
            count.fetch_add(answered as u64, Ordering::Relaxed);
            permits.add_permits(answered);
        }
    };
    tokio::select! {
        ended = sending => ended,
        ended = answering => ended,
    }
}
