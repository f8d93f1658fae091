//! Links that JavaScript nodes were recorded to make, made again to a node of ours: it answers as
//! theirs did, and its events look alike.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests may panic and print"
)]

#[allow(dead_code, reason = "shared with other tests")]
mod raw;
#[allow(dead_code, reason = "shared with other tests")]
mod replay;

use replay::{Recorded, Scenario, play_link};
use serde_json::{Value, json};

#[allow(clippy::needless_pass_by_value, reason = "both are made for the call")]
fn set(path: &str, data: Value, options: Value) -> Value {
    let mut options = options;
    options["timeout"] = 60_000.into();
    json!({"action": "set", "path": path, "data": data, "options": options})
}

fn remove(path: &str) -> Value {
    json!({"action": "remove", "path": path, "data": null, "options": {"timeout": 60_000}})
}

async fn answers_as_recorded(recorded: Recorded, name: &'static str, acts: &[(&str, Value)]) {
    let outcome = play_link(recorded, name, acts).await;
    println!(
        "cluster/{} {}: {} run / {} passed",
        recorded.file, recorded.link, outcome.run, outcome.passed
    );
    assert!(
        outcome.failures.is_empty(),
        "{} of {} frames differ:\n{}",
        outcome.failures.len(),
        outcome.run,
        outcome.failures.join("\n")
    );
}

/// Node B connects to node A, hears what a client of A does, is cut off and comes back.
#[tokio::test]
async fn a_node_of_the_reference_hears_from_ours_what_it_heard_from_its_like() {
    let recorded = Recorded {
        file: "peer-link.jsonl",
        scenario: "insecure",
        link: "b->a",
        dialer: "b2a",
        connections: 2,
        secure: None,
    };
    let none = || json!({});
    let acts = [
        (
            "client on A: set /vec/one {v:1}",
            set("/vec/one", json!({"v": 1}), none()),
        ),
        (
            "client on A: set /vec/one {v:2}",
            set("/vec/one", json!({"v": 2}), none()),
        ),
        (
            "client on A: set /vec/one {w:3} with merge",
            set("/vec/one", json!({"w": 3}), json!({"merge": true})),
        ),
        (
            "client on A: set /vec/one null with tag T1 (this version has no tag operation)",
            set("/vec/one", json!(null), json!({"tag": "T1"})),
        ),
        (
            r#"client on A: set /vec/str "hello""#,
            set("/vec/str", json!("hello"), none()),
        ),
        (
            "client on A: set /vec/arr [1,2]",
            set("/vec/arr", json!([1, 2]), none()),
        ),
        (
            "client on A: set /vec/ns {a:1} with noStore",
            set("/vec/ns", json!({"a": 1}), json!({"noStore": true})),
        ),
        (
            "client on A: publish /vec/pub {a:1}",
            set(
                "/vec/pub",
                json!({"a": 1}),
                json!({"noStore": true, "noDataResponse": true}),
            ),
        ),
        (
            "client on A: set /vec/np {a:1} with noPublish",
            set("/vec/np", json!({"a": 1}), json!({"noPublish": true})),
        ),
        (
            "client on A: set /vec/meta with options.meta {custom:x, created:5}",
            set(
                "/vec/meta",
                json!({"a": 1}),
                json!({"meta": {"custom": "x", "created": 5}}),
            ),
        ),
        (
            "client on A: set /vec/c1 with consistency 1",
            set("/vec/c1", json!({"a": 1}), json!({"consistency": 1})),
        ),
        (
            "client on A: set /vec/c3 with consistency 3",
            set("/vec/c3", json!({"a": 1}), json!({"consistency": 3})),
        ),
        (
            "client on A: increment /vec/inc counter by 2",
            set("/vec/inc", json!("counter"), json!({"increment": 2})),
        ),
        ("client on A: remove /vec/one", remove("/vec/one")),
        ("client on A: remove /vec/*", remove("/vec/*")),
        (
            r#"service on A: replicator.send("my/topic", {p:1})"#,
            set(
                "/__REPLICATE",
                json!({"topic": "my/topic", "payload": {"p": 1}, "origin": "node-a"}),
                json!({"noStore": true}),
            ),
        ),
        (
            "client on A after the reconnect: set /vec/after {v:9}",
            set("/vec/after", json!({"v": 9}), json!({"noStore": true})),
        ),
    ];
    answers_as_recorded(recorded, "node-a", &acts).await;
}

/// The same with a node of the reference and one of ours, as it was when they formed one cluster.
#[tokio::test]
async fn a_node_of_the_reference_hears_from_ours_what_it_heard_in_a_mixed_cluster() {
    let recorded = Recorded {
        file: "mixed-link.jsonl",
        scenario: "mixed",
        link: "js-a->rust-b",
        dialer: "j2r",
        connections: 2,
        secure: None,
    };
    answers_as_recorded(recorded, "rust-b", &[]).await;
}

/// The same with both nodes secure: theirs logs in as the administrator, with his password.
#[tokio::test]
async fn a_secure_node_of_the_reference_hears_from_ours_what_it_heard_in_a_mixed_cluster() {
    let recorded = Recorded {
        file: "secure-mixed-link.jsonl",
        scenario: "secure-mixed",
        link: "js-a->rust-b",
        dialer: "j2r",
        connections: 2,
        secure: Some(Scenario::MixedCluster),
    };
    answers_as_recorded(recorded, "rust-b", &[]).await;
}
