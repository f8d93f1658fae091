//! What a client sends: one envelope, decoded once and borrowed from the frame.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ControlFrame;
use crate::members::present;

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
            Some(b'{') => serde_json::from_str(text).map_or(Self::Ignored, Self::Request),
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
/// checks it, so that a wrong type is an answer and not a silence.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Request<'a> {
    /// The verb; a request without a known one gets no answer.
    #[serde(borrow)]
    pub action: Option<&'a RawValue>,
    /// Echoed in the answer, whatever it is, `null` too.
    #[serde(borrow, deserialize_with = "present")]
    pub event_id: Option<&'a RawValue>,
    /// The item path or the channel.
    #[serde(borrow, deserialize_with = "present")]
    pub path: Option<&'a RawValue>,
    /// The payload, unopened.
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
    /// Echoed in the answer, never believed.
    #[serde(borrow, deserialize_with = "present")]
    pub session_id: Option<&'a RawValue>,
    /// What the caller asked for besides.
    #[serde(borrow)]
    pub options: Option<&'a RawValue>,
    /// Present on payload encryption, which no longer exists.
    #[serde(borrow)]
    pub encrypted: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    /// The action as text, or `None` when it is missing or no string.
    #[must_use]
    pub fn action_name(&self) -> Option<Cow<'a, str>> {
        self.action.and_then(as_text)
    }

    /// The path as text, or `None` when it is missing or no string.
    #[must_use]
    pub fn path_text(&self) -> Option<Cow<'a, str>> {
        self.path.and_then(as_text)
    }

    /// How JavaScript would print the path, for the message of a refused one.
    #[must_use]
    pub fn path_printed(&self) -> String {
        self.path
            .map_or_else(|| "undefined".into(), |raw| printed(raw.get()))
    }

    /// The options, or the defaults when there are none or they are not an object.
    ///
    /// # Errors
    /// The parser's text when a known option has an unusable type.
    pub fn decode_options(&self) -> Result<Options<'a>, String> {
        match self.options {
            Some(raw) if raw.get().starts_with('{') => {
                serde_json::from_str(raw.get()).map_err(|error| format!("invalid options: {error}"))
            }
            _ => Ok(Options::default()),
        }
    }
}

/// The options of every data request. Each member is unopened: JavaScript truthiness and odd types
/// are the business of whoever reads it through the accessors.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs)]
pub struct Options<'a> {
    #[serde(borrow)]
    pub no_store: Option<&'a RawValue>,
    #[serde(borrow)]
    pub no_publish: Option<&'a RawValue>,
    #[serde(borrow)]
    pub no_data_response: Option<&'a RawValue>,
    #[serde(borrow)]
    pub no_cluster: Option<&'a RawValue>,
    #[serde(borrow)]
    pub null_value: Option<&'a RawValue>,
    #[serde(borrow)]
    pub merge: Option<&'a RawValue>,
    #[serde(borrow)]
    pub increment: Option<&'a RawValue>,
    #[serde(borrow)]
    pub consistency: Option<&'a RawValue>,
    #[serde(borrow)]
    pub publish_results: Option<&'a RawValue>,
    #[serde(borrow)]
    pub target_clients: Option<&'a RawValue>,
    #[serde(borrow)]
    pub meta: Option<&'a RawValue>,
    #[serde(borrow)]
    pub modified_by: Option<&'a RawValue>,
    #[serde(borrow)]
    pub on_behalf_of: Option<&'a RawValue>,
    #[serde(borrow)]
    pub upsert_type: Option<&'a RawValue>,
    #[serde(borrow)]
    pub depth: Option<&'a RawValue>,
    #[serde(borrow)]
    pub initial_callback: Option<&'a RawValue>,
    #[serde(borrow)]
    pub initial_emit: Option<&'a RawValue>,
    #[serde(borrow)]
    pub reference_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub ref_count: Option<&'a RawValue>,
    #[serde(borrow, rename = "path_only")]
    pub path_only: Option<&'a RawValue>,
    #[serde(borrow)]
    pub criteria: Option<&'a RawValue>,
    #[serde(borrow)]
    pub fields: Option<&'a RawValue>,
    #[serde(borrow)]
    pub sort: Option<&'a RawValue>,
    #[serde(borrow)]
    pub limit: Option<&'a RawValue>,
    #[serde(borrow)]
    pub skip: Option<&'a RawValue>,
    #[serde(borrow)]
    pub aggregate: Option<&'a RawValue>,
    #[serde(borrow)]
    pub collation: Option<&'a RawValue>,
    /// The inner `options.options` of a get.
    #[serde(borrow)]
    pub options: Option<&'a RawValue>,
}

impl Options<'_> {
    /// JavaScript truthiness of one member.
    #[must_use]
    pub fn is_set(member: Option<&RawValue>) -> bool {
        member
            .is_some_and(|raw| !matches!(raw.get(), "false" | "null" | "0" | "-0" | "0.0" | "\"\""))
    }
}

fn as_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get())
        .ok()
        .map(|text| text.0)
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
        assert!(request.decode_options().is_ok());
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
