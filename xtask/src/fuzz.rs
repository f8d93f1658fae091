//! `cargo xtask fuzz`: libFuzzer on everything that reads what strangers send.

use anyhow::bail;
use clap::Args;

use crate::run;

#[derive(Args)]
pub(crate) struct Options {
    /// Only this one; see the folder `fuzz/fuzz_targets`
    #[arg(long)]
    target: Option<String>,
    /// How long to fuzz each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let known = targets()?;
    let wanted = match &options.target {
        None => known,
        Some(name) if known.contains(name) => vec![name.clone()],
        Some(name) => bail!("no target {name}; there are {}", known.join(", ")),
    };
    check_tools()?;
    for target in wanted {
        fuzz(&target, options.seconds)?;
    }
    Ok(())
}

fn targets() -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(run::root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        names.extend(
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    Ok(names)
}

/// Both are too much to ask for from everybody who runs the tests, which try the same functions.
fn check_tools() -> anyhow::Result<()> {
    let nightly = run::program("rustup", &["run", "nightly", "rustc", "--version"]);
    let missing = [
        (nightly, "nightly Rust", "rustup toolchain install nightly"),
        (
            run::cargo(&["fuzz", "--version"]),
            "cargo-fuzz",
            "cargo install cargo-fuzz --locked",
        ),
    ];
    for (command, what, install) in missing {
        if run::output(command).is_err() {
            bail!(
                "{what} is missing; install it with `{install}`. \
                 `cargo test -p hostile-input` tries the same functions without it"
            );
        }
    }
    Ok(())
}

fn fuzz(target: &str, seconds: u32) -> anyhow::Result<()> {
    let (corpus, seeds) = (
        format!("fuzz/corpus/{target}"),
        format!("fuzz/seeds/{target}"),
    );
    std::fs::create_dir_all(run::root().join(&corpus))?;
    let limit = format!("-max_total_time={seconds}");
    run::succeed(run::program(
        "cargo",
        &[
            "+nightly",
            "fuzz",
            "run",
            target,
            &corpus,
            &seeds,
            "--",
            &limit,
            "-timeout=10",
        ],
    ))
}
