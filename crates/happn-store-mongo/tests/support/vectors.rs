//! The recorded vectors.

use std::path::PathBuf;

use bson::{Bson, Document};
use serde_json::Value;

/// Reads `tests/vectors/data/<name>.json`.
pub fn read(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors/data")
        .join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The cases of a file.
pub fn cases(file: &Value) -> &[Value] {
    file["cases"].as_array().unwrap()
}

/// A document as the recording writes it: canonical extended JSON with the database's own ids left
/// out.
pub fn canonical(document: Document) -> Value {
    let mut value = Bson::Document(document).into_canonical_extjson();
    if let Some(id) = value.get_mut("_id").and_then(|id| id.get_mut("$oid")) {
        *id = "<oid>".into();
    }
    value
}
