//! What a write makes of a document: the rules every store shares, as pure functions.

use std::borrow::Cow;
use std::collections::HashMap;

use happn_protocol::{Json, write_string};
use serde_json::value::RawValue;

use crate::{Document, StoreError, Write, WriteMode};

/// The document that `write` leaves at its path, where `stored` was before.
///
/// `created` is set for a new path only: an item made by an increment never gets one. An author
/// stays until another is given. An insert leaves what is there as it is, a merge with a condition
/// what does not meet it.
///
/// # Errors
/// [`StoreError::Failed`] when a merge meets data that is not an object, or one with a condition
/// meets nothing.
pub fn written(stored: Option<&Document>, write: &Write) -> Result<Document, StoreError> {
    let data = match (&write.mode, stored) {
        (WriteMode::Insert, Some(stored)) => return Ok(stored.clone()),
        (WriteMode::MergeIf { member, was }, Some(stored)) if !holds(stored, member, was) => {
            return Ok(stored.clone());
        }
        (WriteMode::MergeIf { .. }, None) => return Err(nothing_at(write.path.as_str())),
        (WriteMode::Merge | WriteMode::MergeIf { .. }, Some(stored)) => {
            merge_members(&stored.data, &write.data)
                .map_err(|error| error.on_path(write.path.as_str()))?
        }
        _ => write.data.clone(),
    };
    let path = match stored {
        Some(stored) => stored.path.clone(),
        None => write.path.as_str().into(),
    };
    if let WriteMode::Restore { created, modified } = write.mode {
        return Ok(Document {
            path,
            data,
            created,
            modified,
            modified_by: write.modified_by.clone(),
        });
    }
    Ok(Document {
        path,
        data,
        created: stored.map_or(Some(write.at), |stored| stored.created),
        modified: Some(write.at),
        modified_by: write
            .modified_by
            .clone()
            .or_else(|| stored.and_then(|stored| stored.modified_by.clone())),
    })
}

/// A condition cannot be met where there is no document.
#[must_use]
pub fn nothing_at(path: &str) -> StoreError {
    StoreError::Failed(format!("there is nothing at path {path} to change"))
}

/// Whether the top-level member `member` of a document is the text `was`.
fn holds(stored: &Document, member: &str, was: &str) -> bool {
    let members = happn_protocol::Members::parse(stored.data.as_str());
    let value = members.and_then(|members| {
        let raw = members.get(member)?;
        serde_json::from_str::<String>(raw.get()).ok()
    });
    value.as_deref() == Some(was)
}

/// Lays the top-level members of `sent` over those of `stored`.
///
/// Known members keep their place, new ones follow in their order. Nested values are replaced as
/// a whole and their text is not touched.
///
/// # Errors
/// When one of the two is not an object.
pub fn merge_members(stored: &Json, sent: &Json) -> Result<Json, NotAnObject> {
    let mut members = members(stored.as_str())?;
    for (name, value) in self::members(sent.as_str())?.list {
        members.set(name, value);
    }
    Ok(members.into_json())
}

/// Data was expected to be a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the data is not an object")]
pub struct NotAnObject;

impl NotAnObject {
    /// The same as a store's answer; `path` is the item's.
    #[must_use]
    pub fn on_path(self, path: &str) -> StoreError {
        StoreError::Failed(format!("cannot change path {path}: {self}"))
    }
}

/// Reads the top level of an object.
pub(crate) fn members(object: &str) -> Result<Draft<'_>, NotAnObject> {
    let read = happn_protocol::Members::parse(object).ok_or(NotAnObject)?;
    let mut members = Draft::default();
    for (name, value) in read {
        members.set(name, value);
    }
    Ok(members)
}

/// The members of an object that is being changed, in their order. Of two members of one name the
/// later value wins, at the earlier place, as in JavaScript.
#[derive(Debug, Default)]
pub(crate) struct Draft<'a> {
    list: Vec<(Cow<'a, str>, &'a RawValue)>,
    place: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Draft<'a> {
    pub(crate) fn value(&self, name: &str) -> Option<&'a RawValue> {
        self.place.get(name).map(|&at| self.list[at].1)
    }

    pub(crate) fn set(&mut self, name: Cow<'a, str>, value: &'a RawValue) {
        if let Some(&at) = self.place.get(&name) {
            self.list[at].1 = value;
            return;
        }
        self.place.insert(name.clone(), self.list.len());
        self.list.push((name, value));
    }

    pub(crate) fn into_json(self) -> Json {
        object_of(self.list.iter().map(|(name, value)| (&**name, *value)))
    }
}

/// The object that consists of these members.
pub(crate) fn object_of<'m>(members: impl Iterator<Item = (&'m str, &'m RawValue)>) -> Json {
    let mut out = vec![b'{'];
    for (name, value) in members {
        if out.len() > 1 {
            out.push(b',');
        }
        write_string(&mut out, name);
        out.push(b':');
        out.extend_from_slice(value.get().as_bytes());
    }
    out.push(b'}');
    Json::from_trusted(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &str, sent: &str, merged: &str) {
        let stored = Json::parse(stored).unwrap();
        let sent = Json::parse(sent).unwrap();
        assert_eq!(merge_members(&stored, &sent).unwrap().as_str(), merged);
    }

    #[test]
    fn a_merge_lays_top_level_members_over_those_stored() {
        check(r#"{"a":1,"b":2}"#, r#"{"a":3}"#, r#"{"a":3,"b":2}"#);
        check(r#"{"a":1}"#, r#"{"value":"s"}"#, r#"{"a":1,"value":"s"}"#);
        check(r#"{"value":"s"}"#, r#"{"a":1}"#, r#"{"value":"s","a":1}"#);
        check("{}", "{}", "{}");
        check(r#"{"a":1}"#, "{}", r#"{"a":1}"#);
    }

    #[test]
    fn a_merge_replaces_nested_values_and_leaves_their_text_alone() {
        check(r#"{"n":{"x":1}}"#, r#"{"n":{"y":2}}"#, r#"{"n":{"y":2}}"#);
        check(
            r#"{"big":12345678901234567890123, "f":1.50, "n":{"b":1,"a":[ 2 ]}}"#,
            r#"{"z":1e400}"#,
            r#"{"big":12345678901234567890123,"f":1.50,"n":{"b":1,"a":[ 2 ]},"z":1e400}"#,
        );
    }

    #[test]
    fn keys_are_compared_by_meaning_and_are_literal() {
        check(r#"{"\u0061":1}"#, r#"{"a":2}"#, r#"{"a":2}"#);
        check(
            r#"{"n":{"x":1}}"#,
            r#"{"n.x":2}"#,
            r#"{"n":{"x":1},"n.x":2}"#,
        );
        check(r#"{"$a\"":1}"#, r#"{"é":2}"#, r#"{"$a\"":1,"é":2}"#);
        check(r#"{"a":1,"b":2,"a":3}"#, "{}", r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn only_objects_can_be_merged() {
        let object = Json::EMPTY_OBJECT;
        assert_eq!(merge_members(&Json::NULL, &object), Err(NotAnObject));
        let list = Json::parse("[1]").unwrap();
        assert_eq!(merge_members(&object, &list), Err(NotAnObject));
    }

    proptest::proptest! {
        #[test]
        fn a_merge_equals_the_obvious_one(
            stored in object(),
            sent in object(),
        ) {
            let merged = merge_members(
                &Json::encode(&stored).unwrap(),
                &Json::encode(&sent).unwrap(),
            );
            let mut obvious = stored;
            obvious.extend(sent);
            // The order of members counts, so texts are compared.
            let expected = serde_json::to_string(&obvious).unwrap();
            proptest::prop_assert_eq!(merged.unwrap().to_string(), expected);
        }
    }

    /// Few names, so that objects share some; among them those that need escapes.
    fn object()
    -> impl proptest::strategy::Strategy<Value = serde_json::Map<String, serde_json::Value>> {
        use proptest::prelude::*;
        let value = prop_oneof![
            any::<i32>().prop_map(Into::into),
            "[a-z\"]{0,3}".prop_map(Into::into),
            Just(serde_json::json!({"n": [1, null]})),
        ];
        proptest::collection::vec(("[ab\"\\\\.é$]{0,2}", value), 0..12)
            .prop_map(|members| members.into_iter().collect())
    }
}
