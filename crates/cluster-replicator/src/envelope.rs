//! What travels on `/__REPLICATE`.

use happn_protocol::{Json, Members};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A message of one node to all, as JavaScript nodes write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) topic: String,
    /// Absent when the sender had nothing to say beyond the topic.
    pub(crate) payload: Option<Json>,
    /// The name of the node that sent it.
    pub(crate) origin: String,
}

#[derive(Deserialize)]
struct Text(String);

impl Envelope {
    /// Reads an envelope; `None` when it is none.
    pub(crate) fn read(data: &Json) -> Option<Self> {
        let members = Members::parse(data.as_str())?;
        let text = |raw: &RawValue| serde_json::from_str::<Text>(raw.get()).ok();
        Some(Self {
            topic: text(members.get("topic")?)?.0,
            payload: members.get("payload").map(Json::from_raw),
            origin: text(members.get("origin")?)?.0,
        })
    }

    pub(crate) fn write(&self) -> Json {
        let mut out = b"{\"topic\":".to_vec();
        happn_protocol::write_string(&mut out, &self.topic);
        if let Some(payload) = &self.payload {
            out.extend_from_slice(b",\"payload\":");
            out.extend_from_slice(payload.as_bytes());
        }
        out.extend_from_slice(b",\"origin\":");
        happn_protocol::write_string(&mut out, &self.origin);
        out.push(b'}');
        Json::from_trusted(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_read_back_and_written_as_the_reference_does() {
        for text in [
            r#"{"topic":"my/topic","payload":{"p":1},"origin":"node-a"}"#,
            r#"{"topic":"my/topic","payload":null,"origin":"node-a"}"#,
            r#"{"topic":"my/topic","origin":"node-a"}"#,
        ] {
            let envelope = Envelope::read(&Json::parse(text).unwrap()).unwrap();
            assert_eq!(envelope.write().as_str(), text);
        }
    }

    #[test]
    fn what_is_no_envelope_is_none() {
        for text in [
            "null",
            "5",
            "[]",
            "{}",
            r#"{"topic":"t"}"#,
            r#"{"topic":1,"origin":"a"}"#,
            r#"{"topic":"t","origin":{}}"#,
        ] {
            assert_eq!(Envelope::read(&Json::parse(text).unwrap()), None, "{text}");
        }
    }
}
