//! From a set on one node to its event on another, at a steady load.

use tokio::time::Instant;

use super::nodes::Nodes;
use crate::bench::Plan;
use crate::bench::client::log_in;
use crate::bench::table::{Budget, Row, Table, grouped};
use crate::bench::timed::{Listener, ms, publish, quantile};

pub(super) const NAME: &str = "link latency";

/// 99 of 100 events take at most so many ms.
const BUDGET_MS: f64 = 5.0;

/// Bytes of every event, about.
const BYTES: usize = 1000;

pub(super) async fn measure(plan: Plan, per_second: f64, table: &mut Table) -> anyhow::Result<()> {
    let cluster = Nodes::start(2).await?;
    let started = Instant::now();
    let path = "bench/latency";
    let listener = log_in(cluster.nodes[1].address()).await?;
    let mut listener = Listener::on(listener, path, started).await?;
    let publishing = publish(
        log_in(cluster.nodes[0].address()).await?,
        path.to_owned(),
        (per_second, BYTES),
        started,
    );
    let measured = plan.measured * plan.rounds;
    let mut took = Vec::new();
    let listening = async {
        let (from, to) = (plan.warm_up, plan.warm_up + measured);
        let began = Instant::now();
        while began.elapsed() < to {
            let heard = listener.next().await?;
            if began.elapsed() >= from {
                took.extend(heard.iter().map(|it| it.heard.saturating_sub(it.published)));
            }
        }
        anyhow::Ok(())
    };
    tokio::select! {
        ended = publishing => ended?,
        ended = listening => ended?,
    }
    took.sort_unstable();
    for (label, share, budget) in [
        ("p50", 0.5, None),
        ("p99", 0.99, Some(Budget::AtMost(BUDGET_MS))),
    ] {
        table.add(Row {
            scenario: format!("{NAME} {label}"),
            detail: format!(
                "from the set to the event on the other node, 1 kB, {} events per second",
                grouped(per_second)
            ),
            value: ms(quantile(&took, share)),
            unit: "ms",
            budget,
        });
    }
    Ok(())
}
