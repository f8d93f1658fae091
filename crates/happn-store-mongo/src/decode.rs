//! BSON to JSON text, as a JavaScript server hands it to its clients, and stored items to
//! documents, whoever wrote them.

use std::sync::Arc;

use bson::raw::{RawArray, RawBsonRef, RawDocument};
use happn_core::Document;
use happn_protocol::{Json, write_string};

use crate::{base64, date, number};

/// MongoDB refuses deeper documents, so a deeper one is no answer of MongoDB.
const DEPTH_MAX: usize = 200;

/// A reply that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("a stored item cannot be read: {0}")]
    Malformed(String),
    #[error("a stored item is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    #[error("a stored item has no path")]
    NoPath,
}

impl From<bson::error::Error> for DecodeError {
    fn from(error: bson::error::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// The item in `stored`. Other programs may have written it, so times may be integers or dates and
/// `data` may be anything: what is missing or a scalar reads as `{}`.
pub(crate) fn item(stored: &RawDocument) -> Result<Document, DecodeError> {
    let mut item = Item::default();
    for element in stored.iter() {
        let (key, value) = element?;
        match key.as_str() {
            "path" => item.path = value.as_str().map(Arc::from),
            "data" => item.data = data(value)?,
            "created" => item.created = time(value),
            "modified" => item.modified = time(value),
            "modifiedBy" => item.modified_by = value.as_str().map(Arc::from),
            _ => {}
        }
    }
    Ok(Document {
        path: item.path.ok_or(DecodeError::NoPath)?,
        data: item.data.unwrap_or(Json::EMPTY_OBJECT),
        created: item.created,
        modified: item.modified,
        modified_by: item.modified_by,
    })
}

#[derive(Default)]
struct Item {
    path: Option<Arc<str>>,
    data: Option<Json>,
    created: Option<i64>,
    modified: Option<i64>,
    modified_by: Option<Arc<str>>,
}

/// A scalar has no members to show; null and lists are shown as they are.
fn data(value: RawBsonRef<'_>) -> Result<Option<Json>, DecodeError> {
    match value {
        RawBsonRef::Document(_) | RawBsonRef::Array(_) | RawBsonRef::Null => json(value).map(Some),
        _ => Ok(None),
    }
}

/// Ms since 1970 in any of the types that a writer may have chosen.
fn time(value: RawBsonRef<'_>) -> Option<i64> {
    match value {
        RawBsonRef::Double(ms) if ms.is_finite() => Some(ms as i64),
        RawBsonRef::Int32(ms) => Some(i64::from(ms)),
        RawBsonRef::Int64(ms) => Some(ms),
        RawBsonRef::DateTime(date) => Some(date.timestamp_millis()),
        _ => None,
    }
}

/// `value` as JSON text.
pub(crate) fn json(value: RawBsonRef<'_>) -> Result<Json, DecodeError> {
    let mut out = Vec::new();
    write_value(&mut out, value, DEPTH_MAX)?;
    Ok(Json::from_trusted(out))
}

fn write_value(out: &mut Vec<u8>, value: RawBsonRef<'_>, depth: usize) -> Result<(), DecodeError> {
    match value {
        RawBsonRef::Document(document) => return write_object(out, document, depth),
        RawBsonRef::Array(array) => return write_array(out, array, depth),
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => write_string(out, text),
        RawBsonRef::Boolean(true) => out.extend_from_slice(b"true"),
        RawBsonRef::Boolean(false) => out.extend_from_slice(b"false"),
        RawBsonRef::Null | RawBsonRef::Undefined => out.extend_from_slice(b"null"),
        RawBsonRef::Int32(value) => number::write_integer(out, i64::from(value)),
        RawBsonRef::Int64(value) => number::write_long(out, value),
        RawBsonRef::Double(value) => number::write_double(out, value),
        RawBsonRef::ObjectId(id) => write_string(out, &id.to_hex()),
        RawBsonRef::DateTime(date) => date::write(out, date.timestamp_millis()),
        RawBsonRef::Binary(binary) => base64::write(out, binary.bytes),
        RawBsonRef::Decimal128(decimal) => {
            write_member(out, "$numberDecimal", &decimal.to_string());
        }
        RawBsonRef::Timestamp(stamp) => {
            let joined = (u64::from(stamp.time) << 32) | u64::from(stamp.increment);
            write_member(out, "$timestamp", &joined.to_string());
        }
        RawBsonRef::JavaScriptCode(code) => write_member(out, "code", code),
        RawBsonRef::JavaScriptCodeWithScope(code) => write_member(out, "code", code.code),
        RawBsonRef::RegularExpression(_)
        | RawBsonRef::MinKey
        | RawBsonRef::MaxKey
        | RawBsonRef::DbPointer(_) => out.extend_from_slice(b"{}"),
    }
    Ok(())
}

/// A member that is undefined vanishes, as it does in `JSON.stringify`.
fn write_object(
    out: &mut Vec<u8>,
    document: &RawDocument,
    depth: usize,
) -> Result<(), DecodeError> {
    let depth = depth.checked_sub(1).ok_or(DecodeError::TooDeep)?;
    out.push(b'{');
    let start = out.len();
    for element in document.iter() {
        let (key, value) = element?;
        if matches!(value, RawBsonRef::Undefined) {
            continue;
        }
        if out.len() > start {
            out.push(b',');
        }
        write_string(out, key.as_str());
        out.push(b':');
        write_value(out, value, depth)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_array(out: &mut Vec<u8>, array: &RawArray, depth: usize) -> Result<(), DecodeError> {
    let depth = depth.checked_sub(1).ok_or(DecodeError::TooDeep)?;
    out.push(b'[');
    let start = out.len();
    for element in array.into_iter() {
        let value = element?;
        if out.len() > start {
            out.push(b',');
        }
        write_value(out, value, depth)?;
    }
    out.push(b']');
    Ok(())
}

fn write_member(out: &mut Vec<u8>, name: &str, text: &str) {
    out.push(b'{');
    write_string(out, name);
    out.push(b':');
    write_string(out, text);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use bson::{Bson, doc};

    use super::*;

    fn read(document: &bson::Document) -> Document {
        let raw = bson::RawDocumentBuf::try_from(document).unwrap();
        item(&raw).unwrap()
    }

    #[test]
    fn data_keeps_its_keys_order_and_values() {
        let data =
            doc! {"b": 1, "a.b": {"$c": [1.5, null, true]}, "10": "\u{2028}\"", "": i64::from(7)};
        let item = read(&doc! {"_id": 1, "path": "/a", "data": data});
        assert_eq!(
            item.data.as_str(),
            r#"{"b":1,"a.b":{"$c":[1.5,null,true]},"10":"\u2028\"","":7}"#
        );
    }

    #[test]
    fn times_may_be_of_any_type() {
        for time in [
            Bson::Double(1_700_000_000_000.0),
            Bson::Int64(1_700_000_000_000),
            Bson::DateTime(bson::DateTime::from_millis(1_700_000_000_000)),
        ] {
            let item =
                read(&doc! {"path": "/a", "data": {}, "created": time.clone(), "modified": time});
            assert_eq!(item.created, Some(1_700_000_000_000));
            assert_eq!(item.modified, Some(1_700_000_000_000));
        }
        let item = read(&doc! {"path": "/a", "created": "yesterday", "modified": f64::NAN});
        assert_eq!((item.created, item.modified), (None, None));
    }

    #[test]
    fn data_that_is_no_object_is_shown_as_far_as_it_can_be() {
        let data = |document: &bson::Document| read(document).data.to_string();
        assert_eq!(data(&doc! {"path": "/a"}), "{}");
        assert_eq!(data(&doc! {"path": "/a", "data": 5}), "{}");
        assert_eq!(data(&doc! {"path": "/a", "data": null}), "null");
        assert_eq!(data(&doc! {"path": "/a", "data": [1, 2]}), "[1,2]");
    }

    #[test]
    fn an_item_without_a_path_is_an_error() {
        let raw = bson::RawDocumentBuf::try_from(&doc! {"data": {}}).unwrap();
        assert!(matches!(item(&raw), Err(DecodeError::NoPath)));
    }
}
