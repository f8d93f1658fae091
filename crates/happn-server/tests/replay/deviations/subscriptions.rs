//! Subscriptions: depths, initial values and the records of an `off`.

use super::Differs::{Absent, OncePerSubscription, Unordered};
use super::{Deviation, differs, reads};

const SMALLER_DEPTH: &str = "two depths on one channel: the smaller is named here, because clients drop events for handlers of a smaller depth";
const NO_LEAK: &str = "the depth of one subscription leaks into the events of others there; clients may drop events for it";
const A_LIST: &str = "removed is always a list here; clients do not look at it";

pub(super) const TABLE: &[Deviation] = &[
    reads(
        "wildcard-and-variable-depth",
        60,
        r#""depth":5"#,
        r#""depth":2"#,
        SMALLER_DEPTH,
    ),
    reads(
        "wildcard-and-variable-depth",
        114,
        r#""depth":5"#,
        r#""depth":2"#,
        SMALLER_DEPTH,
    ),
    reads(
        "wildcard-and-variable-depth",
        61,
        r#","depth":5"#,
        "",
        NO_LEAK,
    ),
    reads(
        "wildcard-and-variable-depth",
        63,
        r#","depth":5"#,
        "",
        NO_LEAK,
    ),
    reads(
        "wildcard-and-variable-depth",
        71,
        r#","depth":5"#,
        "",
        NO_LEAK,
    ),
    reads(
        "wildcard-and-variable-depth",
        78,
        r#","depth":5"#,
        "",
        NO_LEAK,
    ),
    reads(
        "wildcard-and-variable-depth",
        84,
        r#","depth":5"#,
        "",
        NO_LEAK,
    ),
    reads(
        "wildcard-and-variable-depth",
        95,
        r#","depth":5"#,
        "",
        NO_LEAK,
    ),
    reads(
        "wildcard-and-variable-depth",
        102,
        r#","depth":5"#,
        "",
        NO_LEAK,
    ),
    reads(
        "wildcard-and-variable-depth",
        108,
        r#","depth":5"#,
        "",
        NO_LEAK,
    ),
    reads(
        "wildcard-and-variable-depth",
        116,
        r#","depth":5"#,
        "",
        NO_LEAK,
    ),
    differs(
        "wildcard-and-variable-depth",
        121,
        OncePerSubscription,
        "one record per subscription here, not one per level of a deep mask; clients do not look at them",
    ),
    differs(
        "subscription-edge-cases",
        31,
        Unordered,
        "the records of an off are listed by age here; clients do not look at them",
    ),
    reads(
        "subscription-edge-cases",
        49,
        r#""removed":0"#,
        r#""removed":[]"#,
        A_LIST,
    ),
    reads(
        "subscribe-publish",
        119,
        r#""removed":0"#,
        r#""removed":[]"#,
        A_LIST,
    ),
    reads(
        "server-13.12.1/errors",
        58,
        r#""removed":0"#,
        r#""removed":[]"#,
        A_LIST,
    ),
    reads(
        "subscription-edge-cases",
        87,
        r#"{"data":[],"_meta":{"status":"ok","referenceId":"gmdLsaz6S0uSyY5qVA3-hg-104","type":"response","published":false,"eventId":18,"action":"on"},"initialValues":[],"protocol":"happn_4"}"#,
        r#"{"data":[{"a":1,"_meta":{"path":"/s/a@b","created":1700000000000,"modified":1700000000001}}],"_meta":{"status":"ok","referenceId":"gmdLsaz6S0uSyY5qVA3-hg-104","type":"response","published":false,"eventId":18,"action":"on"},"initialValues":[{"data":{"a":1,"_meta":{"path":"/s/a@b","created":1700000000000,"modified":1700000000001}},"_meta":{"path":"/s/a@b","created":1700000000000,"modified":1700000000001}}],"protocol":"happn_4"}"#,
        "initial values of a path with an @ are looked up under the full path here",
    ),
    differs(
        "variable-depth-off",
        26,
        Absent,
        "off of a deep mask clears all its levels here, not only the first five",
    ),
];
