//! The commands that reach the database, next to those of the JavaScript provider.

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

use happn_core::DataStore;
use happn_store_mongo::MongoSettings;
use serde_json::{Value, json};
use support::client::Client;
use support::relay::Relay;
use support::{Place, vectors};

/// Commands that differ on purpose: the operation, ours, why.
const DIFFER: &[(&str, &str, &str)] = &[
    (
        r#"{"do":"set","args":["/t/a",{"y":1},{"merge":true}]}"#,
        r#"[{"findAndModify":"happn","query":{"path":"/t/a"},"update":[{"$set":{
            "path":{"$literal":"/t/a"},
            "created":{"$cond":[{"$eq":[{"$type":"$_id"},"missing"]},1700000000000.0,"$created"]},
            "data":{"$mergeObjects":["$data",{"$literal":{"y":1}}]},
            "modified":"<ms>"}}],"new":true,"upsert":true}]"#,
        "a merge is one command, so that none is lost",
    ),
    (
        r#"{"do":"get","args":["/t/a",{}]}"#,
        r#"[{"find":"happn","filter":{"path":"/t/a"}}]"#,
        "one item has no order",
    ),
    (
        r#"{"do":"get","args":["/t/*",{"criteria":{"x":{"$gt":0}},"fields":{"x":1},"options":{"sort":{"x":-1},"skip":1,"limit":2,"maxTimeMS":50,"collation":{"locale":"en"}}}]}"#,
        r#"[{"find":"happn","filter":{"$and":[
            {"path":{"$regex":{"$regularExpression":{"pattern":"^\\/t\\/.*$","options":""}}}},
            {"data.x":{"$gt":0}}]},
            "sort":{"data.x":-1,"path":1},"projection":{"data.x":1,"path":1,"_id":0},
            "skip":1,"limit":2,"maxTimeMS":50,"collation":{"locale":"en"}}]"#,
        "ties come by path, and only what is shown is sent",
    ),
    (
        r#"{"do":"getPaths","args":["/t/*",{}]}"#,
        r#"[{"find":"happn",
            "filter":{"path":{"$regex":{"$regularExpression":{"pattern":"^\\/t\\/.*$","options":""}}}},
            "sort":{"path":1},"projection":{"path":1,"_id":0}}]"#,
        "the index alone answers",
    ),
    (
        r#"{"do":"set","args":["/t/b",{"x":1},{"upsertType":2,"noPublish":true}]}"#,
        r#"[{"findAndModify":"happn","query":{"path":"/t/b"},"new":true,"upsert":true,
            "update":{"$set":{"data":{"x":1},"path":"/t/b","modified":"<ms>"},
            "$setOnInsert":{"created":"<ms>"}}}]"#,
        "an insert is a plain set",
    ),
];

#[tokio::test]
async fn operations_become_the_commands_of_the_javascript_provider() {
    let Some(place) = Place::new() else { return };
    let relay = Relay::to(&place.url).await;
    let settings = MongoSettings {
        url: Some(relay.url()),
        ..place.settings()
    };
    let store = Arc::new(support::open(settings).await);
    let mut client = Client::new(store.clone());
    client.configure().await;
    relay.commands();
    let (mut passed, mut deviations, mut failures) = (0, 0, Vec::new());
    for case in vectors::cases(&vectors::read("mongo-commands")) {
        let op = &case["op"];
        client.call(request(op)).await;
        let commands = relay.commands();
        let ours: Vec<Value> = commands
            .into_iter()
            .map(|command| normal(bson::Bson::Document(command).into_relaxed_extjson(), &place))
            .collect();
        let ours = json!(ours);
        let text = op.to_string();
        let known = DIFFER.iter().find(|(operation, ..)| *operation == text);
        let expected: Value = match known {
            Some((_, ours, _)) => serde_json::from_str(ours).unwrap(),
            None => normal(case["commands"].clone(), &place),
        };
        match ours == expected {
            true if known.is_some() => deviations += 1,
            true => passed += 1,
            false => failures.push(format!("{text}\n  theirs {expected}\n  ours   {ours}")),
        }
    }
    store.close().await;
    println!("data/mongo-commands: {passed} passed / {deviations} documented deviations");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The frame that the JavaScript client sends.
fn request(op: &Value) -> Value {
    let path = &op["args"][0];
    let mut frame = match op["do"].as_str().unwrap() {
        "set" => json!({"action": "set", "path": path, "data": op["args"][1]}),
        "increment" => json!({
            "action": "set", "path": path, "data": op["args"][1],
            "options": {"increment": op["args"][2]},
        }),
        "getPaths" => json!({
            "action": "get", "path": path, "data": null,
            "options": {"options": {"path_only": true}},
        }),
        action => json!({"action": action, "path": path, "data": null}),
    };
    let options = match op["do"].as_str() {
        Some("set") => &op["args"][2],
        Some("increment" | "getPaths") => &Value::Null,
        _ => &op["args"][1],
    };
    if !options.is_null() {
        frame["options"] = options.clone();
    }
    frame
}

/// Times and names as the recording has them, and without what only says "as usual".
fn normal(value: Value, place: &Place) -> Value {
    match value {
        Value::Object(members) => {
            let usual = |(name, value): &(String, Value)| match name.as_str() {
                // How much comes at a time, and what of it is sent back.
                "batchSize" => *value == 256,
                "fields" | "allowDiskUse" => true,
                "remove" => *value == false,
                // Theirs has no limit, ours that of a node.
                "maxTimeMS" => *value == 0 || *value == 60_000,
                _ => false,
            };
            let members = members.into_iter().filter(|member| !usual(member));
            let members = members.map(|(name, value)| match name.as_str() {
                "modified" | "created" if value.is_number() => (name, json!("<ms>")),
                _ => (name, normal(value, place)),
            });
            members.collect()
        }
        Value::Array(items) => items.into_iter().map(|item| normal(item, place)).collect(),
        Value::String(text) if text == place.collection => json!("happn"),
        other => other,
    }
}
