//! What secure servers of the newer generation say in other words, by rule: ours speak as the older
//! ones do, which clusters are made of.

use serde_json::{Map, Value};

/// Whether a recording is of the newer generation.
pub fn is_newer(file: &str) -> bool {
    file.starts_with("server-13.12.1/")
}

/// The members of a session at the end of the answer to a login, in the order of the older servers.
const SESSION: [&str; 8] = [
    "type",
    "user",
    "timestamp",
    "parentId",
    "origin",
    "policy",
    "permissionSetKey",
    "token",
];

/// A frame of a newer server in the words of the older ones.
pub fn as_older(text: &str) -> String {
    let is = |start: &str| text.starts_with(start);
    match () {
        // Who checked the login is not told, and the session comes in another order.
        () if is(r#"{"data":{"msgCount":"#) => with_data(text, |data| {
            data.shift_remove("authType");
            last(data, &SESSION);
        }),
        () if is(r#"{"data":{"cookieName":"#) => {
            with_data(text, |data| last(data, &["cookieName"]))
        }
        // The groups of a user that changed are not told with it.
        () if text.contains(r#""whatHappnd":"upsert-user""#) => with_data(text, |data| {
            if let Some(Value::Object(changed)) = data.get_mut("changedData") {
                changed.shift_remove("groups");
            }
        }),
        () => text
            .replace(
                r#""reason":"request on behalf of unauthorised user: "#,
                r#""reason":" request on behalf of: "#,
            )
            .replace(
                "request on behalf of unauthorised user: ",
                "request on behalf of: ",
            ),
    }
}

fn with_data(text: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut frame: Value = serde_json::from_str(text).unwrap();
    change(frame["data"].as_object_mut().unwrap());
    frame.to_string()
}

/// Moves members to the end, in this order.
fn last(members: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        if let Some(value) = members.shift_remove(*name) {
            members.insert((*name).to_owned(), value);
        }
    }
}
