//! Sets that are on disk before they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::SinkExt;
use tokio::task::JoinSet;

use super::client::{Flavour, Socket, frames, set};
use super::fan_out::{Spent, watch};
use super::process::ServerProcess;
use super::table::{Budget, Row, Table, grouped};
use super::{Plan, ServerKind};

const CLIENTS: usize = 100;

/// Paths each client writes in turns.
const PATHS: usize = 100;

/// Sets per second with every client waiting for its answers.
const BUDGET_PER_SECOND: f64 = 15_000.0;

pub(super) async fn measure(plan: Plan, table: &mut Table) -> anyhow::Result<()> {
    for window in [1, 8] {
        let mut spent = Spent::default();
        for _ in 0..plan.rounds {
            spent.add(load(plan, Flavour::Happn, window).await?);
        }
        table.add(Row {
            scenario: format!("durable sets {CLIENTS}×{window}"),
            detail: format!(
                "{CLIENTS} clients, {window} under way each, SQLite synchronous=FULL; {} per CPU second",
                grouped(spent.per_cpu_second())
            ),
            value: spent.per_second(),
            unit: "/s",
            budget: (window > 1).then_some(Budget::AtLeast(BUDGET_PER_SECOND)),
        });
    }
    Ok(())
}

/// Sets through clients of a node of its own, open or secure.
pub(super) async fn load(plan: Plan, flavour: Flavour, window: usize) -> anyhow::Result<Spent> {
    let kind = match flavour {
        Flavour::Secure => ServerKind::Secure,
        _ => ServerKind::Happn,
    };
    let server = ServerProcess::start(kind).await?;
    let answered = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for client in 0..CLIENTS {
        let socket = flavour.publisher(server.address(), "").await?;
        tasks.spawn(write(socket, client, window, answered.clone()));
    }
    let spent = watch(plan, &server, &answered, &mut tasks).await;
    tasks.shutdown().await;
    spent
}

async fn write(
    mut socket: Socket,
    client: usize,
    window: usize,
    answered: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let paths = (0..PATHS).map(|item| format!("bench/durable/{client}/{item}"));
    let sets: Vec<_> = paths.map(|path| set(&path, "")).collect();
    let mut sets = sets.iter().cycle();
    let mut room = window;
    loop {
        for set in sets.by_ref().take(room) {
            socket.feed(set.clone()).await?;
        }
        socket.flush().await?;
        room = frames(&mut socket).await?;
        answered.fetch_add(room as u64, Ordering::Relaxed);
    }
}
