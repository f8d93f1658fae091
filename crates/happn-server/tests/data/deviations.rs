//! Where a node of ours answers something else than the reference did, and is known to.
//!
//! The replay checks this both ways: what is listed and does not deviate fails.

use serde_json::{Value, json};

use super::case::Case;
use super::player::Answer;

/// Turns the recorded answer into ours where a rule says so, and tells why.
pub fn apply(file: &str, case: &Case, answer: &mut Answer) -> Option<String> {
    let entries = ENTRIES
        .iter()
        .filter(|entry| (entry.file, entry.name) == (file, case.name.as_str()));
    let mut why = Vec::new();
    for entry in entries {
        answer.frame = Some(entry.ours.frame(case));
        why.push(entry.why);
    }
    for rule in RULES {
        if (rule.applies)(answer) {
            why.push(rule.why);
        }
    }
    (!why.is_empty()).then(|| why.join("; "))
}

/// An entry for a case that is not there proves nothing.
pub fn check_entries(file: &str, cases: &[Case]) {
    for entry in ENTRIES.iter().filter(|entry| entry.file == file) {
        let known = cases.iter().any(|case| case.name == entry.name);
        assert!(known, "{file} has no case {}", entry.name);
    }
}

/// Answers that all differ in the same way.
struct Rule {
    /// Changes the answer if it is one of them, and says so.
    applies: fn(&mut Answer) -> bool,
    why: &'static str,
}

const RULES: &[Rule] = &[Rule {
    applies: |answer| {
        let frame = answer.frame.as_mut();
        let error = frame.and_then(|frame| frame.pointer_mut("/_meta/error")?.as_object_mut());
        error.is_some_and(|error| error.shift_remove("stack").is_some())
    },
    why: "no stack traces",
}];

/// One case that differs.
struct Entry {
    file: &'static str,
    name: &'static str,
    ours: Ours,
    why: &'static str,
}

/// What we answer, as JSON text with the recording's tokens.
enum Ours {
    /// The data service refuses.
    Refused(&'static str),
    /// An object, and what precedes the usual members of its `_meta`.
    Object {
        data: &'static str,
        meta: &'static str,
    },
    /// A whole frame.
    Frame(&'static str),
}

use Ours::{Frame, Object, Refused};

const ENTRIES: &[Entry] = &[
    Entry {
        file: "increment",
        name: "increment option numeric string",
        ours: Refused("increment option value must be a number"),
        why: "a number as text is not a number, and we say so",
    },
    Entry {
        file: "increment",
        name: "increment on a gauge whose value is a string",
        ours: Refused("cannot increment g on path /t/i: not a number"),
        why: "our own words instead of the database's",
    },
    Entry {
        file: "increment",
        name: "increment together with merge",
        ours: Object {
            data: r#"{"value":2,"gauge":"g"}"#,
            meta: r#"{"published":true}"#,
        },
        why: "an increment is an increment, merge or not",
    },
    Entry {
        file: "options",
        name: "upsertType INSERT (2) with noPublish: return",
        ours: Object {
            data: r#"{"x":1}"#,
            meta: r#"{"path":"/t/o","created":"<T1>","modified":"<T1>"}"#,
        },
        why: INSERT,
    },
    Entry {
        file: "options",
        name: "upsertType INSERT (2) on an existing path",
        ours: Object {
            data: r#"{"x":1}"#,
            meta: r#"{"path":"/t/o","created":"<T1>","modified":"<T2>"}"#,
        },
        why: INSERT,
    },
    Entry {
        file: "options",
        name: "upsertType INSERT (2) with noPublish and noDataResponse",
        ours: Frame(
            r#"{"_meta":{"path":"/t/o","eventId":"<eventId>","type":"response","status":"ok","published":false}}"#,
        ),
        why: INSERT,
    },
];

const INSERT: &str = "every upsertType is a plain upsert";

impl Ours {
    fn frame(&self, case: &Case) -> Value {
        let parsed = |text| -> Value { serde_json::from_str(text).unwrap() };
        match self {
            Self::Refused(message) => refusal(&service_error(message), action(case)),
            Self::Object { data, meta } => object(&parsed(data), &parsed(meta), action(case)),
            Self::Frame(text) => parsed(text),
        }
    }
}

/// The action of the request that a case is about.
fn action(case: &Case) -> &str {
    let request = case.request.as_ref();
    request
        .and_then(|frame| frame["action"].as_str())
        .unwrap_or("set")
}

fn object(data: &Value, meta: &Value, action: &str) -> Value {
    let mut frame = json!({"data": data, "_meta": meta, "protocol": "happn_4"});
    let published = meta["published"] == true;
    let rest = json!({"type": "response", "status": "ok", "published": published,
        "eventId": "<eventId>", "sessionId": "<sessionId>", "action": action});
    for (name, value) in rest.as_object().unwrap() {
        frame["_meta"][name] = value.clone();
    }
    frame
}

fn service_error(message: &str) -> Value {
    json!({"name": "SystemError", "message": message, "inner": {}, "code": 500, "severity": 0,
        "reason": "DataService"})
}

/// A frame that refuses a request.
pub fn refusal(error: &Value, action: &str) -> Value {
    let meta = json!({"type": "response", "status": "error", "published": false,
        "eventId": "<eventId>", "sessionId": "<sessionId>", "action": action, "error": error});
    json!({"data": null, "_meta": meta, "protocol": "happn_4"})
}
