//! Where a node of ours answers something else than the reference did, and is known to.
//!
//! The replay checks this both ways: what is listed and does not deviate fails.

mod entries;

use serde_json::{Value, json};

use super::case::Case;
use super::engine::Engine;
use super::player::Answer;
use entries::ENTRIES;

/// Turns the recorded answer into ours where a rule says so, and tells why.
pub fn apply(file: &str, engine: Engine, case: &Case, answer: &mut Answer) -> Option<String> {
    let entries = ENTRIES.iter().filter(|entry| {
        (entry.file, entry.name) == (file, case.name.as_str()) && entry.on.contains(&engine)
    });
    let mut why = Vec::new();
    for entry in entries {
        answer.frame = Some(entry.ours.frame(case));
        why.push(entry.why);
    }
    let error = answer.frame.as_mut();
    let error = error.and_then(|frame| frame.pointer_mut("/_meta/error"));
    if let Some(error) = error {
        let rules = RULES.iter().filter(|rule| (rule.change)(error));
        why.extend(rules.map(|rule| rule.why));
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

/// Errors that all differ in the same way.
struct Rule {
    /// Changes the error if it is one of them, and says so.
    change: fn(&mut Value) -> bool,
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        change: |error| {
            let members = error.as_object_mut();
            members.is_some_and(|error| error.shift_remove("stack").is_some())
        },
        why: "no stack traces",
    },
    Rule {
        change: |error| {
            let message = error["message"].as_str().unwrap_or_default();
            let bare = ["MongoServer", "Syntax"]
                .iter()
                .find_map(|class| message.strip_prefix(class));
            let bare = bare.map(str::to_owned);
            if let Some(bare) = &bare {
                error["message"] = json!(bare);
            }
            bare.is_some()
        },
        why: "class names are not glued to the words",
    },
];

/// One case that differs.
struct Entry {
    file: &'static str,
    name: &'static str,
    on: &'static [Engine],
    ours: Ours,
    why: &'static str,
}

/// What we answer, as JSON text with the recording's tokens.
enum Ours {
    /// The data service refuses.
    Refused(&'static str),
    /// The request is refused with this error.
    Error(&'static str),
    /// An object, and what precedes the usual members of its `_meta`.
    Object {
        data: &'static str,
        meta: &'static str,
    },
    /// The items of a list.
    List(&'static str),
    /// A whole frame.
    Frame(&'static str),
}

impl Ours {
    fn frame(&self, case: &Case) -> Value {
        let parsed = |text| -> Value { serde_json::from_str(text).unwrap() };
        let action = action(case);
        match self {
            Self::Refused(message) => refusal(&service_error(message), action),
            Self::Error(text) => refusal(&parsed(text), action),
            Self::Object { data, meta } => {
                let mut frame =
                    json!({"data": parsed(data), "_meta": parsed(meta), "protocol": "happn_4"});
                let published = frame["_meta"]["published"] == true;
                for (name, value) in meta_of_answer(action, published).as_object().unwrap() {
                    frame["_meta"][name] = value.clone();
                }
                frame
            }
            Self::List(items) => {
                let mut items = parsed(items);
                let list = items.as_array_mut().unwrap();
                list.push(meta_of_answer(action, false));
                items
            }
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

fn meta_of_answer(action: &str, published: bool) -> Value {
    json!({"type": "response", "status": "ok", "published": published,
        "eventId": "<eventId>", "sessionId": "<sessionId>", "action": action})
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
