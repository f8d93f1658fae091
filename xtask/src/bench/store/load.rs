//! Clients that ask again for each answer they get.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, ensure};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::InFlight;
use super::requests::{Scenario, stored};
use crate::bench::Plan;
use crate::bench::client::{Socket, log_in};
use crate::bench::fan_out::{Spent, watch};
use crate::bench::process::ServerProcess;

/// Writes under way while the lists are filled.
const FILL_WINDOW: u64 = 512;

/// Stores the list of `size` documents.
pub(super) async fn fill(server: &ServerProcess, size: u64) -> anyhow::Result<()> {
    let mut socket = log_in(server.address()).await?;
    let numbers: Vec<u64> = (0..size).collect();
    for batch in numbers.chunks(FILL_WINDOW as usize) {
        for at in batch {
            socket.feed(Message::text(stored(size, *at))).await?;
        }
        socket.flush().await?;
        for _ in batch {
            check(&answer(&mut socket).await?)?;
        }
    }
    Ok(())
}

/// What the clients of `load` get done.
pub(super) async fn run(
    plan: Plan,
    server: &ServerProcess,
    scenario: Scenario,
    load: InFlight,
) -> anyhow::Result<Spent> {
    let answered = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for client in 0..load.clients as u64 {
        let socket = log_in(server.address()).await?;
        tasks.spawn(ask(socket, scenario, client, load.each, answered.clone()));
    }
    let spent = watch(plan, server, &answered, &mut tasks).await;
    tasks.shutdown().await;
    spent
}

async fn ask(
    mut socket: Socket,
    scenario: Scenario,
    client: u64,
    each: usize,
    answered: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let mut requests = (0..).map(|turn| Message::text(scenario.request(client, turn)));
    let mut room = each;
    let mut is_first = true;
    loop {
        for request in requests.by_ref().take(room) {
            socket.feed(request).await?;
        }
        socket.flush().await?;
        let first = answer(&mut socket).await?;
        if is_first {
            check(&first)?;
            is_first = false;
        }
        room = 1;
        // Whatever else has arrived is asked for again with the same flush.
        while room < each
            && let Some(further) = answer(&mut socket).now_or_never()
        {
            further?;
            room += 1;
        }
        answered.fetch_add(room as u64, Ordering::Relaxed);
    }
}

/// The next frame that is no heartbeat.
async fn answer(socket: &mut Socket) -> anyhow::Result<Utf8Bytes> {
    loop {
        let message = socket
            .next()
            .await
            .context("the server closed the connection")??;
        if let Message::Text(text) = message
            && text.starts_with(['{', '['])
        {
            return Ok(text);
        }
    }
}

fn check(answer: &str) -> anyhow::Result<()> {
    let shown: String = answer.chars().take(400).collect();
    ensure!(
        answer.contains(r#""status":"ok""#),
        "a request was answered {shown}"
    );
    Ok(())
}
