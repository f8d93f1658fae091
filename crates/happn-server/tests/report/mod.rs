//! How a recording fared.

use std::fs::OpenOptions;
use std::io::Write;

/// Prints `line`. Tests are silent when they pass, so `HAPPN_RECORDINGS` may name a file that
/// gathers these lines.
pub fn report(line: &str) {
    println!("{line}");
    if let Some(file) = std::env::var_os("HAPPN_RECORDINGS") {
        let file = OpenOptions::new().append(true).create(true).open(file);
        // One write, so that lines of tests beside each other stay whole.
        file.unwrap()
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }
}
