//! Whatever arrives in a text frame of a client.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use happn_core::{Connection, Drained, MemoryStore, Node, Received, Session};
use happn_protocol::{ControlFrame, Incoming, ServerMessage};

use crate::text;

/// How long a node that serves others may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// `data` as frames, a line each, to the decoder and to a node.
///
/// # Panics
/// When a node that has got them answers nobody else any more, or with something that is no JSON.
pub fn envelopes(data: &[u8]) {
    let text = text(data);
    for frame in text.lines() {
        decode(frame);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    assert!(runtime.is_ok(), "no runtime");
    if let Ok(runtime) = runtime {
        runtime.block_on(serve(&text));
    }
}

fn decode(frame: &str) {
    match Incoming::decode(frame) {
        Incoming::Request(request) => {
            let _ = (
                request.action_name(),
                request.path_text(),
                request.path_printed(),
            );
            let _ = request.decode_options();
        }
        Incoming::Control(text) => assert!(ControlFrame::parse(&text).is_some(), "{text}"),
        Incoming::Ignored => {}
    }
    let _ = ServerMessage::decode(frame);
}

async fn serve(text: &str) {
    let node = Node::builder("fuzzed")
        .store(Arc::new(MemoryStore::new()))
        .build();
    let hostile = node.attach(Connection::in_process());
    for frame in text.lines().take(16) {
        send(&node, &hostile, frame).await;
        let _ = answers(&hostile);
    }
    let other = node.attach(Connection::in_process());
    for frame in [
        r#"{"action":"configure-session","data":{"protocol":"happn_4"}}"#,
        r#"{"action":"login","eventId":1,"data":{"info":{}}}"#,
        r#"{"action":"set","path":"/fuzzed/other","data":{"a":1},"eventId":2}"#,
    ] {
        send(&node, &other, frame).await;
    }
    let answered = tokio::time::timeout(PATIENCE, answer(&other, 2)).await;
    assert!(answered.is_ok(), "nobody is served any more");
    node.detach(&hostile);
    node.detach(&other);
}

/// Waits for the answer to a request.
async fn answer(session: &Session, event_id: u32) {
    while !answers(session)
        .iter()
        .any(|frame| frame["_meta"]["eventId"] == event_id)
    {
        session.outbox().ready().await;
    }
}

async fn send(node: &Arc<Node>, session: &Arc<Session>, frame: &str) {
    let frame = Bytes::copy_from_slice(frame.as_bytes());
    match node.receive(session, &frame) {
        Received::Done | Received::Control(_) => {}
        Received::Answer(rest) | Received::Blocked(rest) => rest.await,
    }
}

fn answers(session: &Session) -> Vec<serde_json::Value> {
    let mut frames = Vec::new();
    while session.outbox().drain(&mut frames) == Drained::Frames {}
    let read = frames.iter().map(|frame| {
        let read = serde_json::from_slice(frame.payload());
        assert!(read.is_ok(), "a frame of the node is no JSON");
        read.unwrap_or_default()
    });
    read.collect()
}
