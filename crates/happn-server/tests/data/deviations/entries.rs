//! The cases that differ.

use super::Ours::{Error, Frame, List, Object, Refused};
use super::{Engine, Entry};

/// Every store.
const ALL: &[Engine] = &[Engine::Memory, Engine::Sqlite, Engine::Mongo];

/// The stores that evaluate questions themselves.
const EMBEDDED: &[Engine] = &[Engine::Memory, Engine::Sqlite];

const INSERT: &str = "every upsertType is a plain upsert";
const REMOVAL: &str = "criteria of a removal count";
const SORT: &str = "the keys of a sort count in their order";
const ENDED: &str = "a request that ended the server";
const FLAGS: &str = "flags mean what JavaScript means by them";

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        file: "increment",
        name: "increment option numeric string",
        on: ALL,
        ours: Refused("increment option value must be a number"),
        why: "a number as text is not a number, and we say so",
    },
    Entry {
        file: "increment",
        name: "increment on a gauge whose value is a string",
        on: ALL,
        ours: Refused("cannot increment g on path /t/i: not a number"),
        why: "our own words instead of the database's",
    },
    Entry {
        file: "increment",
        name: "increment together with merge",
        on: ALL,
        ours: Object {
            data: r#"{"value":2,"gauge":"g"}"#,
            meta: r#"{"published":true}"#,
        },
        why: "an increment is an increment, merge or not",
    },
    Entry {
        file: "options",
        name: "upsertType INSERT (2) with noPublish: return",
        on: ALL,
        ours: Object {
            data: r#"{"x":1}"#,
            meta: r#"{"path":"/t/o","created":"<T1>","modified":"<T1>"}"#,
        },
        why: INSERT,
    },
    Entry {
        file: "options",
        name: "upsertType INSERT (2) on an existing path",
        on: ALL,
        ours: Object {
            data: r#"{"x":1}"#,
            meta: r#"{"path":"/t/o","created":"<T1>","modified":"<T2>"}"#,
        },
        why: INSERT,
    },
    Entry {
        file: "options",
        name: "upsertType INSERT (2) with noPublish and noDataResponse",
        on: ALL,
        ours: Frame(
            r#"{"_meta":{"path":"/t/o","eventId":"<eventId>","type":"response","status":"ok","published":false}}"#,
        ),
        why: INSERT,
    },
    Entry {
        file: "errors",
        name: "set with upsertType UPDATE (1)",
        on: ALL,
        ours: Object {
            data: r#"{"a":1}"#,
            meta: r#"{"path":"/t/1","created":"<T1>","modified":"<T1>","published":true}"#,
        },
        why: INSERT,
    },
    Entry {
        file: "errors",
        name: "set with upsertType INSERT (2) and publishing",
        on: ALL,
        ours: Object {
            data: r#"{"a":1}"#,
            meta: r#"{"path":"/t/1","created":"<T1>","modified":"<T1>","published":true}"#,
        },
        why: INSERT,
    },
    Entry {
        file: "errors",
        name: "bad $regex type in remove",
        on: ALL,
        ours: Refused("$regex parameter value must be an Array or a string"),
        why: REMOVAL,
    },
    Entry {
        file: "errors",
        name: "unknown operator in remove with wildcard",
        on: ALL,
        ours: Error(
            r#"{"name":"SystemError","message":"unknown operator: $foo","inner":{"ok":0,"code":2,"codeName":"BadValue"},"code":500,"severity":0,"reason":"DataService"}"#,
        ),
        why: REMOVAL,
    },
    Entry {
        file: "errors",
        name: "aggregate with an object instead of an array",
        on: ALL,
        ours: Refused("aggregate must be a list of stages, each an object with one stage"),
        why: ENDED,
    },
    Entry {
        file: "errors",
        name: "get with options.count on a wildcard path",
        on: ALL,
        ours: List(r#"[{"a":"x","_meta":{"path":"/t/1","created":"<T1>","modified":"<T1>"}}]"#),
        why: ENDED,
    },
    Entry {
        file: "errors",
        name: "get with options.count on an exact path",
        on: ALL,
        ours: Object {
            data: r#"{"a":"x"}"#,
            meta: r#"{"path":"/t/1","created":"<T1>","modified":"<T1>"}"#,
        },
        why: ENDED,
    },
    Entry {
        file: "errors",
        name: "increment with a dotted gauge name",
        on: ALL,
        ours: Object {
            data: r#"{"value":1,"gauge":"a.b"}"#,
            meta: r#"{"published":true}"#,
        },
        why: ENDED,
    },
    Entry {
        file: "errors",
        name: "get with a string instead of options.options",
        on: ALL,
        ours: List(r#"[{"a":"x","_meta":{"path":"/t/1","created":"<T1>","modified":"<T1>"}}]"#),
        why: ENDED,
    },
    Entry {
        file: "errors",
        name: "get with a numeric path",
        on: ALL,
        ours: Error(
            r#"{"name":"TypeError","message":"the path of a get must be a string, not [5]"}"#,
        ),
        why: ENDED,
    },
    Entry {
        file: "errors",
        name: "get without a path",
        on: ALL,
        ours: Error(
            r#"{"name":"TypeError","message":"the path of a get must be a string, not [undefined]"}"#,
        ),
        why: ENDED,
    },
    Entry {
        file: "errors",
        name: "count without a path",
        on: ALL,
        ours: Error(
            r#"{"name":"TypeError","message":"the path of a count must be a string, not [undefined]"}"#,
        ),
        why: "our own words instead of the engine's",
    },
    Entry {
        file: "errors",
        name: "unknown action never answers",
        on: ALL,
        ours: Error(r#"{"name":"Error","message":"unknown action: \"frobnicate\""}"#),
        why: "a client should know at once",
    },
    Entry {
        file: "errors",
        name: "collation given as a string",
        on: ALL,
        ours: Error(
            r#"{"name":"SystemError","message":"Expected field collation to be of type object","inner":{"ok":0,"code":14,"codeName":"TypeMismatch"},"code":500,"severity":0,"reason":"DataService"}"#,
        ),
        why: "a space that was missing",
    },
    Entry {
        file: "fields",
        name: "fields as an array",
        on: ALL,
        ours: Error(
            r#"{"name":"SystemError","message":"fields must be an object such as {\"name\": 1}, not an array","inner":{"ok":0,"code":2,"codeName":"BadValue"},"code":500,"severity":0,"reason":"DataService"}"#,
        ),
        why: "a list of names selected nothing without a word",
    },
    Entry {
        file: "aggregate-collation",
        name: "empty result: $count",
        on: EMBEDDED,
        ours: Object {
            data: r#"{"value":[]}"#,
            meta: "{}",
        },
        why: "no row for nothing, as MongoDB documents it",
    },
    Entry {
        file: "criteria",
        name: "$where",
        on: ALL,
        ours: Refused("$where is not allowed here"),
        why: "no code of clients runs on the server",
    },
    Entry {
        file: "criteria",
        name: "regex flag s (dot matches newline) is dropped by the mongo driver",
        on: ALL,
        ours: List(r#"[{"_meta":{"path":"/r/1"}}]"#),
        why: FLAGS,
    },
    Entry {
        file: "criteria",
        name: "regex flag g acts as s with the mongo driver",
        on: ALL,
        ours: List("[]"),
        why: FLAGS,
    },
    Entry {
        file: "remove",
        name: "remove with criteria and wildcard: how many",
        on: ALL,
        ours: Object {
            data: r#"{"removed":2}"#,
            meta: r#"{"timestamp":"<T7>","path":"/t/p/*","published":true}"#,
        },
        why: REMOVAL,
    },
    Entry {
        file: "remove",
        name: "remove with criteria and wildcard: what is left",
        on: ALL,
        ours: List(
            r#"[{"_meta":{"path":"/t/p/1"}},{"_meta":{"path":"/t/p/3"}},{"_meta":{"path":"/t/p/sub/6"}},{"_meta":{"path":"/t/q/5"}}]"#,
        ),
        why: REMOVAL,
    },
    Entry {
        file: "remove",
        name: "remove with criteria on an exact path: criteria are ignored",
        on: ALL,
        ours: Object {
            data: r#"{"removed":0}"#,
            meta: r#"{"timestamp":"<T2>","path":"/t/r","published":true}"#,
        },
        why: REMOVAL,
    },
    Entry {
        file: "remove",
        name: "remove with criteria on _meta field",
        on: ALL,
        ours: List(
            r#"[{"_meta":{"path":"/t/p/2"}},{"_meta":{"path":"/t/p/3"}},{"_meta":{"path":"/t/p/4"}},{"_meta":{"path":"/t/p/sub/6"}},{"_meta":{"path":"/t/q/5"}}]"#,
        ),
        why: REMOVAL,
    },
    Entry {
        file: "sort-skip-limit",
        name: "string sort is binary (upper case first)",
        on: ALL,
        ours: List(
            r#"[{"_meta":{"path":"/o/4"}},{"_meta":{"path":"/o/1"}},{"_meta":{"path":"/o/2"}},{"_meta":{"path":"/o/3"}}]"#,
        ),
        why: SORT,
    },
    Entry {
        file: "sort-skip-limit",
        name: "meta key jumps ahead of a data key in a compound sort",
        on: ALL,
        ours: List(
            r#"[{"_meta":{"path":"/o/4"}},{"_meta":{"path":"/o/2"}},{"_meta":{"path":"/o/1"}},{"_meta":{"path":"/o/3"}}]"#,
        ),
        why: SORT,
    },
    Entry {
        file: "sort-skip-limit",
        name: "sort given as a bare string sorts nothing useful",
        on: ALL,
        ours: List(
            r#"[{"_meta":{"path":"/o/1"}},{"_meta":{"path":"/o/2"}},{"_meta":{"path":"/o/3"}},{"_meta":{"path":"/o/4"}}]"#,
        ),
        why: "a sort that names no field leaves the usual order",
    },
];
