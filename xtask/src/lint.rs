//! `cargo xtask lint`: everything that is checked without running a test.

use anyhow::bail;

use crate::{run, tidy};

pub(crate) fn run() -> anyhow::Result<()> {
    run::succeed(run::cargo(&["fmt", "--all", "--check"]))?;
    tidy::run()?;
    deny()?;
    run::succeed(run::cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    let mut doc = run::cargo(&["doc", "--workspace", "--no-deps"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    run::succeed(doc)
}

fn deny() -> anyhow::Result<()> {
    if run::output(run::cargo(&["deny", "--version"])).is_err() {
        bail!("cargo-deny is missing; install it with `cargo install cargo-deny --locked`");
    }
    // The fuzzer is a workspace of its own.
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        run::succeed(run::cargo(&[
            "deny",
            "--log-level",
            "error",
            "--manifest-path",
            manifest,
            "--config",
            "deny.toml",
            "check",
            "bans",
            "licenses",
            "sources",
        ]))?;
    }
    Ok(())
}
