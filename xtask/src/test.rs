//! `cargo xtask test`: every test there is, from fast to real.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;

use crate::mongo::{self, Mongo};
use crate::{cluster, counts, examples, run};

/// The oldest Node whose test runner the interop tests use.
const NODE_MAJOR_MIN: u32 = 20;

/// What Chromium is called, as in `interop/browser/chromium.js`.
const CHROMIUM_NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

#[derive(Args)]
pub(crate) struct Options {
    /// Leave out what needs Node and npm, and say so
    #[arg(long)]
    without_node: bool,
}

/// One part of the run and how long it took.
struct Part {
    name: &'static str,
    took: Duration,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut parts = Vec::new();
    if !options.without_node {
        check_node()?;
        part(&mut parts, "npm packages", npm_packages)?;
    }
    part(&mut parts, "build", build)?;
    let mut database = None;
    part(&mut parts, "MongoDB", || {
        database = Some(Mongo::start()?);
        Ok(())
    })?;
    // Every test from here on finds it there; the server ends with this function.
    let url = database.as_ref().map(Mongo::url).unwrap_or_default();
    part(&mut parts, "workspace tests", || {
        workspace_tests(options, database.as_ref())
    })?;
    part(&mut parts, "recorded cases", || counts::print(url))?;
    part(&mut parts, "examples", examples::run)?;
    part(&mut parts, "test-cluster", test_cluster)?;
    if options.without_node {
        eprintln!("LEFT OUT: the interop tests (--without-node)");
    } else {
        part(&mut parts, "interop tests", || interop("test", url))?;
        part(&mut parts, "browser client", || {
            interop("test:browser-client", url)?;
            interop("oracle:browser-client", url)
        })?;
        if chromium_is_here()? {
            part(&mut parts, "chromium", || interop("test:chromium", url))?;
        }
    }
    println!("\nall tests passed");
    for Part { name, took } in parts {
        println!("  {name:<16} {:>6.1} s", took.as_secs_f64());
    }
    Ok(())
}

fn part(
    parts: &mut Vec<Part>,
    name: &'static str,
    work: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let start = now();
    work().with_context(|| format!("in {name}"))?;
    parts.push(Part {
        name,
        took: start.elapsed(),
    });
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "a task measures real time")]
fn now() -> Instant {
    Instant::now()
}

fn check_node() -> anyhow::Result<()> {
    let hint = "install Node 20 or newer (with npm), or pass --without-node";
    let version = run::output(run::program("node", &["--version"])).context(hint)?;
    run::output(run::program("npm", &["--version"])).context(hint)?;
    let major = version.trim().trim_start_matches('v').split('.').next();
    let major = major.and_then(|text| text.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR_MIN) {
        bail!("node is {}; {hint}", version.trim());
    }
    Ok(())
}

/// Installs what `interop/package-lock.json` pins, unless that is already there.
fn npm_packages() -> anyhow::Result<()> {
    let interop = run::root().join("interop");
    let wanted = std::fs::read(interop.join("package-lock.json"))?;
    let stamp = interop.join("node_modules/.installed-lock");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let mut command = run::program("npm", &["ci"]);
    command.current_dir(&interop);
    run::succeed(command)?;
    std::fs::write(stamp, wanted).context("cannot note what was installed")
}

fn build() -> anyhow::Result<()> {
    run::succeed(run::cargo(&[
        "build",
        "--workspace",
        "--bin",
        "cluster-node",
    ]))
}

fn workspace_tests(options: &Options, database: Option<&Mongo>) -> anyhow::Result<()> {
    let mut command = run::cargo(&["test", "--workspace"]);
    if let Some(database) = database {
        database.announce(&mut command);
    }
    if !options.without_node {
        // The packages are installed, so a test that finds them missing must not pass.
        command.env("CI", "true");
    }
    run::succeed(command)
}

/// A laptop may lack the browser, and hears about it; a CI machine may not.
fn chromium_is_here() -> anyhow::Result<bool> {
    let named = std::env::var("HAPPN_CHROMIUM").ok();
    let candidates = named.map_or_else(|| CHROMIUM_NAMES.map(str::to_owned).into(), |it| vec![it]);
    let answers = |name: &String| run::output(run::program(name, &["--version"])).is_ok();
    if candidates.iter().any(answers) {
        return Ok(true);
    }
    let tried = candidates.join(", ");
    if std::env::var_os("CI").is_some_and(|it| it == "true") {
        bail!("no Chromium (tried {tried}): install it, or name it in HAPPN_CHROMIUM");
    }
    eprintln!("LEFT OUT: the tests in a real browser; no Chromium (tried {tried})");
    Ok(false)
}

/// Runs a script of `interop/package.json` against the node that was built.
fn interop(script: &str, mongo_url: &str) -> anyhow::Result<()> {
    let mut command = run::program("npm", &["run", script]);
    let node = run::target_directory().join("debug/cluster-node");
    command
        .current_dir(run::root().join("interop"))
        .env("HAPPN_NODE_BIN", node)
        .env(mongo::URL, mongo_url);
    run::succeed(command)
}

fn test_cluster() -> anyhow::Result<()> {
    use cluster::Scenario::{Partition, Story};

    for (secure, scenarios) in [(false, vec![Story, Partition]), (true, vec![Story])] {
        cluster::run(&cluster::Options {
            nodes: 3,
            scenarios,
            keep: false,
            secure,
            release: false,
        })?;
    }
    Ok(())
}
