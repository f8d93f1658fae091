//! From a set on one node to its event on another, at a steady load.

use std::time::Duration;

use tokio::time::Instant;

use super::nodes::Nodes;
use super::timed::{Listener, publish};
use crate::bench::Plan;
use crate::bench::table::{Budget, Row, Table, grouped};

pub(super) const NAME: &str = "link latency";

/// 99 of 100 events take at most so many ms.
const BUDGET_MS: f64 = 5.0;

/// Bytes of every event, about.
const BYTES: usize = 1000;

pub(super) async fn measure(plan: Plan, per_second: f64, table: &mut Table) -> anyhow::Result<()> {
    let cluster = Nodes::start(2).await?;
    let started = Instant::now();
    let path = "bench/latency";
    let mut listener = Listener::on(cluster.nodes[1].address(), path, started).await?;
    let publishing = publish(
        cluster.nodes[0].address(),
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

fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share) as usize;
    let at = at.min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_what_so_many_are_below() {
        let sorted: Vec<_> = (0..100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&sorted, 0.5), Duration::from_millis(50));
        assert_eq!(quantile(&sorted, 0.99), Duration::from_millis(99));
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }
}
