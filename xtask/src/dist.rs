//! `cargo xtask dist`: the release archive and its checksum.

use std::fs;

use anyhow::Context;

use crate::run;

pub(crate) fn run() -> anyhow::Result<()> {
    run::succeed(run::cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "cluster-node",
    ]))?;
    let name = format!("happn-cluster-{}-{}", env!("CARGO_PKG_VERSION"), host()?);
    let dist = run::target_directory().join("dist");
    let folder = dist.join(&name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let binary = run::target_directory().join("release/cluster-node");
    for from in [
        binary,
        run::root().join("README.md"),
        run::root().join("LICENSE"),
    ] {
        let to = folder.join(from.file_name().context("a file without a name")?);
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let archive = format!("{name}.tar.gz");
    let mut tar = run::program("tar", &["-czf", &archive, &name]);
    tar.current_dir(&dist);
    run::succeed(tar)?;
    let checksum = checksum(&dist, &archive)?;
    fs::write(dist.join(format!("{archive}.sha256")), &checksum)?;
    println!("{}\n{}", dist.join(&archive).display(), checksum.trim_end());
    Ok(())
}

/// The triple this machine builds for, as rustc calls it.
fn host() -> anyhow::Result<String> {
    let text = run::output(run::program("rustc", &["-vV"]))?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("rustc names no host")?.to_owned())
}

/// Linux has `sha256sum`, macOS has `shasum`; both print the same line.
fn checksum(dist: &std::path::Path, archive: &str) -> anyhow::Result<String> {
    let mut linux = run::program("sha256sum", &[archive]);
    linux.current_dir(dist);
    run::output(linux).or_else(|_| {
        let mut mac = run::program("shasum", &["-a", "256", archive]);
        mac.current_dir(dist);
        run::output(mac)
    })
}
