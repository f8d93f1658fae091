//! What travels in a frame: `cargo run -p happn-protocol --example frames`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use happn_protocol::publication::{self, Event};
use happn_protocol::response::{Echo, Meta, ObjectResponse};
use happn_protocol::{Dialect, Incoming, Json, ServerFrame, ServerMessage};

const REQUEST: &str = r#"{"action":"set","eventId":7,"path":"/orders/7","data":{"state":"new"}}"#;

fn main() {
    let Incoming::Request(request) = Incoming::decode(REQUEST) else {
        return println!("an object is always a request");
    };
    let data = request.data.map_or(Json::NULL, Json::from_raw);
    println!("a client asks: {REQUEST}");

    let echo = Echo {
        event_id: request.event_id.map(Json::from_raw),
        session_id: None,
        action: request
            .action_name()
            .unwrap_or_default()
            .into_owned()
            .into(),
    };
    let answer = ObjectResponse {
        meta: Meta {
            path: request.path_text().map(|path| (*path).into()),
            published: Some(true),
            ..Meta::default()
        },
        ..ObjectResponse::ok(data.clone())
    };
    show("its answer", &answer.encode(&echo, Dialect::Happn4));

    let event = Event {
        action: "SET",
        path: "/orders/7",
        session_id: "s",
        consistency: "2",
        publication_id: &["s", "-", "7"],
        created: None,
        modified: None,
        event_origin: None,
        custom: &[],
    };
    let frame = publication::encode(&event, &data, "/ALL@/orders/*", None, Dialect::Happn4);
    show("what a subscriber hears", &frame);
}

fn show(what: &str, frame: &ServerFrame) {
    let payload = frame.payload();
    let text = String::from_utf8_lossy(payload);
    println!("{what}: {text}");
    let read_as = match ServerMessage::decode(&text) {
        ServerMessage::Event(event) => format!("an event on {}", event.channel),
        ServerMessage::Response { event_id, .. } => format!("the answer to request {event_id}"),
        other => format!("{other:?}"),
    };
    println!("  a client reads {read_as}");
}
