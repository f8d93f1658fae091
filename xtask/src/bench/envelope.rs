//! What the protocol demands of any server per publication: decode a `set`, encode its event once,
//! encode its answer.

use std::fmt::Write as _;

use anyhow::Context;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The session id that the server puts into every event.
const SESSION_ID: &str = "2ea2b1b5-a1ab-44ad-8a3d-1aae3a2dd9e1";

/// A `set`, borrowed from its frame.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    action: &'a str,
    path: &'a str,
    #[serde(borrow)]
    event_id: &'a RawValue,
    #[serde(borrow)]
    session_id: &'a RawValue,
    #[serde(borrow)]
    data: &'a RawValue,
    options: Options,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    consistency: u8,
    no_store: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            consistency: 2,
            no_store: false,
        }
    }
}

impl<'a> Envelope<'a> {
    /// Reads a `set` that is not stored: nothing else can be served here.
    pub(super) fn decode(text: &'a str) -> anyhow::Result<Self> {
        let envelope: Self = serde_json::from_str(text)?;
        (envelope.action == "set" && envelope.options.no_store)
            .then_some(envelope)
            .context("neither a set nor one that is not stored")
    }

    /// The event, as the listeners of `group` get it.
    pub(super) fn event(&self, group: &str) -> String {
        let (path, consistency) = (self.path, self.options.consistency);
        let (data, event_id) = (self.data.get(), self.event_id.get());
        let mut out = String::with_capacity(data.len() + 384);
        let _ = write!(
            out,
            r#"{{"data":{data},"_meta":{{"action":"/SET@{path}","type":"data","sessionId":"{SESSION_ID}","consistency":{consistency},"publicationId":"{SESSION_ID}-{event_id}","path":"{path}","channel":"/SET@/{group}/*"}},"protocol":"happn_4"}}"#
        );
        out
    }

    /// What the publisher is answered.
    pub(super) fn answer(&self) -> String {
        let (action, path, data) = (self.action, self.path, self.data.get());
        let (event_id, session_id) = (self.event_id.get(), self.session_id.get());
        let mut out = String::with_capacity(data.len() + 320);
        let _ = write!(
            out,
            r#"{{"data":{data},"_meta":{{"path":"{path}","published":true,"type":"response","status":"ok","eventId":{event_id},"sessionId":{session_id},"action":"{action}"}},"protocol":"happn_4"}}"#
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = r#"{"path":"/a/b","action":"set","eventId":7,"data":{"x":1},"protocol":"happn_4","sessionId":"s","options":{"timeout":1,"noStore":true}}"#;

    #[test]
    fn events_and_answers_are_what_a_node_sends() {
        let envelope = Envelope::decode(SET).unwrap();
        assert_eq!(
            envelope.event("a"),
            format!(
                r#"{{"data":{{"x":1}},"_meta":{{"action":"/SET@/a/b","type":"data","sessionId":"{SESSION_ID}","consistency":2,"publicationId":"{SESSION_ID}-7","path":"/a/b","channel":"/SET@/a/*"}},"protocol":"happn_4"}}"#
            )
        );
        assert_eq!(
            envelope.answer(),
            r#"{"data":{"x":1},"_meta":{"path":"/a/b","published":true,"type":"response","status":"ok","eventId":7,"sessionId":"s","action":"set"},"protocol":"happn_4"}"#
        );
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        assert!(Envelope::decode(&SET.replace("true", "false")).is_err());
        assert!(Envelope::decode("{").is_err());
    }
}
