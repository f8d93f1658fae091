//! What a client reads from a node: the client's side of the protocol.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ControlFrame;

/// A text frame from a node, told apart in the order clients do it.
#[derive(Debug)]
pub enum ServerMessage<'a> {
    /// A control string, as it was sent.
    Control(Cow<'a, str>),
    /// An event of a subscription.
    Event(EventMessage<'a>),
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
    /// All members of `_meta`, unopened.
    pub meta: HashMap<Cow<'a, str>, &'a RawValue>,
    /// `_meta` as text, in its original order.
    pub meta_text: &'a RawValue,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseMeta<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    event_id: Option<&'a RawValue>,
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
            Some(b'{') => decode_object(text).unwrap_or(Self::Unknown),
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
    let meta: ResponseMeta<'_> = serde_json::from_str(items.pop()?.get()).ok()?;
    Some(ServerMessage::List {
        event_id: number(meta.event_id)?,
        items,
    })
}

fn decode_object(text: &str) -> Option<ServerMessage<'_>> {
    let frame: Frame<'_> = serde_json::from_str(text).ok()?;
    let meta_text = frame.meta?;
    let meta: ResponseMeta<'_> = serde_json::from_str(meta_text.get()).ok()?;
    match meta.kind.as_deref() {
        Some("data") => {
            let members: HashMap<Cow<'_, str>, &RawValue> =
                serde_json::from_str::<HashMap<Key<'_>, &RawValue>>(meta_text.get())
                    .ok()?
                    .into_iter()
                    .map(|(key, value)| (key.0, value))
                    .collect();
            let channel = text_of(members.get("channel").copied()?)?;
            Some(ServerMessage::Event(EventMessage {
                data: frame.data?,
                channel,
                meta: members,
                meta_text,
            }))
        }
        Some("system") => Some(ServerMessage::System {
            event_key: frame.event_key?,
            data: frame.data,
        }),
        Some("ack") => Some(ServerMessage::PublicationAck {
            event_id: number(meta.event_id)?,
            result: frame.result,
            error: frame.error.and_then(text_of),
        }),
        _ => {
            let failed = meta.status.as_deref() == Some("error");
            Some(ServerMessage::Response {
                event_id: number(meta.event_id)?,
                data: frame.data,
                meta: meta_text,
                error: if failed { meta.error } else { None },
            })
        }
    }
}

/// `Cow<str>` as a map key only borrows when told to.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

fn number(raw: Option<&RawValue>) -> Option<u64> {
    raw?.get().parse().ok()
}

fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Key<'_>>(raw.get())
        .ok()
        .map(|key| key.0)
}
