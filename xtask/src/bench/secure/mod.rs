//! What logins and permissions cost: a secure node next to an open one.

mod change;
mod crowd;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::client::{Flavour, log_in_as, password_login, session};
use super::fan_out::{SHAPES, Spent, load, watch};
use super::process::ServerProcess;
use super::table::{Budget, Row, Table, grouped};
use super::{Plan, ServerKind, durable};

/// The least share of an open node's work per processor second, in percent.
const BUDGET_PERCENT: f64 = 85.0;

/// Clients that log in again and again; a node checks fewer logins of one address at a time.
const LOGGING_IN: usize = 8;

/// Durable sets of each client that are under way.
const WINDOW: usize = 8;

const DURABLE: &str = "durable sets";
const BY_PASSWORD: &str = "logins by password";
const BY_TOKEN: &str = "logins by token";

pub(super) async fn measure(
    plan: Plan,
    wanted: &impl Fn(&str) -> bool,
    table: &mut Table,
) -> anyhow::Result<()> {
    if SHAPES.iter().any(|shape| wanted(shape.name)) {
        fan_out(plan, wanted, table).await?;
    }
    if wanted(DURABLE) {
        let mut spent = [Spent::default(); 2];
        for _ in 0..plan.rounds {
            spent[0].add(durable::load(plan, Flavour::Happn, WINDOW).await?);
            spent[1].add(durable::load(plan, Flavour::Secure, WINDOW).await?);
        }
        table.add(row(DURABLE, "sets", spent));
    }
    if wanted(BY_PASSWORD) || wanted(BY_TOKEN) {
        all_logins(plan, wanted, table).await?;
    }
    if wanted(change::NAME) {
        change::measure(plan, table).await?;
    }
    Ok(())
}

async fn fan_out(
    plan: Plan,
    wanted: &impl Fn(&str) -> bool,
    table: &mut Table,
) -> anyhow::Result<()> {
    let open = ServerProcess::start(ServerKind::Happn).await?;
    let secure = ServerProcess::start(ServerKind::Secure).await?;
    for shape in SHAPES.iter().filter(|shape| wanted(shape.name)) {
        let mut spent = [Spent::default(); 2];
        for round in 0..plan.rounds {
            let name = format!("bench/{}-{}-{round}", shape.groups, shape.listeners);
            spent[0].add(load(plan, Flavour::Happn, &open, *shape, &name).await?);
            spent[1].add(load(plan, Flavour::Secure, &secure, *shape, &name).await?);
        }
        table.add(row(shape.name, "deliveries", spent));
    }
    Ok(())
}

async fn all_logins(
    plan: Plan,
    wanted: &impl Fn(&str) -> bool,
    table: &mut Table,
) -> anyhow::Result<()> {
    let secure = ServerProcess::start(ServerKind::Secure).await?;
    let by_token = token_login(secure.address()).await?;
    for (name, login, remark) in [
        (
            BY_PASSWORD,
            password_login(),
            "one user whose password has been checked before",
        ),
        (BY_TOKEN, by_token, "all with the same token"),
    ] {
        if wanted(name) {
            let row = logins(plan, &secure, name, login, remark).await?;
            table.add(row);
        }
    }
    Ok(())
}

fn row(scenario: &str, what: &str, [open, secure]: [Spent; 2]) -> Row {
    Row {
        scenario: format!("secure {scenario}"),
        detail: format!(
            "{what} per CPU second: secure {} open {}; per second: {} {}",
            grouped(secure.per_cpu_second()),
            grouped(open.per_cpu_second()),
            grouped(secure.per_second()),
            grouped(open.per_second()),
        ),
        value: 100.0 * secure.per_cpu_second() / open.per_cpu_second(),
        unit: "%",
        budget: Some(Budget::AtLeast(BUDGET_PERCENT)),
    }
}

/// The data of a login with a token.
async fn token_login(server: SocketAddr) -> anyhow::Result<String> {
    let (_socket, answer) = session(server, &password_login()).await?;
    let answer: Value = serde_json::from_str(&answer)?;
    let token = answer["data"]["token"].as_str();
    let token = token.context("a login was answered without a token")?;
    Ok(json!({"token": token, "info": {}}).to_string())
}

/// The same user again and again, each time on a connection of its own.
async fn logins(
    plan: Plan,
    server: &ServerProcess,
    name: &str,
    login: String,
    remark: &str,
) -> anyhow::Result<Row> {
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..LOGGING_IN {
        tasks.spawn(log_in_always(server.address(), login.clone(), done.clone()));
    }
    let spent = watch(plan, server, &done, &mut tasks).await?;
    tasks.shutdown().await;
    Ok(Row {
        scenario: name.to_owned(),
        detail: format!(
            "{LOGGING_IN} clients that connect and log in, {remark}; {} per CPU second",
            grouped(spent.per_cpu_second())
        ),
        value: spent.per_second(),
        unit: "/s",
        budget: None,
    })
}

async fn log_in_always(
    server: SocketAddr,
    login: String,
    done: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    loop {
        log_in_as(server, &login).await?;
        done.fetch_add(1, Ordering::Relaxed);
    }
}
