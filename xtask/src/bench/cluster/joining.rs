//! How long a node takes from its start until it serves clients in a cluster of ten.

use tokio::time::Instant;

use super::nodes::Nodes;
use crate::bench::table::{Row, Table};

pub(super) const NAME: &str = "join of a tenth node";

const NODES: usize = 10;

pub(super) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let mut cluster = Nodes::start(NODES - 1).await?;
    let started = Instant::now();
    cluster.add(NODES).await?.serves().await?;
    table.add(Row {
        scenario: NAME.into(),
        detail: "from its start until it is stable with nine others and serves clients".into(),
        value: started.elapsed().as_secs_f64(),
        unit: "s",
        budget: None,
    });
    Ok(())
}
