//! What a node reads on a numbered link.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::scan::{split_plain_string, split_value};

/// A numbered event as a node reads it. What is called JSON has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkEvent<'a> {
    /// `SET` or `REMOVE`.
    pub action: Cow<'a, str>,
    /// The published path.
    pub path: Cow<'a, str>,
    /// The publisher's session.
    pub session_id: Cow<'a, str>,
    /// The publication.
    pub publication_id: Cow<'a, str>,
    /// The consistency the publisher asked for, as JSON.
    pub consistency: &'a str,
    /// Ms since 1970.
    pub created: Option<i64>,
    /// Ms since 1970.
    pub modified: Option<i64>,
    /// `{username, id}` on a secure cluster, as JSON.
    pub event_origin: Option<&'a str>,
    /// The publisher's own meta, as JSON.
    pub custom: Option<&'a str>,
    /// What was merged, if this is a merge, as JSON.
    pub merge: Option<&'a str>,
    /// What subscribers get, as JSON.
    pub data: &'a str,
}

/// A frame of a numbered link.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly everything is an event, and gaps are rare"
)]
pub enum LinkMessage<'a> {
    /// An event and its number.
    Event(u64, LinkEvent<'a>),
    /// So many events are missing here.
    Gap(u64),
}

#[derive(Deserialize)]
struct Gap {
    gap: Lost,
}

#[derive(Deserialize)]
struct Lost {
    lost: u64,
}

impl<'a> LinkMessage<'a> {
    /// Reads a frame of a numbered link; `None` when it is any other frame.
    pub(crate) fn decode(text: &'a str) -> Option<Self> {
        if text.starts_with("{\"link\":") {
            let (sequence, event) = as_we_write_it(text).or_else(|| as_it_may_be(text))?;
            return Some(Self::Event(sequence, event));
        }
        if text.starts_with("{\"gap\":") {
            let frame: Gap = serde_json::from_str(text).ok()?;
            return Some(Self::Gap(frame.gap.lost));
        }
        None
    }
}

/// Reads a frame with the members in the order in which [`LinkFrame`](super::LinkFrame) writes them
/// and without escapes in the short texts, in one pass and without a parser: what a node gets in a
/// cluster is nearly all of this kind.
fn as_we_write_it(text: &str) -> Option<(u64, LinkEvent<'_>)> {
    let (action, rest) = text_member(text, r#"{"link":{"action":"#)?;
    let (path, rest) = text_member(rest, r#","path":"#)?;
    let (session_id, rest) = text_member(rest, r#","sessionId":"#)?;
    let (publication_id, rest) = text_member(rest, r#","publicationId":"#)?;
    let (consistency, rest) = split_value(rest.strip_prefix(r#","consistency":"#)?)?;
    let (created, rest) = value_member(rest, r#","created":"#)?;
    let (modified, rest) = value_member(rest, r#","modified":"#)?;
    let (event_origin, rest) = value_member(rest, r#","eventOrigin":"#)?;
    let (custom, rest) = value_member(rest, r#","custom":"#)?;
    let (merge, rest) = value_member(rest, r#","merge":"#)?;
    let (data, rest) = split_value(rest.strip_prefix(r#","data":"#)?)?;
    let sequence = rest.strip_prefix(r#"},"sequence":"#)?.strip_suffix('}')?;
    let event = LinkEvent {
        action,
        path,
        session_id,
        publication_id,
        consistency,
        created: time(created)?,
        modified: time(modified)?,
        event_origin,
        custom,
        merge,
        data,
    };
    Some((sequence.parse().ok()?, event))
}

fn text_member<'a>(rest: &'a str, before: &str) -> Option<(Cow<'a, str>, &'a str)> {
    let (text, rest) = split_plain_string(rest.strip_prefix(before)?)?;
    Some((Cow::Borrowed(text), rest))
}

/// The value of a member that may be missing.
fn value_member<'a>(rest: &'a str, before: &str) -> Option<(Option<&'a str>, &'a str)> {
    match rest.strip_prefix(before) {
        None => Some((None, rest)),
        Some(value) => {
            let (value, rest) = split_value(value)?;
            Some((Some(value), rest))
        }
    }
}

fn time(value: Option<&str>) -> Option<Option<i64>> {
    value.map_or(Some(None), |text| text.parse().ok().map(Some))
}

#[derive(Deserialize)]
struct Numbered<'a> {
    #[serde(borrow)]
    link: Spelled<'a>,
    sequence: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spelled<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    #[serde(borrow)]
    publication_id: Cow<'a, str>,
    #[serde(borrow)]
    consistency: &'a RawValue,
    created: Option<i64>,
    modified: Option<i64>,
    #[serde(borrow)]
    event_origin: Option<&'a RawValue>,
    #[serde(borrow)]
    custom: Option<&'a RawValue>,
    #[serde(borrow)]
    merge: Option<&'a RawValue>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Reads any spelling of a frame.
fn as_it_may_be(text: &str) -> Option<(u64, LinkEvent<'_>)> {
    let Numbered { link, sequence } = serde_json::from_str(text).ok()?;
    let event = LinkEvent {
        action: link.action,
        path: link.path,
        session_id: link.session_id,
        publication_id: link.publication_id,
        consistency: link.consistency.get(),
        created: link.created,
        modified: link.modified,
        event_origin: link.event_origin.map(RawValue::get),
        custom: link.custom.map(RawValue::get),
        merge: link.merge.map(RawValue::get),
        data: link.data.get(),
    };
    Some((sequence, event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Json;
    use crate::link::LinkFrame;
    use crate::publication::Event;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    /// Encodes `event` and reads it by both ways.
    fn both(event: &Event<'_>, data: &Json, merge: Option<&Json>, check: impl Fn(&LinkEvent<'_>)) {
        let frame = LinkFrame::new(event, data, merge).number(u64::MAX);
        let text = std::str::from_utf8(frame.payload()).unwrap();
        let (sequence, quick) = as_we_write_it(text).unwrap();
        assert_eq!(sequence, u64::MAX);
        assert_eq!(as_it_may_be(text).unwrap(), (sequence, quick.clone()));
        check(&quick);
    }

    #[test]
    fn what_we_write_is_read_without_the_parser_and_alike() {
        let (data, merge) = (json(r#"{"a":[1,"},\"sequence\":1}"]}"#), json("2"));
        let origin = json(r#"{"username":"u","id":"s"}"#);
        let custom = [("x\"".to_owned(), json("[1]"))];
        let plain = Event {
            action: "SET",
            path: "/a/é",
            session_id: "s",
            consistency: "2",
            publication_id: &["s", "-", "1"],
            created: None,
            modified: None,
            event_origin: None,
            custom: &[],
        };
        both(&plain, &data, None, |event| {
            assert_eq!((&*event.action, &*event.path), ("SET", "/a/é"));
            assert_eq!((&*event.session_id, &*event.publication_id), ("s", "s-1"));
            assert_eq!((event.consistency, event.data), ("2", data.as_str()));
            assert_eq!((event.created, event.modified), (None, None));
            assert_eq!(
                (event.event_origin, event.custom, event.merge),
                (None, None, None)
            );
        });
        let full = Event {
            created: Some(-5),
            modified: Some(i64::MAX),
            event_origin: Some(&origin),
            custom: &custom,
            ..plain
        };
        both(&full, &json("null"), Some(&merge), |event| {
            assert_eq!((event.created, event.modified), (Some(-5), Some(i64::MAX)));
            assert_eq!(event.event_origin, Some(origin.as_str()));
            assert_eq!(event.custom, Some(r#"{"x\"":[1]}"#));
            assert_eq!((event.merge, event.data), (Some("2"), "null"));
        });
    }

    #[test]
    fn other_spellings_are_read_too() {
        let text = r#"{"link": {"data":{},"publicationId":"p\n","sessionId":"s","path":"/\u0061",
            "action":"REMOVE","consistency":{"odd":1},"new":7},"sequence":3}"#;
        let Some(LinkMessage::Event(3, event)) = LinkMessage::decode(text) else {
            panic!("an event")
        };
        assert_eq!((&*event.path, &*event.publication_id), ("/a", "p\n"));
        assert_eq!((event.consistency, event.data), (r#"{"odd":1}"#, "{}"));
    }

    #[test]
    fn what_is_no_event_is_none() {
        let good = concat!(
            r#"{"link":{"action":"SET","path":"/a","sessionId":"s","publicationId":"p","#,
            r#""consistency":2,"data":{}},"sequence":1}"#
        );
        assert!(LinkMessage::decode(good).is_some());
        for (from, to) in [
            (r#""data":{}"#, r#""data":{"#),
            (r#""data":{}"#, r#""data":x"#),
            (r#""data":{}"#, r#""other":1"#),
            (r#":1}"#, ":-1}"),
            (r#":1}"#, r#":"1"}"#),
            (r#":1}"#, ":1}}"),
            (r#":1}"#, ":1"),
            (r#":1}"#, ":18446744073709551616}"),
            (r#""consistency":2"#, r#""consistency":2,"created":"x""#),
            (r#""action":"SET""#, r#""action":5"#),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            assert!(LinkMessage::decode(&bad).is_none(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd_to_decode(text in ".*") {
            let _ = LinkMessage::decode(&format!("{{\"link\":{text}"));
        }
    }
}
