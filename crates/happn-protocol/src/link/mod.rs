//! What nodes of our kind tell each other on a link beyond what every client is told.
//!
//! A node that logs in to another one adds a [`LinkOffer`] to its `info` block; a node that knows
//! what that means adds a [`LinkAnswer`] to the session object, all others ignore it. From then on
//! the events of the link are numbered frames, once each whatever the masks:
//!
//! ```json
//! {"link":{"action":"SET","path":"/a","sessionId":"S","publicationId":"S-1","consistency":2,
//!          "created":1,"modified":2,"eventOrigin":{},"custom":{},"merge":{},"data":{}},"sequence":7}
//! {"gap":{"lost":3}}
//! ```
//!
//! What a node wants to hear it tells with [`INTEREST_ACTION`] requests, as changes:
//!
//! ```json
//! {"action":"interest","eventId":5,"data":{"add":["/a/*"],"remove":["/b"]}}
//! ```
//!
//! `sequence` counts the events of the sending node and only ever rises on a link. A gap stands
//! where so many events of the link are missing. Absent times, origins and customs are left out.

mod decode;

use std::io::Write;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::publication::{Event, write_parts};
use crate::{FrameBuilder, Json, ServerFrame, write_string};

pub use decode::{LinkEvent, LinkMessage};

/// The version of the numbered link that this crate speaks.
pub const LINK_VERSION: u32 = 1;

/// The action of the requests that keep a numbered link alive; see [`LinkBeat`].
pub const LINK_ACTION: &str = "link";

/// The action of the requests that say what a node wants to hear; see [`LinkInterest`].
pub const INTEREST_ACTION: &str = "interest";

/// The largest frame of a link, in bytes without its header: no node takes more. What would not fit
/// is a gap.
pub const LINK_FRAME_MAX: usize = 64 * 1024 * 1024;

/// The most bytes that [`LinkFrame::number`] adds.
const NUMBER_MAX: usize = 21;

/// The longest token or instance that is believed, in bytes.
const NAME_MAX: usize = 128;

/// What a node says when it logs in to another one: the member `link` of its `info` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkOffer {
    /// The newest version it speaks.
    pub version: u32,
    /// How many masks it will subscribe to; with the last one it hears everything.
    pub masks: u32,
    /// Differs with every start of its process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Where an earlier link to this node stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<LinkPosition>,
}

/// How far a node has followed a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkPosition {
    /// The link, as its [`LinkAnswer`] called it.
    pub token: String,
    /// The number of the last event received.
    pub sequence: u64,
    /// How many events of the link were received or reported lost.
    pub received: u64,
}

/// What a node answers to a [`LinkOffer`]: the member `link` of the session object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkAnswer {
    /// The version it will speak, at most the one offered.
    pub version: u32,
    /// Names the link; needed to resume it, and known to nobody else.
    pub token: String,
    /// The link goes on where [`LinkOffer::resume`] says; otherwise it is a new one.
    pub resumed: bool,
    /// Differs with every start of the answering process.
    pub instance: String,
    /// It understands [`INTEREST_ACTION`] requests; then nobody has to subscribe.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interest: bool,
}

/// The data of a [`LINK_ACTION`] request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkBeat {
    /// The number of the last event received: what comes before need not be kept for this link.
    pub sequence: u64,
    /// The link ends for good; nothing needs to be kept for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub leave: bool,
}

/// The data of an [`INTEREST_ACTION`] request: a change of what a node wants to hear. What is added
/// and removed takes effect before the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkInterest {
    /// Masks that are wanted from now on.
    pub add: Vec<String>,
    /// Masks, as they were added, that are not wanted any more.
    pub remove: Vec<String>,
}

impl LinkOffer {
    /// Reads an offer; `None` when it is none, or one that nobody honest would make.
    #[must_use]
    pub fn read(raw: &RawValue) -> Option<Self> {
        let offer: Self = serde_json::from_str(raw.get()).ok()?;
        let short = |text: &str| text.len() <= NAME_MAX;
        let believable = offer.version >= 1
            && offer.masks >= 1
            && offer.instance.as_deref().is_none_or(short)
            && offer
                .resume
                .as_ref()
                .is_none_or(|resume| short(&resume.token));
        believable.then_some(offer)
    }
}

/// An event on its way into a numbered frame: everything but its number is written.
#[derive(Debug)]
pub struct LinkFrame(FrameBuilder);

impl LinkFrame {
    /// Encodes an event. `merge` is what subscribers with that option get instead of `data`.
    #[must_use]
    pub fn new(event: &Event<'_>, data: &Json, merge: Option<&Json>) -> Self {
        let mut frame = FrameBuilder::with_capacity(data.as_bytes().len() + 384);
        let out = frame.payload();
        out.extend_from_slice(b"{\"link\":{\"action\":");
        write_string(out, event.action);
        for (name, value) in [("path", event.path), ("sessionId", event.session_id)] {
            member(out, name);
            write_string(out, value);
        }
        member(out, "publicationId");
        write_parts(out, event.publication_id);
        raw_member(out, "consistency", event.consistency.as_bytes());
        for (name, time) in [("created", event.created), ("modified", event.modified)] {
            if let Some(time) = time {
                member(out, name);
                write_number(out, time);
            }
        }
        if let Some(origin) = event.event_origin {
            raw_member(out, "eventOrigin", origin.as_bytes());
        }
        if !event.custom.is_empty() {
            member(out, "custom");
            write_object(out, event.custom);
        }
        if let Some(merge) = merge {
            raw_member(out, "merge", merge.as_bytes());
        }
        raw_member(out, "data", data.as_bytes());
        out.extend_from_slice(b"},\"sequence\":");
        Self(frame)
    }

    /// Whether no node would take it: see [`LINK_FRAME_MAX`].
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.0.payload_len() + NUMBER_MAX > LINK_FRAME_MAX
    }

    /// The frame with its number.
    #[must_use]
    pub fn number(mut self, sequence: u64) -> ServerFrame {
        let out = self.0.payload();
        write_number(out, sequence);
        out.push(b'}');
        self.0.finish()
    }
}

/// Stands where `lost` events of a link are missing.
#[must_use]
pub fn gap_frame(lost: u64) -> ServerFrame {
    ServerFrame::text(&format!("{{\"gap\":{{\"lost\":{lost}}}}}"))
}

fn write_object(out: &mut Vec<u8>, members: &[(String, Json)]) {
    out.push(b'{');
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'}');
}

fn raw_member(out: &mut Vec<u8>, name: &'static str, json: &[u8]) {
    member(out, name);
    out.extend_from_slice(json);
}

fn write_number(out: &mut Vec<u8>, number: impl std::fmt::Display) {
    // Writing into memory cannot fail.
    let _ = write!(out, "{number}");
}

/// The names of the protocol need no escapes.
fn member(out: &mut Vec<u8>, name: &'static str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServerMessage;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn an_event_is_read_back_whole_and_with_its_number() {
        let (origin, data, merge) = (json(r#"{"id":"u"}"#), json(r#"{"a":1,"b":2}"#), json("2"));
        let custom = [
            ("depth".to_owned(), json("9")),
            ("x\"".to_owned(), json("[1]")),
        ];
        let event = Event {
            action: "SET",
            path: "/a/\u{2028}\"b",
            session_id: "s",
            consistency: "3",
            publication_id: &["s", "-", "1"],
            created: Some(5),
            modified: None,
            event_origin: Some(&origin),
            custom: &custom,
        };
        let frame = LinkFrame::new(&event, &data, Some(&merge)).number(u64::MAX);
        let payload = frame.payload();
        let ServerMessage::Link(LinkMessage::Event(sequence, read)) =
            ServerMessage::decode(std::str::from_utf8(payload).unwrap())
        else {
            panic!("a numbered event")
        };
        assert_eq!(sequence, u64::MAX);
        assert_eq!((&*read.action, &*read.path), ("SET", event.path));
        assert_eq!((&*read.session_id, &*read.publication_id), ("s", "s-1"));
        assert_eq!((read.created, read.modified), (Some(5), None));
        assert_eq!(read.consistency, "3");
        assert_eq!(read.event_origin.unwrap(), origin.as_str());
        assert_eq!(read.merge.unwrap(), "2");
        assert_eq!(read.data, data.as_str());
        assert_eq!(read.custom.unwrap(), r#"{"depth":9,"x\"":[1]}"#);
    }

    #[test]
    fn a_gap_tells_how_many_are_missing() {
        let frame = gap_frame(7);
        let text = std::str::from_utf8(frame.payload()).unwrap();
        assert!(matches!(
            ServerMessage::decode(text),
            ServerMessage::Link(LinkMessage::Gap(7))
        ));
    }

    #[test]
    fn an_offer_that_nobody_honest_would_make_is_no_offer() {
        let long = "x".repeat(NAME_MAX + 1);
        for text in [
            "null".to_owned(),
            "[]".to_owned(),
            r#"{"version":0,"masks":1}"#.to_owned(),
            r#"{"version":1,"masks":0}"#.to_owned(),
            r#"{"version":1,"masks":-1}"#.to_owned(),
            r#"{"version":"1","masks":1}"#.to_owned(),
            r#"{"version":1,"masks":1,"resume":{"token":5}}"#.to_owned(),
            r#"{"version":1,"masks":1,"resume":{"token":"t","sequence":1e300,"received":0}}"#
                .to_owned(),
            format!(r#"{{"version":1,"masks":1,"instance":"{long}"}}"#),
        ] {
            let raw: Box<RawValue> = serde_json::from_str(&text).unwrap();
            assert_eq!(LinkOffer::read(&raw), None, "{text}");
        }
        let newer = r#"{"version":7,"masks":2,"constructor":{},"resume":{"token":"t","sequence":1,"received":1}}"#;
        let raw: Box<RawValue> = serde_json::from_str(newer).unwrap();
        assert_eq!(LinkOffer::read(&raw).unwrap().masks, 2);
    }
}
