//! The cases of a file, as they were recorded.

use std::path::PathBuf;

use serde_json::Value;

/// One case.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    /// Only for a secure server.
    pub secure: bool,
    /// What a second client subscribes to first.
    pub subscribe: Vec<Value>,
    /// Run before, fixtures expanded.
    pub setup: Vec<Value>,
    /// What is under test.
    pub op: Value,
    /// The frame that was sent for `op`; none when the JavaScript client refused by itself.
    pub request: Option<Value>,
    /// What was answered; none when the reference did not survive the request.
    pub response: Option<Value>,
    /// What the second client got.
    pub events: Vec<Value>,
    /// The error the call was rejected with.
    pub error: Option<Value>,
}

/// Reads `tests/vectors/data/<name>.json`.
pub fn document(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors/data")
        .join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Reads the cases of a file.
pub fn read(file: &str) -> Vec<Case> {
    let fixtures = document("fixtures");
    list(&document(file)["cases"])
        .iter()
        .map(|case| parse(case, &fixtures))
        .collect()
}

fn parse(case: &Value, fixtures: &Value) -> Case {
    let expand = |op: &Value| match op["fixture"].as_str() {
        Some(name) => list(&fixtures[name]),
        None => vec![op.clone()],
    };
    Case {
        name: case["name"].as_str().unwrap().to_owned(),
        secure: case["secure"] == true,
        subscribe: list(&case["subscribe"]),
        setup: list(&case["setup"]).iter().flat_map(expand).collect(),
        op: case["op"].clone(),
        request: case["wire"].get("request").cloned(),
        response: case["wire"].get("response").cloned(),
        events: list(&case["expect"]["events"]),
        error: case["expect"].get("error").cloned(),
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}
