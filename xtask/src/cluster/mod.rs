//! `cargo xtask test-cluster`: real node processes, killed and restarted while clients publish.

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
    /// Leave the cluster running until Ctrl-C and print its addresses
    #[arg(long)]
    pub(crate) keep: bool,
    /// Test the release build
    #[arg(long)]
    pub(crate) release: bool,
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
