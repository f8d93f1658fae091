//! Links that fail for a while, and links that carry nothing.

use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, sleep};

use super::nodes::Nodes;
use crate::bench::Plan;
use crate::bench::client::log_in;
use crate::bench::table::{Budget, Row, Table, grouped};
use crate::bench::timed::{Heard, Listener, publish};
use testkit::Line;

pub(super) const RECOVERY: &str = "recovery after a cut";
pub(super) const HALF_OPEN: &str = "memory, half-open link";

/// How long the cut lasts.
const CUT: Duration = Duration::from_secs(12);

/// Longer than this no node should take to come back.
const BACK_MAX: Duration = Duration::from_secs(30);

/// Events per second while links fail: what piles up meanwhile must fit into the ring.
const PER_SECOND: f64 = 1000.0;

const RECOVERY_BUDGET_MS: f64 = 1000.0;

/// What a stuck peer may cost: the ring of 64 MiB, and as much again for everything else.
const MEMORY_BUDGET_MIB: f64 = 128.0;

/// Measures from the end of the cut to the first event, and counts what was lost.
pub(super) async fn recovery(plan: Plan, table: &mut Table) -> anyhow::Result<()> {
    let cluster = Nodes::start(2).await?;
    let started = Instant::now();
    let path = "bench/cut";
    let listener = log_in(cluster.nodes[1].address()).await?;
    let mut listener = Listener::on(listener, path, started).await?;
    let from = log_in(cluster.nodes[0].address()).await?;
    let publishing = publish(from, path.to_owned(), (PER_SECOND, 100), started);
    let watching = async {
        let mut line = Sequence::default();
        line.follow(&mut listener, plan.measured).await?;
        cluster.lines(Line::Cut);
        // What was under way arrives now, and not after the cut.
        line.follow(&mut listener, CUT).await?;
        cluster.lines(Line::Open);
        let opened = started.elapsed();
        let first = line.first_after(&mut listener, opened).await?;
        // What was published before the end is to arrive, too.
        line.until_published(&mut listener, opened + plan.measured)
            .await?;
        anyhow::Ok((first, line))
    };
    let (first, line) = tokio::select! {
        ended = publishing => bail!("the publisher ended: {ended:?}"),
        watched = watching => watched?,
    };
    table.add(Row {
        scenario: RECOVERY.into(),
        detail: format!(
            "of {} s, until the first event; {} events, {} lost, {} out of order or twice",
            CUT.as_secs(),
            grouped(line.count as f64),
            line.lost,
            line.disorder
        ),
        value: first.as_secs_f64() * 1000.0,
        unit: "ms",
        budget: Some(Budget::AtMost(RECOVERY_BUDGET_MS)),
    });
    table.add(Row {
        scenario: format!("{RECOVERY}: lost"),
        detail: "events that never came, or came twice or out of order".into(),
        value: (line.lost + line.disorder) as f64,
        unit: "",
        budget: Some(Budget::AtMost(0.0)),
    });
    Ok(())
}

/// Measures how much a node grows while a peer takes nothing and clients go on publishing.
pub(super) async fn half_open(plan: Plan, table: &mut Table) -> anyhow::Result<()> {
    let cluster = Nodes::start(2).await?;
    let node = &cluster.nodes[0];
    let before = node.resident_kib()?;
    cluster.lines(Line::HalfOpen);
    // Ten times what the ring holds, whatever the plan says.
    let (per_second, bytes) = (20_000.0, 2000);
    let publishing = publish(
        log_in(node.address()).await?,
        "bench/half-open".to_owned(),
        (per_second, bytes),
        Instant::now(),
    );
    let lasting = Duration::from_secs(5).max(plan.measured * plan.rounds * 2);
    tokio::select! {
        ended = publishing => ended?,
        () = sleep(lasting) => {}
    }
    let grown = node.resident_kib()?.saturating_sub(before);
    table.add(Row {
        scenario: HALF_OPEN.into(),
        detail: format!(
            "growth of a node in {} s of about {} events of {bytes} B per second",
            lasting.as_secs(),
            grouped(per_second)
        ),
        value: grown as f64 / 1024.0,
        unit: "MiB",
        budget: Some(Budget::AtMost(MEMORY_BUDGET_MIB)),
    });
    Ok(())
}

/// Follows numbered events.
#[derive(Debug, Default)]
struct Sequence {
    next: Option<u64>,
    count: u64,
    lost: u64,
    disorder: u64,
}

impl Sequence {
    fn take(&mut self, events: &[Heard]) {
        for event in events {
            self.count += 1;
            match self.next {
                Some(next) if event.number < next => self.disorder += 1,
                next => {
                    self.lost += next.map_or(0, |next| event.number - next);
                    self.next = Some(event.number + 1);
                }
            }
        }
    }

    /// Follows for so long.
    async fn follow(&mut self, listener: &mut Listener, lasting: Duration) -> anyhow::Result<()> {
        let over = sleep(lasting);
        tokio::pin!(over);
        loop {
            tokio::select! {
                heard = listener.next() => self.take(&heard?),
                () = &mut over => return Ok(()),
            }
        }
    }

    /// How long after `opened` the first event came.
    async fn first_after(
        &mut self,
        listener: &mut Listener,
        opened: Duration,
    ) -> anyhow::Result<Duration> {
        let first = async {
            loop {
                let heard = listener.next().await?;
                self.take(&heard);
                if let Some(first) = heard.iter().find(|event| event.heard > opened) {
                    return Ok(first.heard - opened);
                }
            }
        };
        match tokio::time::timeout(BACK_MAX, first).await {
            Ok(first) => first,
            Err(_) => bail!("no event within {BACK_MAX:?} after the cut"),
        }
    }

    /// Follows until something arrives that was published at that time or later.
    async fn until_published(
        &mut self,
        listener: &mut Listener,
        until: Duration,
    ) -> anyhow::Result<()> {
        loop {
            let heard = listener.next().await?;
            self.take(&heard);
            if heard.last().is_some_and(|last| last.published >= until) {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_comes_twice_is_counted() {
        let event = |number| Heard {
            number,
            published: Duration::ZERO,
            heard: Duration::ZERO,
        };
        let mut line = Sequence::default();
        line.take(&[5, 6, 9, 9, 8, 10].map(event));
        assert_eq!((line.count, line.lost, line.disorder), (6, 2, 2));
    }
}
