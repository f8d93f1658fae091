//! Every error that a client of an open node can meet, as it meets it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing test may panic"
)]

#[allow(dead_code, reason = "shared with other tests")]
mod kit;

use std::sync::Arc;

use happn_core::{MemoryStore, Node, NodeConfig, StoreError};
use kit::{Client, node, node_on};
use serde_json::{Value, json};

/// Sends `request`, which lacks its event id, and answers the whole frame.
async fn answer(client: &mut Client, request: &str) -> Value {
    let open = request.strip_suffix('}').unwrap();
    client.send(&format!(r#"{open},"eventId":99}}"#));
    let frame = client.next().await;
    assert_eq!(frame["_meta"]["eventId"], 99, "{request}");
    frame
}

/// The error with which `request` is answered; it has neither data nor anything stored.
async fn error(client: &mut Client, request: &str) -> Value {
    let frame = answer(client, request).await;
    assert_eq!(frame["_meta"]["status"], "error", "{request}");
    assert_eq!(frame["_meta"]["published"], false, "{request}");
    assert_eq!(frame["data"], Value::Null, "{request}");
    frame["_meta"]["error"].clone()
}

fn plain(message: &str) -> Value {
    json!({"name": "Error", "message": message})
}

fn type_error(message: &str) -> Value {
    json!({"name": "TypeError", "message": message})
}

/// As a failing service says it.
fn service(message: &str) -> Value {
    let inner = json!({});
    json!({
        "name": "SystemError", "message": message, "inner": inner,
        "code": 500, "severity": 0, "reason": "DataService",
    })
}

async fn check(requests: &[(&str, Value)]) {
    let mut client = Client::of(&node());
    for (request, expected) in requests {
        assert_eq!(error(&mut client, request).await, *expected, "{request}");
    }
}

const CHARACTERS: &str = "Bad path, can only contain characters a-z A-Z 0-9 / & + = : @ % * ( ) _ -, ie: factory1@I&J(western-cape)/plant1:conveyer_2/stats=true/capacity=10%/*";
const WILDCARD: &str =
    "Bad path, if the action is 'set' the path cannot contain the * wildcard character";

#[tokio::test]
async fn paths_that_cannot_be_are_refused_by_set_on_and_remove() {
    check(&[
        (
            r#"{"action":"set","data":1}"#,
            plain("Bad path [undefined], must be a string"),
        ),
        (
            r#"{"action":"set","path":5,"data":1}"#,
            plain("Bad path [5], must be a string"),
        ),
        (
            r#"{"action":"on","path":null}"#,
            plain("Bad path [null], must be a string"),
        ),
        (
            r#"{"action":"remove","path":[1,"a"]}"#,
            plain("Bad path [1,a], must be a string"),
        ),
        (r#"{"action":"set","path":"/a*","data":1}"#, plain(WILDCARD)),
        (r#"{"action":"set","path":"","data":1}"#, plain(CHARACTERS)),
        (r#"{"action":"on","path":"/ALL@/a?"}"#, plain(CHARACTERS)),
        (r#"{"action":"remove","path":"/é"}"#, plain(CHARACTERS)),
    ])
    .await;
}

#[tokio::test]
async fn reading_and_off_want_a_path_that_is_a_text() {
    check(&[
        (
            r#"{"action":"get"}"#,
            type_error("the path of a get must be a string, not [undefined]"),
        ),
        (
            r#"{"action":"count","path":7}"#,
            type_error("the path of a count must be a string, not [7]"),
        ),
        (
            r#"{"action":"off"}"#,
            type_error("the path of an off must be a string"),
        ),
        (
            r#"{"action":"off","path":{}}"#,
            type_error("the path of an off must be a string"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn encrypted_payloads_are_refused_in_every_place() {
    let refusal = plain("Encrypted payloads are no longer supported");
    check(&[
        (
            r#"{"action":"get","path":"/a","encrypted":true}"#,
            refusal.clone(),
        ),
        (
            r#"{"action":"login","data":{"encrypted":"x"}}"#,
            refusal.clone(),
        ),
        (r#"{"action":"nonsense","encrypted":1}"#, refusal),
    ])
    .await;
}

#[tokio::test]
async fn what_needs_a_secure_node_says_so() {
    check(&[
        (
            r#"{"action":"revoke-token"}"#,
            plain("Cannot revoke-token Not Secure"),
        ),
        (
            r#"{"action":"change-password","data":{"oldPassword":"a","newPassword":"b"}}"#,
            plain("Cannot change-password Not Secure"),
        ),
        (
            r#"{"action":"request-nonce"}"#,
            plain("no public key with request"),
        ),
        (
            r#"{"action":"request-nonce","data":null}"#,
            plain("no public key with request"),
        ),
        (
            r#"{"action":"request-nonce","data":{"publicKey":""}}"#,
            plain("no public key with request"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn increments_want_a_number_and_a_name() {
    check(&[
        (
            r#"{"action":"set","path":"/g","data":"g","options":{"increment":"x"}}"#,
            service("increment option value must be a number"),
        ),
        (
            r#"{"action":"set","path":"/g","data":{"g":1},"options":{"increment":1}}"#,
            service("invalid increment counter field name, must be a string"),
        ),
    ])
    .await;
    let mut client = Client::of(&node());
    client
        .call(
            "set",
            "/g",
            r#"{"g":{"value":"text"}}"#,
            r#"{"noPublish":true}"#,
        )
        .await;
    let failed = client
        .call("set", "/g", r#""g""#, r#"{"increment":1}"#)
        .await;
    assert_eq!(
        failed["_meta"]["error"],
        service("cannot increment g on path /g: not a number")
    );
}

#[tokio::test]
async fn searches_that_make_no_sense_say_why() {
    let regex = r#"{"action":"get","path":"*","options":{"criteria":{"a":{"$regex":5}}}}"#;
    let mut client = Client::of(&node());
    let refused = error(&mut client, regex).await;
    assert_eq!(
        refused["message"],
        "$regex parameter value must be an Array or a string"
    );
    let unknown = r#"{"action":"count","path":"*","options":{"criteria":{"a":{"$foo":5}}}}"#;
    let refused = error(&mut client, unknown).await;
    assert_eq!(refused["message"], "unknown operator: $foo");
    assert_eq!(refused["inner"]["codeName"], "BadValue");
}

#[tokio::test]
async fn a_failing_store_is_a_system_error_of_every_action_that_needs_it() {
    let store = Arc::new(MemoryStore::new());
    let node = node_on(store.clone(), NodeConfig::named("test"));
    let mut client = Client::of(&node);
    store.fail_with(Some(StoreError::Unavailable("no connection".into())));
    for request in [
        r#"{"action":"set","path":"/a","data":1}"#,
        r#"{"action":"set","path":"/a","data":1,"options":{"noDataResponse":true}}"#,
        r#"{"action":"set","path":"/a","data":"g","options":{"increment":1}}"#,
        r#"{"action":"get","path":"/a"}"#,
        r#"{"action":"get","path":"/*"}"#,
        r#"{"action":"count","path":"/*"}"#,
        r#"{"action":"remove","path":"/*"}"#,
        r#"{"action":"on","path":"/ALL@/*","options":{"initialCallback":true}}"#,
    ] {
        let expected = service("the data store is unavailable: no connection");
        assert_eq!(error(&mut client, request).await, expected, "{request}");
    }
    let published = answer(
        &mut client,
        r#"{"action":"set","path":"/b","data":1,"options":{"noStore":true}}"#,
    );
    assert_eq!(
        published.await["_meta"]["status"],
        "ok",
        "no store is needed"
    );
}

/// Each of these ended the process of the JavaScript server.
#[tokio::test]
async fn what_ended_the_reference_is_answered_or_ignored_here() {
    let node = node();
    let mut client = Client::of(&node);
    for ignored in [
        "null",
        "",
        "5",
        "[]",
        "[null]",
        "\"x\"",
        "{",
        "\"primus::ping\"",
    ] {
        client.send(ignored);
    }
    for answered in [
        r#"{"action":"login"}"#,
        r#"{"action":"login","data":null}"#,
        r#"{"action":"login","data":5}"#,
        r#"{"action":"set","path":"/a","data":1,"options":{"meta":null,"noPublish":true}}"#,
        r#"{"action":"set","path":"/a","data":1,"options":{"upsertType":1,"noPublish":true}}"#,
        r#"{"action":"set","path":"/b","data":1,"options":{"upsertType":2,"noPublish":true}}"#,
        r#"{"action":"set","path":"/a","data":1,"options":{"targetClients":5,"noPublish":true}}"#,
        r#"{"action":"set","path":"/c","data":"a.b","options":{"increment":1,"noPublish":true}}"#,
        r#"{"action":"get","path":"/a","options":{"count":true}}"#,
        r#"{"action":"ack"}"#,
        r#"{"action":"ack","data":{"a":1}}"#,
        r#"{"action":"off","path":"*","options":{"referenceId":{}}}"#,
        r#"{"action":"disconnect-child-sessions"}"#,
        r#"{"action":"configure-session"}"#,
        r#"{"action":"configure-session","data":{"version":5}}"#,
        r#"{"action":"describe","data":[]}"#,
    ] {
        let frame = answer(&mut client, answered).await;
        assert_eq!(frame["_meta"]["status"], "ok", "{answered}: {frame}");
    }
    for (refused, shown) in [
        (r#"{"path":"/a"}"#, ""),
        (r#"{"action":null}"#, ""),
        (r#"{"action":"constructor"}"#, "constructor"),
        (r#"{"action":"__proto__"}"#, "__proto__"),
    ] {
        let frame = answer(&mut client, refused).await;
        let expected = format!("unknown action: {shown:?}");
        assert_eq!(frame["_meta"]["error"]["message"], expected, "{refused}");
    }
    for silent in [
        r#"{"action":"configure-session","data":{"protocol":4},"eventId":4}"#,
        r#"{"action":"describe","eventId":5}"#,
    ] {
        client.send(silent);
    }
    client.send(r#"{"action":"configure-session","data":{"protocol":"happn_4"},"eventId":6}"#);
    assert_eq!(client.next().await["_meta"]["eventId"], 6, "nothing before");
    assert_eq!(node.session_count(), 1);
}

/// A nonce is handed out before a client knows that it will not need one.
#[tokio::test]
async fn a_nonce_comes_in_both_places_where_clients_look() {
    let mut client = Client::of(&Node::builder("test").build());
    let request = r#"{"action":"request-nonce","data":{"publicKey":"k"}}"#;
    let frame = answer(&mut client, request).await;
    assert_eq!(frame["nonce"], frame["data"]["nonce"]);
    assert_eq!(frame["nonce"].as_str().unwrap().len(), 44);
}
