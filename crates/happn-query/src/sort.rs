//! In which order items come.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::rewrite::rewrite;
use crate::{Collation, Field, QueryError, Value, limits};

/// In which order items come. Cheap to clone. The default, without keys, is by path; items that
/// compare equal come by path too.
#[derive(Clone, Debug, Default)]
pub struct Sort(Arc<[SortKey]>);

/// One key of a sort.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// What to sort by, a name of the stored document.
    pub field: Field,
    /// Greatest first.
    pub descending: bool,
}

/// What an item sorts by; compare with [`Sort::compare`].
#[derive(Clone, Debug)]
pub struct SortValues(Vec<Option<Value<'static>>>);

impl Sort {
    /// Reads the JSON of a `sort` option; `null` and `{}` leave the order by path.
    ///
    /// Names are rewritten as those of criteria. A list of names, or of pairs of name and
    /// direction, names fields of the stored document itself.
    ///
    /// # Errors
    /// When it is something else, or a direction is none.
    pub fn parse(json: &str) -> Result<Self, QueryError> {
        let keys = match Value::parse(json) {
            Value::Null => Vec::new(),
            object @ Value::Object(_) => match rewrite(object)? {
                Value::Object(members) => members
                    .iter()
                    .map(|(name, direction)| key(name, direction))
                    .collect::<Result<_, _>>()?,
                _ => Vec::new(),
            },
            Value::Text(name) => vec![key(&name, &Value::Integer(1))?],
            Value::Array(items) => items.iter().map(item).collect::<Result<_, _>>()?,
            other => return Err(QueryError::SortType(other.kind().to_owned())),
        };
        Self::of(keys)
    }

    pub(crate) fn by_stored_names(
        members: &[(Cow<'_, str>, Value<'_>)],
    ) -> Result<Self, QueryError> {
        let keys = members.iter().map(|(name, direction)| key(name, direction));
        Self::of(keys.collect::<Result<_, _>>()?)
    }

    /// The sort of these keys.
    ///
    /// # Errors
    /// [`QueryError::TooComplex`] when there are too many.
    pub fn of(keys: Vec<SortKey>) -> Result<Self, QueryError> {
        match keys.len() > limits::SORT_KEYS {
            true => Err(QueryError::TooComplex {
                what: "the number of sort keys",
                limit: limits::SORT_KEYS,
            }),
            false => Ok(Self(keys.into())),
        }
    }

    /// The keys, the most important one first.
    #[must_use]
    pub fn keys(&self) -> &[SortKey] {
        &self.0
    }

    /// Whether items come by path.
    #[must_use]
    pub fn is_by_path(&self) -> bool {
        match &self.0[..] {
            [] => true,
            [first, ..] => !first.descending && first.field.name() == "path",
        }
    }

    /// Whether an item's data matters, or only the fields of the item itself.
    #[must_use]
    pub fn reads_data(&self) -> bool {
        self.0.iter().any(|key| key.field.is_in_data())
    }

    /// What `document` sorts by.
    #[must_use]
    pub fn values(&self, document: &Value<'_>, collation: &Collation) -> SortValues {
        let keys = self.0.iter();
        SortValues(keys.map(|key| key.value(document, collation)).collect())
    }

    /// The order of two items, as far as the keys tell.
    #[must_use]
    pub fn compare(
        &self,
        left: &SortValues,
        right: &SortValues,
        collation: &Collation,
    ) -> Ordering {
        let pairs = left.0.iter().zip(&right.0);
        self.0
            .iter()
            .zip(pairs)
            .map(|(key, (left, right))| {
                let order = compare(left.as_ref(), right.as_ref(), collation);
                if key.descending {
                    order.reverse()
                } else {
                    order
                }
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl SortKey {
    /// An array sorts by its least element, or by its greatest when those come first. An empty
    /// array, `None` here, comes before everything else, and what is missing is null.
    fn value(&self, document: &Value<'_>, collation: &Collation) -> Option<Value<'static>> {
        let mut best: Option<Option<&Value<'_>>> = None;
        self.field.any(document, &mut |value| {
            let mut offer = |candidate: Option<_>| {
                let order = best.map(|best| compare(candidate, best, collation));
                let better = match self.descending {
                    false => order.is_none_or(Ordering::is_lt),
                    true => order.is_none_or(Ordering::is_gt),
                };
                if better {
                    best = Some(candidate);
                }
            };
            match value {
                None => offer(Some(&Value::Null)),
                Some(Value::Array(items)) if items.is_empty() => offer(None),
                Some(Value::Array(items)) => items.iter().for_each(|item| offer(Some(item))),
                value => offer(value),
            }
            false
        });
        best.unwrap_or(Some(&Value::Null))
            .map(|value| value.clone().into_owned())
    }
}

fn compare(left: Option<&Value<'_>>, right: Option<&Value<'_>>, collation: &Collation) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => collation.compare(left, right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

fn item(item: &Value<'_>) -> Result<SortKey, QueryError> {
    match item {
        Value::Text(name) => key(name, &Value::Integer(1)),
        Value::Array(pair) => match &pair[..] {
            [Value::Text(name), direction] => key(name, direction),
            _ => Err(QueryError::SortType("a list of other things".to_owned())),
        },
        other => Err(QueryError::SortType(format!("a list of {}", other.kind()))),
    }
}

fn key(name: &str, direction: &Value<'_>) -> Result<SortKey, QueryError> {
    let text = match direction {
        Value::Text(text) => Cow::Owned(text.to_lowercase()),
        _ => match direction.as_integer() {
            Some(1) => Cow::Borrowed("1"),
            Some(-1) => Cow::Borrowed("-1"),
            _ => Cow::Borrowed(""),
        },
    };
    let descending = match &*text {
        "1" | "asc" | "ascending" => false,
        "-1" | "desc" | "descending" => true,
        _ => {
            let printed = crate::criteria::text_of(direction);
            return Err(QueryError::SortDirection(printed.as_str().to_owned()));
        }
    };
    Ok(SortKey {
        field: Field::checked(name)?,
        descending,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(sort: &str, documents: &[&str]) -> Vec<usize> {
        let sort = Sort::parse(sort).unwrap();
        let collation = Collation::default();
        let values: Vec<_> = documents
            .iter()
            .map(|text| sort.values(&Value::parse(text), &collation))
            .collect();
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&left, &right| sort.compare(&values[left], &values[right], &collation));
        order
    }

    #[test]
    fn arrays_sort_by_their_least_or_greatest_element() {
        let documents = [
            r#"{"data":{"v":5}}"#,
            r#"{"data":{"v":[9,1]}}"#,
            r#"{"data":{"v":[]}}"#,
            r#"{"data":{}}"#,
            r#"{"data":{"v":true}}"#,
        ];
        assert_eq!(order(r#"{"v":1}"#, &documents), [2, 3, 1, 0, 4]);
        assert_eq!(order(r#"{"v":-1}"#, &documents), [4, 1, 0, 3, 2]);
    }

    #[test]
    fn keys_count_in_the_order_they_were_written() {
        let documents = [
            r#"{"path":"/1","data":{"sku":"b"}}"#,
            r#"{"path":"/2","data":{"sku":"a"}}"#,
            r#"{"path":"/3","data":{"sku":"a"}}"#,
        ];
        assert_eq!(order(r#"{"sku":1,"path":-1}"#, &documents), [2, 1, 0]);
        assert_eq!(order(r#"{"_meta.path":"desc"}"#, &documents), [2, 1, 0]);
        assert_eq!(order(r#"[["data.sku",-1],"path"]"#, &documents), [0, 1, 2]);
        assert!(Sort::parse("{}").unwrap().is_by_path());
    }

    #[test]
    fn what_is_no_direction_is_an_error() {
        for sort in [
            r#"{"a":0}"#,
            r#"{"a":"up"}"#,
            r#"{"a":null}"#,
            r#"{"a":{}}"#,
        ] {
            let error = Sort::parse(sort).unwrap_err().to_string();
            assert!(error.starts_with("Invalid sort direction: "), "{error}");
        }
        assert!(Sort::parse("5").is_err());
    }
}
