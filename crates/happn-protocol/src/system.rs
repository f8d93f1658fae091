//! System messages: what a node tells a client about its session.

use crate::{Json, ServerFrame, write_string};

/// The node ends the session; `reason` tells the client why. A deliberate close follows.
#[must_use]
pub fn server_side_disconnect(reason: &str) -> ServerFrame {
    let mut out = br#"{"_meta":{"type":"system"},"data":{"reason":"#.to_vec();
    write_string(&mut out, reason);
    out.extend_from_slice(br#"},"eventKey":"server-side-disconnect"}"#);
    ServerFrame::text(Json::from_trusted(out).as_str())
}
