//! `cargo xtask examples`: every example of every crate runs, ends by itself and succeeds.

use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::run;

/// What an example may take, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// Between two looks at an example that runs.
const PAUSE: Duration = Duration::from_millis(20);

pub(crate) fn run() -> anyhow::Result<()> {
    run::succeed(run::cargo(&["build", "--workspace", "--examples"]))?;
    let names = names()?;
    for name in &names {
        let took = run_one(name).with_context(|| format!("example {name}"))?;
        println!("  {name:<16} {:>6.1} s", took.as_secs_f64());
    }
    println!("{} examples ran", names.len());
    Ok(())
}

/// The examples of all crates, as cargo knows them. Their names are unique.
fn names() -> anyhow::Result<Vec<String>> {
    let metadata = run::cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&run::output(metadata)?)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let targets = packages
        .iter()
        .filter_map(|package| package["targets"].as_array());
    let examples = targets
        .flatten()
        .filter(|target| target["kind"][0] == "example");
    Ok(examples
        .filter_map(|target| target["name"].as_str())
        .map(str::to_owned)
        .collect())
}

fn run_one(name: &str) -> anyhow::Result<Duration> {
    let program: PathBuf = run::target_directory().join("debug/examples").join(name);
    let program = program.display().to_string();
    let start = now();
    let mut example = run::program(&program, &[])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let status = ended(&mut example, start)?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(start.elapsed())
}

fn ended(example: &mut Child, start: Instant) -> anyhow::Result<ExitStatus> {
    loop {
        if let Some(status) = example.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > DEADLINE {
            example.kill()?;
            example.wait()?;
            bail!("did not end within {DEADLINE:?}");
        }
        #[allow(clippy::disallowed_methods, reason = "a task may wait for a process")]
        sleep(PAUSE);
    }
}

#[allow(clippy::disallowed_methods, reason = "a task measures real time")]
fn now() -> Instant {
    Instant::now()
}
