//! What a person sees while it runs.

use std::time::Duration;

use super::Scenario;
use super::ledger::{Ledger, Route, Tally};
use super::node::Node;

pub(super) fn table(nodes: &[Node]) {
    println!("\n  node      pid      peers on  clients on  state");
    for node in nodes {
        let id = node
            .process_id()
            .map_or_else(|| "-".to_owned(), |id| id.to_string());
        println!(
            "  {:<8}  {id:<7}  {:<8}  {:<10}  {}",
            node.name,
            node.inner_port,
            node.proxy_port,
            node.state()
        );
    }
    println!();
}

/// What became of one scenario.
pub(super) struct Verdict {
    pub(super) scenario: Scenario,
    pub(super) took: Duration,
    pub(super) complaints: usize,
}

pub(super) fn verdicts(verdicts: &[Verdict]) {
    println!("\n  scenario         seconds  verdict");
    for verdict in verdicts {
        let said = match verdict.complaints {
            0 => "held".to_owned(),
            complaints => format!("FAILED {complaints} checks"),
        };
        let name = format!("{:?}", verdict.scenario);
        println!("  {name:<15}  {:>7.1}  {said}", verdict.took.as_secs_f64());
    }
}

/// Prints what became of the events of `routes` and answers the complaints.
pub(super) fn judge(phase: &str, ledger: &Ledger, routes: &[Route]) -> Vec<String> {
    let total = sum(ledger, routes);
    let refused = match ledger.refused() {
        0 => String::new(),
        refused => format!(", {refused} writes refused"),
    };
    println!("  {phase}: {}{refused}", describe(total));
    let dirty = routes
        .iter()
        .filter(|route| !ledger.tally(**route).is_clean());
    dirty
        .map(|route| {
            let tally = describe(ledger.tally(*route));
            format!(
                "{phase}, node-{} to node-{}: {tally}",
                route.from + 1,
                route.to + 1
            )
        })
        .collect()
}

/// Prints what became of events whose loss is nobody's fault.
pub(super) fn mention(phase: &str, ledger: &Ledger, routes: &[Route]) {
    println!("  {phase}: {}", describe(sum(ledger, routes)));
}

fn sum(ledger: &Ledger, routes: &[Route]) -> Tally {
    routes
        .iter()
        .map(|route| ledger.tally(*route))
        .fold(Tally::default(), |sum, one| Tally {
            delivered: sum.delivered + one.delivered,
            lost: sum.lost + one.lost,
            duplicated: sum.duplicated + one.duplicated,
            reordered: sum.reordered + one.reordered,
        })
}

fn describe(tally: Tally) -> String {
    let Tally {
        delivered,
        lost,
        duplicated,
        reordered,
    } = tally;
    format!("{delivered} delivered, {lost} lost, {duplicated} duplicated, {reordered} out of order")
}
