//! Requests, as they are written onto the wire.

use happn_protocol::{Json, write_string};

/// One request; its members are written in this order, and left out when `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) action: &'a str,
    pub(crate) event_id: u64,
    pub(crate) path: Option<&'a str>,
    pub(crate) data: Option<&'a Json>,
    pub(crate) session_id: Option<&'a str>,
    pub(crate) options: Option<&'a Json>,
}

impl Envelope<'_> {
    pub(crate) fn encode(&self) -> String {
        let payload = [self.data, self.options];
        let size: usize = payload.iter().flatten().map(|j| j.as_bytes().len()).sum();
        let mut out = Vec::with_capacity(size + 160);
        out.extend_from_slice(b"{\"action\":");
        write_string(&mut out, self.action);
        out.extend_from_slice(b",\"eventId\":");
        out.extend_from_slice(self.event_id.to_string().as_bytes());
        text_member(&mut out, "path", self.path);
        json_member(&mut out, "data", self.data);
        text_member(&mut out, "sessionId", self.session_id);
        json_member(&mut out, "options", self.options);
        out.push(b'}');
        String::from_utf8(out).unwrap_or_default()
    }
}

fn text_member(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        member_name(out, name);
        write_string(out, value);
    }
}

fn json_member(out: &mut Vec<u8>, name: &str, value: Option<&Json>) {
    if let Some(value) = value {
        member_name(out, name);
        out.extend_from_slice(value.as_bytes());
    }
}

fn member_name(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    write_string(out, name);
    out.push(b':');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_the_order_of_the_javascript_client() {
        let data = Json::parse(r#"{"x":1}"#).unwrap();
        let options = Json::parse(r#"{"timeout":60000}"#).unwrap();
        let envelope = Envelope {
            action: "set",
            event_id: 4,
            path: Some("/a/b"),
            data: Some(&data),
            session_id: Some("S1"),
            options: Some(&options),
        };
        assert_eq!(
            envelope.encode(),
            r#"{"action":"set","eventId":4,"path":"/a/b","data":{"x":1},"sessionId":"S1","options":{"timeout":60000}}"#
        );
    }

    #[test]
    fn missing_members_are_left_out_and_separators_are_escaped() {
        let envelope = Envelope {
            action: "get",
            event_id: 1,
            path: Some("/a\u{2028}"),
            data: None,
            session_id: None,
            options: None,
        };
        assert_eq!(
            envelope.encode(),
            r#"{"action":"get","eventId":1,"path":"/a\u2028"}"#
        );
    }
}
