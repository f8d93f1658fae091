//! The recordings of the JavaScript references, for tests.

use serde_json::Value;

/// One file of `tests/vectors/security`.
pub(crate) fn file(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/security");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// One list of it, which must not be empty.
pub(crate) fn list(name: &str, member: &str) -> Vec<Value> {
    let list = file(name)[member].as_array().unwrap().clone();
    assert!(!list.is_empty(), "{member} of {name}.json is empty");
    list
}
