//! The functions of expressions.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Computed, Operand, Scope, compare};
use crate::{QueryError, Value};

/// A function that computes a value from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Abs,
    Add,
    And,
    ArrayElemAt,
    Ceil,
    Cmp,
    Concat,
    Cond,
    Divide,
    Eq,
    Floor,
    Gt,
    Gte,
    IfNull,
    In,
    Lt,
    Lte,
    Mod,
    Multiply,
    Ne,
    Not,
    Or,
    Remove,
    Size,
    Subtract,
    ToLower,
    ToUpper,
}

/// Name, function, and the least and most arguments it takes.
const TABLE: [(&str, Function, usize, usize); 26] = [
    ("$abs", Function::Abs, 1, 1),
    ("$add", Function::Add, 0, usize::MAX),
    ("$and", Function::And, 0, usize::MAX),
    ("$arrayElemAt", Function::ArrayElemAt, 2, 2),
    ("$ceil", Function::Ceil, 1, 1),
    ("$cmp", Function::Cmp, 2, 2),
    ("$concat", Function::Concat, 0, usize::MAX),
    ("$cond", Function::Cond, 3, 3),
    ("$divide", Function::Divide, 2, 2),
    ("$eq", Function::Eq, 2, 2),
    ("$floor", Function::Floor, 1, 1),
    ("$gt", Function::Gt, 2, 2),
    ("$gte", Function::Gte, 2, 2),
    ("$ifNull", Function::IfNull, 2, usize::MAX),
    ("$in", Function::In, 2, 2),
    ("$lt", Function::Lt, 2, 2),
    ("$lte", Function::Lte, 2, 2),
    ("$mod", Function::Mod, 2, 2),
    ("$multiply", Function::Multiply, 0, usize::MAX),
    ("$ne", Function::Ne, 2, 2),
    ("$not", Function::Not, 1, 1),
    ("$or", Function::Or, 0, usize::MAX),
    ("$size", Function::Size, 1, 1),
    ("$subtract", Function::Subtract, 2, 2),
    ("$toLower", Function::ToLower, 1, 1),
    ("$toUpper", Function::ToUpper, 1, 1),
];

impl Function {
    pub(super) fn named(name: &str) -> Result<Self, QueryError> {
        let found = TABLE.iter().find(|(known, ..)| *known == name);
        found
            .map(|(_, function, ..)| *function)
            .ok_or_else(|| QueryError::Unsupported(name.to_owned()))
    }

    pub(super) fn check_arguments(self, name: &str, count: usize) -> Result<(), QueryError> {
        match TABLE.iter().find(|(_, function, ..)| *function == self) {
            Some((.., least, most)) if count < *least || count > *most => {
                let problem = format!("takes {least} arguments, not {count}");
                Err(QueryError::argument(name, problem))
            }
            _ => Ok(()),
        }
    }

    fn name(self) -> &'static str {
        let found = TABLE.iter().find(|(_, function, ..)| *function == self);
        found.map_or("expression", |(name, ..)| name)
    }

    pub(super) fn call<'a>(
        self,
        arguments: &[Operand],
        document: &Value<'a>,
        scope: &Scope<'_>,
    ) -> Computed<'a> {
        let value = |at: usize| match arguments.get(at) {
            Some(operand) => operand.evaluate(document, scope),
            None => Ok(None),
        };
        match self {
            Self::And | Self::Or | Self::Not | Self::Cond | Self::IfNull => {
                self.choose(arguments, document, scope)
            }
            Self::Eq | Self::Ne | Self::Lt | Self::Lte | Self::Gt | Self::Gte | Self::Cmp => {
                let (left, right) = (value(0)?, value(1)?);
                Ok(Some(self.verdict(compare(
                    left.as_ref(),
                    right.as_ref(),
                    scope.collation,
                ))))
            }
            Self::Remove => Ok(None),
            Self::In => match (value(0)?, value(1)?) {
                (wanted, Some(Value::Array(items))) => {
                    let is_wanted = |item| {
                        wanted
                            .as_ref()
                            .is_some_and(|it| scope.collation.equal(it, item))
                    };
                    Ok(Some(Value::Bool(items.iter().any(is_wanted))))
                }
                (_, other) => Err(self.wants("an array", other.as_ref())),
            },
            Self::Size => match value(0)? {
                Some(Value::Array(items)) => Ok(Some(Value::Integer(items.len() as i64))),
                other => Err(self.wants("an array", other.as_ref())),
            },
            Self::ArrayElemAt => self.element(value(0)?, value(1)?.as_ref()),
            Self::ToLower => self.text(value(0)?, str::to_lowercase),
            Self::ToUpper => self.text(value(0)?, str::to_uppercase),
            Self::Concat => self.concat(arguments, document, scope),
            _ => self.number(arguments, document, scope),
        }
    }

    /// The functions that do not compute arguments which are not needed.
    fn choose<'a>(
        self,
        arguments: &[Operand],
        document: &Value<'a>,
        scope: &Scope<'_>,
    ) -> Computed<'a> {
        let is_true = |operand: &Operand| {
            let value = operand.evaluate(document, scope)?;
            Ok::<_, QueryError>(value.is_some_and(|value| value.is_truthy()))
        };
        let mut last = Ok(None);
        for (at, operand) in arguments.iter().enumerate() {
            match self {
                Self::And | Self::Or => {
                    let ends = is_true(operand)? != (self == Self::And);
                    if ends {
                        return Ok(Some(Value::Bool(self == Self::Or)));
                    }
                }
                Self::Not => return Ok(Some(Value::Bool(!is_true(operand)?))),
                Self::Cond if at == 0 => {
                    let chosen = arguments.get(if is_true(operand)? { 1 } else { 2 });
                    return chosen.map_or(Ok(None), |it| it.evaluate(document, scope));
                }
                _ => {
                    last = operand.evaluate(document, scope);
                    if !matches!(last, Ok(None | Some(Value::Null))) {
                        return last;
                    }
                }
            }
        }
        match self {
            Self::And | Self::Or => Ok(Some(Value::Bool(self == Self::And))),
            _ => last,
        }
    }

    fn verdict<'a>(self, order: Ordering) -> Value<'a> {
        Value::Bool(match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Lte => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Gte => order.is_ge(),
            _ => return Value::Integer(order as i64),
        })
    }

    fn wants(self, wanted: &str, found: Option<&Value<'_>>) -> QueryError {
        let found = found.map_or("a missing value", Value::kind);
        QueryError::Evaluation(format!("{} needs {wanted}, not {found}", self.name()))
    }

    fn element<'a>(self, list: Option<Value<'a>>, at: Option<&Value<'_>>) -> Computed<'a> {
        let items = match list {
            None | Some(Value::Null) => return Ok(Some(Value::Null)),
            Some(Value::Array(items)) => items,
            other => return Err(self.wants("an array", other.as_ref())),
        };
        let Some(at) = at.and_then(Value::as_integer) else {
            return Err(self.wants("a whole number as its second argument", at));
        };
        let from_start = match at < 0 {
            true => (items.len() as i64).checked_add(at),
            false => Some(at),
        };
        let from_start = from_start.and_then(|at| usize::try_from(at).ok());
        Ok(from_start.and_then(|at| items.into_iter().nth(at)))
    }

    fn text<'a>(self, value: Option<Value<'a>>, change: impl Fn(&str) -> String) -> Computed<'a> {
        let text = match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::Text(text)) => change(&text),
            Some(number @ (Value::Integer(_) | Value::Float(_))) => {
                crate::criteria::text_of(&number).to_string()
            }
            other => return Err(self.wants("text", other.as_ref())),
        };
        Ok(Some(Value::Text(Cow::Owned(text))))
    }

    fn concat<'a>(
        self,
        arguments: &[Operand],
        document: &Value<'a>,
        scope: &Scope<'_>,
    ) -> Computed<'a> {
        let mut joined = String::new();
        for operand in arguments {
            match operand.evaluate(document, scope)? {
                None | Some(Value::Null) => return Ok(Some(Value::Null)),
                Some(Value::Text(text)) => joined.push_str(&text),
                other => return Err(self.wants("text", other.as_ref())),
            }
        }
        Ok(Some(Value::Text(Cow::Owned(joined))))
    }

    /// Arithmetic. Null or nothing among the arguments makes the result null.
    fn number<'a>(
        self,
        arguments: &[Operand],
        document: &Value<'a>,
        scope: &Scope<'_>,
    ) -> Computed<'a> {
        let mut total = None;
        for operand in arguments {
            let value = match operand.evaluate(document, scope)? {
                None | Some(Value::Null) => return Ok(Some(Value::Null)),
                Some(number @ (Value::Integer(_) | Value::Float(_))) => number,
                Some(other) => {
                    return Err(QueryError::Evaluation(format!(
                        "{} only supports numbers, not {}",
                        self.name(),
                        other.kind()
                    )));
                }
            };
            total = Some(match total {
                None => value,
                Some(before) => self.combine(&before, &value)?,
            });
        }
        Ok(Some(match (self, total) {
            (Self::Multiply, None) => Value::Integer(1),
            (_, None) => Value::Integer(0),
            (Self::Abs, Some(Value::Integer(number))) if number != i64::MIN => {
                Value::Integer(number.abs())
            }
            (Self::Abs, Some(number)) => float_of(&number, f64::abs),
            (Self::Floor, Some(Value::Float(number))) => Value::Float(number.floor()),
            (Self::Ceil, Some(Value::Float(number))) => Value::Float(number.ceil()),
            (_, Some(number)) => number,
        }))
    }

    fn combine<'a>(self, left: &Value<'_>, right: &Value<'_>) -> Result<Value<'a>, QueryError> {
        let (left_float, right_float) = (
            left.as_float().unwrap_or_default(),
            right.as_float().unwrap_or_default(),
        );
        let by_zero = matches!(self, Self::Divide | Self::Mod) && right_float == 0.0;
        if by_zero {
            return Err(QueryError::Evaluation(format!(
                "can't {} by zero",
                self.name()
            )));
        }
        if let (Value::Integer(left), Value::Integer(right)) = (left, right) {
            let exact = match self {
                Self::Add => left.checked_add(*right),
                Self::Subtract => left.checked_sub(*right),
                Self::Multiply => left.checked_mul(*right),
                Self::Mod => left.checked_rem(*right),
                _ => None,
            };
            if let Some(exact) = exact {
                return Ok(Value::Integer(exact));
            }
        }
        Ok(Value::Float(match self {
            Self::Add => left_float + right_float,
            Self::Subtract => left_float - right_float,
            Self::Multiply => left_float * right_float,
            Self::Mod => left_float % right_float,
            _ => left_float / right_float,
        }))
    }
}

fn float_of<'a>(number: &Value<'_>, change: impl Fn(f64) -> f64) -> Value<'a> {
    Value::Float(change(number.as_float().unwrap_or_default()))
}

/// The sum of two numbers, exact where both are whole.
pub(crate) fn add<'a>(left: &Value<'_>, right: &Value<'_>) -> Value<'a> {
    Function::Add
        .combine(left, right)
        .unwrap_or(Value::Integer(0))
}
