//! System messages: what a node tells a client about its session.

use crate::{Dialect, Json, ServerFrame, write_string};

/// The node ends the session; `reason` tells the client why. A deliberate close follows.
#[must_use]
pub fn server_side_disconnect(reason: &str) -> ServerFrame {
    let mut out = br#"{"_meta":{"type":"system"},"data":{"reason":"#.to_vec();
    write_string(&mut out, reason);
    out.extend_from_slice(br#"},"eventKey":"server-side-disconnect"}"#);
    ServerFrame::text(Json::from_trusted(out).as_str())
}

/// Something changed in what the client may do: `change` is `{whatHappnd, changedData}`.
#[must_use]
pub fn security_data_changed(change: &Json, dialect: Dialect) -> ServerFrame {
    let mut out =
        br#"{"_meta":{"type":"system"},"eventKey":"security-data-changed","data":"#.to_vec();
    out.extend_from_slice(change.as_bytes());
    out.extend_from_slice(b",\"protocol\":");
    write_string(&mut out, dialect.as_str());
    out.push(b'}');
    ServerFrame::text(Json::from_trusted(out).as_str())
}

/// Tells clients that `lost` events of node `origin` are missing, or that nobody knows how many.
/// Clients that do not know the message ignore it.
#[must_use]
pub fn replication_gap(origin: &str, lost: Option<u64>) -> ServerFrame {
    let mut out = br#"{"_meta":{"type":"system"},"data":{"origin":"#.to_vec();
    write_string(&mut out, origin);
    let lost = lost.map_or_else(|| "null".to_owned(), |lost| lost.to_string());
    out.extend_from_slice(format!(r#","lost":{lost}}},"eventKey":"replication-gap"}}"#).as_bytes());
    ServerFrame::text(Json::from_trusted(out).as_str())
}
