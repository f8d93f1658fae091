//! A layer that notes every message, stamps what is stored and keeps secrets in:
//! `cargo run -p happn-core --example layers`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;

use bytes::Bytes;
use happn_core::{Connection, Drained, Layer, Message, Node, Received, Session};
use happn_protocol::{Json, WireError};

struct House;

impl Layer for House {
    fn inbound(&self, session: &Session, message: &mut Message) -> Result<(), WireError> {
        let action = message.text("action").unwrap_or_default();
        let path = message.text("path").unwrap_or_default();
        println!("in:  {action} {path}");
        if path.starts_with("/private/") {
            return Err(WireError::access_denied(403, "private paths are closed"));
        }
        if action == "set" {
            let author = Json::encode(&serde_json::json!({"author": session.id().as_ref()}));
            let options = author.map(|author| format!("{{\"meta\":{author}}}"));
            if let Some(options) = options.ok().and_then(|text| Json::parse(text).ok()) {
                message.set("options", options);
            }
        }
        Ok(())
    }

    fn outbound(&self, _session: &Session, message: &mut Message) -> Result<(), WireError> {
        println!("out: {:?}", message.kind());
        match message.get("data") {
            Some(data) if data.as_str().contains("password") => {
                message.set("data", Json::from_static(r#"{"hidden":true}"#));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let node = Node::builder("example").layer(Arc::new(House)).build();
    let session = node.attach(Connection::in_process());
    for request in [
        r#"{"action":"on","eventId":1,"path":"/ALL@/doors/*"}"#,
        r#"{"action":"set","eventId":2,"path":"/doors/front","data":{"open":true}}"#,
        r#"{"action":"set","eventId":3,"path":"/doors/back","data":{"password":"1234"}}"#,
        r#"{"action":"set","eventId":4,"path":"/private/door","data":{"open":true}}"#,
    ] {
        match node.receive(&session, &Bytes::from_static(request.as_bytes())) {
            Received::Answer(rest) | Received::Blocked(rest) => rest.await,
            Received::Done | Received::Control(_) => {}
        }
        answered(&session).await;
    }
    node.detach(&session);
}

/// Prints what the session gets, up to the answer: events come before it.
async fn answered(session: &Session) {
    let mut frames = Vec::new();
    loop {
        match session.outbox().drain(&mut frames) {
            Drained::Empty => session.outbox().ready().await,
            Drained::Ended(_) => return,
            Drained::Frames => {}
        }
        for frame in frames.drain(..) {
            let payload = frame.payload();
            let text = String::from_utf8_lossy(payload);
            println!("     {text}");
            if text.contains(r#""type":"response""#) {
                return;
            }
        }
    }
}
