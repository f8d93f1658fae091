//! Requests with the wrong things in the right places.

use serde_json::{Value, json};

use crate::harness::{assert_answers, client, plain, request};
use crate::raw::Got;

const ACTIONS: [&str; 15] = [
    "set",
    "get",
    "count",
    "remove",
    "on",
    "off",
    "ack",
    "configure-session",
    "describe",
    "login",
    "request-nonce",
    "revoke-token",
    "change-password",
    "disconnect-child-sessions",
    "nonsense",
];

const OPTIONS: [&str; 27] = [
    "noStore",
    "noPublish",
    "noDataResponse",
    "nullValue",
    "merge",
    "increment",
    "upsertType",
    "consistency",
    "publishResults",
    "targetClients",
    "noCluster",
    "meta",
    "tag",
    "timeout",
    "criteria",
    "fields",
    "sort",
    "aggregate",
    "collation",
    "options",
    "path_only",
    "depth",
    "initialCallback",
    "initialEmit",
    "referenceId",
    "refCount",
    "event_type",
];

fn values() -> [Value; 8] {
    [
        json!(null),
        json!(5),
        json!(-1.5),
        json!(true),
        json!("x"),
        json!(""),
        json!([]),
        json!({}),
    ]
}

fn well_formed(action: &str) -> Value {
    let path = if matches!(action, "on" | "off") {
        "/ALL@/a/*"
    } else {
        "/a/b"
    };
    json!({"action": action, "eventId": 1, "path": path, "data": {"a": 1}, "sessionId": "s",
        "options": {}})
}

#[tokio::test]
async fn wrong_types_in_every_member_of_every_action_are_survived() {
    let server = plain().await;
    for action in ACTIONS {
        let mut socket = client(&server).await;
        for member in [
            "action",
            "eventId",
            "path",
            "data",
            "sessionId",
            "options",
            "encrypted",
        ] {
            for value in values() {
                let mut request = well_formed(action);
                request[member] = value;
                socket.send_text(&request.to_string()).await;
            }
            let mut request = well_formed(action);
            request.as_object_mut().unwrap().remove(member);
            socket.send_text(&request.to_string()).await;
            assert_answers(&mut socket).await;
        }
    }
}

#[tokio::test]
async fn wrong_types_in_every_option_are_survived() {
    let server = plain().await;
    for action in ["set", "get", "count", "remove", "on", "off"] {
        let mut socket = client(&server).await;
        for option in OPTIONS {
            for value in values() {
                let mut request = well_formed(action);
                request["options"] = json!({ option: value });
                socket.send_text(&request.to_string()).await;
            }
            assert_answers(&mut socket).await;
        }
    }
}

#[tokio::test]
async fn bad_paths_are_refused() {
    let server = plain().await;
    let mut socket = client(&server).await;
    for path in [
        "",
        "/a/#",
        "/ä",
        "/a;b",
        "/a,b",
        "/a\"b",
        "/a\\b",
        "/a\u{0}b",
        "/\u{2028}\u{1F600}",
    ] {
        for action in ["set", "remove", "on"] {
            let refused = request(
                &mut socket,
                json!({"action": action, "eventId": "bad", "path": path, "data": {}}),
            )
            .await;
            let message = refused["_meta"]["error"]["message"].as_str().unwrap();
            assert!(
                message.starts_with("Bad path"),
                "{action} {path:?}: {message}"
            );
        }
    }
    let starred = json!({"action": "set", "eventId": "star", "path": "/a/*", "data": {}});
    assert_eq!(
        request(&mut socket, starred).await["_meta"]["status"],
        "error"
    );
}

#[tokio::test]
async fn masks_of_thousands_of_segments_match_and_end() {
    let server = plain().await;
    let mut socket = client(&server).await;
    let (stars, path) = ("/*".repeat(5000), "/a".repeat(5000));
    for mask in [
        stars.clone(),
        path.clone(),
        format!("{path}/**"),
        "*".repeat(20_000),
        "/**".repeat(5000),
    ] {
        let on = json!({"action": "on", "eventId": "on", "path": format!("/ALL@{mask}"),
            "options": {"depth": 1_000_000}});
        request(&mut socket, on).await;
        let get = json!({"action": "get", "eventId": "get", "path": mask});
        request(&mut socket, get).await;
    }
    let set = json!({"action": "set", "eventId": "set", "path": path, "data": {}});
    socket.send_text(&set.to_string()).await;
    let Got::Text(event) = socket.next().await else {
        panic!("no event arrived");
    };
    assert!(event.contains(r#""type":"data""#), "{event:.300}");
    assert_answers(&mut socket).await;
}
