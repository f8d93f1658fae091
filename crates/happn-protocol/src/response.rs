//! Answers to requests.
//!
//! `_meta` of an answer is the store's members first, then the publish step's, then type, status,
//! event id, session id and action: clients compare frames member by member.

use std::borrow::Cow;
use std::sync::Arc;

use crate::{Dialect, FrameBuilder, Json, ServerFrame, WireError, write_string};

/// What every answer repeats of its request.
#[derive(Clone, Debug, Default)]
pub struct Echo {
    /// The request's `eventId` as JSON; missing stays missing.
    pub event_id: Option<Json>,
    /// The request's `sessionId` as JSON; echoed unchecked.
    pub session_id: Option<Json>,
    /// The action's name; borrowed only where it is one of the protocol's.
    pub action: Cow<'static, str>,
}

/// The members of `_meta` that come from storing and publishing.
#[derive(Clone, Debug, Default)]
pub struct Meta {
    /// `on` and `off` put their status before anything else.
    pub status_first: bool,
    /// `remove` puts its time first.
    pub timestamp: Option<i64>,
    /// The path the answer is about.
    pub path: Option<Arc<str>>,
    /// Ms since 1970.
    pub created: Option<i64>,
    /// Ms since 1970.
    pub modified: Option<i64>,
    /// Who wrote it, on secure nodes.
    pub modified_by: Option<Arc<str>>,
    /// The reference of a subscription with initial values.
    pub reference_id: Option<Arc<str>>,
    /// Whether the publish step has set `published`; `None` puts `false` in its later place.
    pub published: Option<bool>,
    /// The counters, when the caller asked for them.
    pub publish_results: Option<Json>,
}

/// An answer with one object, one value or nothing in `data`.
#[derive(Clone, Debug)]
pub struct ObjectResponse {
    /// A top-level member in front of everything else.
    pub before: Option<(&'static str, Json)>,
    /// `None` leaves the member out altogether.
    pub data: Option<Json>,
    /// Further top-level members between `_meta` and `protocol`.
    pub extra: Option<(&'static str, Json)>,
    /// What storing and publishing said.
    pub meta: Meta,
    /// `None` is success.
    pub error: Option<WireError>,
}

impl ObjectResponse {
    /// A success with `data` and nothing else.
    #[must_use]
    pub fn ok(data: Json) -> Self {
        Self {
            before: None,
            data: Some(data),
            extra: None,
            meta: Meta::default(),
            error: None,
        }
    }

    /// A failure before anything was stored.
    #[must_use]
    pub fn error(error: WireError) -> Self {
        Self {
            error: Some(error),
            ..Self::ok(Json::NULL)
        }
    }

    /// Encodes the answer.
    #[must_use]
    pub fn encode(&self, echo: &Echo, dialect: Dialect) -> ServerFrame {
        let size = self.data.as_ref().map_or(0, |data| data.as_bytes().len());
        let mut frame = FrameBuilder::with_capacity(size + 320);
        let out = frame.payload();
        out.push(b'{');
        if let Some((name, value)) = &self.before {
            Members { out, first: true }.raw(name, value.as_str());
            out.push(b',');
        }
        if let Some(data) = &self.data {
            out.extend_from_slice(b"\"data\":");
            out.extend_from_slice(data.as_bytes());
            out.push(b',');
        }
        out.extend_from_slice(b"\"_meta\":");
        write_meta(out, &self.meta, echo, self.error.as_ref());
        if let Some((name, value)) = &self.extra {
            let mut members = Members { out, first: false };
            members.raw(name, value.as_str());
        }
        out.extend_from_slice(b",\"protocol\":\"");
        out.extend_from_slice(dialect.as_str().as_bytes());
        out.extend_from_slice(b"\"}");
        frame.finish()
    }
}

/// The short answer of a `set` with `noDataResponse`.
#[must_use]
pub fn encode_no_data(path: &str, event_id: Option<&Json>, published: bool) -> ServerFrame {
    let mut frame = FrameBuilder::with_capacity(path.len() + 96);
    let out = frame.payload();
    out.extend_from_slice(b"{\"_meta\":{");
    let mut members = Members { out, first: true };
    members.text("path", path);
    if let Some(event_id) = event_id {
        members.raw("eventId", event_id.as_str());
    }
    members.word("type", "response");
    members.word("status", "ok");
    members.raw("published", if published { "true" } else { "false" });
    out.extend_from_slice(b"}}");
    frame.finish()
}

/// The answer of a wildcard `get` while it is written: the items, then the answer's own meta as
/// last element.
#[derive(Debug)]
pub struct ListBuilder {
    frame: FrameBuilder,
}

impl ListBuilder {
    /// An answer without items so far.
    #[must_use]
    pub fn new() -> Self {
        let mut frame = FrameBuilder::with_capacity(512);
        frame.payload().push(b'[');
        Self { frame }
    }

    /// Appends an item, as [`write_item`] does.
    pub fn push(&mut self, data: Option<&Json>, meta: &Meta) {
        let out = self.frame.payload();
        write_item(out, data, meta);
        out.push(b',');
    }

    /// Bytes written so far.
    #[must_use]
    pub fn size(&mut self) -> usize {
        self.frame.payload().len()
    }

    /// Completes the answer.
    #[must_use]
    pub fn finish(mut self, echo: &Echo) -> ServerFrame {
        let out = self.frame.payload();
        write_meta(out, &Meta::default(), echo, None);
        out.push(b']');
        self.frame.finish()
    }
}

impl Default for ListBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends an item of a list: its data with `_meta` merged in as the last member.
///
/// `data` must be the JSON of an object without a `_meta` of its own, or `None` for a path alone.
pub fn write_item(out: &mut Vec<u8>, data: Option<&Json>, meta: &Meta) {
    let body = data.map_or("{}", Json::as_str).trim_ascii();
    let body = body.strip_suffix('}').unwrap_or("{").trim_ascii_end();
    out.extend_from_slice(body.as_bytes());
    if !body.ends_with('{') {
        out.push(b',');
    }
    out.extend_from_slice(b"\"_meta\":");
    write_item_meta(out, meta);
    out.push(b'}');
}

/// Appends `_meta` of a stored item: path, times and author.
pub fn write_item_meta(out: &mut Vec<u8>, meta: &Meta) {
    out.push(b'{');
    Members { out, first: true }.stored(meta);
    out.push(b'}');
}

fn write_meta(out: &mut Vec<u8>, meta: &Meta, echo: &Echo, error: Option<&WireError>) {
    let status = if error.is_some() { "error" } else { "ok" };
    out.push(b'{');
    let mut members = Members { out, first: true };
    if meta.status_first {
        members.word("status", status);
    }
    if let Some(reference) = &meta.reference_id {
        members.text("referenceId", reference);
    }
    members.stored(meta);
    if let Some(published) = meta.published {
        members.raw("published", if published { "true" } else { "false" });
    }
    if let Some(results) = &meta.publish_results {
        members.raw("publishResults", results.as_str());
    }
    members.word("type", "response");
    if !meta.status_first {
        members.word("status", status);
    }
    if meta.published.is_none() {
        members.raw("published", "false");
    }
    for (name, value) in [("eventId", &echo.event_id), ("sessionId", &echo.session_id)] {
        if let Some(value) = value {
            members.raw(name, value.as_str());
        }
    }
    match &echo.action {
        Cow::Borrowed(known) => members.word("action", known),
        Cow::Owned(sent) => members.text("action", sent),
    }
    if let Some(error) = error {
        members.name("error");
        error.write(members.out);
    }
    out.push(b'}');
}

/// Appends members to an object that is being written.
struct Members<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl Members<'_> {
    fn stored(&mut self, meta: &Meta) {
        self.number("timestamp", meta.timestamp);
        if let Some(path) = &meta.path {
            self.text("path", path);
        }
        self.number("created", meta.created);
        self.number("modified", meta.modified);
        if let Some(author) = &meta.modified_by {
            self.text("modifiedBy", author);
        }
    }

    fn number(&mut self, name: &'static str, value: Option<i64>) {
        if let Some(value) = value {
            self.raw(name, &value.to_string());
        }
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        write_string(self.out, value);
    }

    fn raw(&mut self, name: &'static str, json: &str) {
        self.name(name);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// A word of the protocol, which needs no escapes.
    fn word(&mut self, name: &'static str, word: &'static str) {
        self.name(name);
        self.out.push(b'"');
        self.out.extend_from_slice(word.as_bytes());
        self.out.push(b'"');
    }

    /// The names of the protocol need no escapes.
    fn name(&mut self, name: &'static str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}
