//! Searches as a client of an open node makes them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing test may panic"
)]

#[allow(dead_code, reason = "shared with other tests")]
mod kit;

use std::sync::Arc;
use std::time::Duration;

use happn_core::{MemoryStore, NodeConfig, SearchBounds};
use kit::{Client, node, node_on};
use serde_json::{Value, json};

async fn filled(config: NodeConfig) -> Client {
    let node = node_on(Arc::new(MemoryStore::new()), config);
    let mut client = Client::of(&node);
    for number in 0..10 {
        let path = format!("/s/{number}");
        let data = format!(r#"{{"n":{number},"text":"{}"}}"#, "x".repeat(100));
        client.call("set", &path, &data, "{}").await;
    }
    client
}

async fn error(client: &mut Client, action: &str, options: &str) -> Value {
    let answer = client.call(action, "/s/*", "null", options).await;
    answer["_meta"]["error"].clone()
}

/// The items of a list, without the answer's own meta at its end.
async fn items(client: &mut Client, options: &str) -> usize {
    client.request("get", "/s/*", "null", options);
    let list = client.next().await;
    list.as_array().expect("a list").len() - 1
}

fn bounded(documents_max: u64, bytes_max: u64) -> NodeConfig {
    NodeConfig {
        search_bounds: SearchBounds {
            documents_max,
            bytes_max,
        },
        ..NodeConfig::named("test")
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_says_what_to_do() {
    let mut client = filled(bounded(5, 1_000_000)).await;
    let advice = "narrow the path or the criteria, select fields or set a limit";
    for options in ["{}", r#"{"sort":{"n":-1}}"#, r#"{"aggregate":[]}"#] {
        let refused = error(&mut client, "get", options).await;
        let expected = format!("the search is too large: it exceeds 5 items; {advice}");
        assert_eq!(refused["message"], expected, "{options}");
        assert_eq!(refused["reason"], "DataService");
    }
    for options in [
        r#"{"options":{"limit":5}}"#,
        r#"{"criteria":{"n":{"$lt":5}}}"#,
        r#"{"sort":{"n":1},"options":{"limit":5,"skip":5}}"#,
    ] {
        assert_eq!(items(&mut client, options).await, 5, "{options}");
    }
    let count = client.call("count", "/s/*", "null", "{}").await;
    assert_eq!(count["data"], json!({"value": 10}));
}

#[tokio::test]
async fn an_answer_is_bounded_in_bytes_as_it_is_sent() {
    let mut client = filled(bounded(100, 700)).await;
    let refused = error(&mut client, "get", "{}").await;
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("exceeds 700 bytes"),
        "{refused}"
    );
    let on = client.on("/ALL@/s/*", r#"{"initialCallback":true}"#).await;
    assert!(
        on["_meta"]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("700 bytes"),
        "{on}"
    );
}

#[tokio::test]
async fn a_search_that_takes_too_long_ends_as_in_their_document_store() {
    let mut client = filled(NodeConfig {
        search_time_max: Duration::ZERO,
        ..NodeConfig::named("test")
    })
    .await;
    for (action, options) in [
        ("get", "{}"),
        (
            "get",
            r#"{"criteria":{"n":1},"options":{"maxTimeMS":5000}}"#,
        ),
        ("get", r#"{"aggregate":[{"$count":"n"}]}"#),
        ("count", "{}"),
    ] {
        let refused = error(&mut client, action, options).await;
        assert_eq!(
            refused["message"], "operation exceeded time limit",
            "{options}"
        );
        assert_eq!(refused["inner"]["code"], 50);
    }
}

#[tokio::test]
async fn what_runs_code_or_writes_is_refused_by_name() {
    let mut client = Client::of(&node());
    for (options, named) in [
        (r#"{"criteria":{"$where":"1"}}"#, "$where"),
        (r#"{"criteria":{"$or":[{"$where":"1"}]}}"#, "$where"),
        (
            r#"{"criteria":{"$expr":{"$function":{"body":"1"}}}}"#,
            "$function",
        ),
        (r#"{"aggregate":[{"$out":"other"}]}"#, "$out"),
        (
            r#"{"aggregate":[{"$facet":{"a":[{"$merge":"x"}]}}]}"#,
            "$merge",
        ),
        (
            r#"{"options":{"aggregate":[{"$unionWith":"users"}]}}"#,
            "$unionWith",
        ),
        (
            r#"{"aggregate":[{"$group":{"_id":1,"a":{"$accumulator":{}}}}]}"#,
            "$accumulator",
        ),
    ] {
        let refused = error(&mut client, "get", options).await;
        assert_eq!(
            refused["message"],
            format!("{named} is not allowed here"),
            "{options}"
        );
    }
}

#[tokio::test]
async fn a_hostile_pattern_costs_no_more_than_the_text_it_is_matched_with() {
    let mut client = Client::of(&node());
    let text = format!(r#"{{"text":"{}"}}"#, "a".repeat(20_000));
    client.call("set", "/s/1", &text, "{}").await;
    let options = r#"{"criteria":{"text":{"$regex":"^(a+)+b$"}}}"#;
    // The client's patience is the limit here: 10 s where backtracking would take for ever.
    assert_eq!(items(&mut client, options).await, 0);
    let refused = error(
        &mut client,
        "get",
        r#"{"criteria":{"text":{"$regex":"(?=a)"}}}"#,
    )
    .await;
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("look-around") && message.contains("linear time"),
        "{message}"
    );
}

#[tokio::test]
async fn a_removal_takes_what_its_criteria_mean_and_tells_subscribers() {
    let mut client = filled(NodeConfig::named("test")).await;
    client.on("/REMOVE@/s/*", "{}").await;
    client.request("remove", "/s/*", "null", r#"{"criteria":{"n":{"$gte":7}}}"#);
    let event = client.next().await;
    assert_eq!(event["data"], json!({"removed": 3}));
    let answer = client.next().await;
    assert_eq!(answer["data"], json!({"removed": 3}));
    let other = r#"{"criteria":{"n":5},"noPublish":true}"#;
    let kept = client.call("remove", "/s/1", "null", other).await;
    assert_eq!(kept["data"], json!({"removed": 0}));
    let count = client.call("count", "/s/*", "null", "{}").await;
    assert_eq!(count["data"], json!({"value": 7}));
}
