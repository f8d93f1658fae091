//! Which parts of items are shown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use happn_protocol::{Json, Members, write_string};
use serde_json::value::RawValue;

use crate::rewrite::rewrite;
use crate::{QueryError, Value, limits};

/// Which parts of items are shown. Cheap to clone. The default shows everything.
#[derive(Clone, Debug, Default)]
pub struct Fields(Option<Arc<Selected>>);

#[derive(Debug, Default)]
struct Selected {
    names: Vec<String>,
    data: Tree,
}

/// Names below one member.
#[derive(Debug, Default)]
struct Tree {
    whole: bool,
    below: BTreeMap<String, Tree>,
}

impl Fields {
    /// Reads the JSON of a `fields` option, such as `{"name": 1, "address.city": 1}`; `null` shows
    /// everything, `{}` nothing but the path.
    ///
    /// # Errors
    /// When it is no object, or leaves fields out instead of naming those to show.
    pub fn parse(json: &str) -> Result<Self, QueryError> {
        Self::of(rewrite(Value::parse(json))?, "_meta")
    }

    /// As [`Fields::parse`], for a `projection` option: with names that are those of the stored
    /// document already.
    ///
    /// # Errors
    /// As [`Fields::parse`].
    pub fn parse_stored_names(json: &str) -> Result<Self, QueryError> {
        Self::of(Value::parse(json), "path")
    }

    /// `included` is the field that is always shown, for the complaint.
    fn of(value: Value<'_>, included: &'static str) -> Result<Self, QueryError> {
        let members = match value {
            Value::Object(members) => members,
            value if !value.is_truthy() || value.as_text() == Some("") => {
                return Ok(Self::default());
            }
            other => {
                let problem = format!(
                    "must be an object such as {{\"name\": 1}}, not {}",
                    other.kind()
                );
                return Err(QueryError::argument("fields", problem));
            }
        };
        if members.len() > limits::NODES {
            return Err(QueryError::TooComplex {
                what: "the number of fields",
                limit: limits::NODES,
            });
        }
        let mut selected = Selected::default();
        for (name, value) in members {
            if !matches!(&*name, "path" | "_id" | "_meta") {
                check(&name, &value, included)?;
                selected.add(name)?;
            }
        }
        Ok(Self(Some(Arc::new(selected))))
    }

    /// Whether everything is shown.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// The names to show beside the path, as the stored document has them; `None` is everything.
    #[must_use]
    pub fn names(&self) -> Option<&[String]> {
        self.0.as_deref().map(|selected| &selected.names[..])
    }

    /// Whether the item's own field `name`, such as `created`, is shown.
    #[must_use]
    pub fn shows(&self, name: &str) -> bool {
        self.names()
            .is_none_or(|names| names.iter().any(|shown| shown == name))
    }

    /// The part of an item's data to show. Members keep their order, and their text as it is.
    #[must_use]
    pub fn select(&self, data: &Json) -> Json {
        let Some(selected) = &self.0 else {
            return data.clone();
        };
        match selected.data.below.get("data") {
            Some(tree) if tree.whole => data.clone(),
            Some(tree) => {
                let mut out = Vec::new();
                tree.write_object(data.as_str(), 0, &mut out);
                Json::from_trusted(out)
            }
            None => Json::EMPTY_OBJECT,
        }
    }
}

fn check(name: &str, value: &Value<'_>, included: &'static str) -> Result<(), QueryError> {
    match value {
        Value::Bool(true) => Ok(()),
        Value::Integer(_) | Value::Float(_) if value.is_truthy() => Ok(()),
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {
            Err(QueryError::Exclusion(included))
        }
        _ => Err(QueryError::FieldValue(name.to_owned())),
    }
}

impl Selected {
    fn add(&mut self, name: Cow<'_, str>) -> Result<(), QueryError> {
        if name.split('.').count() > limits::DEPTH {
            return Err(QueryError::too_deep());
        }
        let mut tree = &mut self.data;
        for segment in name.split('.') {
            tree = tree.below.entry(segment.to_owned()).or_default();
        }
        tree.whole = true;
        self.names.push(name.into_owned());
        Ok(())
    }
}

impl Tree {
    fn write_object(&self, object: &str, depth: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        let start = out.len();
        for (name, value) in Members::parse(object).unwrap_or_default().iter() {
            let Some(tree) = self.below.get(name) else {
                continue;
            };
            if !tree.whole && !is_container(value, depth) {
                continue;
            }
            if out.len() > start {
                out.push(b',');
            }
            write_string(out, name);
            out.push(b':');
            tree.write(value, depth + 1, out);
        }
        out.push(b'}');
    }

    fn write(&self, value: &RawValue, depth: usize, out: &mut Vec<u8>) {
        if self.whole {
            out.extend_from_slice(value.get().as_bytes());
        } else if value.get().starts_with('{') {
            self.write_object(value.get(), depth, out);
        } else {
            self.write_array(value.get(), depth, out);
        }
    }

    /// What is selected of each element; plain values have no members to select.
    fn write_array(&self, array: &str, depth: usize, out: &mut Vec<u8>) {
        let items: Vec<&RawValue> = serde_json::from_str(array).unwrap_or_default();
        out.push(b'[');
        let start = out.len();
        for item in items {
            if is_container(item, depth) {
                if out.len() > start {
                    out.push(b',');
                }
                self.write(item, depth + 1, out);
            }
        }
        out.push(b']');
    }
}

/// Whether there may be something to select in a value; deeper than a limit nothing is looked for.
fn is_container(value: &RawValue, depth: usize) -> bool {
    depth < limits::DEPTH && value.get().starts_with(['{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &str, expected: &str) {
        let data = r#"{"a":1,"b":{"c":2.50,"d":3},"e":[1],"l":[{"k":"x","n":1},5,[{"k":"y"}]]}"#;
        let data = Json::parse(data).unwrap();
        let fields = Fields::parse(fields).unwrap();
        assert_eq!(fields.select(&data).as_str(), expected, "{fields:?}");
    }

    #[test]
    fn selected_members_keep_order_nesting_and_spelling() {
        check(r#"{"e":1,"a":true}"#, r#"{"a":1,"e":[1]}"#);
        check(r#"{"b.c":1}"#, r#"{"b":{"c":2.50}}"#);
        check(r#"{"data.b":1}"#, r#"{"b":{"c":2.50,"d":3}}"#);
        check(r#"{"l.k":1}"#, r#"{"l":[{"k":"x"},[{"k":"y"}]]}"#);
        check(r#"{"a.b":1,"nothing":1}"#, "{}");
        check("{}", "{}");
    }

    #[test]
    fn fields_of_the_item_are_shown_when_named() {
        let fields = Fields::parse(r#"{"_meta.created":1,"path":0}"#).unwrap();
        assert!(fields.shows("created") && !fields.shows("modified"));
        let fields = Fields::parse_stored_names(r#"{"name":1,"data":1}"#).unwrap();
        let data = Json::parse(r#"{"x":1}"#).unwrap();
        assert_eq!(fields.select(&data), data);
        assert!(Fields::parse("null").unwrap().is_everything());
    }

    #[test]
    fn leaving_fields_out_is_refused() {
        let problem = |fields| Fields::parse(fields).unwrap_err().to_string();
        assert_eq!(
            problem(r#"{"name":0}"#),
            "Cannot do inclusion on field _meta in exclusion projection"
        );
        assert!(problem(r#"{"name":"x"}"#).contains("data.name must be 1"));
        assert!(problem(r#"["name"]"#).contains("not an array"));
    }

    #[test]
    fn deep_data_does_not_exhaust_the_stack() {
        let deep = format!("{{\"l\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
        let fields = Fields::parse(r#"{"l.k":1}"#).unwrap();
        assert!(fields.select(&Json::parse(deep).unwrap()).is_object());
    }
}
