use happn_paths::{Action, Path, PathError, validate};
use serde_json::Value;

use crate::load;

#[test]
fn checkpath() {
    let cases: Vec<Value> = load::cases("checkpath");
    for case in &cases {
        let found = check(case.get("path"), case["action"].as_str());
        let found = found.map_or_else(|error| Value::from(error.to_string()), |()| Value::Null);
        assert_eq!(found, case["error"], "{case}");
    }
    load::report("checkpath", cases.len(), 0);
}

fn check(path: Option<&Value>, action: Option<&str>) -> Result<(), PathError> {
    let Some(Value::String(text)) = path else {
        return Err(PathError::NotAString {
            text: printed(path),
        });
    };
    match action {
        Some("set") => Path::for_set(text).map(|path| assert_eq!(path.as_str(), text)),
        Some("remove") => Path::for_remove(text).map(|path| assert_eq!(path.to_string(), *text)),
        Some("get") => validate(text, Action::Get),
        Some("on") | None => validate(text, Action::On),
        Some(other) => panic!("unknown action {other}"),
    }
}

/// What a decoder would hand over: the value the way JavaScript prints it.
fn printed(value: Option<&Value>) -> String {
    match value {
        None => "undefined".to_owned(),
        Some(Value::Object(_)) => "[object Object]".to_owned(),
        Some(Value::Array(items)) => {
            let items: Vec<_> = items.iter().map(|item| item.as_str().unwrap()).collect();
            items.join(",")
        }
        Some(plain) => plain.to_string(),
    }
}
