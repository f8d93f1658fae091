//! From rewritten criteria to the tree.

use super::expression::{Computation, Expression, Test};
use super::operators;
use crate::operand::Operand;
use crate::{Field, Pattern, QueryError, Value, limits};

/// Operators that run code; no store is asked to.
const REFUSED: [&str; 3] = ["$where", "$function", "$accumulator"];

/// Operators on the whole document that only a database knows.
const FOREIGN: [&str; 3] = ["$text", "$jsonSchema", "$sampleRate"];

/// Reads criteria whose names are those of the stored document.
pub(super) fn criteria(value: &Value<'_>) -> Result<Expression, QueryError> {
    if matches!(value, Value::Null) {
        return Ok(Expression::All(Vec::new()));
    }
    let Value::Object(_) = value else {
        return Err(QueryError::NotAnObject);
    };
    check_size(value)?;
    Reader::default().object(value)
}

/// Refuses what holds too much, lies too deep or runs code, wherever it stands.
pub(crate) fn check_size(value: &Value<'_>) -> Result<(), QueryError> {
    let mut values = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        values += 1;
        if values > limits::VALUES {
            return Err(QueryError::TooComplex {
                what: "the number of values",
                limit: limits::VALUES,
            });
        }
        match value {
            Value::Opaque(_) => return Err(QueryError::too_deep()),
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                if let Some((name, _)) = members.iter().find(|(name, _)| REFUSED.contains(&&**name))
                {
                    return Err(QueryError::Refused(name.to_string()));
                }
                open.extend(members.iter().map(|(_, value)| value));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Counts what one question holds while it is read.
#[derive(Default)]
pub(super) struct Reader {
    nodes: usize,
    patterns: usize,
}

impl Reader {
    /// An object of fields and of operators on the whole document.
    pub(super) fn object(&mut self, value: &Value<'_>) -> Result<Expression, QueryError> {
        let Value::Object(members) = value else {
            return Err(QueryError::argument(
                "$and, $or and $nor",
                "entries need to be full objects",
            ));
        };
        let mut parts = Vec::with_capacity(members.len());
        for (name, value) in members {
            self.count()?;
            parts.push(match &**name {
                "$comment" => continue,
                "$and" => Expression::All(self.list(name, value)?),
                "$or" => Expression::Any(self.list(name, value)?),
                "$nor" => Expression::Nor(self.list(name, value)?),
                "$expr" => Expression::Computed(computation(value)?),
                name if FOREIGN.contains(&name) => Expression::Foreign(name.to_owned()),
                name if name.starts_with('$') => {
                    return Err(QueryError::UnknownTopLevel(name.to_owned()));
                }
                name => Expression::Field(Field::checked(name)?, self.field(value)?),
            });
        }
        match parts.len() {
            1 => Ok(parts.remove(0)),
            _ => Ok(Expression::All(parts)),
        }
    }

    fn list(&mut self, name: &str, value: &Value<'_>) -> Result<Vec<Expression>, QueryError> {
        match value {
            Value::Array(items) if !items.is_empty() => {
                items.iter().map(|item| self.object(item)).collect()
            }
            _ => Err(QueryError::argument(name, "must be a nonempty array")),
        }
    }

    /// The value of a field: operators, or a value to equal.
    fn field(&mut self, value: &Value<'_>) -> Result<Test, QueryError> {
        match operators::is_operators(value) {
            true => self.operators(value),
            false => Ok(Test::Equals(value.clone().into_owned())),
        }
    }

    /// An object of operators on one field.
    pub(super) fn operators(&mut self, value: &Value<'_>) -> Result<Test, QueryError> {
        let Value::Object(members) = value else {
            return Err(QueryError::argument("$not", "needs a regex or a document"));
        };
        let mut tests = Vec::with_capacity(members.len());
        for (name, argument) in members {
            self.count()?;
            tests.extend(self.operator(name, argument, value)?);
        }
        match tests.len() {
            1 => Ok(tests.remove(0)),
            _ => Ok(Test::All(tests)),
        }
    }

    pub(super) fn pattern(&mut self, text: &str, flags: &str) -> Result<Pattern, QueryError> {
        self.patterns += 1;
        match self.patterns > limits::PATTERNS {
            true => Err(QueryError::TooComplex {
                what: "the number of regular expressions",
                limit: limits::PATTERNS,
            }),
            false => Pattern::new(text, flags),
        }
    }

    fn count(&mut self) -> Result<(), QueryError> {
        self.nodes += 1;
        match self.nodes > limits::NODES {
            true => Err(QueryError::TooComplex {
                what: "the number of operators and fields",
                limit: limits::NODES,
            }),
            false => Ok(()),
        }
    }
}

/// What a database may know and we do not is not wrong yet.
fn computation(value: &Value<'_>) -> Result<Computation, QueryError> {
    match Operand::parse(value) {
        Err(error @ QueryError::Unsupported(_)) => Ok(Computation(Err(error))),
        operand => Ok(Computation(Ok(operand?))),
    }
}

/// Checks every pattern in a value, wherever it stands.
#[cfg(test)]
pub(super) fn check_patterns(value: &Value<'_>) -> Result<(), QueryError> {
    match value {
        Value::Array(items) => items.iter().try_for_each(check_patterns),
        Value::Object(members) => members.iter().try_for_each(|(name, value)| match value {
            Value::Text(text) if name == "$regex" => Pattern::new(text, "").map(drop),
            value => check_patterns(value),
        }),
        _ => Ok(()),
    }
}
