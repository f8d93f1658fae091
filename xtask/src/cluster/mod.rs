//! `cargo xtask test-cluster`: real node processes, killed and restarted while clients publish.

mod access;
mod faults;
mod ledger;
mod node;
mod report;
mod scenario;
mod traffic;

use anyhow::{Context, bail};
use clap::Args;

use crate::run;

#[derive(Args)]
pub(crate) struct Options {
    /// How many nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=20))]
    pub(crate) nodes: u32,
    /// What happens to the cluster; may be given several times
    #[arg(long = "scenario", value_enum, default_values_t = [Scenario::Story])]
    pub(crate) scenarios: Vec<Scenario>,
    /// Leave the cluster running until Ctrl-C and print its addresses
    #[arg(long)]
    pub(crate) keep: bool,
    /// Make clients log in, and nodes, too
    #[arg(long)]
    pub(crate) secure: bool,
    /// Test the release build
    #[arg(long)]
    pub(crate) release: bool,
}

/// What can happen to a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// One is killed, one stops, both come back
    Story,
    /// Every node stops and comes back, one after the other
    RollingRestart,
    /// A node is killed and comes back
    Kill,
    /// A node's process is stopped for a while and goes on
    Pause,
    /// All links are cut, then those of one node half-open
    Partition,
    /// Nobody can write to the database
    DbOutage,
    /// The clocks of the nodes are hours apart
    Skew,
    /// The links to one node are slower than its events
    SlowPeer,
    /// All of them
    All,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    // The whole workspace's features, as `cargo test --workspace` builds them: nothing twice.
    let mut build = vec!["build", "--workspace", "--bin", "cluster-node"];
    if options.release {
        build.push("--release");
    }
    run::succeed(run::cargo(&build))?;
    let profile = if options.release { "release" } else { "debug" };
    let binary = run::target_directory().join(profile).join("cluster-node");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start a runtime")?;
    let failures = runtime.block_on(scenario::play(&binary, options))?;
    for failure in &failures {
        eprintln!("FAILED: {failure}");
    }
    if !failures.is_empty() {
        bail!("test-cluster: {} checks failed", failures.len());
    }
    println!("test-cluster: everything held");
    Ok(())
}
