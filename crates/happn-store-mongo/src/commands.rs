//! The commands behind the operations, as plain data.

use bson::{Bson, Document, doc};
use happn_core::{Increment, Write, WriteMode};
use mongodb::options::UpdateModifications;

use crate::encode::{self, EncodeError};
use crate::number;

/// What an update does, in one of MongoDB's two languages.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Update {
    /// Operators on fields: what the JavaScript provider sends.
    Operators(Document),
    /// An aggregation pipeline: for what operators cannot say in one step.
    Pipeline(Vec<Document>),
}

impl Update {
    /// As the driver takes it.
    pub(crate) fn into_modifications(self) -> UpdateModifications {
        match self {
            Self::Operators(update) => UpdateModifications::Document(update),
            Self::Pipeline(stages) => UpdateModifications::Pipeline(stages),
        }
    }
}

/// The item at `path`.
pub(crate) fn at(path: &str) -> Document {
    doc! {"path": path}
}

/// The update that stores `write`.
///
/// # Errors
/// When MongoDB does not store such data.
pub(crate) fn upsert(write: &Write) -> Result<Update, EncodeError> {
    let data = encode::document(&write.data)?;
    Ok(match &write.mode {
        WriteMode::Replace => Update::Operators(replacement(write, data)),
        WriteMode::Merge | WriteMode::MergeIf { .. } => Update::Pipeline(vec![merge(write, data)]),
        WriteMode::Insert => Update::Operators(insertion(write, data)),
        WriteMode::Restore { created, modified } => {
            Update::Operators(restoration(write, data, *created, *modified))
        }
    })
}

fn replacement(write: &Write, data: Document) -> Document {
    let at = write.at as f64;
    let mut set = doc! {"data": data, "path": write.path.as_str(), "modified": at};
    if let Some(author) = &write.modified_by {
        set.insert("modifiedBy", author.as_ref());
    }
    doc! {"$set": set, "$setOnInsert": {"created": at}}
}

/// Makes the item where there is none.
fn insertion(write: &Write, data: Document) -> Document {
    let at = write.at as f64;
    let mut item = doc! {"data": data, "path": write.path.as_str(), "created": at, "modified": at};
    if let Some(author) = &write.modified_by {
        item.insert("modifiedBy", author.as_ref());
    }
    doc! {"$setOnInsert": item}
}

/// Makes the item what is given; what is absent is removed.
fn restoration(
    write: &Write,
    data: Document,
    created: Option<i64>,
    modified: Option<i64>,
) -> Document {
    let time = |ms: i64| Bson::Double(ms as f64);
    let author = write.modified_by.as_deref().map(Bson::from);
    let mut set = doc! {"data": data, "path": write.path.as_str()};
    let mut unset = Document::new();
    for (name, value) in [
        ("created", created.map(time)),
        ("modified", modified.map(time)),
        ("modifiedBy", author),
    ] {
        match value {
            Some(value) => set.insert(name, value),
            None => unset.insert(name, ""),
        };
    }
    match unset.is_empty() {
        true => doc! {"$set": set},
        false => doc! {"$set": set, "$unset": unset},
    }
}

/// Lays the members of `data` over those stored. What was sent is literal: neither its dots nor
/// its dollars mean anything.
///
/// A pipeline has no `$setOnInsert`, but an item that is only being made has no `_id` yet. Where
/// `$created` is missing, the field stays missing: items made by an increment never get one.
fn merge(write: &Write, data: Document) -> Document {
    let at = write.at as f64;
    let is_new = doc! {"$eq": [{"$type": "$_id"}, "missing"]};
    let mut set = doc! {
        "path": {"$literal": write.path.as_str()},
        "created": {"$cond": [is_new, at, "$created"]},
        "data": {"$mergeObjects": ["$data", {"$literal": data}]},
        "modified": at,
    };
    if let Some(author) = &write.modified_by {
        set.insert("modifiedBy", doc! {"$literal": author.as_ref()});
    }
    doc! {"$set": set}
}

/// The update that adds to a gauge.
///
/// # Errors
/// When the gauge's name cannot be a key.
pub(crate) fn increment(increment: &Increment) -> Result<Update, EncodeError> {
    let gauge = &*increment.gauge;
    if gauge.contains('\0') {
        return Err(EncodeError::NulInKey(gauge.to_owned()));
    }
    let by = number::stored_number(&increment.by);
    Ok(match is_plain(gauge) {
        true => Update::Operators(doc! {"$inc": {format!("data.{gauge}.value"): by}}),
        false => Update::Pipeline(vec![literal_increment(gauge, &by)]),
    })
}

/// Whether a name means itself in an operator's dotted path.
pub(crate) fn is_plain(gauge: &str) -> bool {
    !gauge.is_empty() && !gauge.starts_with('$') && !gauge.contains('.')
}

/// `$inc` for a name that a dotted path cannot hold.
///
/// `$inc` refuses a `null` and a gauge that is no object; `$add` and `$mergeObjects` let a `null`
/// pass, so it is turned into a text, which they refuse as well.
fn literal_increment(gauge: &str, by: &Bson) -> Document {
    let name = doc! {"$literal": gauge};
    let member = |field: Bson, input: Bson| {
        Bson::Document(doc! {"$getField": {"field": field, "input": input}})
    };
    let or = |value: Bson, missing: Bson| {
        let is_null = doc! {"$eq": [value.clone(), Bson::Null]};
        doc! {"$cond": [is_null, "null", {"$ifNull": [value, missing]}]}
    };
    let stored = member(name.clone().into(), "$data".into());
    let total = member("value".into(), stored.clone());
    let sum = doc! {"$add": [or(total, Bson::Int32(0)), by.clone()]};
    let value = doc! {"$mergeObjects": [or(stored, empty()), {"value": sum}]};
    let data = or("$data".into(), empty());
    doc! {"$set": {"data": {"$setField": {"field": name, "input": data, "value": value}}}}
}

fn empty() -> Bson {
    Bson::Document(doc! {"$literal": {}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_without_dots_and_dollars_go_into_a_dotted_path() {
        for (gauge, plain) in [
            ("counter", true),
            ("a$b", true),
            ("10", true),
            ("a.b", false),
            ("$inc", false),
            ("", false),
        ] {
            assert_eq!(is_plain(gauge), plain, "{gauge:?}");
        }
    }
}
