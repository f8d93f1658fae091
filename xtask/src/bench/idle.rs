//! What a connection costs that does nothing.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::client::{Flavour, Socket};
use super::process::ServerProcess;
use super::table::{Budget, Row, Table};
use super::{Plan, ServerKind};

/// Connections that only make the server touch what it needs once.
const FIRST: usize = 100;

/// Handshakes under way at once.
const HANDSHAKES: usize = 16;

const BUDGET_KIB: f64 = 40.0;

pub(super) async fn measure(plan: Plan, table: &mut Table) -> anyhow::Result<()> {
    let happn = per_connection(plan, Flavour::Happn, ServerKind::Happn).await?;
    let raw = per_connection(plan, Flavour::Raw, ServerKind::Raw).await?;
    table.add(Row {
        scenario: "idle connection".into(),
        detail: format!(
            "{} logged-in clients; a raw connection takes {raw:.1} KiB",
            plan.idle_connections
        ),
        value: happn,
        unit: "KiB",
        budget: Some(Budget::AtMost(BUDGET_KIB)),
    });
    Ok(())
}

async fn per_connection(plan: Plan, flavour: Flavour, kind: ServerKind) -> anyhow::Result<f64> {
    let server = ServerProcess::start(kind).await?;
    let first = open(flavour, server.address(), FIRST).await?;
    settle().await;
    let before = server.resident_kib()?;
    let more = open(flavour, server.address(), plan.idle_connections).await?;
    settle().await;
    let after = server.resident_kib()?;
    drop((first, more));
    Ok(after.saturating_sub(before) as f64 / plan.idle_connections as f64)
}

async fn open(flavour: Flavour, server: SocketAddr, count: usize) -> anyhow::Result<Vec<Socket>> {
    let opening = (0..count).map(|_| async move {
        match flavour {
            Flavour::Happn | Flavour::Secure => flavour.publisher(server, "idle").await,
            Flavour::Raw | Flavour::Protocol => flavour.listener(server, "idle").await,
        }
    });
    stream::iter(opening)
        .buffer_unordered(HANDSHAKES)
        .try_collect()
        .await
}

/// Lets the server finish what the last handshake began; there is no event to wait for.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}
