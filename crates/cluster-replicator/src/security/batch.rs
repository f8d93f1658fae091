//! From changes to the payload of one message, and back. Pure.

use happn_core::SecurityChange;
use happn_protocol::Json;
use serde_json::{Map, Value};

use super::secrets::remove_secrets;

/// The kinds JavaScript nodes take out of a payload, in the order in which they do.
const UNPACKED: [&str; 10] = [
    "link-group",
    "unlink-group",
    "upsert-group",
    "upsert-user",
    "permission-removed",
    "permission-upserted",
    "delete-user",
    "delete-group",
    "lookup-table-changed",
    "lookup-permission-changed",
];

/// Further kinds that are understood. JavaScript nodes find them under another one.
const CARRIED: [&str; 3] = [
    "token-revoked",
    "token-restored",
    "lookup-permission-upserted",
];

/// Says what a value is when it is found under another kind.
const OWN_KIND: &str = "whatHappnd";

/// Changes that wait to be sent, in order.
#[derive(Debug, Default)]
pub(super) struct Batch(Vec<SecurityChange>);

/// One entry of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpacked {
    /// A change to be applied.
    Change(SecurityChange),
    /// Something nobody understands.
    Skipped {
        /// The kind it says it is.
        kind: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Batch {
    pub(super) fn push(&mut self, change: SecurityChange) {
        self.0.push(change);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The payload that carries the changes, if there are any.
    ///
    /// Each is found under its kind, as nodes of the reference write it, unless they would apply
    /// the batch in another order or not at all: then all are under the first kind they look at,
    /// and each says what it is, which they understand.
    pub(super) fn payload(self) -> Option<Json> {
        if self.0.is_empty() {
            return None;
        }
        let places: Option<Vec<usize>> = self.0.iter().map(|it| place_of(&it.kind)).collect();
        let in_order = places.is_some_and(|places| places.is_sorted());
        let mut kinds = Map::new();
        for change in self.0 {
            let kind = if in_order {
                change.kind.as_str()
            } else {
                UNPACKED[0]
            };
            let entries = kinds
                .entry(kind)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(entries) = entries {
                let data: Value = change.data.decode().unwrap_or_default();
                let key = free_key(entries, key_of(&change.kind, &data));
                entries.insert(key, entry(&change, data, !in_order));
            }
        }
        Json::encode(&kinds).ok()
    }
}

fn place_of(kind: &str) -> Option<usize> {
    UNPACKED.iter().position(|known| *known == kind)
}

fn entry(change: &SecurityChange, mut data: Value, with_kind: bool) -> Value {
    let mut entry = Map::new();
    if with_kind {
        entry.insert(OWN_KIND.to_owned(), change.kind.clone().into());
    }
    remove_secrets(&mut data);
    entry.insert("changedData".to_owned(), data);
    if let Some(additional) = &change.additional {
        let mut additional: Value = additional.decode().unwrap_or_default();
        remove_secrets(&mut additional);
        entry.insert("additionalInfo".to_owned(), additional);
    }
    Value::Object(entry)
}

/// The key a node of the reference would use. Receivers do not look at it.
fn key_of<'a>(kind: &str, data: &'a Value) -> &'a str {
    let last = |path: &'a Value| path.as_str().and_then(|path| path.rsplit('/').next());
    let key = match kind {
        "link-group" => last(&data["_meta"]["path"]),
        "unlink-group" => last(&data["path"]),
        "upsert-group" => data["name"].as_str(),
        "upsert-user" => data["username"].as_str(),
        "permission-removed" | "permission-upserted" => data["groupName"].as_str(),
        "delete-user" => last(&data["obj"]["_meta"]["path"]),
        "delete-group" => data["obj"]["name"].as_str(),
        "lookup-table-changed" | "lookup-permission-changed" => data["table"].as_str(),
        _ => None,
    };
    key.unwrap_or("change")
}

/// A key that overwrites nothing. Letters in front, because JavaScript sorts numbers.
fn free_key(taken: &Map<String, Value>, key: &str) -> String {
    if !taken.contains_key(key) {
        return key.to_owned();
    }
    // At most one per entry is taken.
    let numbered = (2..=taken.len() + 2).map(|number| format!("{key}#{number}"));
    let mut free = numbered.filter(|key| !taken.contains_key(key));
    free.next().unwrap_or_default()
}

/// The changes in a payload, in the order in which they are to be applied.
#[must_use]
pub fn take_apart(payload: Option<&Json>) -> Vec<Unpacked> {
    let skipped = |problem| {
        vec![Unpacked::Skipped {
            kind: "?".to_owned(),
            problem,
        }]
    };
    let Some(Ok(Value::Object(mut kinds))) = payload.map(Json::decode::<Value>) else {
        return skipped("the payload is no object");
    };
    let mut unpacked = Vec::new();
    for kind in UNPACKED.iter().chain(&CARRIED) {
        if let Some(entries) = kinds.shift_remove(*kind) {
            unpack_kind(kind, entries, &mut unpacked);
        }
    }
    unpacked.extend(kinds.into_iter().map(|(kind, _)| Unpacked::Skipped {
        kind,
        problem: "the kind is unknown",
    }));
    unpacked
}

fn unpack_kind(kind: &str, entries: Value, unpacked: &mut Vec<Unpacked>) {
    let skip = |problem| Unpacked::Skipped {
        kind: kind.to_owned(),
        problem,
    };
    let Value::Object(entries) = entries else {
        return unpacked.push(skip("its entries are no object"));
    };
    unpacked.extend(entries.into_iter().map(|(_, entry)| match entry {
        Value::Object(entry) => change_of(kind, entry),
        _ => skip("an entry is no object"),
    }));
}

fn change_of(kind: &str, mut entry: Map<String, Value>) -> Unpacked {
    let kind = match entry.shift_remove(OWN_KIND) {
        None => kind.to_owned(),
        Some(Value::String(own)) => own,
        Some(_) => "?".to_owned(),
    };
    let is_known = UNPACKED.iter().chain(&CARRIED).any(|known| *known == kind);
    let problem = match entry.shift_remove("changedData") {
        _ if !is_known => "the kind is unknown",
        Some(Value::Object(mut data)) => {
            data.insert("replicated".to_owned(), true.into());
            let additional = entry.shift_remove("additionalInfo");
            let encoded = Json::encode(&data).ok();
            let additional = additional.map(|additional| Json::encode(&additional));
            match (encoded, additional.transpose()) {
                (Some(data), Ok(additional)) => {
                    return Unpacked::Change(SecurityChange {
                        kind,
                        data,
                        additional,
                    });
                }
                _ => "its data cannot be read",
            }
        }
        _ => "its changedData is no object",
    };
    Unpacked::Skipped { kind, problem }
}
