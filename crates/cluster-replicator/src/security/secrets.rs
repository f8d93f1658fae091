//! Nothing secret leaves the node.

use serde_json::Value;

/// Members that never leave the node, at any depth.
const SECRETS: [&str; 2] = ["password", "oldPassword"];

/// Takes the secrets out of `value`.
pub(super) fn remove_secrets(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !SECRETS.contains(&name.as_str()));
            members.values_mut().for_each(remove_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_secrets),
        _ => {}
    }
}
