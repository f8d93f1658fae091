//! Dotted names of fields, and what they name in a document.

use std::fmt;
use std::sync::Arc;

use crate::{QueryError, Value, limits};

/// A dotted name, such as `data.address.city` or `path`.
///
/// It names a member of a member. On the way it also goes into the objects of arrays, so that
/// one name may stand for several values.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Field {
    name: Arc<str>,
    segments: Arc<[String]>,
}

impl Field {
    /// Reads a dotted name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            segments: name.split('.').map(ToOwned::to_owned).collect(),
        }
    }

    /// As [`Field::new`], for names from outside.
    pub(crate) fn checked(name: &str) -> Result<Self, QueryError> {
        let field = Self::new(name);
        let positions = field.segments.iter().filter(|part| index(part).is_some());
        let too_many = |what, limit| Err(QueryError::TooComplex { what, limit });
        match () {
            () if positions.count() > limits::POSITIONS => too_many(
                "the number of positions in a field's name",
                limits::POSITIONS,
            ),
            () if field.segments.len() > limits::DEPTH => {
                too_many("the number of parts of a field's name", limits::DEPTH)
            }
            () => Ok(field),
        }
    }

    /// The name as it was written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name's parts.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Whether it names an item's data, or something in it.
    #[must_use]
    pub fn is_in_data(&self) -> bool {
        self.segments.first().is_some_and(|first| first == "data")
    }

    /// Calls `take` for each value the name stands for in `document` until it answers true, and
    /// tells whether it did. `None` is a value that is missing.
    ///
    /// The last part is not looked into: an array there is one value.
    pub fn any<'v, 'a>(
        &self,
        document: &'v Value<'a>,
        take: &mut dyn FnMut(Option<&'v Value<'a>>) -> bool,
    ) -> bool {
        walk(Some(document), &self.segments, take)
    }
}

fn walk<'v, 'a>(
    value: Option<&'v Value<'a>>,
    segments: &[String],
    take: &mut dyn FnMut(Option<&'v Value<'a>>) -> bool,
) -> bool {
    let Some((first, rest)) = segments.split_first() else {
        return take(value);
    };
    match value {
        Some(object @ Value::Object(_)) => walk(object.member(first), rest, take),
        Some(Value::Array(items)) => {
            let at_index = index(first).and_then(|at| items.get(at));
            if at_index.is_some() && walk(at_index, rest, take) {
                return true;
            }
            let objects = items.iter().filter(|item| matches!(item, Value::Object(_)));
            objects
                .into_iter()
                .any(|object| walk(Some(object), segments, take))
        }
        _ => take(None),
    }
}

/// The position that a part of a name stands for in an array.
fn index(segment: &str) -> Option<usize> {
    match segment.len() > 1 && segment.starts_with('0') {
        true => None,
        false => segment.parse().ok().filter(|_| !segment.starts_with('+')),
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(document: &str, name: &str) -> Vec<Option<String>> {
        let mut found = Vec::new();
        Field::new(name).any(&Value::parse(document), &mut |value| {
            found.push(value.map(|value| {
                let mut out = Vec::new();
                value.write(&mut out);
                String::from_utf8(out).unwrap()
            }));
            false
        });
        found
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn a_name_goes_through_objects_and_the_objects_of_arrays() {
        assert_eq!(values(r#"{"a":{"b":1}}"#, "a.b"), some(&["1"]));
        assert_eq!(
            values(r#"{"a":[{"b":1},{"b":[2,3]},4]}"#, "a.b"),
            some(&["1", "[2,3]"])
        );
        assert_eq!(
            values(r#"{"a":[{"b":1},{}]}"#, "a.b"),
            [Some("1".to_owned()), None]
        );
        assert_eq!(values(r#"{"a":[[{"b":1}]]}"#, "a.b"), []);
        assert_eq!(values(r#"{"a":5}"#, "a.b"), [None]);
        assert_eq!(values("{}", "a.b.c"), [None]);
    }

    #[test]
    fn a_number_names_a_place_in_an_array() {
        assert_eq!(values(r#"{"a":[7,8]}"#, "a.1"), some(&["8"]));
        assert_eq!(
            values(r#"{"a":[{"b":1},{"b":2}]}"#, "a.1.b"),
            some(&["2"])
                .into_iter()
                .chain([None, None])
                .collect::<Vec<_>>()
        );
        assert_eq!(values(r#"{"a":[7,8]}"#, "a.01"), []);
        assert_eq!(values(r#"{"a":{"1":5}}"#, "a.1"), some(&["5"]));
    }
}
