//! `cargo xtask tidy`: the house rules that no other tool knows.

mod dependencies;
mod sources;

use anyhow::bail;

pub(crate) fn run() -> anyhow::Result<()> {
    let mut complaints = dependencies::check()?;
    complaints.extend(sources::check()?);
    for complaint in &complaints {
        eprintln!("tidy: {complaint}");
    }
    if !complaints.is_empty() {
        bail!("{} complaints of tidy", complaints.len());
    }
    println!("tidy: fine");
    Ok(())
}
