//! How many recorded cases ran, passed and deviate, per file and store.

use crate::{mongo, run};

/// Tests that replay recordings and print one line per file.
const REPLAYS: [&str; 4] = ["wire_replay", "http_replay", "data_replay", "vectors"];

/// What those lines have in common.
const MARK: &str = "documented deviations";

/// Runs the replays again, for their lines only: a test that passes prints nothing otherwise.
pub(crate) fn print(mongo_url: &str) -> anyhow::Result<()> {
    // The whole workspace, or the dependencies would be built again with other features.
    let mut command = run::cargo(&["test", "--quiet", "--workspace"]);
    for test in REPLAYS {
        command.args(["--test", test]);
    }
    // Large values have no counts and take their time.
    command.args(["--", "--nocapture", "--skip", "values_come_back"]);
    command.env(mongo::URL, mongo_url);
    let printed = run::output(command)?;
    // The test runner's own dots may stand before them.
    let marked = printed.lines().filter(|line| line.contains(MARK));
    let mut lines: Vec<_> = marked
        .map(|line| line.trim_start_matches('.').trim())
        .collect();
    lines.sort_unstable();
    println!("\nrecorded cases");
    for line in lines {
        println!("  {line}");
    }
    Ok(())
}
