//! Rules against recorded decisions of the JavaScript server, and against an obvious matcher.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a malformed vector fails the test"
)]

mod authorize;
mod model;
mod nested;
mod permissions;
mod properties;
mod tally;
mod templates;

use std::fs;

use serde_json::Value;

/// The JSON of `tests/vectors/<name>` at the root of the repository.
fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}
