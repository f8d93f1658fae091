//! Every habit of this repository as one command: `cargo xtask --help`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a command line tool; printing is its job"
)]

mod bench;
mod cluster;
mod counts;
mod dist;
mod examples;
mod fuzz;
mod lint;
mod mongo;
mod run;
mod test;
mod tidy;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Every habit of this repository as one command"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check formatting, clippy, documentation, the supply chain, and tidy
    Lint,
    /// Check the house rules: crate dependencies, module docs, file sizes, marks, licences
    Tidy,
    /// Run every test: unit, vector, property, integration, interop, test-cluster
    Test(test::Options),
    /// Run every example: each ends by itself and succeeds
    Examples,
    /// Fuzz everything that reads what strangers send; needs nightly Rust and cargo-fuzz
    Fuzz(fuzz::Options),
    /// Start a MongoDB for tests, and run a command with HAPPN_TEST_MONGO_URL set
    Mongo(mongo::Options),
    /// Start real nodes, kill and restart some, and check what clients saw
    TestCluster(cluster::Options),
    /// Measure a node next to a plain websocket server, against the budgets
    Bench(bench::Options),
    /// The plain server process of `bench`
    #[command(hide = true)]
    BenchServer,
    /// Build the release archive with its checksum under target/dist
    Dist,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Lint => lint::run(),
        Task::Tidy => tidy::run(),
        Task::Test(options) => test::run(&options),
        Task::Examples => examples::run(),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Mongo(options) => mongo::run(&options),
        Task::TestCluster(options) => cluster::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::BenchServer => bench::serve(),
        Task::Dist => dist::run(),
    }
}
