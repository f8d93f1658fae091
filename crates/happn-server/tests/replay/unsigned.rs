//! Recordings of a secure server, as an open one would have answered: without its user.

use serde_json::{Map, Value};

/// What the session object of a login shows on a secure server only.
const OF_LOGINS: [&str; 9] = [
    "cookieName",
    "type",
    "user",
    "timestamp",
    "parentId",
    "origin",
    "policy",
    "permissionSetKey",
    "token",
];

/// What names the author of a document or an event.
const OF_AUTHORS: [&str; 2] = ["modifiedBy", "eventOrigin"];

/// The frame `text` without what only a secure server says.
pub fn without_user(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(Value::String(_)) | Err(_) => text.to_owned(),
        Ok(mut frame) => {
            forget(&mut frame);
            frame.to_string()
        }
    }
}

fn forget(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(forget),
        Value::Object(members) => {
            forget_members(members);
            members.values_mut().for_each(forget);
        }
        _ => {}
    }
}

fn forget_members(members: &mut Map<String, Value>) {
    let is_login = members.contains_key("msgCount");
    members.retain(|name, _| {
        let name = name.as_str();
        let is_signed = OF_AUTHORS.contains(&name) || is_login && OF_LOGINS.contains(&name);
        !is_signed
    });
    if let Some(secure) = members.get_mut("secure") {
        *secure = false.into();
    }
}
