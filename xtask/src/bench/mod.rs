//! `cargo xtask bench`: what a node costs, next to a plain websocket server on the same machine.
//!
//! Servers run as processes of their own, so that their processor time can be told from the load's.
//! Every fan-out is measured on all servers in turns; the result is a ratio, because an absolute
//! number says more about the machine than about the code. The plain server that also parses,
//! encodes and answers as the protocol demands shows what is attainable.

mod client;
mod cluster;
mod durable;
mod envelope;
mod fan_out;
mod flow;
mod idle;
mod matching;
mod process;
mod raw_server;
mod secure;
mod store;
mod table;
mod timed;

use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::run;
use table::Table;

#[derive(Args)]
pub(crate) struct Options {
    /// What to measure; without it, what a node costs next to a plain websocket server
    subject: Option<Subject>,
    /// One short round of everything, for a first impression
    #[arg(long)]
    quick: bool,
    /// Fail when a budget is missed
    #[arg(long)]
    check: bool,
    /// Only the scenarios whose name contains this text
    #[arg(long)]
    only: Option<String>,
    /// Set when this is already the release build
    #[arg(long, hide = true)]
    built: bool,
}

/// What else can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// Reading and writing documents, per store
    Store,
    /// Events between nodes: how many, how quickly, and what failing links do
    Cluster,
    /// What logins and permissions cost next to an open node
    Secure,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Cluster => "cluster",
            Self::Secure => "secure",
        }
    }
}

/// The server under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerKind {
    /// A `cluster-node` of its own, with its SQLite file.
    Happn,
    /// The same with a user who may do what is measured, and nothing else.
    Secure,
    /// A plain websocket fan-out.
    Raw,
}

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
struct Plan {
    warm_up: Duration,
    measured: Duration,
    rounds: u32,
    idle_connections: usize,
}

/// A run that hangs must end too.
const RUN_MAX: Duration = Duration::from_secs(300);

/// The same for the stores, one of which may be slow to fill.
const STORE_RUN_MAX: Duration = Duration::from_secs(900);

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    if !options.built {
        return run_release(options);
    }
    let plan = match options.quick {
        true => Plan {
            warm_up: Duration::from_millis(200),
            measured: Duration::from_millis(800),
            rounds: 1,
            idle_connections: 1000,
        },
        false => Plan {
            warm_up: Duration::from_millis(300),
            measured: Duration::from_millis(2000),
            rounds: 3,
            idle_connections: 2000,
        },
    };
    let wanted = |name: &str| {
        let only = options.only.as_deref().unwrap_or_default();
        name.contains(only)
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let table = runtime
        .block_on(async {
            match options.subject {
                None => tokio::time::timeout(RUN_MAX, measure(plan, wanted)).await,
                Some(Subject::Store) => {
                    tokio::time::timeout(STORE_RUN_MAX, measure_stores(plan, wanted)).await
                }
                Some(Subject::Cluster) => {
                    tokio::time::timeout(RUN_MAX, measure_cluster(plan, wanted)).await
                }
                Some(Subject::Secure) => {
                    tokio::time::timeout(RUN_MAX, measure_secure(plan, wanted)).await
                }
            }
        })
        .context("the benchmark hangs")??;
    runtime.shutdown_background();
    table.print();
    let missed = table.missed();
    if options.check && missed > 0 {
        bail!("{missed} budgets are missed");
    }
    Ok(())
}

/// Runs the plain server until its standard input closes.
pub(crate) fn serve() -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(raw_server::run())
}

async fn measure(plan: Plan, wanted: impl Fn(&str) -> bool) -> anyhow::Result<Table> {
    let mut table = Table::default();
    fan_out::measure(plan, &wanted, &mut table).await?;
    if wanted("durable sets") {
        durable::measure(plan, &mut table).await?;
    }
    if wanted("matching") {
        matching::measure(plan, &mut table).await?;
    }
    if wanted("idle") {
        idle::measure(plan, &mut table).await?;
    }
    Ok(table)
}

async fn measure_stores(plan: Plan, wanted: impl Fn(&str) -> bool) -> anyhow::Result<Table> {
    let mut table = Table::default();
    store::measure(Plan { rounds: 1, ..plan }, &wanted, &mut table).await?;
    Ok(table)
}

async fn measure_cluster(plan: Plan, wanted: impl Fn(&str) -> bool) -> anyhow::Result<Table> {
    let mut table = Table::default();
    cluster::measure(plan, &wanted, &mut table).await?;
    Ok(table)
}

async fn measure_secure(plan: Plan, wanted: impl Fn(&str) -> bool) -> anyhow::Result<Table> {
    let mut table = Table::default();
    secure::measure(plan, &wanted, &mut table).await?;
    Ok(table)
}

/// Builds with optimisations and goes on in that build, with as many file handles as allowed.
fn run_release(options: &Options) -> anyhow::Result<()> {
    run::succeed(run::cargo(&[
        "build",
        "--release",
        "--package",
        "xtask",
        "--package",
        "cluster-node",
    ]))?;
    if options.subject == Some(Subject::Secure) {
        let example = [
            "--package",
            "happn-security",
            "--example",
            "changing_rights",
        ];
        let build = ["build", "--release"].into_iter().chain(example);
        run::succeed(run::cargo(&build.collect::<Vec<_>>()))?;
    }
    let program = run::target_directory().join("release/xtask");
    let raise_limit = r#"ulimit -n "$(ulimit -H -n)"; exec "$@""#;
    let mut command = run::program("sh", &["-c", raise_limit, "bench"]);
    command.arg(program).args(["bench", "--built"]);
    if let Some(subject) = options.subject {
        command.arg(subject.name());
    }
    for (set, flag) in [(options.quick, "--quick"), (options.check, "--check")] {
        if set {
            command.arg(flag);
        }
    }
    if let Some(only) = &options.only {
        command.args(["--only", only]);
    }
    let status = command.status().context("cannot run the release build")?;
    if !status.success() {
        bail!("the benchmark failed: {status}");
    }
    Ok(())
}
