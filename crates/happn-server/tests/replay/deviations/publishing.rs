//! Publications and their acknowledgements.

use super::{Deviation, reads};

pub(super) const TABLE: &[Deviation] = &[
    reads(
        "ack-duplicates",
        27,
        r#","status":"error","_meta":{"type":"ack","eventId":4},"error":"unacknowledged publication""#,
        r#","status":"ok","_meta":{"type":"ack","eventId":4}"#,
        "one acknowledgement is owed per frame sent here, not per subscription; the reference waits for one that cannot come",
    ),
    reads(
        "consistency-ack",
        69,
        r#","status":"error","_meta":{"type":"ack","eventId":10},"error":"unacknowledged publication""#,
        r#","status":"ok","_meta":{"type":"ack","eventId":10}"#,
        "a publication of consistency 3 without recipients completes at once here; the reference lets it time out",
    ),
];
