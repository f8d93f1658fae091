//! What nodes tell each other.

use happn_protocol::link::{LinkAnswer, LinkBeat, LinkFrame, LinkInterest, LinkMessage, LinkOffer};
use happn_protocol::publication::Event;
use happn_protocol::{Json, Members, ServerMessage};
use serde_json::value::RawValue;

use crate::text;

/// `data` as every message of a link, and inside an event on one.
///
/// # Panics
/// When an event does not come back as it was sent.
pub fn links(data: &[u8]) {
    let text = text(data);
    if let ServerMessage::Event(event) = ServerMessage::decode(&text) {
        let _ = (event.meta.text("path"), event.meta.get("consistency"));
    }
    if let Ok(raw) = serde_json::from_str::<&RawValue>(&text) {
        if let Some(offer) = LinkOffer::read(raw) {
            assert!(
                offer.version >= 1 && offer.masks >= 1,
                "nobody offers {offer:?}"
            );
        }
        let _ = Members::read(raw).map(|members| members.iter().count());
    }
    let _ = serde_json::from_str::<LinkAnswer>(&text);
    let _ = serde_json::from_str::<LinkBeat>(&text);
    let _ = serde_json::from_str::<LinkInterest>(&text);
    send(&text);
}

fn send(text: &str) {
    let data = Json::encode(text);
    assert!(data.is_ok(), "every text is JSON");
    let Ok(data) = data else { return };
    let event = Event {
        action: "SET",
        path: text,
        session_id: text,
        consistency: "2",
        publication_id: &[text, "-", text],
        created: Some(1),
        modified: None,
        event_origin: None,
        custom: &[(text.to_owned(), data.clone())],
    };
    let frame = LinkFrame::new(&event, &data, None).number(7);
    let sent = std::str::from_utf8(frame.payload());
    let read = sent.map(ServerMessage::decode);
    let Ok(ServerMessage::Link(LinkMessage::Event(sequence, read))) = read else {
        assert!(sent.is_err(), "an event is none: {sent:?}");
        assert!(sent.is_ok(), "an event is no text");
        return;
    };
    assert_eq!((sequence, &*read.path, read.data), (7, text, data.as_str()));
}
