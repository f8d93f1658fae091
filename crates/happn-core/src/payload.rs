//! What is stored of what a client sent.

use happn_protocol::{Json, Members};

use crate::document::object_of;

/// The document for `sent`: objects as they are, without a `_meta` of their own; anything else as
/// `{"value": …}`. Absent data counts as `null`.
pub(crate) fn document_of(sent: Option<&Json>) -> Json {
    let Some(sent) = sent else {
        return Json::from_trusted(b"{\"value\":null}".to_vec());
    };
    if sent.is_object() {
        return without_meta(sent);
    }
    let mut out = Vec::with_capacity(sent.as_bytes().len() + 10);
    out.extend_from_slice(b"{\"value\":");
    out.extend_from_slice(sent.as_bytes());
    out.push(b'}');
    Json::from_trusted(out)
}

/// Most documents mention no `_meta` anywhere and are not looked into.
fn without_meta(object: &Json) -> Json {
    if !mentions(object.as_bytes(), b'_') && !mentions(object.as_bytes(), b'\\') {
        return object.clone();
    }
    let text = object.as_str();
    // A key can be spelled with escapes, so a backslash is reason enough to look.
    if !text.contains("_meta\"") && !text.contains("\\u00") {
        return object.clone();
    }
    let Some(members) = Members::parse(text) else {
        return object.clone();
    };
    if members.get("_meta").is_none() {
        return object.clone();
    }
    object_of(members.iter().filter(|(key, _)| *key != "_meta"))
}

/// Whether a byte is there. One comparison per byte and no early exit: many bytes are looked at
/// together, which a search for a text does not do.
fn mentions(text: &[u8], wanted: u8) -> bool {
    text.iter()
        .fold(false, |found, &byte| found | (byte == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_object_becomes_a_value() {
        for (sent, stored) in [
            ("5", r#"{"value":5}"#),
            ("null", r#"{"value":null}"#),
            ("[1]", r#"{"value":[1]}"#),
            (r#"{"a":1}"#, r#"{"a":1}"#),
            (
                r#"{"a":1,"_meta":{"x":1},"b":{"_meta":2}}"#,
                r#"{"a":1,"b":{"_meta":2}}"#,
            ),
            (r#"{"\u005fmeta":1,"b":2}"#, r#"{"b":2}"#),
        ] {
            assert_eq!(
                document_of(Some(&Json::parse(sent).unwrap())).as_str(),
                stored
            );
        }
        assert_eq!(document_of(None).as_str(), r#"{"value":null}"#);
    }
}
