//! What a client sends: one envelope, decoded once and borrowed from the frame.

use std::borrow::Cow;

use serde::Deserialize;

use crate::{ControlFrame, Members, Raw, scan};

/// A text frame, told apart.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// A primus control string, still as it was sent.
    Control(Cow<'a, str>),
    /// A request.
    Request(Request<'a>),
    /// JSON that is not a request, or no JSON at all: ignored, the connection stays open.
    Ignored,
}

impl<'a> Incoming<'a> {
    /// Tells what `text` is. Never fails: what cannot be read is [`Incoming::Ignored`].
    #[must_use]
    pub fn decode(text: &'a str) -> Self {
        match text.trim_ascii_start().as_bytes().first() {
            Some(b'{') => decode(text).map_or(Self::Ignored, Self::Request),
            Some(b'"') => match serde_json::from_str::<Text<'a>>(text) {
                Ok(Text(text)) if ControlFrame::parse(&text).is_some() => Self::Control(text),
                _ => Self::Ignored,
            },
            _ => Self::Ignored,
        }
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A request envelope. Members keep whatever type the client gave them; the action that needs one
/// checks it, so that a wrong type is an answer and not a silence. Of several members with one name
/// the last one counts, as in JavaScript.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The verb; a request without a known one gets no answer.
    pub action: Option<Raw<'a>>,
    /// Echoed in the answer, whatever it is, `null` too.
    pub event_id: Option<Raw<'a>>,
    /// The item path or the channel.
    pub path: Option<Raw<'a>>,
    /// The payload, unopened.
    pub data: Option<Raw<'a>>,
    /// Echoed in the answer, never believed.
    pub session_id: Option<Raw<'a>>,
    /// What the caller asked for besides.
    pub options: Option<Raw<'a>>,
    /// Present on payload encryption, which no longer exists.
    pub encrypted: Option<Raw<'a>>,
}

impl<'a> Request<'a> {
    /// The action as text, or `None` when it is missing or no string.
    #[must_use]
    pub fn action_name(&self) -> Option<Cow<'a, str>> {
        self.action.and_then(Raw::text)
    }

    /// The path as text, or `None` when it is missing or no string.
    #[must_use]
    pub fn path_text(&self) -> Option<Cow<'a, str>> {
        self.path.and_then(Raw::text)
    }

    /// How JavaScript would print the path, for the message of a refused one.
    #[must_use]
    pub fn path_printed(&self) -> String {
        self.path
            .map_or_else(|| "undefined".into(), |raw| printed(raw.get()))
    }

    /// The options, or the defaults when there are none or they are not an object.
    #[must_use]
    pub fn decode_options(&self) -> Options<'a> {
        let raw = self.options.filter(|raw| raw.get().starts_with('{'));
        raw.and_then(|raw| decode(raw.get())).unwrap_or_default()
    }
}

/// What is made of an object's members.
trait Decode<'a>: Default {
    /// Takes a member in; unknown ones are of no interest.
    fn set(&mut self, name: &str, value: Raw<'a>);
}

fn decode<'a, T: Decode<'a>>(text: &'a str) -> Option<T> {
    let mut usual = T::default();
    if scan::members(text, |name, value| usual.set(name, value)).is_some() {
        return Some(usual);
    }
    let mut decoded = T::default();
    for (name, value) in Members::parse(text)? {
        decoded.set(&name, value.into());
    }
    Some(decoded)
}

impl<'a> Decode<'a> for Request<'a> {
    fn set(&mut self, name: &str, value: Raw<'a>) {
        match name {
            "action" => self.action = value.unless_null(),
            "eventId" => self.event_id = Some(value),
            "path" => self.path = Some(value),
            "data" => self.data = value.unless_null(),
            "sessionId" => self.session_id = Some(value),
            "options" => self.options = value.unless_null(),
            "encrypted" => self.encrypted = value.unless_null(),
            _ => {}
        }
    }
}

/// The options of every data request. Each member is unopened: JavaScript truthiness and odd types
/// are the business of whoever reads it through the accessors.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Options<'a> {
    pub no_store: Option<Raw<'a>>,
    pub no_publish: Option<Raw<'a>>,
    pub no_data_response: Option<Raw<'a>>,
    pub no_cluster: Option<Raw<'a>>,
    pub null_value: Option<Raw<'a>>,
    pub merge: Option<Raw<'a>>,
    pub increment: Option<Raw<'a>>,
    pub consistency: Option<Raw<'a>>,
    pub publish_results: Option<Raw<'a>>,
    pub target_clients: Option<Raw<'a>>,
    pub meta: Option<Raw<'a>>,
    pub modified_by: Option<Raw<'a>>,
    pub on_behalf_of: Option<Raw<'a>>,
    pub upsert_type: Option<Raw<'a>>,
    pub depth: Option<Raw<'a>>,
    pub initial_callback: Option<Raw<'a>>,
    pub initial_emit: Option<Raw<'a>>,
    pub reference_id: Option<Raw<'a>>,
    pub ref_count: Option<Raw<'a>>,
    pub path_only: Option<Raw<'a>>,
    pub criteria: Option<Raw<'a>>,
    pub fields: Option<Raw<'a>>,
    pub sort: Option<Raw<'a>>,
    pub limit: Option<Raw<'a>>,
    pub skip: Option<Raw<'a>>,
    pub aggregate: Option<Raw<'a>>,
    pub collation: Option<Raw<'a>>,
    /// The inner `options.options` of a get.
    pub options: Option<Raw<'a>>,
}

impl<'a> Decode<'a> for Options<'a> {
    fn set(&mut self, name: &str, value: Raw<'a>) {
        let member = match name {
            "noStore" => &mut self.no_store,
            "noPublish" => &mut self.no_publish,
            "noDataResponse" => &mut self.no_data_response,
            "noCluster" => &mut self.no_cluster,
            "nullValue" => &mut self.null_value,
            "merge" => &mut self.merge,
            "increment" => &mut self.increment,
            "consistency" => &mut self.consistency,
            "publishResults" => &mut self.publish_results,
            "targetClients" => &mut self.target_clients,
            "meta" => &mut self.meta,
            "modifiedBy" => &mut self.modified_by,
            "onBehalfOf" => &mut self.on_behalf_of,
            "upsertType" => &mut self.upsert_type,
            "depth" => &mut self.depth,
            "initialCallback" => &mut self.initial_callback,
            "initialEmit" => &mut self.initial_emit,
            "referenceId" => &mut self.reference_id,
            "refCount" => &mut self.ref_count,
            "path_only" => &mut self.path_only,
            "criteria" => &mut self.criteria,
            "fields" => &mut self.fields,
            "sort" => &mut self.sort,
            "limit" => &mut self.limit,
            "skip" => &mut self.skip,
            "aggregate" => &mut self.aggregate,
            "collation" => &mut self.collation,
            "options" => &mut self.options,
            _ => return,
        };
        *member = value.unless_null();
    }
}

impl Options<'_> {
    /// JavaScript truthiness of one member.
    #[must_use]
    pub fn is_set<'m>(member: Option<impl Into<Raw<'m>>>) -> bool {
        let falsy =
            |raw: Raw<'_>| matches!(raw.get(), "false" | "null" | "0" | "-0" | "0.0" | "\"\"");
        member.is_some_and(|raw| !falsy(raw.into()))
    }
}

/// JavaScript's string conversion of a JSON value, as far as error messages need it.
fn printed(raw: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(raw) {
        Ok(serde_json::Value::Object(_)) => "[object Object]".into(),
        Ok(serde_json::Value::Array(items)) => {
            let items: Vec<_> = items
                .iter()
                .map(|item| {
                    if item.is_null() {
                        String::new()
                    } else {
                        printed(&item.to_string())
                    }
                })
                .collect();
            items.join(",")
        }
        Ok(serde_json::Value::String(text)) => text,
        _ => raw.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_and_control_strings_are_anything() {
        for ignored in [
            "",
            "null",
            "5",
            "[1]",
            "\"hello\"",
            "{",
            "{\"action\":}",
            "true",
            "\u{feff}",
        ] {
            assert!(
                matches!(Incoming::decode(ignored), Incoming::Ignored),
                "{ignored}"
            );
        }
        assert!(matches!(
            Incoming::decode("\"primus::pong::1\""),
            Incoming::Control(_)
        ));
        assert!(matches!(Incoming::decode("{}"), Incoming::Request(_)));
    }

    #[test]
    fn members_keep_whatever_type_the_client_gave_them() {
        let Incoming::Request(request) =
            Incoming::decode(r#"{"action":5,"eventId":{"a":1},"path":[null,"x"],"options":"str"}"#)
        else {
            panic!("an object is a request")
        };
        assert_eq!(request.action_name(), None);
        assert_eq!(request.event_id.unwrap().get(), r#"{"a":1}"#);
        assert_eq!(request.path_printed(), ",x");
        assert!(request.decode_options().no_store.is_none());
    }

    #[test]
    fn it_makes_no_difference_how_a_request_is_spelled() {
        let usual = r#"{"action":"set","data":null,"eventId":null,"options":{"noStore":true,"path_only":1,"merge":null}}"#;
        let spaced = usual.replace(':', " : ");
        let escaped = usual.replace("eventId", "\\u0065ventId");
        let twice = usual.replace("\"action\"", "\"action\":5,\"action\"");
        for text in [usual, &spaced, &escaped, &twice] {
            let Incoming::Request(request) = Incoming::decode(text) else {
                panic!("a request: {text}")
            };
            let options = request.decode_options();
            assert_eq!(request.action_name().as_deref(), Some("set"));
            assert_eq!(request.event_id.map(Raw::get), Some("null"));
            assert_eq!(request.data, None);
            assert_eq!(options.no_store.map(Raw::get), Some("true"));
            assert_eq!(options.path_only.map(Raw::get), Some("1"));
            assert_eq!(options.merge, None);
        }
    }

    #[test]
    fn depth_of_nesting_is_no_reason_to_fail() {
        let deep = format!(
            "{{\"action\":\"set\",\"data\":{}{}}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(matches!(Incoming::decode(&deep), Incoming::Request(_)));
    }
}
