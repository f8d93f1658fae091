//! What the JavaScript client sends for each call.

use serde_json::{Map, Value, json};

/// The client's call timeout, which it adds to every options object, in ms.
pub const CALL_TIMEOUT_MS: u64 = 60_000;

/// The frame of a call, without `eventId` and `sessionId`. None for a pause.
pub fn frame(op: &Value) -> Option<Value> {
    let path = &op["path"];
    let options = op["options"].as_object().cloned().unwrap_or_default();
    Some(match op["do"].as_str().unwrap() {
        "wait" => return None,
        "request" => as_it_is(op),
        "get" | "count" | "remove" => call(&op["do"], path, Some(Value::Null), options),
        "getPaths" => {
            let options = object(json!({"options": {"path_only": true}}));
            call(&json!("get"), path, Some(Value::Null), options)
        }
        "getCreatedBetween" => {
            let bounds = [("$gte", &op["from"]), ("$lte", &op["to"])];
            let bounds = bounds.map(|(operator, at)| json!({"_meta.created": {operator: at}}));
            let options = object(json!({"criteria": {"$and": bounds}}));
            call(&json!("get"), path, Some(Value::Null), options)
        }
        "set" => set(op, options, &[]),
        "publish" => set(op, options, &["noStore", "noDataResponse"]),
        "increment" => increment(path, &op["args"]),
        "on" => subscription(path, options),
        other => panic!("{other} is no call of the client"),
    })
}

/// A subscription; the event type is `all` unless the options say otherwise.
pub fn subscription(path: &Value, mut options: Map<String, Value>) -> Value {
    let kind = options
        .entry("event_type")
        .or_insert(json!("all"))
        .as_str()
        .unwrap()
        .to_uppercase();
    options.insert("count".to_owned(), json!(0));
    let channel = json!(format!("/{kind}@{}", path.as_str().unwrap()));
    call(&json!("on"), &channel, Some(Value::Null), options)
}

fn set(op: &Value, mut options: Map<String, Value>, flags: &[&str]) -> Value {
    let data = (op["data_undefined"] != true).then(|| op["data"].clone());
    let null = (data == Some(Value::Null)).then_some("nullValue");
    for flag in null.iter().chain(flags) {
        options.insert((*flag).to_owned(), json!(true));
    }
    call(&json!("set"), &op["path"], data, options)
}

fn increment(path: &Value, arguments: &Value) -> Value {
    let (gauge, by, options) = match arguments.as_array().map(Vec::as_slice).unwrap_or_default() {
        [] => (json!("counter"), json!(1), json!({})),
        [by] => (json!("counter"), by.clone(), json!({})),
        [gauge, by] => (gauge.clone(), by.clone(), json!({})),
        [gauge, by, options, ..] => (gauge.clone(), by.clone(), options.clone()),
    };
    let mut options = object(options);
    options.insert("increment".to_owned(), by);
    call(&json!("set"), path, Some(gauge), options)
}

fn as_it_is(op: &Value) -> Value {
    let mut frame = Map::new();
    for member in ["action", "path"] {
        if let Some(value) = op.get(member) {
            frame.insert(member.to_owned(), value.clone());
        }
    }
    frame.insert("data".to_owned(), op["data"].clone());
    if let Some(options) = op.get("options") {
        let mut options = object(options.clone());
        options.insert("timeout".to_owned(), json!(CALL_TIMEOUT_MS));
        frame.insert("options".to_owned(), options.into());
    }
    frame.into()
}

fn call(
    action: &Value,
    path: &Value,
    data: Option<Value>,
    mut options: Map<String, Value>,
) -> Value {
    options.insert("timeout".to_owned(), json!(CALL_TIMEOUT_MS));
    let mut frame = object(json!({"action": action, "path": path}));
    if let Some(data) = data {
        frame.insert("data".to_owned(), data);
    }
    frame.insert("options".to_owned(), options.into());
    frame.into()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}
