//! Which frames belong together, and which may change places.

use serde_json::Value;

use crate::raw::Got;

/// What a frame is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    Response(String),
    Event {
        publication: String,
        channel: String,
    },
    PublicationAck(String),
    System,
    /// A control string, without what follows the second colons.
    Control(String),
    Heartbeat,
    Http,
    Pong,
    Close,
    End,
    Other,
}

impl Identity {
    pub fn of(got: &Got) -> Self {
        match got {
            Got::Text(text) => Self::of_text(text),
            Got::Http(_) => Self::Http,
            Got::Pong(_) => Self::Pong,
            Got::Close(..) => Self::Close,
            Got::End => Self::End,
            Got::Ping(_) | Got::Odd(_) => Self::Other,
        }
    }

    pub fn of_text(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(Value::String(text)) if text.starts_with("primus::ping::") => Self::Heartbeat,
            Ok(Value::String(text)) => {
                Self::Control(text.splitn(3, "::").take(2).collect::<Vec<_>>().join("::"))
            }
            Ok(Value::Array(items)) => match items.last() {
                Some(meta) => Self::Response(meta["eventId"].to_string()),
                None => Self::Other,
            },
            Ok(value) => Self::of_object(&value),
            Err(_) => Self::Other,
        }
    }

    fn of_object(value: &Value) -> Self {
        let meta = &value["_meta"];
        match meta["type"].as_str() {
            Some("response") => Self::Response(meta["eventId"].to_string()),
            Some("ack") => Self::PublicationAck(meta["eventId"].to_string()),
            Some("data") => Self::Event {
                // Session ids differ from run to run; the number after them does not.
                publication: meta["publicationId"]
                    .as_str()
                    .and_then(|id| id.get(36..))
                    .unwrap_or_default()
                    .to_owned(),
                channel: meta["channel"].to_string(),
            },
            Some("system") => Self::System,
            _ => Self::Other,
        }
    }

    /// Whether these two may arrive in either order.
    pub fn may_swap(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Heartbeat | Self::Pong, _) | (_, Self::Heartbeat | Self::Pong) => !matches!(
                (self, other),
                (Self::Close | Self::End, _) | (_, Self::Close | Self::End)
            ),
            // Answers to requests that were under way together.
            (Self::Response(one), Self::Response(two)) => one != two,
            (
                Self::Event {
                    publication: one, ..
                },
                Self::Event {
                    publication: two, ..
                },
            ) => one == two,
            (
                Self::Event { publication, .. },
                Self::Response(event_id) | Self::PublicationAck(event_id),
            )
            | (
                Self::Response(event_id) | Self::PublicationAck(event_id),
                Self::Event { publication, .. },
            ) => publication.trim_start_matches('-') != event_id,
            (Self::PublicationAck(one), Self::PublicationAck(two) | Self::Response(two))
            | (Self::Response(one), Self::PublicationAck(two)) => one != two,
            _ => false,
        }
    }
}
