//! Layers see, change and refuse every message between clients and the node.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing test may panic"
)]

#[allow(dead_code, reason = "shared with other tests")]
mod kit;

use std::sync::{Arc, Mutex};

use happn_core::{Layer, Message, MessageKind, Node, Session};
use happn_protocol::{Json, WireError};
use kit::Client;
use serde_json::json;

/// Notes what passes and in which order.
#[derive(Default)]
struct Witness(Mutex<Vec<String>>);

struct Named(&'static str, Arc<Witness>);

impl Named {
    fn note(&self, way: &str, message: &Message) {
        let line = format!("{} {way} {:?}", self.0, message.kind());
        self.1.0.lock().unwrap().push(line);
    }
}

impl Layer for Named {
    fn inbound(&self, _session: &Session, message: &mut Message) -> Result<(), WireError> {
        self.note("in", message);
        Ok(())
    }

    fn outbound(&self, _session: &Session, message: &mut Message) -> Result<(), WireError> {
        self.note("out", message);
        Ok(())
    }
}

/// Stamps what comes in, hides secrets in what goes out, and refuses some of both.
struct Guard;

impl Layer for Guard {
    fn inbound(&self, session: &Session, message: &mut Message) -> Result<(), WireError> {
        match message.text("path").as_deref() {
            Some("/forbidden") => Err(WireError::access_denied(403, "not here")),
            Some("/stamped") if message.text("action").as_deref() == Some("set") => {
                let stamp = json!({"by": session.id().as_ref()});
                message.set("data", Json::encode(&stamp).unwrap());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn outbound(&self, _session: &Session, message: &mut Message) -> Result<(), WireError> {
        let text = message.get("data").map_or("", Json::as_str);
        if text.contains("\"secret\"") {
            return Err(WireError::plain("that stays here"));
        }
        if message.kind() == MessageKind::Event && text.contains("\"plain\"") {
            message.set("data", Json::from_static(r#"{"changed":true}"#));
        }
        Ok(())
    }
}

#[tokio::test]
async fn what_comes_in_passes_in_order_and_what_goes_out_in_the_opposite_one() {
    let witness = Arc::new(Witness::default());
    let node = Node::builder("test")
        .layer(Arc::new(Named("first", witness.clone())))
        .layer(Arc::new(Named("second", witness.clone())))
        .build();
    let mut client = Client::of(&node);
    witness.0.lock().unwrap().clear();
    client.on("/ALL@/a", "{}").await;
    client.call("set", "/a", "1", "{}").await;
    assert_eq!(client.rest().len(), 1, "the event of the set");
    let seen = witness.0.lock().unwrap().clone();
    assert_eq!(
        seen,
        [
            "first in Request",
            "second in Request",
            "second out Answer",
            "first out Answer",
            "first in Request",
            "second in Request",
            "second out Event",
            "first out Event",
            "second out Answer",
            "first out Answer",
        ]
    );
}

#[tokio::test]
async fn a_layer_changes_a_request_before_it_is_handled() {
    let node = Node::builder("test").layer(Arc::new(Guard)).build();
    let mut client = Client::of(&node);
    let answer = client.call("set", "/stamped", "5", "{}").await;
    assert_eq!(answer["data"], json!({"by": client.session.id().as_ref()}));
    assert_eq!(answer["_meta"]["path"], "/stamped");
}

#[tokio::test]
async fn a_refused_request_is_answered_with_the_layers_error_and_not_handled() {
    let node = Node::builder("test").layer(Arc::new(Guard)).build();
    let mut client = Client::of(&node);
    let answer = client.call("set", "/forbidden", "1", "{}").await;
    assert_eq!(
        answer["_meta"]["error"],
        json!({"name": "AccessDenied", "code": 403, "message": "not here"})
    );
    assert_eq!(answer["_meta"]["action"], "set");
    let stored = client.call("count", "*", "null", "{}").await;
    assert_eq!(stored["data"]["value"], 0);
}

#[tokio::test]
async fn a_refused_answer_becomes_an_error_also_when_it_was_a_list() {
    let node = Node::builder("test").layer(Arc::new(Guard)).build();
    let mut client = Client::of(&node);
    let set = client.call("set", "/s/1", r#""secret""#, r#"{"noPublish":true}"#);
    assert_eq!(set.await["_meta"]["error"]["message"], "that stays here");
    let list = client.call("get", "/s/*", "null", "{}").await;
    assert_eq!(list["_meta"]["error"]["message"], "that stays here");
    assert_eq!(list["_meta"]["action"], "get");
}

#[tokio::test]
async fn an_event_is_changed_for_its_recipients_or_withheld_and_counted() {
    let node = Node::builder("test").layer(Arc::new(Guard)).build();
    let mut listener = Client::of(&node);
    listener.on("/ALL@/e/*", "{}").await;
    let mut publisher = Client::of(&node);
    let options = r#"{"noStore":true,"publishResults":true}"#;
    let answer = publisher.call("set", "/e/1", r#""plain""#, options).await;
    assert_eq!(answer["data"], json!({"value": "plain"}));
    assert_eq!(listener.next().await["data"], json!({"changed": true}));
    let answer = publisher
        .call(
            "set",
            "/e/1",
            r#"{"secret":1}"#,
            r#"{"noStore":true,"noDataResponse":true}"#,
        )
        .await;
    assert_eq!(answer["_meta"]["status"], "ok");
    assert_eq!(node.refused_frames(), 1);
    assert!(listener.rest().is_empty());
}
