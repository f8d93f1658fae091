//! Where a node of ours answers something else than the recorded server, and is known to.
//!
//! The replay checks this table both ways: an entry that no longer deviates fails. Some entries are decisions, others are features that
//! are not there yet: criteria, aggregates, nonces, the initial events of the oldest dialects,
//! ending a session from the application.

/// One deviation.
#[derive(Debug)]
pub struct Deviation {
    pub file: &'static str,
    /// The recording's line, from 1.
    pub line: usize,
    pub what: Differs,
    pub why: &'static str,
}

/// How it differs.
#[derive(Debug)]
pub enum Differs {
    /// This part of theirs reads differently here.
    Reads {
        theirs: &'static str,
        ours: &'static str,
    },
    /// The same parts in another order.
    Unordered,
    /// We do not send this frame.
    Absent,
    /// Beside it we answer the request of this event id, which they left unanswered.
    AlsoAnswers(&'static str),
}

use Differs::{Absent, AlsoAnswers, Reads, Unordered};

/// All of them.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 60,
        what: Reads {
            theirs: r#""depth":5"#,
            ours: r#""depth":2"#,
        },
        why: "two depths on one channel: the smaller is named here, because clients drop events for handlers of a smaller depth",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 114,
        what: Reads {
            theirs: r#""depth":5"#,
            ours: r#""depth":2"#,
        },
        why: "two depths on one channel: the smaller is named here, because clients drop events for handlers of a smaller depth",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 61,
        what: Reads {
            theirs: r#","depth":5"#,
            ours: "",
        },
        why: "the depth of one subscription leaks into the events of others there; clients may drop events for it",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 63,
        what: Reads {
            theirs: r#","depth":5"#,
            ours: "",
        },
        why: "the depth of one subscription leaks into the events of others there; clients may drop events for it",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 71,
        what: Reads {
            theirs: r#","depth":5"#,
            ours: "",
        },
        why: "the depth of one subscription leaks into the events of others there; clients may drop events for it",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 78,
        what: Reads {
            theirs: r#","depth":5"#,
            ours: "",
        },
        why: "the depth of one subscription leaks into the events of others there; clients may drop events for it",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 84,
        what: Reads {
            theirs: r#","depth":5"#,
            ours: "",
        },
        why: "the depth of one subscription leaks into the events of others there; clients may drop events for it",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 95,
        what: Reads {
            theirs: r#","depth":5"#,
            ours: "",
        },
        why: "the depth of one subscription leaks into the events of others there; clients may drop events for it",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 102,
        what: Reads {
            theirs: r#","depth":5"#,
            ours: "",
        },
        why: "the depth of one subscription leaks into the events of others there; clients may drop events for it",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 108,
        what: Reads {
            theirs: r#","depth":5"#,
            ours: "",
        },
        why: "the depth of one subscription leaks into the events of others there; clients may drop events for it",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 116,
        what: Reads {
            theirs: r#","depth":5"#,
            ours: "",
        },
        why: "the depth of one subscription leaks into the events of others there; clients may drop events for it",
    },
    Deviation {
        file: "wildcard-and-variable-depth",
        line: 121,
        what: Reads {
            theirs: r#"{"data":{"id":false,"removed":[{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-14","action":"ALL","searchPath":"/w/*","path":"/w/*"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-15","action":"ALL","searchPath":"/w/**","path":"/w/**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"depth":2,"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-16","action":"ALL","searchPath":"/w/**","path":"/w/**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-15","action":"ALL","searchPath":"/w/**","path":"/w/**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"depth":2,"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-16","action":"ALL","searchPath":"/w/**","path":"/w/**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-15","action":"ALL","searchPath":"/w/**","path":"/w/**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-15","action":"ALL","searchPath":"/w/**","path":"/w/**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-15","action":"ALL","searchPath":"/w/**","path":"/w/**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-17","action":"ALL","searchPath":"*/a","path":"*/a"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-18","action":"ALL","searchPath":"/w/*/b/c","path":"/w/*/b/c"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-19","action":"ALL","searchPath":"**","path":"**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-19","action":"ALL","searchPath":"**","path":"**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-19","action":"ALL","searchPath":"**","path":"**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-19","action":"ALL","searchPath":"**","path":"**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-19","action":"ALL","searchPath":"**","path":"**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-20","action":"ALL","searchPath":"/w/a*","path":"/w/a*"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-21","action":"ALL","searchPath":"*","path":"*"}}]},"_meta":{"status":"ok","type":"response","published":false,"eventId":12,"sessionId":"ab92c825-2281-4171-adae-b53bbe695d97","action":"off"},"protocol":"happn_4"}"#,
            ours: r#"{"data":{"id":false,"removed":[{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-14","action":"ALL","searchPath":"/w/*","path":"/w/*"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-15","action":"ALL","searchPath":"/w/**","path":"/w/**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"depth":2,"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-16","action":"ALL","searchPath":"/w/**","path":"/w/**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-17","action":"ALL","searchPath":"*/a","path":"*/a"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-18","action":"ALL","searchPath":"/w/*/b/c","path":"/w/*/b/c"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-19","action":"ALL","searchPath":"**","path":"**"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-20","action":"ALL","searchPath":"/w/a*","path":"/w/a*"}},{"subscriberKey":"ab92c825-2281-4171-adae-b53bbe695d97","data":{"options":{"event_type":"all","count":0,"timeout":60000},"session":{"id":"ab92c825-2281-4171-adae-b53bbe695d97","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-21","action":"ALL","searchPath":"*","path":"*"}}]},"_meta":{"status":"ok","type":"response","published":false,"eventId":12,"sessionId":"ab92c825-2281-4171-adae-b53bbe695d97","action":"off"},"protocol":"happn_4"}"#,
        },
        why: "one record per subscription here, not one per level of a deep mask; clients do not look at them",
    },
    Deviation {
        file: "subscription-edge-cases",
        line: 31,
        what: Unordered,
        why: "the records of an off are listed by age here; clients do not look at them",
    },
    Deviation {
        file: "subscription-edge-cases",
        line: 49,
        what: Reads {
            theirs: r#""removed":0"#,
            ours: r#""removed":[]"#,
        },
        why: "removed is always a list here; clients do not look at it",
    },
    Deviation {
        file: "subscribe-publish",
        line: 119,
        what: Reads {
            theirs: r#""removed":0"#,
            ours: r#""removed":[]"#,
        },
        why: "removed is always a list here; clients do not look at it",
    },
    Deviation {
        file: "server-13.12.1/errors",
        line: 58,
        what: Reads {
            theirs: r#""removed":0"#,
            ours: r#""removed":[]"#,
        },
        why: "removed is always a list here; clients do not look at it",
    },
    Deviation {
        file: "subscription-edge-cases",
        line: 87,
        what: Reads {
            theirs: r#"{"data":[],"_meta":{"status":"ok","referenceId":"gmdLsaz6S0uSyY5qVA3-hg-104","type":"response","published":false,"eventId":18,"action":"on"},"initialValues":[],"protocol":"happn_4"}"#,
            ours: r#"{"data":[{"a":1,"_meta":{"path":"/s/a@b","created":1700000000000,"modified":1700000000001}}],"_meta":{"status":"ok","referenceId":"gmdLsaz6S0uSyY5qVA3-hg-104","type":"response","published":false,"eventId":18,"action":"on"},"initialValues":[{"data":{"a":1,"_meta":{"path":"/s/a@b","created":1700000000000,"modified":1700000000001}},"_meta":{"path":"/s/a@b","created":1700000000000,"modified":1700000000001}}],"protocol":"happn_4"}"#,
        },
        why: "initial values of a path with an @ are looked up under the full path here",
    },
    Deviation {
        file: "subscribe-publish",
        line: 47,
        what: Reads {
            theirs: r#""channel":"/ALL@/ev/one","eventOrigin":"q""#,
            ours: r#""eventOrigin":"q","channel":"/ALL@/ev/one""#,
        },
        why: "custom meta that names channel moves it there; here channel follows custom meta",
    },
    Deviation {
        file: "subscribe-publish",
        line: 48,
        what: Reads {
            theirs: r#""channel":"/SET@/ev/one","eventOrigin":"q""#,
            ours: r#""eventOrigin":"q","channel":"/SET@/ev/one""#,
        },
        why: "custom meta that names channel moves it there; here channel follows custom meta",
    },
    Deviation {
        file: "ack-duplicates",
        line: 27,
        what: Reads {
            theirs: r#","status":"error","_meta":{"type":"ack","eventId":4},"error":"unacknowledged publication""#,
            ours: r#","status":"ok","_meta":{"type":"ack","eventId":4}"#,
        },
        why: "one acknowledgement is owed per frame sent here, not per subscription; the reference waits for one that cannot come",
    },
    Deviation {
        file: "consistency-ack",
        line: 69,
        what: Reads {
            theirs: r#","status":"error","_meta":{"type":"ack","eventId":10},"error":"unacknowledged publication""#,
            ours: r#","status":"ok","_meta":{"type":"ack","eventId":10}"#,
        },
        why: "a publication of consistency 3 without recipients completes at once here; the reference lets it time out",
    },
    Deviation {
        file: "insecure-connect-set-get",
        line: 40,
        what: Reads {
            theirs: r#""data":{}"#,
            ours: r#""data":{"value":null}"#,
        },
        why: "data that is absent is stored as the value null here, like null itself",
    },
    Deviation {
        file: "insecure-connect-set-get",
        line: 64,
        what: Reads {
            theirs: r#"{"_meta":{"path":"/doc/undef""#,
            ours: r#"{"value":null,"_meta":{"path":"/doc/undef""#,
        },
        why: "data that is absent is stored as the value null here, like null itself",
    },
    Deviation {
        file: "insecure-connect-set-get",
        line: 72,
        what: Reads {
            theirs: r#"[{"x":2,"_meta":{}},{"type":"response","status":"ok","published":false,"eventId":19,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"get"}]"#,
            ours: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":19,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"get","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        },
        why: "criteria are not evaluated yet: refused, never ignored",
    },
    Deviation {
        file: "insecure-connect-set-get",
        line: 92,
        what: Reads {
            theirs: r#"{"data":{"value":1},"_meta":{"type":"response","status":"ok","published":false,"eventId":24,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"count"},"protocol":"happn_4"}"#,
            ours: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":24,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"count","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        },
        why: "criteria are not evaluated yet: refused, never ignored",
    },
    Deviation {
        file: "insecure-connect-set-get",
        line: 96,
        what: Reads {
            theirs: r#"[{"value":[1,{"a":2},null],"_meta":{"path":"/doc/array","created":1795445583524,"modified":1795445583524}},{"value":false,"_meta":{"path":"/doc/bool","created":1795445583523,"modified":1795445583523}},{"value":null,"_meta":{"path":"/doc/null","created":1795445583524,"modified":1795445583524}},{"value":42,"_meta":{"path":"/doc/number","created":1795445583522,"modified":1795445583522}},{"x":2,"_meta":{"path":"/doc/one","created":1795445583515,"modified":1795445583517}},{"value":"hello","_meta":{"path":"/doc/string","created":1795445583522,"modified":1795445583522}},{"_meta":{"path":"/doc/undef","created":1795445583529,"modified":1795445583529}},{"type":"response","status":"ok","published":false,"eventId":25,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"get"}]"#,
            ours: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":25,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"get","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        },
        why: "criteria are not evaluated yet: refused, never ignored",
    },
    Deviation {
        file: "insecure-connect-set-get",
        line: 76,
        what: Reads {
            theirs: r#""_meta":{"type""#,
            ours: r#""_meta":{"path":"/doc/one","type""#,
        },
        why: "fields keep the path in _meta, as the document store of the reference has it",
    },
    Deviation {
        file: "insecure-connect-set-get",
        line: 108,
        what: Reads {
            theirs: r#""created":1795445583560,"modified":1795445583569,"#,
            ours: "",
        },
        why: "a path created by increment has no times, as the document store of the reference has it",
    },
    Deviation {
        file: "server-13.12.1/remove-tag-merge",
        line: 100,
        what: Absent,
        why: "criteria are not evaluated yet: refused, never ignored",
    },
    Deviation {
        file: "server-13.12.1/remove-tag-merge",
        line: 101,
        what: Reads {
            theirs: r#"{"data":{"removed":1},"_meta":{"timestamp":1795445729646,"path":"/rm/w*","published":true,"type":"response","status":"ok","eventId":19,"sessionId":"2c47672c-dfc9-456e-9f95-9f01527f97ee","action":"remove"},"protocol":"happn_4"}"#,
            ours: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":19,"sessionId":"2c47672c-dfc9-456e-9f95-9f01527f97ee","action":"remove","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        },
        why: "criteria are not evaluated yet: refused, never ignored",
    },
    Deviation {
        file: "server-13.12.1/remove-tag-merge",
        line: 137,
        what: Reads {
            theirs: r#","stack":"Error: increment option value must be a number\n    at <removed>""#,
            ours: "",
        },
        why: "no stack traces leave this node",
    },
    Deviation {
        file: "server-13.12.1/remove-tag-merge",
        line: 141,
        what: Reads {
            theirs: r#","stack":"Error: invalid increment counter field name, must be a string\n    at <removed>""#,
            ours: "",
        },
        why: "no stack traces leave this node",
    },
    Deviation {
        file: "server-13.12.1/errors",
        line: 52,
        what: Reads {
            theirs: r#"{"name":"SystemError","message":"TypeCannot read properties of undefined (reading 'indexOf')","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"TypeError: Cannot read properties of undefined (reading 'indexOf')\n    at <removed>"}"#,
            ours: r#"{"name":"TypeError","message":"the path of a get must be a string, not [undefined]"}"#,
        },
        why: "says what is wrong in words; the reference repeats what its engine said",
    },
    Deviation {
        file: "server-13.12.1/errors",
        line: 55,
        what: Reads {
            theirs: r#"{"name":"SystemError","message":"TypeCannot read properties of undefined (reading 'indexOf')","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"TypeError: Cannot read properties of undefined (reading 'indexOf')\n    at <removed>"}"#,
            ours: r#"{"name":"TypeError","message":"the path of a count must be a string, not [undefined]"}"#,
        },
        why: "says what is wrong in words; the reference repeats what its engine said",
    },
    Deviation {
        file: "server-13.12.1/errors",
        line: 61,
        what: Reads {
            theirs: r#"{"name":"TypeError","message":"Cannot read properties of undefined (reading 'split')"}"#,
            ours: r#"{"name":"TypeError","message":"the path of an off must be a string"}"#,
        },
        why: "says what is wrong in words; the reference repeats what its engine said",
    },
    Deviation {
        file: "server-13.12.1/errors",
        line: 89,
        what: Reads {
            theirs: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":28,"action":"get","error":{"name":"SystemError","message":"$regex parameter value must be an Array or a string","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"Error: $regex parameter value must be an Array or a string\n    at <removed>"}},"protocol":"happn_4"}"#,
            ours: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":28,"action":"get","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        },
        why: "criteria are not evaluated yet: refused, never ignored",
    },
    Deviation {
        file: "server-13.12.1/errors",
        line: 92,
        what: Reads {
            theirs: r#"[{"type":"response","status":"ok","published":false,"eventId":29,"action":"get"}]"#,
            ours: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":29,"action":"get","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        },
        why: "criteria are not evaluated yet: refused, never ignored",
    },
    Deviation {
        file: "server-13.12.1/errors",
        line: 95,
        what: Reads {
            theirs: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":30,"action":"get","error":{"name":"SystemError","message":"aggregate feature not available for provider on path: /e/*","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"Error: aggregate feature not available for provider on path: /e/*\n    at <removed>"}},"protocol":"happn_4"}"#,
            ours: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":30,"action":"get","error":{"name":"SystemError","message":"aggregate is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        },
        why: "aggregates are not evaluated yet: refused, never ignored",
    },
    Deviation {
        file: "server-13.12.1/errors",
        line: 98,
        what: Reads {
            theirs: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":31,"action":"get","error":{"name":"SystemError","message":"collation feature not available for provider on path: /e/*","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"Error: collation feature not available for provider on path: /e/*\n    at <removed>"}},"protocol":"happn_4"}"#,
            ours: r#"[{"type":"response","status":"ok","published":false,"eventId":31,"action":"get"}]"#,
        },
        why: "an empty collation asks for nothing and is not refused here",
    },
    Deviation {
        file: "server-13.12.1/errors",
        line: 111,
        what: Reads {
            theirs: r#"{"nonce":"wI2x2q4bfZC5MDlG8HmwWIgOAzStGPxC02TsoYLeQZo=","data":{"nonce":"wI2x2q4bfZC5MDlG8HmwWIgOAzStGPxC02TsoYLeQZo="},"_meta":{"type":"response","status":"ok","published":false,"eventId":35,"action":"request-nonce"},"protocol":"happn_4"}"#,
            ours: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":35,"action":"request-nonce","error":{"name":"Error","message":"no public key with request"}},"protocol":"happn_4"}"#,
        },
        why: "an open node has no digest logins: it hands out no nonce",
    },
    Deviation {
        file: "server-13.12.1/errors",
        line: 127,
        what: AlsoAnswers("40"),
        why: "a login without data ends the process there; here it is an open login",
    },
    Deviation {
        file: "malformed-requests",
        line: 11,
        what: AlsoAnswers("3"),
        why: "options.meta null ends the request there without an answer; here it counts as absent",
    },
    Deviation {
        file: "malformed-requests",
        line: 17,
        what: Reads {
            theirs: r#""type":"response","status":"ok","published":false"#,
            ours: r#""published":true,"type":"response","status":"ok""#,
        },
        why: "options that are no object count as absent here",
    },
    Deviation {
        file: "malformed-requests",
        line: 18,
        what: Absent,
        why: "options that are no object count as absent here",
    },
    Deviation {
        file: "malformed-requests",
        line: 21,
        what: Reads {
            theirs: r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":7,"action":"get","error":{"name":"SystemError","message":"Invalid call to compoundsort, need at least one property","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"Error: Invalid call to compoundsort, need at least one property\n    at <removed>"}},"protocol":"happn_4"}"#,
            ours: r#"{"data":{},"_meta":{"path":"/c/1","created":1795445695002,"modified":1795445695243,"type":"response","status":"ok","published":false,"eventId":7,"action":"get"},"protocol":"happn_4"}"#,
        },
        why: "options that are no object count as absent here",
    },
    Deviation {
        file: "malformed-requests",
        line: 30,
        what: Reads {
            theirs: r#"{"name":"TypeError","message":"Cannot read properties of undefined (reading 'publicKey')"}"#,
            ours: r#"{"name":"Error","message":"no public key with request"}"#,
        },
        why: "an open node has no digest logins: it hands out no nonce",
    },
    Deviation {
        file: "malformed-requests",
        line: 33,
        what: Reads {
            theirs: r#"{"name":"SystemError","message":"Typepath.indexOf is not a function","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"TypeError: path.indexOf is not a function\n    at <removed>"}"#,
            ours: r#"{"name":"TypeError","message":"the path of a get must be a string, not [5]"}"#,
        },
        why: "says what is wrong in words; the reference repeats what its engine said",
    },
    Deviation {
        file: "malformed-requests",
        line: 36,
        what: Reads {
            theirs: r#"{"name":"SystemError","message":"Typefun is not a function","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"TypeError: fun is not a function\n    at <removed>"}"#,
            ours: r#"{"name":"TypeError","message":"the path of a get must be a string, not [/c/1]"}"#,
        },
        why: "says what is wrong in words; the reference repeats what its engine said",
    },
    Deviation {
        file: "malformed-requests",
        line: 42,
        what: Reads {
            theirs: r#"{"name":"TypeError","message":"parsed.path.split is not a function"}"#,
            ours: r#"{"name":"TypeError","message":"the path of an off must be a string"}"#,
        },
        why: "says what is wrong in words; the reference repeats what its engine said",
    },
    Deviation {
        file: "legacy-protocols",
        line: 30,
        what: Absent,
        why: "initial values go to the oldest dialect in the answer only, not once more as events",
    },
    Deviation {
        file: "legacy-protocols",
        line: 64,
        what: Absent,
        why: "initial values go to the oldest dialect in the answer only, not once more as events",
    },
    Deviation {
        file: "legacy-protocols",
        line: 98,
        what: Absent,
        why: "initial values go to the oldest dialect in the answer only, not once more as events",
    },
    Deviation {
        file: "legacy-protocols",
        line: 132,
        what: Absent,
        why: "initial values go to the oldest dialect in the answer only, not once more as events",
    },
    Deviation {
        file: "legacy-protocols",
        line: 266,
        what: Absent,
        why: "initial values go to the oldest dialect in the answer only, not once more as events",
    },
    Deviation {
        file: "legacy-protocols",
        line: 304,
        what: Absent,
        why: "recorded from a call of the embedding application; nothing calls it here",
    },
    Deviation {
        file: "legacy-protocols",
        line: 305,
        what: Absent,
        why: "recorded from a call of the embedding application; nothing calls it here",
    },
    Deviation {
        file: "legacy-protocols",
        line: 306,
        what: Absent,
        why: "recorded from a call of the embedding application; nothing calls it here",
    },
    Deviation {
        file: "legacy-protocols",
        line: 315,
        what: Absent,
        why: "recorded from a call of the embedding application; nothing calls it here",
    },
    Deviation {
        file: "legacy-protocols",
        line: 316,
        what: Absent,
        why: "recorded from a call of the embedding application; nothing calls it here",
    },
    Deviation {
        file: "legacy-protocols",
        line: 317,
        what: Absent,
        why: "recorded from a call of the embedding application; nothing calls it here",
    },
    Deviation {
        file: "misc",
        line: 29,
        what: Reads {
            theirs: r#"{"value":"happn_ref","_meta":{"path":"/_SYSTEM/_NETWORK/_SETTINGS/NAME","created":1795445687667,"modified":1795445687667}},"#,
            ours: "",
        },
        why: "the node's name is not kept as a document here: open clients see nothing of the inside",
    },
    Deviation {
        file: "variable-depth-off",
        line: 26,
        what: Absent,
        why: "off of a deep mask clears all its levels here, not only the first five",
    },
];
