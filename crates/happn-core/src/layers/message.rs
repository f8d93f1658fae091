//! A message as layers see it: its members, in order.

use happn_protocol::{Json, Members, write_string};
use serde_json::value::RawValue;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A client asks for something.
    Request,
    /// The answer to a request.
    Answer,
    /// An event of a subscription.
    Event,
    /// How a publication ended.
    PublicationEnd,
    /// The node speaks about the session itself.
    System,
}

/// One message on its way, member by member: `action`, `path`, `data`, `options` … of a request,
/// `data`, `_meta` … of what the node sends.
///
/// The answer to a `get` with a wildcard travels as one list. Here it has the two members `data`,
/// the list of its items, and `_meta` as every answer.
#[derive(Clone, Debug)]
pub struct Message {
    kind: MessageKind,
    members: Vec<(String, Json)>,
    is_list: bool,
    is_changed: bool,
}

impl Message {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// The member `name` as JSON.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        let found = self.members.iter().rfind(|(member, _)| member == name);
        found.map(|(_, value)| value)
    }

    /// The member `name`, if it is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.decode().ok()
    }

    /// The member `name` of `_meta`.
    #[must_use]
    pub fn meta(&self, name: &str) -> Option<Json> {
        let meta = Members::parse(self.get("_meta")?.as_str())?;
        meta.get(name).map(Json::from_raw)
    }

    /// Name and value of each member, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.members
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Puts `value` in the place of the member `name`, or at the end if there was none.
    pub fn set(&mut self, name: &str, value: Json) {
        self.is_changed = true;
        let found = self.members.iter_mut().rfind(|(member, _)| member == name);
        match found {
            Some((_, place)) => *place = value,
            None => self.members.push((name.to_owned(), value)),
        }
    }

    /// Takes the member `name` out.
    pub fn remove(&mut self, name: &str) {
        let before = self.members.len();
        self.members.retain(|(member, _)| member != name);
        self.is_changed |= self.members.len() < before;
    }

    /// Reads an object; `None` when `text` is anything else.
    pub(super) fn read(text: &str, kind: MessageKind) -> Option<Self> {
        let members = Members::parse(text)?;
        let owned = |(name, value): (&str, &RawValue)| (name.to_owned(), Json::from_raw(value));
        Some(Self {
            kind,
            members: members.iter().map(owned).collect(),
            is_list: false,
            is_changed: false,
        })
    }

    /// Reads what the node sends; `None` for control strings.
    pub(super) fn read_outbound(text: &str) -> Option<Self> {
        match text.as_bytes().first()? {
            b'{' => {
                let mut message = Self::read(text, MessageKind::Answer)?;
                message.kind = message.outbound_kind();
                Some(message)
            }
            b'[' => Self::read_list(text),
            _ => None,
        }
    }

    fn read_list(text: &str) -> Option<Self> {
        let mut items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        let meta = Json::from_raw(items.pop()?);
        let mut data = vec![b'['];
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                data.push(b',');
            }
            data.extend_from_slice(item.get().as_bytes());
        }
        data.push(b']');
        Some(Self {
            kind: MessageKind::Answer,
            members: vec![
                ("data".to_owned(), Json::from_trusted(data)),
                ("_meta".to_owned(), meta),
            ],
            is_list: true,
            is_changed: false,
        })
    }

    fn outbound_kind(&self) -> MessageKind {
        let kind: Option<String> = self.meta("type").and_then(|kind| kind.decode().ok());
        match kind.as_deref() {
            Some("data") => MessageKind::Event,
            Some("ack") => MessageKind::PublicationEnd,
            Some("system") => MessageKind::System,
            _ => MessageKind::Answer,
        }
    }

    /// What an answer repeats of its request.
    pub(super) fn echoed(&self, name: &str) -> Option<Json> {
        match self.kind {
            MessageKind::Request => self.get(name).cloned(),
            _ => self.meta(name),
        }
    }

    /// The message as text, if it was changed.
    pub(super) fn into_changed(self) -> Option<String> {
        if !self.is_changed {
            return None;
        }
        let text = match self.list() {
            Some(list) => list,
            None => self.object(),
        };
        String::from_utf8(text).ok()
    }

    fn object(&self) -> Vec<u8> {
        let mut out = vec![b'{'];
        for (at, (name, value)) in self.members.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_string(&mut out, name);
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
        }
        out.push(b'}');
        out
    }

    /// The list form, as long as its two members still have their shapes.
    fn list(&self) -> Option<Vec<u8>> {
        if !self.is_list {
            return None;
        }
        let items = self.get("data")?.as_str().trim_ascii();
        let items = items.strip_prefix('[')?.strip_suffix(']')?.trim_ascii();
        let mut out = vec![b'['];
        out.extend_from_slice(items.as_bytes());
        if !items.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(self.get("_meta")?.as_bytes());
        out.push(b']');
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, change: impl FnOnce(&mut Message)) -> Option<String> {
        let mut message = Message::read_outbound(text).unwrap();
        change(&mut message);
        message.into_changed()
    }

    #[test]
    fn members_keep_their_place_and_what_is_untouched_its_text() {
        let text = r#"{"data":1.50,"_meta":{"type":"data"},"protocol":"happn_4"}"#;
        assert_eq!(changed(text, |_| ()), None);
        let new = |message: &mut Message| {
            message.set("_meta", Json::from_static("{}"));
            message.set("more", Json::NULL);
            message.remove("protocol");
        };
        let expected = r#"{"data":1.50,"_meta":{},"more":null}"#;
        assert_eq!(changed(text, new).as_deref(), Some(expected));
    }

    #[test]
    fn a_list_is_shown_as_data_and_meta_and_stays_a_list() {
        let text = r#"[{"a":1},{"a":2},{"type":"response","eventId":7}]"#;
        let message = Message::read_outbound(text).unwrap();
        assert_eq!(
            message.get("data").unwrap().as_str(),
            r#"[{"a":1},{"a":2}]"#
        );
        assert_eq!(message.meta("eventId").unwrap().as_str(), "7");
        let fewer = |message: &mut Message| message.set("data", Json::from_static("[]"));
        let expected = r#"[{"type":"response","eventId":7}]"#;
        assert_eq!(changed(text, fewer).as_deref(), Some(expected));
    }

    #[test]
    fn messages_are_told_apart_and_control_strings_are_none() {
        for (text, kind) in [
            (r#"{"_meta":{"type":"response"}}"#, MessageKind::Answer),
            (r#"{"_meta":{"type":"data"}}"#, MessageKind::Event),
            (r#"{"_meta":{"type":"ack"}}"#, MessageKind::PublicationEnd),
            (r#"{"_meta":{"type":"system"}}"#, MessageKind::System),
        ] {
            assert_eq!(Message::read_outbound(text).unwrap().kind(), kind);
        }
        assert!(Message::read_outbound("\"primus::ping::1\"").is_none());
    }
}
