//! What a cluster costs and how quick it is, with real processes on one machine.

mod cut;
mod joining;
mod latency;
mod link;
mod nodes;

use super::Plan;
use super::table::Table;

/// Measures what is wanted of: events over one link, their latency at half of that load, the join
/// of a tenth node, a cut of 12 s, a half-open link.
pub(super) async fn measure(
    plan: Plan,
    wanted: &impl Fn(&str) -> bool,
    table: &mut Table,
) -> anyhow::Result<()> {
    if wanted(link::NAME) || wanted(latency::NAME) {
        let full = link::measure(plan, table).await?;
        latency::measure(plan, full / 2.0, table).await?;
    }
    if wanted(joining::NAME) {
        joining::measure(table).await?;
    }
    if wanted(cut::RECOVERY) {
        cut::recovery(plan, table).await?;
    }
    if wanted(cut::HALF_OPEN) {
        cut::half_open(plan, table).await?;
    }
    Ok(())
}
