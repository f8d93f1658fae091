//! From an event frame of a peer to an event that can be published again.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use happn_core::ReplicatedEvent;
use happn_paths::EventKind;
use happn_protocol::link::LinkEvent;
use happn_protocol::publication::is_reserved;
use happn_protocol::{EventMessage, Json, Members};
use serde_json::value::RawValue;

/// Reads an event; `None` when it lacks what a publication needs.
pub(crate) fn replicated(frame: &Bytes, event: &EventMessage<'_>) -> Option<ReplicatedEvent> {
    let meta = &event.meta;
    let time = |name: &str| meta.get(name).and_then(|raw| raw.get().parse().ok());
    let custom = meta
        .iter()
        .filter(|(name, _)| !is_standard(name))
        .map(|(name, value)| (name.to_owned(), Json::from_raw(value)))
        .collect();
    Some(ReplicatedEvent {
        kind: event_kind(&meta.text("action")?)?,
        path: Arc::from(meta.text("path")?.as_ref()),
        data: Json::share(frame, event.data),
        session_id: Arc::from(meta.text("sessionId")?.as_ref()),
        publication_id: Arc::from(meta.text("publicationId")?.as_ref()),
        created: time("created"),
        modified: time("modified"),
        event_origin: meta.get("eventOrigin").map(Json::from_raw),
        merge_data: None,
        consistency: None,
        sequence: None,
        custom,
    })
}

/// Reads a numbered event; `None` when its action is unknown.
pub(crate) fn numbered(
    frame: &Bytes,
    sequence: u64,
    event: &LinkEvent<'_>,
) -> Option<ReplicatedEvent> {
    let custom = event
        .custom
        .and_then(Members::parse)
        .map(|members| members.into_iter().map(owned).collect());
    let share = |text| Json::share_trusted(frame, text);
    Some(ReplicatedEvent {
        kind: match &*event.action {
            "SET" => EventKind::Set,
            "REMOVE" => EventKind::Remove,
            _ => return None,
        },
        path: Arc::from(&*event.path),
        data: share(event.data),
        session_id: Arc::from(&*event.session_id),
        publication_id: Arc::from(&*event.publication_id),
        created: event.created,
        modified: event.modified,
        event_origin: event.event_origin.map(share),
        merge_data: event.merge.map(share),
        consistency: Some(consistency(event.consistency)),
        sequence: Some(sequence),
        custom: custom.unwrap_or_default(),
    })
}

/// The usual ones cost nothing.
fn consistency(text: &str) -> Json {
    match text {
        "2" => Json::from_static("2"),
        "3" => Json::from_static("3"),
        other => Json::from_trusted(other.as_bytes().to_vec()),
    }
}

fn owned((name, value): (Cow<'_, str>, &RawValue)) -> (String, Json) {
    (name.into_owned(), Json::from_raw(value))
}

/// What happened, from `/SET@<path>`.
pub(crate) fn event_kind(action: &str) -> Option<EventKind> {
    let verb = action.strip_prefix('/')?.split('@').next()?;
    if verb.eq_ignore_ascii_case("set") {
        Some(EventKind::Set)
    } else if verb.eq_ignore_ascii_case("remove") {
        Some(EventKind::Remove)
    } else {
        None
    }
}

/// Members that the publishing side writes anew.
fn is_standard(name: &str) -> bool {
    is_reserved(name)
        || matches!(
            name,
            "channel" | "consistency" | "publicationId" | "eventOrigin" | "acknowledged" | "depth"
        )
}

#[cfg(test)]
mod tests {
    use happn_protocol::ServerMessage;

    use super::*;

    fn read(frame: &'static str) -> Option<ReplicatedEvent> {
        match ServerMessage::decode(frame) {
            ServerMessage::Event(event) => {
                replicated(&Bytes::from_static(frame.as_bytes()), &event)
            }
            other => panic!("not an event: {other:?}"),
        }
    }

    #[test]
    fn a_set_keeps_its_times_its_origin_and_its_custom_members_in_order() {
        let event = read(concat!(
            r#"{"data":{"a":1},"_meta":{"action":"/SET@/v/m","type":"data","sessionId":"s","#,
            r#""consistency":3,"publicationId":"s-13","path":"/v/m","created":5,"modified":6,"#,
            r#""eventOrigin":{"username":"u","id":"s"},"z":"x","a":[1],"channel":"/ALL@*","#,
            r#""depth":5,"acknowledged":true},"protocol":"happn_4"}"#
        ))
        .unwrap();
        assert_eq!(event.kind, EventKind::Set);
        assert_eq!((&*event.path, &*event.session_id), ("/v/m", "s"));
        assert_eq!(&*event.publication_id, "s-13");
        assert_eq!((event.created, event.modified), (Some(5), Some(6)));
        assert_eq!(event.data.as_str(), r#"{"a":1}"#);
        let origin = event.event_origin.unwrap();
        assert_eq!(origin.as_str(), r#"{"username":"u","id":"s"}"#);
        let custom: Vec<_> = event
            .custom
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(custom, [("z", r#""x""#), ("a", "[1]")]);
    }

    #[test]
    fn an_event_without_a_path_or_with_an_unknown_action_is_none() {
        let no_path = r#"{"data":1,"_meta":{"action":"/SET@/v","type":"data","sessionId":"s","publicationId":"s-1","channel":"/ALL@*"}}"#;
        assert_eq!(read(no_path), None);
        let unknown = r#"{"data":1,"_meta":{"action":"/TAG@/v","path":"/v","type":"data","sessionId":"s","publicationId":"s-1","channel":"/ALL@*"}}"#;
        assert_eq!(read(unknown), None);
    }
}
