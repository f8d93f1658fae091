//! Paths with `{{…}}`, filled in from what is known about a session.

use std::collections::BTreeMap;

use serde_json::Value;

/// The most paths that one template may become.
pub const EXPANSIONS_MAX: usize = 1000;

/// The most paths that all templates of one set of rules may become.
pub const EXPANSIONS_TOTAL_MAX: usize = 50_000;

/// A text with places to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Stays as it is.
    Text(String),
    /// The name between `{{` and `}}`.
    Place(String),
}

/// Why a template becomes no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfilled {
    /// The session has no such member, or it is null or an empty list.
    #[error("the session has no value for a template of it")]
    Missing,
    /// A value, or one of a list, holds a `*` or is null within a list.
    #[error("a value for a template of it holds a * or a null")]
    Unusable,
    /// The lists multiply to more than [`EXPANSIONS_MAX`] paths, or all of them to more than
    /// [`EXPANSIONS_TOTAL_MAX`].
    #[error(
        "templates may become {EXPANSIONS_MAX} paths each and {EXPANSIONS_TOTAL_MAX} together, \
         and these become more"
    )]
    TooMany,
}

impl Template {
    /// Takes any text; a `{{` without its `}}` is text.
    pub(super) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut left = text;
        while let Some((before, after)) = left.split_once("{{")
            && let Some((name, rest)) = after.split_once("}}")
        {
            pieces.extend([
                Piece::Text(before.to_owned()),
                Piece::Place(name.to_owned()),
            ]);
            left = rest;
        }
        pieces.push(Piece::Text(left.to_owned()));
        Self { pieces }
    }

    pub(super) fn of(pieces: impl Iterator<Item = Piece>) -> Self {
        Self {
            pieces: pieces.collect(),
        }
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether there is nothing to fill in.
    pub(super) fn is_text(&self) -> bool {
        self.places().next().is_none()
    }

    fn places(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The text with `*` at every place.
    pub(super) fn widened(&self) -> String {
        self.join(|_| "*")
    }

    /// All texts this becomes: lists give one per value, several of them all combinations, and a
    /// name takes the same value wherever it stands. Values are inserted as they are: what looks
    /// like a template or a mask in them is neither.
    ///
    /// # Errors
    /// When a value is missing or cannot be used, or when there would be too many.
    pub(super) fn fill(&self, facts: &Value) -> Result<Vec<String>, Unfilled> {
        let choices = self.choices(facts)?;
        Ok(choices
            .iter()
            .map(|choice| self.join(|name| choice.get(name).map_or("", String::as_str)))
            .collect())
    }

    /// Which value each name takes, in every combination.
    pub(super) fn choices(&self, facts: &Value) -> Result<Vec<BTreeMap<&str, String>>, Unfilled> {
        let mut choices = vec![BTreeMap::new()];
        for name in self.places() {
            if choices[0].contains_key(name) {
                continue;
            }
            let values = values(facts, name)?;
            if choices.len() * values.len() > EXPANSIONS_MAX {
                return Err(Unfilled::TooMany);
            }
            choices = choices
                .iter()
                .flat_map(|choice| {
                    values.iter().map(|value| {
                        let mut choice = choice.clone();
                        choice.insert(name, value.clone());
                        choice
                    })
                })
                .collect();
        }
        Ok(choices)
    }

    fn join<'a>(&'a self, value: impl Fn(&'a str) -> &'a str) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Place(name) => value(name),
            })
            .collect()
    }
}

/// The texts a name stands for; at least one.
fn values(facts: &Value, name: &str) -> Result<Vec<String>, Unfilled> {
    let values = match member(facts, name).ok_or(Unfilled::Missing)? {
        Value::Null => return Err(Unfilled::Missing),
        Value::Array(items) if items.is_empty() => return Err(Unfilled::Missing),
        Value::Array(items) => items.iter().map(text).collect::<Option<Vec<_>>>(),
        value => text(value).map(|text| vec![text]),
    };
    values
        .filter(|values| !values.iter().any(|value| value.contains('*')))
        .ok_or(Unfilled::Unusable)
}

/// The member that a name such as `user.custom_data.x[0]` leads to.
fn member<'a>(facts: &'a Value, name: &str) -> Option<&'a Value> {
    let mut value = facts;
    let steps = name
        .split(['.', '['])
        .map(|step| step.strip_suffix(']').unwrap_or(step));
    for step in steps {
        value = match value {
            Value::Object(members) => members.get(step)?,
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// A value as JavaScript inserts it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number_text(number)),
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items = items.iter().map(|item| text(item).unwrap_or_default());
            Some(items.collect::<Vec<_>>().join(","))
        }
        Value::Object(_) => Some("[object Object]".to_owned()),
    }
}

/// JavaScript knows no difference between 1 and 1.0.
fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fill(template: &str) -> Result<Vec<String>, Unfilled> {
        let facts = json!({
            "id": "s", "user": {"name": "bob", "n": 7, "f": 1.0, "none": [], "nul": null,
            "tags": ["x", "y"], "ids": [1, 2], "star": "a*", "stars": ["ok", "*"],
            "list": [{"n": "q"}], "braces": "{{id}}", "money": "$&"}
        });
        Template::parse(template).fill(&facts)
    }

    #[test]
    fn values_of_the_session_are_inserted_as_they_are() {
        for (template, path) in [
            ("/u/{{user.name}}/*", "/u/bob/*"),
            ("/u/{{user.n}}/{{user.f}}", "/u/7/1"),
            ("/u/{{user.list[0].n}}{{user.list.0.n}}", "/u/qq"),
            ("/u/{{user.braces}}/{{user.money}}", "/u/{{id}}/$&"),
            ("/u/{{user.name", "/u/{{user.name"),
            ("/u/{{user}}", "/u/[object Object]"),
        ] {
            assert_eq!(fill(template), Ok(vec![path.to_owned()]), "{template}");
        }
    }

    #[test]
    fn lists_multiply_and_a_name_keeps_its_value() {
        assert_eq!(
            fill("{{user.tags}}{{user.ids}}").unwrap(),
            ["x1", "x2", "y1", "y2"]
        );
        assert_eq!(fill("{{user.tags}}{{user.tags}}").unwrap(), ["xx", "yy"]);
    }

    #[test]
    fn what_cannot_be_filled_in_says_why() {
        for template in [
            "{{user.nope}}",
            "{{user.none}}",
            "{{user.nul}}",
            "{{ id }}",
            "{{}}",
            "{{user.tags[x]}}",
        ] {
            assert_eq!(fill(template), Err(Unfilled::Missing), "{template}");
        }
        assert_eq!(fill("{{user.star}}"), Err(Unfilled::Unusable));
        assert_eq!(fill("{{user.stars}}"), Err(Unfilled::Unusable));
        let long = json!({"a": vec!["x"; 40], "b": vec!["y"; 40]});
        assert_eq!(
            Template::parse("{{a}}{{b}}").fill(&long),
            Err(Unfilled::TooMany)
        );
    }
}
