//! Publications that are not stored, to one listener and to many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::client::Flavour;
use super::flow::{Batch, listen, publish};
use super::process::ServerProcess;
use super::table::{Budget, Row, Table, grouped};
use super::{Plan, ServerKind};

/// Publications of one publisher that not all its listeners have got yet.
const WINDOW: usize = 256;

/// Publications sent with one flush.
const BATCH: usize = 16;

/// The least share of the raw server's deliveries per processor second, in percent.
const BUDGET_PERCENT: f64 = 60.0;

/// Who publishes to whom: `groups` publishers, each with `listeners` of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) groups: usize,
    pub(super) listeners: usize,
}

pub(super) const SHAPES: [Shape; 4] = [
    Shape {
        name: "fan-out 1→1",
        groups: 1,
        listeners: 1,
    },
    Shape {
        name: "fan-out 1→10",
        groups: 1,
        listeners: 10,
    },
    Shape {
        name: "fan-out 1→100",
        groups: 1,
        listeners: 100,
    },
    Shape {
        name: "pairs 50×(1→1)",
        groups: 50,
        listeners: 1,
    },
];

/// What one server did in the measured time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// Deliveries, or whatever was counted.
    pub(super) count: u64,
    pub(super) cpu_seconds: f64,
    pub(super) seconds: f64,
}

impl Spent {
    pub(super) fn per_cpu_second(&self) -> f64 {
        self.count as f64 / self.cpu_seconds.max(0.01)
    }

    pub(super) fn per_second(&self) -> f64 {
        self.count as f64 / self.seconds
    }

    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.cpu_seconds += other.cpu_seconds;
        self.seconds += other.seconds;
    }
}

pub(super) async fn measure(
    plan: Plan,
    wanted: &impl Fn(&str) -> bool,
    table: &mut Table,
) -> anyhow::Result<()> {
    let happn = ServerProcess::start(ServerKind::Happn).await?;
    let raw = ServerProcess::start(ServerKind::Raw).await?;
    for shape in SHAPES.iter().filter(|shape| wanted(shape.name)) {
        let mut spent = [Spent::default(); 3];
        for round in 0..plan.rounds {
            let name = format!("bench/{}-{}-{round}", shape.groups, shape.listeners);
            spent[0].add(load(plan, Flavour::Happn, &happn, *shape, &name).await?);
            spent[1].add(load(plan, Flavour::Raw, &raw, *shape, &name).await?);
            spent[2].add(load(plan, Flavour::Protocol, &raw, *shape, &name).await?);
        }
        table.add(row(shape.name, spent));
    }
    Ok(())
}

fn row(scenario: &str, [happn, raw, protocol]: [Spent; 3]) -> Row {
    let percent = |spent: Spent, of: Spent| 100.0 * spent.per_cpu_second() / of.per_cpu_second();
    Row {
        scenario: scenario.into(),
        detail: format!(
            "{:.1} % of a plain server with the protocol, which is {:.1} % of raw; deliveries per CPU second: happn {} with the protocol {} raw {}; per second: {} {} {}",
            percent(happn, protocol),
            percent(protocol, raw),
            grouped(happn.per_cpu_second()),
            grouped(protocol.per_cpu_second()),
            grouped(raw.per_cpu_second()),
            grouped(happn.per_second()),
            grouped(protocol.per_second()),
            grouped(raw.per_second()),
        ),
        value: percent(happn, raw),
        unit: "%",
        budget: Some(Budget::AtLeast(BUDGET_PERCENT)),
    }
}

pub(super) async fn load(
    plan: Plan,
    flavour: Flavour,
    server: &ServerProcess,
    shape: Shape,
    name: &str,
) -> anyhow::Result<Spent> {
    let delivered = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for number in 0..shape.groups {
        let group = format!("{name}-{number}");
        // A permit is one delivery under way; the listeners give them back.
        let permits = Arc::new(Semaphore::new(WINDOW * shape.listeners));
        for _ in 0..shape.listeners {
            let socket = flavour.listener(server.address(), &group).await?;
            tasks.spawn(listen(socket, permits.clone(), delivered.clone()));
        }
        let socket = flavour.publisher(server.address(), &group).await?;
        let publication = flavour.publication(&group);
        let batch = Batch {
            publications: BATCH,
            listeners: shape.listeners,
        };
        tasks.spawn(publish(socket, publication, permits, batch));
    }
    let spent = watch(plan, server, &delivered, &mut tasks).await;
    tasks.shutdown().await;
    spent
}

/// Lets the load warm up and then measures. Fails when a client does.
pub(super) async fn watch(
    plan: Plan,
    server: &ServerProcess,
    count: &AtomicU64,
    clients: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<Spent> {
    watch_all(plan, || server.cpu_seconds(), count, clients).await
}

/// The same for whatever `cpu_seconds` adds up.
pub(super) async fn watch_all(
    plan: Plan,
    cpu_seconds: impl Fn() -> anyhow::Result<f64>,
    count: &AtomicU64,
    clients: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<Spent> {
    let running = async {
        tokio::time::sleep(plan.warm_up).await;
        let start = (
            Instant::now(),
            cpu_seconds()?,
            count.load(Ordering::Relaxed),
        );
        tokio::time::sleep(plan.measured).await;
        anyhow::Ok(Spent {
            count: count.load(Ordering::Relaxed) - start.2,
            cpu_seconds: cpu_seconds()? - start.1,
            seconds: start.0.elapsed().as_secs_f64(),
        })
    };
    tokio::select! {
        spent = running => spent,
        Some(ended) = clients.join_next() => {
            ended??;
            anyhow::bail!("a client ended before the measurement")
        }
    }
}
