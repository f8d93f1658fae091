//! Requests that are odd or wrong.

use super::Differs::{Absent, AlsoAnswers, Unordered};
use super::{Deviation, differs, reads};

const IN_WORDS: &str = "says what is wrong in words; the reference repeats what its engine said";
const UNKNOWN: &str = "an unknown action is answered with an error that names it";
const ODD_OPTIONS: &str = "options that are no object count as absent here";

pub(super) const TABLE: &[Deviation] = &[
    reads(
        "server-13.12.1/errors",
        52,
        r#"{"name":"SystemError","message":"TypeCannot read properties of undefined (reading 'indexOf')","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"TypeError: Cannot read properties of undefined (reading 'indexOf')\n    at <removed>"}"#,
        r#"{"name":"TypeError","message":"the path of a get must be a string, not [undefined]"}"#,
        IN_WORDS,
    ),
    reads(
        "server-13.12.1/errors",
        55,
        r#"{"name":"SystemError","message":"TypeCannot read properties of undefined (reading 'indexOf')","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"TypeError: Cannot read properties of undefined (reading 'indexOf')\n    at <removed>"}"#,
        r#"{"name":"TypeError","message":"the path of a count must be a string, not [undefined]"}"#,
        IN_WORDS,
    ),
    reads(
        "server-13.12.1/errors",
        61,
        r#"{"name":"TypeError","message":"Cannot read properties of undefined (reading 'split')"}"#,
        r#"{"name":"TypeError","message":"the path of an off must be a string"}"#,
        IN_WORDS,
    ),
    reads(
        "malformed-requests",
        33,
        r#"{"name":"SystemError","message":"Typepath.indexOf is not a function","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"TypeError: path.indexOf is not a function\n    at <removed>"}"#,
        r#"{"name":"TypeError","message":"the path of a get must be a string, not [5]"}"#,
        IN_WORDS,
    ),
    reads(
        "malformed-requests",
        36,
        r#"{"name":"SystemError","message":"Typefun is not a function","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"TypeError: fun is not a function\n    at <removed>"}"#,
        r#"{"name":"TypeError","message":"the path of a get must be a string, not [/c/1]"}"#,
        IN_WORDS,
    ),
    reads(
        "malformed-requests",
        42,
        r#"{"name":"TypeError","message":"parsed.path.split is not a function"}"#,
        r#"{"name":"TypeError","message":"the path of an off must be a string"}"#,
        IN_WORDS,
    ),
    differs("request-timeout", 10, AlsoAnswers(&["4"]), UNKNOWN),
    differs("request-timeout", 13, AlsoAnswers(&["5"]), UNKNOWN),
    differs("server-13.12.1/errors", 75, AlsoAnswers(&["25"]), UNKNOWN),
    differs("server-13.12.1/errors", 77, AlsoAnswers(&["26"]), UNKNOWN),
    differs(
        "server-13.12.1/errors",
        127,
        AlsoAnswers(&["40"]),
        "a login without data ends the process there; here it is an open login",
    ),
    differs(
        "malformed-requests",
        11,
        AlsoAnswers(&["3"]),
        "options.meta null ends the request there without an answer; here it counts as absent",
    ),
    reads(
        "malformed-requests",
        17,
        r#""type":"response","status":"ok","published":false"#,
        r#""published":true,"type":"response","status":"ok""#,
        ODD_OPTIONS,
    ),
    differs("malformed-requests", 18, Absent, ODD_OPTIONS),
    reads(
        "malformed-requests",
        21,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":7,"action":"get","error":{"name":"SystemError","message":"Invalid call to compoundsort, need at least one property","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"Error: Invalid call to compoundsort, need at least one property\n    at <removed>"}},"protocol":"happn_4"}"#,
        r#"{"data":{},"_meta":{"path":"/c/1","created":1795445695002,"modified":1795445695243,"type":"response","status":"ok","published":false,"eventId":7,"action":"get"},"protocol":"happn_4"}"#,
        ODD_OPTIONS,
    ),
    reads(
        "malformed-requests",
        30,
        r#"{"name":"TypeError","message":"Cannot read properties of undefined (reading 'publicKey')"}"#,
        r#"{"name":"Error","message":"no public key with request"}"#,
        IN_WORDS,
    ),
    reads(
        "misc",
        29,
        r#"{"value":"happn_ref","_meta":{"path":"/_SYSTEM/_NETWORK/_SETTINGS/NAME","created":1795445687667,"modified":1795445687667}},"#,
        "",
        "the node's name is not kept as a document here: open clients see nothing of the inside",
    ),
    differs(
        "cluster-node-through-proxy",
        9,
        Unordered,
        "their proxy reorders the headers of the upgrade; ours hands the stream over as it is",
    ),
    reads(
        "cluster-node-through-proxy",
        26,
        r#""version":"7.3.5""#,
        r#""version":"8.0.9""#,
        "the newer generation of the transport is named here",
    ),
];
