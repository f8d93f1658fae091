//! Events: one frame per (channel, depth, dialect), shared by everybody subscribed alike.

use crate::json::write_unquoted;
use crate::{Dialect, FrameBuilder, Json, ServerFrame, write_string};

/// The parts of an event that all its recipients see alike.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// `SET` or `REMOVE`.
    pub action: &'a str,
    /// The published path; for a wildcard removal the mask's text.
    pub path: &'a str,
    /// The publisher's session id.
    pub session_id: &'a str,
    /// The consistency as asked for, or `2`, as JSON.
    pub consistency: &'a str,
    /// `<session id>-<event id>`, in pieces.
    pub publication_id: &'a [&'a str],
    /// When the item was first stored, ms since 1970; absent for what is not stored.
    pub created: Option<i64>,
    /// When the item was last stored, ms since 1970; absent for what is not stored.
    pub modified: Option<i64>,
    /// `{username, id}` on a secure node.
    pub event_origin: Option<&'a Json>,
    /// Custom members, already freed of reserved names.
    pub custom: &'a [(String, Json)],
}

/// Encodes an event for one channel.
///
/// `depth` is the subscription's own, so that it never leaks to others on the channel.
#[must_use]
pub fn encode(
    event: &Event<'_>,
    data: &Json,
    channel: &str,
    depth: Option<u32>,
    dialect: Dialect,
) -> ServerFrame {
    let mut frame = FrameBuilder::with_capacity(data.as_bytes().len() + 384);
    let out = frame.payload();
    out.extend_from_slice(b"{\"data\":");
    out.extend_from_slice(data.as_bytes());
    out.extend_from_slice(b",\"_meta\":{\"action\":\"/");
    // The words of the protocol need no escapes.
    out.extend_from_slice(event.action.as_bytes());
    out.push(b'@');
    write_unquoted(out, event.path);
    out.extend_from_slice(b"\",\"type\":\"data\",\"sessionId\":");
    write_string(out, event.session_id);
    let consistency = overridden(event, "consistency").map_or(event.consistency, Json::as_str);
    raw_member(out, "consistency", consistency);
    match overridden(event, "publicationId") {
        Some(other) => raw_member(out, "publicationId", other.as_str()),
        None => {
            name_of(out, "publicationId");
            write_parts(out, event.publication_id);
        }
    }
    member(out, "path", event.path);
    for (name, time) in [("created", event.created), ("modified", event.modified)] {
        if let Some(time) = time {
            raw_member(out, name, &time.to_string());
        }
    }
    if let Some(origin) = event
        .event_origin
        .map(|origin| overridden(event, "eventOrigin").unwrap_or(origin))
    {
        raw_member(out, "eventOrigin", origin.as_str());
    }
    for (name, value) in event.custom {
        match name.as_str() {
            "publicationId" | "consistency" => {}
            "eventOrigin" if event.event_origin.is_some() => {}
            // The member is ours, its place the publisher's.
            "channel" => member(out, "channel", channel),
            "depth" if depth.is_some() => write_depth(out, depth),
            other => {
                out.push(b',');
                write_string(out, other);
                out.push(b':');
                out.extend_from_slice(value.as_bytes());
            }
        }
    }
    if overridden(event, "channel").is_none() {
        member(out, "channel", channel);
    }
    if overridden(event, "depth").is_none() {
        write_depth(out, depth);
    }
    out.extend_from_slice(b"},\"protocol\":\"");
    out.extend_from_slice(dialect.as_str().as_bytes());
    out.extend_from_slice(b"\"}");
    frame.finish()
}

fn write_depth(out: &mut Vec<u8>, depth: Option<u32>) {
    if let Some(depth) = depth {
        raw_member(out, "depth", &depth.to_string());
    }
}

/// What custom meta puts in the place of a member of ours.
fn overridden<'a>(event: &Event<'a>, name: &str) -> Option<&'a Json> {
    let found = event.custom.iter().find(|(custom, _)| custom == name);
    found.map(|(_, value)| value)
}

/// The names `options.meta` may not use at all. `channel` and `depth` are the subscription's
/// whatever it says, in the place where it says it.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "created"
            | "modified"
            | "path"
            | "action"
            | "type"
            | "published"
            | "status"
            | "eventId"
            | "sessionId"
    )
}

/// The counters of one publication, as clients see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Frames handed to a recipient's outbox.
    pub successful: u32,
    /// Recipients whose outbox refused.
    pub failed: u32,
    /// Always 0 on the wire, as clients expect it.
    pub skipped: u32,
    /// Acknowledgements received, only for consistency 3.
    pub acknowledged: Option<u32>,
    /// Matching subscriptions.
    pub queued: u32,
}

impl Outcome {
    /// Appends the counters as a JSON object.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            format!(
                r#"{{"successful":{},"failed":{},"skipped":{}"#,
                self.successful, self.failed, self.skipped
            )
            .as_bytes(),
        );
        if let Some(acknowledged) = self.acknowledged {
            raw_member(out, "acknowledged", &acknowledged.to_string());
        }
        raw_member(out, "queued", &self.queued.to_string());
        out.push(b'}');
    }
}

/// Tells the publisher how a publication of consistency other than 2 ended.
#[must_use]
pub fn encode_ack(
    publication_id: &str,
    event_id: &str,
    outcome: &Outcome,
    error: Option<&str>,
    dialect: Dialect,
) -> ServerFrame {
    let mut frame = FrameBuilder::with_capacity(256);
    let out = frame.payload();
    out.extend_from_slice(b"{\"id\":");
    write_string(out, publication_id);
    out.extend_from_slice(b",\"action\":\"publication-ack\",\"result\":");
    outcome.write(out);
    let status: &[u8] = if error.is_some() {
        b",\"status\":\"error\""
    } else {
        b",\"status\":\"ok\""
    };
    out.extend_from_slice(status);
    out.extend_from_slice(b",\"_meta\":{\"type\":\"ack\",\"eventId\":");
    out.extend_from_slice(event_id.as_bytes());
    out.push(b'}');
    if let Some(error) = error {
        member(out, "error", error);
    }
    member(out, "protocol", dialect.as_str());
    out.push(b'}');
    frame.finish()
}

fn member(out: &mut Vec<u8>, name: &'static str, value: &str) {
    name_of(out, name);
    write_string(out, value);
}

fn raw_member(out: &mut Vec<u8>, name: &'static str, json: &str) {
    name_of(out, name);
    out.extend_from_slice(json.as_bytes());
}

/// The names of the protocol need no escapes.
fn name_of(out: &mut Vec<u8>, name: &'static str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// One JSON string out of several pieces, without joining them first.
pub(crate) fn write_parts(out: &mut Vec<u8>, parts: &[&str]) {
    out.push(b'"');
    for part in parts {
        write_unquoted(out, part);
    }
    out.push(b'"');
}
