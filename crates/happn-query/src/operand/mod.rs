//! Expressions of pipelines and of `$expr`: values computed from a document.

mod functions;

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;

use crate::{Collation, QueryError, Value, limits};

use functions::Function;
pub(crate) use functions::add;

/// Something to compute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// A value as it stands.
    Literal(Value<'static>),
    /// A field of the document, `$name`; without segments the document itself.
    Field(Vec<String>),
    /// An object of computed values.
    Object(Vec<(String, Self)>),
    /// A list of computed values.
    Array(Vec<Self>),
    /// A function of computed values.
    Call(Function, Vec<Self>),
}

/// What one computation works with.
pub(crate) struct Scope<'c> {
    pub(crate) collation: &'c Collation,
    /// Bytes that may still be copied: a few references to large values, nested or repeated, could
    /// otherwise fill the memory.
    left: Cell<u64>,
}

impl<'c> Scope<'c> {
    pub(crate) fn new(collation: &'c Collation) -> Self {
        Self {
            collation,
            left: Cell::new(limits::COMPUTED_BYTES),
        }
    }

    /// Accounts for a copy of a value.
    pub(crate) fn spend(&self, value: &Value<'_>) -> Result<(), QueryError> {
        match self.left.get().checked_sub(value.size()) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(QueryError::Evaluation(format!(
                "a computed value exceeds the limit of {} bytes",
                limits::COMPUTED_BYTES
            ))),
        }
    }
}

/// What a computation comes to; `None` is a value that is missing.
pub(crate) type Computed<'a> = Result<Option<Value<'a>>, QueryError>;

impl Operand {
    /// Reads an expression.
    pub(crate) fn parse(value: &Value<'_>) -> Result<Self, QueryError> {
        match value {
            Value::Text(text) => reference(text),
            Value::Array(items) => Ok(Self::Array(
                items.iter().map(Self::parse).collect::<Result<_, _>>()?,
            )),
            Value::Object(members) => match &members[..] {
                [(name, argument)] if name.starts_with('$') => call(name, argument),
                members if members.iter().any(|(name, _)| name.starts_with('$')) => {
                    let problem = "an expression is one operator, without other members";
                    Err(QueryError::argument("expression:", problem))
                }
                members => {
                    let members = members.iter();
                    let member = |(name, value): &(Cow<'_, str>, Value<'_>)| {
                        Ok((name.to_string(), Self::parse(value)?))
                    };
                    Ok(Self::Object(members.map(member).collect::<Result<_, _>>()?))
                }
            },
            literal => Ok(Self::Literal(literal.clone().into_owned())),
        }
    }

    /// Computes the value for a document.
    pub(crate) fn evaluate<'a>(&self, document: &Value<'a>, scope: &Scope<'_>) -> Computed<'a> {
        match self {
            Self::Literal(value) => Ok(Some(value.clone())),
            Self::Field(segments) => {
                let value = field(document, segments);
                value.as_ref().map_or(Ok(()), |value| scope.spend(value))?;
                Ok(value)
            }
            Self::Object(members) => {
                let mut computed = Vec::with_capacity(members.len());
                for (name, operand) in members {
                    if let Some(value) = operand.evaluate(document, scope)? {
                        computed.push((Cow::Owned(name.clone()), value));
                    }
                }
                Ok(Some(Value::Object(computed)))
            }
            Self::Array(items) => {
                let items = items.iter().map(|item| {
                    let value = item.evaluate(document, scope)?;
                    Ok(value.unwrap_or(Value::Null))
                });
                Ok(Some(Value::Array(
                    items.collect::<Result<_, QueryError>>()?,
                )))
            }
            Self::Call(function, arguments) => function.call(arguments, document, scope),
        }
    }
}

/// Text is a value, unless it starts with `$`.
fn reference(text: &str) -> Result<Operand, QueryError> {
    let path = match text.strip_prefix("$$") {
        Some(variable) => {
            let (name, path) = variable.split_once('.').unwrap_or((variable, ""));
            match name {
                "ROOT" | "CURRENT" => path,
                "REMOVE" if path.is_empty() => {
                    return Ok(Operand::Call(Function::Remove, Vec::new()));
                }
                _ => return Err(QueryError::Unsupported(format!("the variable $${name}"))),
            }
        }
        None => match text.strip_prefix('$') {
            Some("") => return Err(QueryError::argument("expression:", "$ names no field")),
            Some(path) => path,
            None => {
                let text = Value::Text(Cow::Owned(text.to_owned()));
                return Ok(Operand::Literal(text));
            }
        },
    };
    let segments = path.split('.').filter(|segment| !segment.is_empty());
    Ok(Operand::Field(segments.map(ToOwned::to_owned).collect()))
}

fn call(name: &str, argument: &Value<'_>) -> Result<Operand, QueryError> {
    if name == "$literal" {
        return Ok(Operand::Literal(argument.clone().into_owned()));
    }
    let function = Function::named(name)?;
    let arguments = match (function, argument) {
        (Function::Cond, Value::Object(_)) => ["if", "then", "else"]
            .iter()
            .filter_map(|part| argument.member(part))
            .map(Operand::parse)
            .collect::<Result<Vec<_>, _>>()?,
        (_, Value::Array(items)) => items.iter().map(Operand::parse).collect::<Result<_, _>>()?,
        (_, single) => vec![Operand::parse(single)?],
    };
    function.check_arguments(name, arguments.len())?;
    Ok(Operand::Call(function, arguments))
}

/// A field of a document; of the objects in an array, the list of that field.
fn field<'a>(value: &Value<'a>, segments: &[String]) -> Option<Value<'a>> {
    let Some((first, rest)) = segments.split_first() else {
        return Some(value.clone());
    };
    match value {
        Value::Object(_) => field(value.member(first)?, rest),
        Value::Array(items) => {
            let of_items = items.iter().filter_map(|item| match item {
                Value::Object(_) | Value::Array(_) => field(item, segments),
                _ => None,
            });
            Some(Value::Array(of_items.collect()))
        }
        _ => None,
    }
}

/// The order of computed values: what is missing comes first.
pub(crate) fn compare(
    left: Option<&Value<'_>>,
    right: Option<&Value<'_>>,
    collation: &Collation,
) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => collation.compare(left, right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compute(expression: &str) -> String {
        let document =
            r#"{"data":{"n":5,"f":0.5,"t":"Ab","no":null,"l":[1,2],"o":[{"k":1},{},{"k":3}]}}"#;
        let operand = Operand::parse(&Value::parse(expression));
        let computed = operand.and_then(|operand| {
            operand.evaluate(&Value::parse(document), &Scope::new(&Collation::default()))
        });
        match computed {
            Ok(Some(value)) => crate::criteria::text_of(&value).to_string(),
            Ok(None) => "missing".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn fields_and_values_are_told_apart() {
        assert_eq!(compute(r#""$data.n""#), "5");
        assert_eq!(compute(r#""data.n""#), r#""data.n""#);
        assert_eq!(compute(r#""$data.x.y""#), "missing");
        assert_eq!(compute(r#""$data.o.k""#), "[1,3]");
        assert_eq!(compute(r#""$$ROOT.data.l""#), "[1,2]");
        assert_eq!(compute(r#"{"$literal":"$data.n"}"#), r#""$data.n""#);
        assert_eq!(
            compute(r#"{"a":"$data.n","b":["$data.x",1]}"#),
            r#"{"a":5,"b":[null,1]}"#
        );
    }

    #[test]
    fn numbers_are_computed() {
        assert_eq!(compute(r#"{"$add":["$data.n",1,0.5]}"#), "6.5");
        assert_eq!(compute(r#"{"$subtract":["$data.n",6]}"#), "-1");
        assert_eq!(compute(r#"{"$multiply":["$data.n","$data.f",2]}"#), "5");
        assert_eq!(compute(r#"{"$divide":["$data.n",2]}"#), "2.5");
        assert_eq!(compute(r#"{"$mod":["$data.n",3]}"#), "2");
        assert_eq!(compute(r#"{"$add":["$data.n","$data.x"]}"#), "null");
        assert_eq!(
            compute(r#"{"$add":[9223372036854775807,1]}"#),
            "9.223372036854776e+18"
        );
        assert_eq!(compute(r#"{"$divide":[1,0]}"#), "can't $divide by zero");
        assert_eq!(
            compute(r#"{"$add":["$data.t",1]}"#),
            "$add only supports numbers, not a string"
        );
    }

    #[test]
    fn texts_and_lists_are_computed() {
        assert_eq!(
            compute(r#"{"$concat":["$data.t","-",{"$toLower":"$data.t"}]}"#),
            r#""Ab-ab""#
        );
        assert_eq!(compute(r#"{"$toUpper":"$data.x"}"#), r#""""#);
        assert_eq!(compute(r#"{"$concat":["$data.t","$data.no"]}"#), "null");
        assert_eq!(compute(r#"{"$size":"$data.l"}"#), "2");
        assert_eq!(compute(r#"{"$arrayElemAt":["$data.l",-1]}"#), "2");
        assert_eq!(compute(r#"{"$arrayElemAt":["$data.l",2]}"#), "missing");
        assert_eq!(compute(r#"{"$in":[2,"$data.l"]}"#), "true");
        assert_eq!(
            compute(r#"{"$size":"$data.n"}"#),
            "$size needs an array, not a number"
        );
    }

    #[test]
    fn conditions_are_computed() {
        assert_eq!(
            compute(r#"{"$cond":[{"$gt":["$data.n",4]},"yes","no"]}"#),
            r#""yes""#
        );
        assert_eq!(
            compute(r#"{"$cond":{"if":"$data.x","then":1,"else":2}}"#),
            "2"
        );
        assert_eq!(compute(r#"{"$ifNull":["$data.no","$data.x",7]}"#), "7");
        assert_eq!(compute(r#"{"$and":[1,{"$not":["$data.x"]}]}"#), "true");
        assert_eq!(compute(r#"{"$or":[0,null]}"#), "false");
        assert_eq!(compute(r#"{"$eq":["$data.x",null]}"#), "false");
        assert_eq!(compute(r#"{"$lt":["$data.x",null]}"#), "true");
        assert_eq!(compute(r#"{"$cmp":["a",1]}"#), "1");
        // What is not reached is not computed.
        assert_eq!(compute(r#"{"$cond":[true,1,{"$divide":[1,0]}]}"#), "1");
    }

    #[test]
    fn what_is_unknown_or_incomplete_is_named() {
        assert_eq!(
            compute(r#"{"$dateToString":{}}"#),
            "$dateToString is not supported by this data store"
        );
        assert_eq!(
            compute(r#"{"$cond":[1]}"#),
            "$cond takes 3 arguments, not 1"
        );
        assert_eq!(
            compute(r#"{"$add":[1],"b":1}"#),
            "expression: an expression is one operator, without other members"
        );
    }
}
