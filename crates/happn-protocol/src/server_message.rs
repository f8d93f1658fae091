//! What a client reads from a node: the client's side of the protocol.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::link::LinkMessage;
use crate::members::{present, text_of};
use crate::{ControlFrame, Members};

/// A text frame from a node, told apart in the order clients do it.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "on links between nodes nearly everything is an event"
)]
pub enum ServerMessage<'a> {
    /// A control string, as it was sent.
    Control(Cow<'a, str>),
    /// An event of a subscription.
    Event(EventMessage<'a>),
    /// A frame of a numbered link between nodes.
    Link(LinkMessage<'a>),
    /// A system message: its `eventKey` and the whole frame's `data`.
    System {
        /// `server-side-disconnect`, `security-data-changed` …
        event_key: Cow<'a, str>,
        /// What happened.
        data: Option<&'a RawValue>,
    },
    /// How a publication of consistency other than 2 ended.
    PublicationAck {
        /// The request's event id.
        event_id: u64,
        /// The counters.
        result: Option<&'a RawValue>,
        /// Why it failed, if it did.
        error: Option<Cow<'a, str>>,
    },
    /// The answer to request `event_id`.
    Response {
        /// The request's event id.
        event_id: u64,
        /// `data`, or `None` when the answer has none.
        data: Option<&'a RawValue>,
        /// `_meta` of the answer.
        meta: &'a RawValue,
        /// `_meta.error` when the status is `error`.
        error: Option<&'a RawValue>,
    },
    /// The answer to a wildcard get: items, each with its `_meta` inside.
    List {
        /// The request's event id.
        event_id: u64,
        /// The items, without the answer's own meta.
        items: Vec<&'a RawValue>,
    },
    /// Nothing a client knows.
    Unknown,
}

/// An event frame.
#[derive(Debug)]
pub struct EventMessage<'a> {
    /// The event's data.
    pub data: &'a RawValue,
    /// The channel of the subscription it belongs to.
    pub channel: Cow<'a, str>,
    /// All members of `_meta`, in order and unopened.
    pub meta: Members<'a>,
    /// `_meta` as text, in its original order.
    pub meta_text: &'a RawValue,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<&'a RawValue>,
    #[serde(borrow, rename = "eventKey")]
    event_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl<'a> ServerMessage<'a> {
    /// Tells what `text` is. Never fails: what cannot be read is [`ServerMessage::Unknown`].
    #[must_use]
    pub fn decode(text: &'a str) -> Self {
        match text.as_bytes().first() {
            Some(b'"') => decode_control(text),
            Some(b'[') => decode_list(text).unwrap_or(Self::Unknown),
            Some(b'{') => match LinkMessage::decode(text) {
                Some(message) => Self::Link(message),
                None => decode_object(text).unwrap_or(Self::Unknown),
            },
            _ => Self::Unknown,
        }
    }
}

fn decode_control(text: &str) -> ServerMessage<'_> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    match serde_json::from_str::<Text<'_>>(text) {
        Ok(Text(text)) if ControlFrame::parse(&text).is_some() => ServerMessage::Control(text),
        _ => ServerMessage::Unknown,
    }
}

fn decode_list(text: &str) -> Option<ServerMessage<'_>> {
    let mut items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    let meta = Members::read(items.pop()?)?;
    Some(ServerMessage::List {
        event_id: event_id(&meta)?,
        items,
    })
}

fn decode_object(text: &str) -> Option<ServerMessage<'_>> {
    let frame: Frame<'_> = serde_json::from_str(text).ok()?;
    let meta_text = frame.meta?;
    let meta = Members::read(meta_text)?;
    match meta.text("type").as_deref() {
        Some("data") => Some(ServerMessage::Event(EventMessage {
            data: frame.data?,
            channel: meta.text("channel")?,
            meta,
            meta_text,
        })),
        Some("system") => Some(ServerMessage::System {
            event_key: frame.event_key?,
            data: frame.data,
        }),
        Some("ack") => Some(ServerMessage::PublicationAck {
            event_id: event_id(&meta)?,
            result: frame.result,
            error: frame.error.and_then(|raw| text_of(raw.get())),
        }),
        _ => {
            let failed = meta.text("status").as_deref() == Some("error");
            let error = if failed { meta.get("error") } else { None };
            Some(ServerMessage::Response {
                event_id: event_id(&meta)?,
                data: frame.data,
                meta: meta_text,
                error,
            })
        }
    }
}

fn event_id(meta: &Members<'_>) -> Option<u64> {
    meta.get("eventId")?.get().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_its_meta_in_order() {
        let text = r#"{"data":{"v":1},"_meta":{"action":"/SET@/a","type":"data","path":"/a","channel":"/ALL@*"},"protocol":"happn_4"}"#;
        let ServerMessage::Event(event) = ServerMessage::decode(text) else {
            panic!("an event")
        };
        assert_eq!(event.channel, "/ALL@*");
        assert_eq!(event.data.get(), r#"{"v":1}"#);
        let names: Vec<_> = event.meta.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["action", "type", "path", "channel"]);
    }

    #[test]
    fn null_is_data_and_missing_data_is_none() {
        let null = r#"{"data":null,"_meta":{"eventId":1}}"#;
        assert!(matches!(
            ServerMessage::decode(null),
            ServerMessage::Response { data: Some(data), .. } if data.get() == "null"
        ));
        let missing = r#"{"_meta":{"eventId":1}}"#;
        assert!(matches!(
            ServerMessage::decode(missing),
            ServerMessage::Response { data: None, .. }
        ));
        let event = r#"{"data":null,"_meta":{"type":"data","channel":"/ALL@/a"}}"#;
        assert!(matches!(
            ServerMessage::decode(event),
            ServerMessage::Event(event) if event.data.get() == "null"
        ));
    }

    #[test]
    fn answers_are_told_apart_by_status() {
        let ok =
            r#"{"data":null,"_meta":{"type":"response","status":"ok","eventId":7,"error":{}}}"#;
        assert!(matches!(
            ServerMessage::decode(ok),
            ServerMessage::Response {
                event_id: 7,
                error: None,
                ..
            }
        ));
        let failed = r#"{"data":null,"_meta":{"status":"error","eventId":8,"error":{"name":"E"}}}"#;
        assert!(matches!(
            ServerMessage::decode(failed),
            ServerMessage::Response {
                event_id: 8,
                error: Some(_),
                ..
            }
        ));
        let list = r#"[{"x":1},{"type":"response","status":"ok","eventId":9}]"#;
        assert!(matches!(
            ServerMessage::decode(list),
            ServerMessage::List { event_id: 9, items } if items.len() == 1
        ));
        let ack = r#"{"action":"publication-ack","result":{},"_meta":{"type":"ack","eventId":3},"error":"late"}"#;
        assert!(matches!(
            ServerMessage::decode(ack),
            ServerMessage::PublicationAck { event_id: 3, error: Some(error), .. } if error == "late"
        ));
    }

    #[test]
    fn what_makes_no_sense_is_unknown() {
        for text in [
            "",
            "null",
            "{",
            "[]",
            "[1]",
            "7",
            "\"x\"",
            "{\"_meta\":5}",
            "{}",
        ] {
            let message = ServerMessage::decode(text);
            assert!(matches!(message, ServerMessage::Unknown), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd_to_decode(text in ".*") {
            let _ = ServerMessage::decode(&text);
        }
    }
}
