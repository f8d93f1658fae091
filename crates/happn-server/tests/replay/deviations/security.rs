//! Secure servers.

use super::Differs::{Absent, AlsoAnswers, AlsoSends, Instead};
use super::{Deviation, differs, reads};

const SPOKEN_TO: &str = "an answer reaches whoever asked, also on behalf of somebody else; there it is sent to a session without a socket";

const UNPROTECTED: &str =
    "a header says that the connection is protected, and only a trusted proxy is believed";

pub(super) const TABLE: &[Deviation] = &[
    differs(
        "secure-login",
        182,
        Instead(
            r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":10,"sessionId":"b246a7f6-ccba-4421-bdff-0e1380925cb2","action":"count","error":{"name":"AccessDenied","code":403,"message":"unauthorized"}},"protocol":"happn_4"}"#,
        ),
        "count needs the permission of get here; there anybody can ask how many items have which content",
    ),
    reads(
        "secure-login",
        221,
        r#"{"name":"AccessDenied","code":403,"message":"invalid path"}"#,
        r#"{"name":"TypeError","message":"the path of a get must be a string, not [undefined]"}"#,
        "says what is wrong in words, as an open node does",
    ),
    reads(
        "secure-login",
        239,
        r#"{"name":"TypeError","message":"Cannot read properties of null (reading 'publicKey')"}"#,
        r#"{"name":"Error","message":"no public key with request"}"#,
        "says what is wrong in words; the reference repeats what its engine said",
    ),
    differs(
        "secure-login",
        244,
        AlsoAnswers(&["10"]),
        "a login without data has no credentials; there it ends the process",
    ),
    differs(
        "login-failures",
        19,
        Instead(
            r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":6,"action":"login","error":{"name":"AccessDenied","code":403,"message":"use of _ADMIN credentials over the network is disabled"}},"protocol":"happn_4"}"#,
        ),
        "a client that says it is local is not believed: where it comes from is known",
    ),
    differs(
        "secure-revoke",
        76,
        Absent,
        "a session that the program ends without a reason is not told one",
    ),
    reads(
        "browser-flow",
        20,
        r#""cookieName":"my_cookie_https""#,
        r#""cookieName":"my_cookie""#,
        UNPROTECTED,
    ),
    reads(
        "browser-flow",
        22,
        r#""cookieName":"my_cookie_https""#,
        r#""cookieName":"my_cookie""#,
        UNPROTECTED,
    ),
    reads(
        "secure-security-directory",
        28,
        r#""/p/1":{"prohibit":["on"],"actions":[]}"#,
        r#""/p/1":{"actions":[],"prohibit":["on"]}"#,
        "the members of a permission always come in one order",
    ),
    reads(
        "secure-security-directory",
        34,
        r#","permissions":{"/z/*":{"actions":["*"]}}"#,
        "",
        "what else a program passes with the group to unlink is not repeated",
    ),
    differs(
        "nested-permissions",
        53,
        Instead(
            r#"{"data":{"id":false,"removed":[{"subscriberKey":"32352bdb-3891-4169-9e28-400428355d8a","data":{"options":{"event_type":"all","count":0,"depth":5,"timeout":60000},"session":{"id":"32352bdb-3891-4169-9e28-400428355d8a","protocol":"happn_4","info":{"_browser":false,"_local":false}},"ref":"gmdLsaz6S0uSyY5qVA3-hg-92","action":"ALL","searchPath":"/np/**","path":"/np/**"}}]},"_meta":{"status":"ok","type":"response","published":false,"eventId":7,"sessionId":"32352bdb-3891-4169-9e28-400428355d8a","action":"off"},"protocol":"happn_4"}"#,
        ),
        "one subscription that lets through what is allowed, not one per level and rule; clients do not look at the records of an off",
    ),
    differs(
        "on-behalf-of",
        49,
        AlsoSends(
            r#"{"id":"3bd20f84-8053-4c85-bc77-20a1d29c2a10-9","action":"publication-ack","result":{"successful":1,"failed":0,"skipped":0,"queued":1},"status":"ok","_meta":{"type":"ack","eventId":9},"protocol":"happn_4"}"#,
        ),
        SPOKEN_TO,
    ),
    differs(
        "on-behalf-of",
        54,
        Instead(
            r#"{"data":{"b":1},"_meta":{"path":"/allowed/two","created":1795445705906,"modified":1795445705906,"published":true,"type":"response","status":"ok","eventId":5,"sessionId":"20cd9595-aa1a-4e41-ab86-900587a1739a","action":"set"},"protocol":"happn_4"}"#,
        ),
        "a subscription on behalf of somebody else breaks the publications of others there",
    ),
    differs(
        "on-behalf-of",
        62,
        AlsoSends(
            r#"{"data":{"b":1},"_meta":{"action":"/SET@/allowed/two","type":"data","sessionId":"20cd9595-aa1a-4e41-ab86-900587a1739a","consistency":2,"publicationId":"20cd9595-aa1a-4e41-ab86-900587a1739a-5","path":"/allowed/two","created":1795445705906,"modified":1795445705906,"eventOrigin":{"username":"_ADMIN","id":"20cd9595-aa1a-4e41-ab86-900587a1739a"},"channel":"/ALL@/allowed/two"},"protocol":"happn_4"}"#,
        ),
        "a subscription on behalf of somebody else gets its events here",
    ),
];
