//! What is stored and searched.

use super::Differs::Absent;
use super::{Deviation, differs, reads};

const ABSENT: &str = "data that is absent is stored as the value null here, like null itself";
const NO_CRITERIA: &str = "criteria are not evaluated yet: refused, never ignored";
const NO_STACKS: &str = "no stack traces leave this node";

pub(super) const TABLE: &[Deviation] = &[
    reads(
        "insecure-connect-set-get",
        40,
        r#""data":{}"#,
        r#""data":{"value":null}"#,
        ABSENT,
    ),
    reads(
        "insecure-connect-set-get",
        64,
        r#"{"_meta":{"path":"/doc/undef""#,
        r#"{"value":null,"_meta":{"path":"/doc/undef""#,
        ABSENT,
    ),
    reads(
        "insecure-connect-set-get",
        72,
        r#"[{"x":2,"_meta":{}},{"type":"response","status":"ok","published":false,"eventId":19,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"get"}]"#,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":19,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"get","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        NO_CRITERIA,
    ),
    reads(
        "insecure-connect-set-get",
        92,
        r#"{"data":{"value":1},"_meta":{"type":"response","status":"ok","published":false,"eventId":24,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"count"},"protocol":"happn_4"}"#,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":24,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"count","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        NO_CRITERIA,
    ),
    reads(
        "insecure-connect-set-get",
        96,
        r#"[{"value":[1,{"a":2},null],"_meta":{"path":"/doc/array","created":1795445583524,"modified":1795445583524}},{"value":false,"_meta":{"path":"/doc/bool","created":1795445583523,"modified":1795445583523}},{"value":null,"_meta":{"path":"/doc/null","created":1795445583524,"modified":1795445583524}},{"value":42,"_meta":{"path":"/doc/number","created":1795445583522,"modified":1795445583522}},{"x":2,"_meta":{"path":"/doc/one","created":1795445583515,"modified":1795445583517}},{"value":"hello","_meta":{"path":"/doc/string","created":1795445583522,"modified":1795445583522}},{"_meta":{"path":"/doc/undef","created":1795445583529,"modified":1795445583529}},{"type":"response","status":"ok","published":false,"eventId":25,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"get"}]"#,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":25,"sessionId":"60783cd3-f0ef-4874-b249-9b7a91a20b60","action":"get","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        NO_CRITERIA,
    ),
    differs("server-13.12.1/remove-tag-merge", 100, Absent, NO_CRITERIA),
    reads(
        "server-13.12.1/remove-tag-merge",
        101,
        r#"{"data":{"removed":1},"_meta":{"timestamp":1795445729646,"path":"/rm/w*","published":true,"type":"response","status":"ok","eventId":19,"sessionId":"2c47672c-dfc9-456e-9f95-9f01527f97ee","action":"remove"},"protocol":"happn_4"}"#,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":19,"sessionId":"2c47672c-dfc9-456e-9f95-9f01527f97ee","action":"remove","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        NO_CRITERIA,
    ),
    reads(
        "server-13.12.1/errors",
        89,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":28,"action":"get","error":{"name":"SystemError","message":"$regex parameter value must be an Array or a string","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"Error: $regex parameter value must be an Array or a string\n    at <removed>"}},"protocol":"happn_4"}"#,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":28,"action":"get","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        NO_CRITERIA,
    ),
    reads(
        "server-13.12.1/errors",
        92,
        r#"[{"type":"response","status":"ok","published":false,"eventId":29,"action":"get"}]"#,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":29,"action":"get","error":{"name":"SystemError","message":"criteria is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        NO_CRITERIA,
    ),
    reads(
        "insecure-connect-set-get",
        76,
        r#""_meta":{"type""#,
        r#""_meta":{"path":"/doc/one","type""#,
        "fields keep the path in _meta, as the document store of the reference has it",
    ),
    reads(
        "insecure-connect-set-get",
        108,
        r#""created":1795445583560,"modified":1795445583569,"#,
        "",
        "a path created by increment has no times, as the document store of the reference has it",
    ),
    reads(
        "server-13.12.1/remove-tag-merge",
        137,
        r#","stack":"Error: increment option value must be a number\n    at <removed>""#,
        "",
        NO_STACKS,
    ),
    reads(
        "server-13.12.1/remove-tag-merge",
        141,
        r#","stack":"Error: invalid increment counter field name, must be a string\n    at <removed>""#,
        "",
        NO_STACKS,
    ),
    reads(
        "server-13.12.1/errors",
        95,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":30,"action":"get","error":{"name":"SystemError","message":"aggregate feature not available for provider on path: /e/*","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"Error: aggregate feature not available for provider on path: /e/*\n    at <removed>"}},"protocol":"happn_4"}"#,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":30,"action":"get","error":{"name":"SystemError","message":"aggregate is not supported by the data store of this node","inner":{},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        "aggregates are not evaluated yet: refused, never ignored",
    ),
    reads(
        "server-13.12.1/errors",
        98,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":31,"action":"get","error":{"name":"SystemError","message":"collation feature not available for provider on path: /e/*","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"Error: collation feature not available for provider on path: /e/*\n    at <removed>"}},"protocol":"happn_4"}"#,
        r#"[{"type":"response","status":"ok","published":false,"eventId":31,"action":"get"}]"#,
        "an empty collation asks for nothing and is not refused here",
    ),
];
