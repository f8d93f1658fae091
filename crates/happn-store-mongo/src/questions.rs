//! The parts of a search in MongoDB's own words.

use bson::raw::{RawBsonRef, cstr};
use bson::{Bson, Document, doc};
use happn_core::{Aggregation, Query};
use happn_paths::StoreGlob;
use happn_query::{Criteria, QueryError};
use mongodb::options::Collation;

use crate::encode;
use crate::failure::Failure;

/// The items that `selector` and `criteria` mean.
///
/// # Errors
/// When the criteria hold what MongoDB does not store.
pub(crate) fn filter(selector: &StoreGlob, criteria: &Criteria) -> Result<Document, Failure> {
    with_criteria(path_filter(selector), criteria)
}

/// What a search is about. Paths are paths in every language: an expression, unlike a text, is
/// compared without regard to a collation.
pub(crate) fn search(query: &Query) -> Result<Document, Failure> {
    let path = match query.collation.is_simple() {
        true => path_filter(&query.selector),
        false => expression(query.selector.as_str()),
    };
    with_criteria(path, &query.criteria)
}

/// The stages of an aggregation, those that choose its items first.
pub(crate) fn pipeline(asked: &Aggregation) -> Result<Vec<Document>, Failure> {
    let path = match asked.collation.is_simple() {
        true => path_filter(&asked.selector),
        false => expression(asked.selector.as_str()),
    };
    let mut stages = vec![doc! {"$match": with_criteria(path, &asked.criteria)?}];
    if let Bson::Array(given) = encode::value(asked.pipeline.json())? {
        let documents = given.into_iter().map(|stage| match stage {
            Bson::Document(stage) => Ok(stage),
            _ => Err(Failure::Query(QueryError::PipelineType)),
        });
        stages.extend(documents.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(stages)
}

/// `skip` and `limit` as MongoDB counts them; `None` when nothing can be left.
pub(crate) fn page(query: &Query) -> Option<(i64, Option<i64>)> {
    let skip = i64::try_from(query.skip).ok()?;
    match query.limit {
        Some(0) => None,
        // A limit beyond all items is none.
        Some(limit) => Some((skip, i64::try_from(limit).ok())),
        None => Some((skip, None)),
    }
}

/// The order of a search; of one item there is none. Ties are broken by path.
pub(crate) fn sort(query: &Query) -> Option<Document> {
    if query.selector.is_exact() {
        return None;
    }
    let mut sort = Document::new();
    for key in query.sort.keys() {
        let direction = if key.descending { -1 } else { 1 };
        // Of two keys of one name the first decides.
        sort.entry(key.field.name().to_owned())
            .or_insert(Bson::Int32(direction));
    }
    if !sort.contains_key("path") {
        sort.insert("path", 1);
    }
    Some(sort)
}

/// What is sent back of each item; `None` is everything.
///
/// The caller selects from what it gets, so names that MongoDB would refuse are simply not used to
/// save on the way.
pub(crate) fn projection(query: &Query) -> Option<Document> {
    if query.paths_only {
        return Some(doc! {"path": 1, "_id": 0});
    }
    let names = query.fields.names()?;
    let usable = |name: &String| {
        name.split('.')
            .all(|part| !part.is_empty() && !part.starts_with('$'))
            && !name.contains('\0')
    };
    let inside = |name: &String, other: &String| {
        name.strip_prefix(other.as_str())
            .is_some_and(|rest| rest.starts_with('.'))
    };
    let clash = names
        .iter()
        .any(|name| names.iter().any(|other| inside(name, other)));
    if clash || !names.iter().all(usable) {
        return None;
    }
    let mut projection = doc! {"path": 1, "_id": 0};
    projection.extend(names.iter().map(|name| (name.clone(), Bson::Int32(1))));
    Some(projection)
}

/// How text compares, for the driver.
///
/// # Errors
/// When MongoDB has no such collation.
pub(crate) fn collation(asked: &happn_query::Collation) -> Result<Option<Collation>, Failure> {
    let Some(settings) = asked.settings() else {
        return Ok(None);
    };
    let settings = encode::document(settings)?;
    match bson::deserialize_from_document(settings) {
        Ok(collation) => Ok(Some(collation)),
        Err(error) => Err(Failure::Query(QueryError::Collation(error.to_string()))),
    }
}

/// A count, in whatever type it comes.
pub(crate) fn whole(value: RawBsonRef<'_>) -> u64 {
    match value {
        RawBsonRef::Int32(count) => u64::try_from(count).unwrap_or_default(),
        RawBsonRef::Int64(count) => u64::try_from(count).unwrap_or_default(),
        RawBsonRef::Double(count) => count as u64,
        _ => 0,
    }
}

fn with_criteria(path: Document, criteria: &Criteria) -> Result<Document, Failure> {
    match criteria.json() {
        Some(json) if !criteria.is_all() => {
            let criteria = encode::document(json)?;
            Ok(doc! {"$and": [path, criteria]})
        }
        _ => Ok(path),
    }
}

/// In the very words of the JavaScript provider.
fn path_filter(selector: &StoreGlob) -> Document {
    items(selector, "path")
}

/// The items that `selector` names, whose path is at `field`.
pub(crate) fn items(selector: &StoreGlob, field: &str) -> Document {
    match selector.is_exact() {
        true => doc! {field: selector.as_str()},
        false => expression_at(field, selector.as_str()),
    }
}

fn expression(mask: &str) -> Document {
    expression_at("path", mask)
}

fn expression_at(field: &str, mask: &str) -> Document {
    match bson::raw::CString::try_from(pattern(mask)) {
        Ok(pattern) => {
            let options = cstr!("").into();
            doc! {field: {"$regex": bson::Regex { pattern, options }}}
        }
        // An expression cannot hold a NUL, and no path holds one.
        Err(_) => doc! {field: {"$in": []}},
    }
}

/// A mask as a regular expression: each run of stars is any text, all else is literal.
fn pattern(mask: &str) -> String {
    let mut pattern = String::with_capacity(mask.len() + 16);
    pattern.push('^');
    let mut after_star = false;
    for character in mask.chars() {
        match character {
            '*' if after_star => {}
            '*' => pattern.push_str(".*"),
            '\\' | '^' | '$' | '+' | '?' | '.' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '/' => {
                pattern.push('\\');
                pattern.push(character);
            }
            _ => pattern.push(character),
        }
        after_star = character == '*';
    }
    pattern.push('$');
    pattern
}

#[cfg(test)]
mod tests {
    use happn_query::{Fields, Sort};

    use super::*;

    fn query(mask: &str) -> Query {
        Query::all(StoreGlob::new(mask))
    }

    #[test]
    fn masks_become_anchored_expressions() {
        for (mask, expected) in [
            ("/t/*", "^\\/t\\/.*$"),
            ("/w/***", "^\\/w\\/.*$"),
            ("*/a(b).c", "^.*\\/a\\(b\\)\\.c$"),
            ("/a-b_c@*", "^\\/a-b_c@.*$"),
        ] {
            assert_eq!(pattern(mask), expected);
        }
        let impossible = path_filter(&StoreGlob::new("a\0*"));
        assert_eq!(impossible, doc! {"path": {"$in": []}});
    }

    #[test]
    fn ties_are_broken_by_path_unless_path_is_a_key_itself() {
        let sorted = |sort: &str| {
            let sort = Sort::parse(sort).unwrap();
            super::sort(&Query {
                sort,
                ..query("/a/*")
            })
            .unwrap()
        };
        assert_eq!(sorted("{}"), doc! {"path": 1});
        assert_eq!(sorted(r#"{"x":-1}"#), doc! {"data.x": -1, "path": 1});
        assert_eq!(
            sorted(r#"{"path":-1,"x":1}"#),
            doc! {"path": -1, "data.x": 1}
        );
        assert_eq!(super::sort(&query("/a")), None);
    }

    #[test]
    fn fields_are_projected_where_mongodb_can() {
        let projected = |fields: &str| {
            let fields = Fields::parse(fields).unwrap();
            projection(&Query {
                fields,
                ..query("/a/*")
            })
        };
        let expected = doc! {"path": 1, "_id": 0, "data.a": 1, "created": 1};
        assert_eq!(projected(r#"{"a":1,"created":1}"#), Some(expected));
        assert_eq!(projected(r#"{"a":1,"a.b":1}"#), None);
        assert_eq!(projected(r#"{"a..b":1}"#), None);
        assert_eq!(projected("null"), None);
    }

    #[test]
    fn a_page_that_must_be_empty_is_not_asked_for() {
        let page_of = |skip, limit| {
            page(&Query {
                skip,
                limit,
                ..query("*")
            })
        };
        assert_eq!(page_of(1, Some(2)), Some((1, Some(2))));
        assert_eq!(page_of(0, Some(u64::MAX)), Some((0, None)));
        assert_eq!(page_of(0, Some(0)), None);
        assert_eq!(page_of(u64::MAX, None), None);
    }
}
