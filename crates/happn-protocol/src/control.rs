//! The primus control strings: JSON strings beginning with `primus::`.

use crate::write_string;

/// A control string, without its JSON quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlFrame<'a> {
    /// A legacy client's heartbeat; the text after the second `::` is echoed in the pong.
    Ping(&'a str),
    /// The answer to our heartbeat. Its number is not checked.
    Pong,
    /// The client asks for the connection's spark id.
    Id,
    /// The server closes on purpose: do not reconnect.
    ServerClose,
    /// Any other control string: ignored.
    Other,
}

impl<'a> ControlFrame<'a> {
    /// Reads a control string, or `None` when `text` is an ordinary string.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("primus::")?;
        let (verb, argument) = rest.split_once("::").unwrap_or((rest, ""));
        let argument = argument.split("::").next().unwrap_or_default();
        Some(match verb {
            "ping" => Self::Ping(argument),
            "pong" => Self::Pong,
            "id" => Self::Id,
            "server" if argument == "close" => Self::ServerClose,
            _ => Self::Other,
        })
    }

    /// The text frame that announces a deliberate close.
    pub const SERVER_CLOSE: &'static str = "\"primus::server::close\"";

    /// The heartbeat a node sends; `now_ms` is milliseconds since 1970.
    #[must_use]
    pub fn ping_text(now_ms: i64) -> String {
        format!("\"primus::ping::{now_ms}\"")
    }

    /// The answer to a ping that carried `argument`.
    #[must_use]
    pub fn pong_text(argument: &str) -> String {
        quoted(&format!("primus::pong::{argument}"))
    }

    /// The answer to a request for the spark id.
    #[must_use]
    pub fn id_text(spark_id: &str) -> String {
        quoted(&format!("primus::id::{spark_id}"))
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_strings_are_told_apart_from_ordinary_strings() {
        assert_eq!(
            ControlFrame::parse("primus::ping::12"),
            Some(ControlFrame::Ping("12"))
        );
        assert_eq!(
            ControlFrame::parse("primus::pong::x"),
            Some(ControlFrame::Pong)
        );
        assert_eq!(ControlFrame::parse("primus::id::"), Some(ControlFrame::Id));
        assert_eq!(
            ControlFrame::parse("primus::server::close"),
            Some(ControlFrame::ServerClose)
        );
        assert_eq!(
            ControlFrame::parse("primus::nonsense"),
            Some(ControlFrame::Other)
        );
        assert_eq!(ControlFrame::parse("hello"), None);
    }
}
