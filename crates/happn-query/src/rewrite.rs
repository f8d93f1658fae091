//! The names clients use, as the names of the stored document.
//!
//! Clients name fields relative to the data. One walk over criteria, fields or a sort puts `data.`
//! in front of every name that is not one of the item itself. It goes below operators and into
//! values too, as the JavaScript server does it: a value that is an object is therefore compared
//! with names that no item has.

use std::borrow::Cow;

use crate::{QueryError, Value};

/// Fields of the item itself; their names stay.
const ITEM_LEVEL: [&str; 8] = [
    "_meta",
    "_id",
    "path",
    "created",
    "modified",
    "timestamp",
    "createdBy",
    "modifiedBy",
];

/// Rewrites all names. They keep their order. Patterns become `$regex` and `$options`, as MongoDB
/// knows them.
pub(crate) fn rewrite(value: Value<'_>) -> Result<Value<'_>, QueryError> {
    match value {
        Value::Array(items) => {
            let items = items.into_iter().map(rewrite).collect::<Result<_, _>>()?;
            Ok(Value::Array(items))
        }
        Value::Object(members) => {
            let mut rewritten = Vec::with_capacity(members.len());
            for (name, value) in members {
                match name == "$regex" {
                    true => pattern(value, &mut rewritten)?,
                    false => rewritten.push(member(name, value)?),
                }
            }
            Ok(Value::Object(rewritten))
        }
        other => Ok(other),
    }
}

type Member<'a> = (Cow<'a, str>, Value<'a>);

fn member<'a>(name: Cow<'a, str>, value: Value<'a>) -> Result<Member<'a>, QueryError> {
    let name = rewritten_name(name);
    match value.member("bsonid") {
        Some(id) if name == "_id" => Ok((name, id.clone())),
        Some(_) => Ok((name, value)),
        None => Ok((name, rewrite(value)?)),
    }
}

/// A pattern is text, or a list of text and flags; nothing in it is a name.
fn pattern<'a>(value: Value<'a>, members: &mut Vec<Member<'a>>) -> Result<(), QueryError> {
    let (text, flags) = match value {
        Value::Text(text) => (text, Cow::Borrowed("")),
        Value::Array(items) => {
            let mut items = items.into_iter();
            match (items.next(), items.next()) {
                (None, _) => (Cow::Borrowed(""), Cow::Borrowed("")),
                (Some(Value::Text(text)), None | Some(Value::Null)) => (text, Cow::Borrowed("")),
                (Some(Value::Text(text)), Some(Value::Text(flags))) => (text, flags),
                _ => return Err(QueryError::RegexType),
            }
        }
        _ => return Err(QueryError::RegexType),
    };
    let flags = known_flags(&flags)?;
    members.push((Cow::Borrowed("$regex"), Value::Text(text)));
    if !flags.is_empty() {
        members.push((Cow::Borrowed("$options"), Value::Text(Cow::Owned(flags))));
    }
    Ok(())
}

/// JavaScript's flags without those that say where to search and not what to find.
fn known_flags(flags: &str) -> Result<String, QueryError> {
    let known = |(at, flag): (usize, char)| {
        "dgimsuvy".contains(flag) && !flags[at + flag.len_utf8()..].contains(flag)
    };
    let both = flags.contains('u') && flags.contains('v');
    match flags.char_indices().all(known) && !both {
        true => Ok(flags.chars().filter(|flag| "ims".contains(*flag)).collect()),
        false => Err(QueryError::RegexFlags(flags.to_owned())),
    }
}

/// The name of the stored document's field that a client means with `name`.
pub(crate) fn rewritten_name(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.starts_with('$') || name.starts_with("data.") || ITEM_LEVEL.contains(&&*name) {
        return name;
    }
    if let Some(known) = name.strip_prefix("_meta.")
        && let Some(known) = ITEM_LEVEL.iter().find(|item| **item == known)
    {
        return Cow::Borrowed(known);
    }
    match name.strip_prefix("_data.") {
        Some(rest) => Cow::Owned(format!("data.{rest}")),
        None => Cow::Owned(format!("data.{name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What we do on purpose where the JavaScript server does something else.
    const FIXED: [(&str, &str); 3] = [
        // A field that is null is named like any other.
        (r#"{"a":null}"#, r#"{"data.a":null}"#),
        (r#"{"a":null,"b":1}"#, r#"{"data.a":null,"data.b":1}"#),
        // Null is no pattern; theirs leaves the complaint to the database.
        (r#"{"a":{"$regex":null}}"#, ""),
    ];

    #[test]
    fn names_are_rewritten_as_the_javascript_server_does_it() {
        let vectors = include_str!("../../../tests/vectors/data/rewrite.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 88);
        for case in cases {
            let input = case["input"].to_string();
            let rewritten = crate::criteria::checked_rewrite(&input);
            let fixed = FIXED.iter().find(|(theirs, _)| *theirs == input);
            match (fixed, case.get("throws")) {
                (Some((_, "")), _) => assert_eq!(rewritten.unwrap_err(), QueryError::RegexType),
                (Some((_, ours)), _) => assert_eq!(rewritten.unwrap().as_str(), *ours, "{input}"),
                (None, Some(message)) => {
                    let error = rewritten.unwrap_err().to_string();
                    assert_eq!(error, message.as_str().unwrap(), "{input}");
                }
                (None, None) => {
                    let rewritten = rewritten.unwrap();
                    let ours: serde_json::Value = serde_json::from_str(rewritten.as_str()).unwrap();
                    assert_eq!(ours, with_text_patterns(&case["output"]), "{input}");
                }
            }
        }
    }

    /// The vectors show a pattern as an object of its own, and its text as JavaScript prints it.
    fn with_text_patterns(value: &serde_json::Value) -> serde_json::Value {
        use serde_json::Value as Json;
        match value {
            Json::Array(items) => items.iter().map(with_text_patterns).collect(),
            Json::Object(members) => {
                let mut out = serde_json::Map::new();
                for (name, value) in members {
                    let Some(pattern) = value.get("$regularExpression") else {
                        out.insert(name.clone(), with_text_patterns(value));
                        continue;
                    };
                    let text = pattern["pattern"].as_str().unwrap();
                    let text = text.replace("(?:)", "").replace("\\/", "/");
                    out.insert("$regex".into(), text.into());
                    let flags = pattern["options"].as_str().unwrap().replace('g', "");
                    if !flags.is_empty() {
                        out.insert("$options".into(), flags.into());
                    }
                }
                Json::Object(out)
            }
            other => other.clone(),
        }
    }

    #[test]
    fn names_keep_their_order() {
        let sort = rewrite(Value::parse(r#"{"sku":1,"path":-1,"_meta.created":1}"#)).unwrap();
        let mut out = Vec::new();
        sort.write(&mut out);
        assert_eq!(out, br#"{"data.sku":1,"path":-1,"created":1}"#);
    }
}
