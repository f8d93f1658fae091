//! What is stored and searched.

use super::Differs::{AlsoAnswers, Succeeds};
use super::{Deviation, differs, reads};

const ABSENT: &str = "data that is absent is stored as the value null here, like null itself";
const UPSERTS: &str =
    "every upsertType is a plain upsert here; theirs cannot be used over the wire";
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
        r#"{"data":{"value":[]},"_meta":{"type":"response","status":"ok","published":false,"eventId":30,"action":"get"},"protocol":"happn_4"}"#,
        "every store aggregates here",
    ),
    reads(
        "server-13.12.1/errors",
        98,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":31,"action":"get","error":{"name":"SystemError","message":"collation feature not available for provider on path: /e/*","inner":{},"code":500,"severity":0,"reason":"DataService","stack":"Error: collation feature not available for provider on path: /e/*\n    at <removed>"}},"protocol":"happn_4"}"#,
        r#"[{"type":"response","status":"ok","published":false,"eventId":31,"action":"get"}]"#,
        "an empty collation asks for nothing and is not refused here",
    ),
    reads(
        "insecure-connect-set-get",
        72,
        r#"[{"x":2,"_meta":{}},"#,
        r#"[{"x":2,"_meta":{"path":"/doc/one"}},"#,
        "fields keep the path in _meta, as the document store of the reference has it",
    ),
    reads(
        "insecure-connect-set-get",
        96,
        r#"{"_meta":{"path":"/doc/undef""#,
        r#"{"value":null,"_meta":{"path":"/doc/undef""#,
        ABSENT,
    ),
    reads(
        "server-13.12.1/errors",
        89,
        r#","stack":"Error: $regex parameter value must be an Array or a string\n    at <removed>""#,
        "",
        NO_STACKS,
    ),
    reads(
        "server-13.12.1/errors",
        92,
        r#"[{"type":"response","status":"ok","published":false,"eventId":29,"action":"get"}]"#,
        r#"{"data":null,"_meta":{"type":"response","status":"error","published":false,"eventId":29,"action":"get","error":{"name":"SystemError","message":"unknown operator: $foo","inner":{"ok":0,"code":2,"codeName":"BadValue"},"code":500,"severity":0,"reason":"DataService"}},"protocol":"happn_4"}"#,
        "an unknown operator is an error, as in the document store of the reference",
    ),
    differs("mongo-provider-shapes", 78, Succeeds("20"), UPSERTS),
    differs(
        "mongo-provider-shapes",
        85,
        AlsoAnswers(&["19", "21"]),
        UPSERTS,
    ),
    reads(
        "mongo-provider-shapes",
        93,
        r#""message":"MongoServerunknown operator: $foo","inner":{"ok":0,"code":2,"codeName":"BadValue"},"code":500,"severity":0,"reason":"DataService","stack":"MongoServerError: unknown operator: $foo\n    at <removed>""#,
        r#""message":"unknown operator: $foo","inner":{"ok":0,"code":2,"codeName":"BadValue"},"code":500,"severity":0,"reason":"DataService""#,
        "no class names in front of a text, and no stack traces",
    ),
];
