//! What is in the collection after each operation of a client, next to what the JavaScript server
//! left there; and how items that other programs stored are read.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests stop at what fails, as tests do, and say what they leave out"
)]

mod support;

use std::sync::Arc;

use bson::doc;
use futures_util::TryStreamExt;
use happn_core::DataStore;
use serde_json::{Value, json};
use support::client::Client;
use support::{Place, vectors};

/// Cases that need what only a client within the JavaScript process has: dates, buffers and
/// numbers that JSON does not know.
const IN_PROCESS: &str = "in-process";

#[tokio::test]
async fn items_are_stored_as_the_javascript_server_stores_them() {
    let Some(place) = Place::new() else { return };
    let store = Arc::new(place.store().await);
    let collection = place.raw().await;
    let file = vectors::read("mongo-documents");
    let mut client = Client::new(store.clone());
    client.configure().await;
    let (mut passed, mut left_out, mut failures) = (0, 0, Vec::new());
    for case in vectors::cases(&file) {
        if case["client"] == IN_PROCESS {
            left_out += 1;
            continue;
        }
        collection.delete_many(user_items()).await.unwrap();
        for (at, op) in case["ops"].as_array().unwrap().iter().enumerate() {
            client.at(time_of(at + 1));
            let author = case["client"].as_str().unwrap().strip_prefix("websocket, ");
            client.call(request(op, author)).await;
        }
        let found = collection.find(user_items()).await.unwrap();
        let found: Vec<bson::Document> = found.try_collect().await.unwrap();
        let found: Vec<Value> = found.into_iter().map(vectors::canonical).collect();
        let expected = concrete(&case["documents"]);
        match printed(&expected) == printed(&json!(found)) {
            true => passed += 1,
            false => failures.push(format!(
                "{}:\n  theirs {expected}\n  ours   {}",
                case["name"],
                json!(found)
            )),
        }
    }
    store.close().await;
    println!("data/mongo-documents: {passed} passed / {left_out} left out (in-process JavaScript)");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn the_collection_has_the_indexes_of_the_javascript_server() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let indexes = place.raw().await.list_indexes().await.unwrap();
    let indexes: Vec<mongodb::IndexModel> = indexes.try_collect().await.unwrap();
    let found: Vec<_> = indexes
        .iter()
        .map(|index| {
            let options = index.options.as_ref().unwrap();
            (
                index.keys.clone(),
                options.name.clone().unwrap(),
                options.unique,
            )
        })
        .collect();
    let expected = [
        (doc! {"_id": 1}, "_id_".to_owned(), None),
        (doc! {"path": 1}, "path_1".to_owned(), Some(true)),
    ];
    assert_eq!(found, expected);

    let record = doc! {"path": "/_SYSTEM/INDEXES/happn_path_index"};
    let record = place.raw().await.find_one(record).await.unwrap().unwrap();
    let data = vectors::canonical(record.get_document("data").unwrap().clone());
    assert_eq!(
        data.to_string(),
        r#"{"fields":{"path":{"$numberInt":"1"}},"options":{"unique":true,"w":{"$numberInt":"1"}}}"#
    );
    assert!(record.get_f64("created").is_ok() && record.get_f64("modified").is_ok());
    store.close().await;
}

/// What a client sees of a foreign item, where ours is known to differ: theirs, ours, why.
const FOREIGN: &[(&str, &str, &str, &str)] = &[
    (
        "/fd/date-times",
        r#""created":"2023-11-14T22:13:20.000Z","modified":"2023-11-14T22:13:20.000Z""#,
        r#""created":1700000000000,"modified":1700000000000"#,
        "times are numbers, whatever type they are stored as",
    ),
    (
        "/fd/no-data",
        r#","protocol":"happn_4"}"#,
        "}",
        "an item without data is an empty item, not the frame itself",
    ),
    (
        "/fd/array-data",
        r#"{"result":[[1,2]]}"#,
        r#"{"result":[{"_meta":{"path":"/fd/array-data","created":1700000000000,"modified":1700000000000}}]}"#,
        "every item of a list has its `_meta`",
    ),
    (
        "/fd/scalar-data",
        r#"{"server_crashes":"Cannot create property '_meta' on number '5'"}"#,
        r#"{"result":[{"_meta":{"path":"/fd/scalar-data","created":1700000000000,"modified":1700000000000}}]}"#,
        "data without members is an empty item",
    ),
];

#[tokio::test]
async fn items_of_other_programs_are_read_as_the_javascript_server_reads_them() {
    let Some(place) = Place::new() else { return };
    let store = Arc::new(place.store().await);
    let collection = place.raw().await;
    let mut client = Client::new(store.clone());
    client.configure().await;
    let (mut passed, mut deviations, mut failures) = (0, 0, Vec::new());
    for case in vectors::cases(&vectors::read("foreign-documents")) {
        let document = bson::Bson::try_from(case["document"].clone()).unwrap();
        let document = document.as_document().unwrap();
        let path = document.get_str("path").unwrap();
        collection.insert_one(document).await.unwrap();
        for (request, recorded) in [(path, "get_exact"), ("/fd/*", "get_wildcard")] {
            let frame = json!({"action": "get", "path": request, "data": null});
            let answer = seen_by_a_client(client.call(frame).await).to_string();
            let mut expected = case[recorded].clone();
            if let Some(meta) = expected.get_mut("_meta") {
                *meta = without_session(meta.take());
            }
            let mut expected = expected.to_string();
            let known = FOREIGN.iter().find(|known| known.0 == path);
            if let Some((_, theirs, ours, _)) = known.filter(|known| expected.contains(known.1)) {
                expected = expected.replace(theirs, ours);
                deviations += 1;
            }
            match answer == expected {
                true => passed += 1,
                false => failures.push(format!(
                    "{path} {recorded}:\n  theirs {expected}\n  ours   {answer}"
                )),
            }
        }
        collection.delete_many(doc! {"path": path}).await.unwrap();
    }
    store.close().await;
    println!("data/foreign-documents: {passed} passed, {deviations} of them documented deviations");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn user_items() -> bson::Document {
    doc! {"path": {"$not": {"$regex": "^/_SYSTEM/"}}}
}

/// The frame that the JavaScript client sends.
fn request(op: &Value, author: Option<&str>) -> Value {
    let argument = |at: usize| javascript(&op["args"][at]);
    let path = op["args"][0].clone();
    let mut frame = match op["do"].as_str().unwrap() {
        "remove" => json!({"action": "remove", "path": path, "data": null}),
        "increment" => json!({
            "action": "set", "path": path, "data": op["args"][1],
            "options": {"increment": op["args"][2]},
        }),
        _ => json!({"action": "set", "path": path}),
    };
    if op["do"] == "set" {
        if let Some(data) = argument(1) {
            frame["data"] = data;
        }
        frame["options"] = argument(2).unwrap_or(json!({}));
    }
    // What the server itself adds for a session that has logged in.
    if let (Some(author), true) = (author, op["do"] != "increment") {
        frame["options"]["modifiedBy"] = json!(author);
    }
    frame
}

/// What `JSON.stringify` makes of a JavaScript value.
fn javascript(value: &Value) -> Option<Value> {
    match value {
        Value::Object(members) => match members.get("$js").and_then(Value::as_str) {
            Some("-0") => Some(json!(0)),
            Some("undefined") => None,
            Some("NaN" | "Infinity") => Some(Value::Null),
            Some(date) => {
                let text = date
                    .strip_prefix("Date(")
                    .and_then(|date| date.strip_suffix(')'));
                Some(json!(text.unwrap()))
            }
            None => {
                let members = members.iter();
                let members =
                    members.filter_map(|(key, value)| Some((key.clone(), javascript(value)?)));
                Some(Value::Object(members.collect()))
            }
        },
        other => Some(other.clone()),
    }
}

fn time_of(op: usize) -> i64 {
    1_795_444_427_000 + 10 * op as i64
}

/// The recording with our times in the place of its tokens.
fn concrete(value: &Value) -> Value {
    let mut text = value.to_string();
    for op in 1..=9 {
        text = text.replace(&format!("<T{op}>"), &format!("{}.0", time_of(op)));
    }
    serde_json::from_str(&text).unwrap()
}

/// Items with their fields by name, but the members of their data in order; numbers by value.
fn printed(items: &Value) -> Vec<String> {
    let field = |(name, value): (&String, &Value)| format!("{name}: {}", numbers(value));
    let item = |item: &Value| {
        let mut fields: Vec<String> = item.as_object().unwrap().iter().map(field).collect();
        fields.sort();
        fields.join(", ")
    };
    items.as_array().unwrap().iter().map(item).collect()
}

/// Doubles may be spelled in several ways.
fn numbers(value: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get("$numberDouble").and_then(Value::as_str) {
            Some(text) => json!({"$numberDouble": format!("{:?}", text.parse::<f64>().unwrap())}),
            None => {
                let members = members.iter();
                Value::Object(
                    members
                        .map(|(key, value)| (key.clone(), numbers(value)))
                        .collect(),
                )
            }
        },
        Value::Array(items) => items.iter().map(numbers).collect(),
        other => other.clone(),
    }
}

/// What says who asked is nothing that an item has.
fn without_session(mut meta: Value) -> Value {
    if let Some(meta) = meta.as_object_mut() {
        meta.shift_remove("eventId");
        meta.shift_remove("sessionId");
    }
    meta
}

/// What the JavaScript client's call resolves with.
fn seen_by_a_client(frame: Value) -> Value {
    match frame {
        Value::Array(mut items) => {
            items.pop();
            let is_system = |item: &Value| {
                let path = item["_meta"]["path"].as_str();
                path.is_some_and(|path| path.starts_with("/_SYSTEM/"))
            };
            items.retain(|item| !is_system(item));
            json!({"result": items})
        }
        frame => {
            let meta = without_session(frame["_meta"].clone());
            match frame.get("data") {
                Some(Value::Object(members)) => {
                    let mut seen = members.clone();
                    seen.insert("_meta".to_owned(), meta);
                    Value::Object(seen)
                }
                Some(other) => other.clone(),
                None => json!({"_meta": meta, "protocol": frame["protocol"]}),
            }
        }
    }
}
