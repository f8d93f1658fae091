//! Reading vector files and reporting on them.

use happn_paths::{ActionFilter, Depth, EventKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// All cases of `tests/vectors/paths/<name>.json` at the root of the repository.
pub(crate) fn cases<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = format!(
        "{}/../../tests/vectors/paths/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Prints the tally of a file. Cases that fail have panicked before.
pub(crate) fn report(name: &str, cases: usize, deviations: usize) {
    let passed = cases - deviations;
    println!("{name}: {cases} cases, {passed} passed, {deviations} documented deviations");
}

pub(crate) fn action(text: &str) -> ActionFilter {
    let action = ActionFilter::parse(text);
    assert_ne!(
        action,
        ActionFilter::Never,
        "the files name known actions only"
    );
    action
}

pub(crate) fn event(text: &str) -> EventKind {
    match text {
        "set" => EventKind::Set,
        "remove" => EventKind::Remove,
        other => panic!("unknown event {other}"),
    }
}

/// `options.depth` as a server reads it: integers count, all else is the default.
pub(crate) fn depth(value: Option<&Value>) -> Depth {
    value
        .and_then(Value::as_i64)
        .map_or(Depth::DEFAULT, Depth::from_integer)
}
