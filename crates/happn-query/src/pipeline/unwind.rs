//! `$unwind`: one document per element of an array.

use super::project::put;
use crate::operand::{Computed, Scope};
use crate::{Collation, QueryError, Value};

/// What to unwind.
#[derive(Clone, Debug)]
pub(super) struct Unwind {
    path: Vec<String>,
    index: Option<Vec<String>>,
    keeps_empty: bool,
}

/// The documents of one unwinding, made one by one.
pub(super) struct Unwound<'u, 'a> {
    unwind: &'u Unwind,
    document: Value<'a>,
    /// The elements that are left, with their places; a place only for elements of arrays.
    items: std::vec::IntoIter<(Option<i64>, Option<Value<'a>>)>,
}

impl Unwind {
    pub(super) fn parse(argument: &Value<'_>) -> Result<Self, QueryError> {
        let options = matches!(argument, Value::Object(_));
        let path = if options {
            argument.member("path")
        } else {
            Some(argument)
        };
        let wrong = |problem| QueryError::argument("$unwind", problem);
        let path = path
            .and_then(Value::as_text)
            .and_then(|path| path.strip_prefix('$'))
            .filter(|path| !path.is_empty() && !path.starts_with('$'))
            .ok_or_else(|| wrong("needs a path that starts with $, such as \"$data.lines\""))?;
        let split = |name: &str| name.split('.').map(ToOwned::to_owned).collect();
        let index = match argument.member("includeArrayIndex") {
            None => None,
            Some(Value::Text(name)) if !name.is_empty() && !name.starts_with('$') => {
                Some(split(name))
            }
            Some(_) => return Err(wrong("includeArrayIndex must be the name of a field")),
        };
        let keeps_empty = match argument.member("preserveNullAndEmptyArrays") {
            None => false,
            Some(Value::Bool(keeps)) => *keeps,
            Some(_) => return Err(wrong("preserveNullAndEmptyArrays must be true or false")),
        };
        Ok(Self {
            path: split(path),
            index,
            keeps_empty,
        })
    }

    /// Takes the array out of the document, so that it is not copied for each of its elements.
    pub(super) fn start<'u, 'a>(&'u self, mut document: Value<'a>) -> Unwound<'u, 'a> {
        let items = match place(&mut document, &self.path) {
            None if self.keeps_empty => vec![(None, None)],
            None => Vec::new(),
            Some(place) => match std::mem::replace(place, Value::Null) {
                Value::Array(items) if items.is_empty() && self.keeps_empty => {
                    vec![(None, None)]
                }
                Value::Array(items) => {
                    let numbered = (0..).map(Some).zip(items.into_iter().map(Some));
                    numbered.collect()
                }
                Value::Null if self.keeps_empty => vec![(None, Some(Value::Null))],
                Value::Null => Vec::new(),
                single => vec![(None, Some(single))],
            },
        };
        Unwound {
            unwind: self,
            document,
            items: items.into_iter(),
        }
    }
}

impl<'a> Unwound<'_, 'a> {
    /// The document of the next element.
    pub(super) fn next(&mut self, collation: &Collation) -> Computed<'a> {
        let Some((index, item)) = self.items.next() else {
            return Ok(None);
        };
        let scope = Scope::new(collation);
        let mut document = self.document.clone();
        put(&mut document, &self.unwind.path, item, &scope)?;
        if let Some(name) = &self.unwind.index {
            let index = index.map_or(Value::Null, Value::Integer);
            put(&mut document, name, Some(index), &scope)?;
        }
        Ok(Some(document))
    }
}

/// The value at a path through objects.
fn place<'v, 'a>(value: &'v mut Value<'a>, path: &[String]) -> Option<&'v mut Value<'a>> {
    let Some((first, rest)) = path.split_first() else {
        return Some(value);
    };
    match value {
        Value::Object(members) => {
            let found = members.iter_mut().rfind(|(name, _)| name == first);
            place(&mut found?.1, rest)
        }
        _ => None,
    }
}
