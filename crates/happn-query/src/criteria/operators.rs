//! The operators on one field.

use super::expression::{Comparison, ElementTest, Kind, Test, Values};
use super::parse::Reader;
use crate::{QueryError, Value};

/// Operators on one field that only a database knows.
const FOREIGN: [&str; 8] = [
    "$geoWithin",
    "$geoIntersects",
    "$near",
    "$nearSphere",
    "$bitsAllClear",
    "$bitsAllSet",
    "$bitsAnyClear",
    "$bitsAnySet",
];

/// Whether a field's value is made of operators, and no object to equal.
pub(super) fn is_operators(value: &Value<'_>) -> bool {
    match value {
        Value::Object(members) => members
            .first()
            .is_some_and(|(name, _)| name.starts_with('$')),
        _ => false,
    }
}

impl Reader {
    /// One operator; `beside` is the object it stands in. `None` says nothing by itself.
    pub(super) fn operator(
        &mut self,
        name: &str,
        argument: &Value<'_>,
        beside: &Value<'_>,
    ) -> Result<Option<Test>, QueryError> {
        let not = |test| Test::Not(Box::new(test));
        let value = || argument.clone().into_owned();
        let compare = |comparison| Test::Compare(comparison, value());
        Ok(Some(match name {
            "$eq" => Test::Equals(value()),
            "$ne" => not(Test::Equals(value())),
            "$gt" => compare(Comparison::Greater),
            "$gte" => compare(Comparison::GreaterOrEqual),
            "$lt" => compare(Comparison::Less),
            "$lte" => compare(Comparison::LessOrEqual),
            "$in" => Test::In(values(name, argument)?),
            "$nin" => not(Test::In(values(name, argument)?)),
            "$exists" => match argument.is_truthy() {
                true => Test::Exists,
                false => not(Test::Exists),
            },
            "$type" => Test::Type(kinds(argument)?),
            "$size" => Test::Size(size(argument)?),
            "$mod" => remainder(argument)?,
            "$all" => self.all(argument)?,
            "$elemMatch" => Test::Element(Box::new(self.element(argument)?)),
            "$not" => not(self.negated(argument)?),
            "$regex" => self.regex(argument, beside)?,
            "$options" if beside.member("$regex").is_some() => return Ok(None),
            "$options" => return Err(QueryError::argument(name, "needs a $regex")),
            "$comment" => return Ok(None),
            name if FOREIGN.contains(&name) => Test::Foreign(name.to_owned()),
            name => return Err(QueryError::UnknownOperator(name.to_owned())),
        }))
    }

    fn regex(&mut self, text: &Value<'_>, beside: &Value<'_>) -> Result<Test, QueryError> {
        let text = text.as_text().ok_or(QueryError::RegexType)?;
        let Value::Object(members) = beside else {
            return Err(QueryError::RegexType);
        };
        let mut options = members.iter().filter(|(name, _)| name == "$options");
        let flags = match (options.next(), options.next()) {
            (None, _) => "",
            (Some((_, Value::Text(flags))), None) => flags,
            (Some(_), Some(_)) => {
                let problem = "options set in both $regex and $options";
                return Err(QueryError::argument("$regex", problem));
            }
            _ => return Err(QueryError::argument("$options", "has to be a string")),
        };
        Ok(Test::Matches(self.pattern(text, flags)?))
    }

    fn negated(&mut self, argument: &Value<'_>) -> Result<Test, QueryError> {
        match argument {
            Value::Object(members) if members.is_empty() => {
                Err(QueryError::argument("$not", "cannot be empty"))
            }
            argument => self.operators(argument),
        }
    }

    fn all(&mut self, argument: &Value<'_>) -> Result<Test, QueryError> {
        let Value::Array(items) = argument else {
            return Err(QueryError::argument("$all", "needs an array"));
        };
        if items.is_empty() {
            return Ok(Test::Never);
        }
        let tests = items.iter().map(|item| match item {
            Value::Object(members) if is_operators(item) => match &members[..] {
                [(name, element)] if name == "$elemMatch" => {
                    Ok(Test::Element(Box::new(self.element(element)?)))
                }
                _ => Err(QueryError::argument("$all", "no $ expressions in $all")),
            },
            item => Ok(Test::Equals(item.clone().into_owned())),
        });
        Ok(Test::All(tests.collect::<Result<_, _>>()?))
    }

    fn element(&mut self, argument: &Value<'_>) -> Result<ElementTest, QueryError> {
        let Value::Object(members) = argument else {
            return Err(QueryError::argument("$elemMatch", "needs an Object"));
        };
        let is_value = members.first().is_some_and(|(name, _)| {
            name.starts_with('$') && !["$and", "$or", "$nor", "$expr"].contains(&&**name)
        });
        match is_value {
            true => Ok(ElementTest::Value(self.operators(argument)?)),
            false => Ok(ElementTest::Object(self.object(argument)?)),
        }
    }
}

fn values(name: &str, argument: &Value<'_>) -> Result<Values, QueryError> {
    let Value::Array(items) = argument else {
        return Err(QueryError::argument(name, "needs an array"));
    };
    if items.iter().any(is_operators) {
        return Err(QueryError::argument(
            "cannot nest $",
            format!("under {name}"),
        ));
    }
    Ok(Values::new(
        items.iter().map(|item| item.clone().into_owned()).collect(),
    ))
}

fn size(argument: &Value<'_>) -> Result<usize, QueryError> {
    let size = argument
        .as_integer()
        .and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| QueryError::argument("$size", "must be a whole number, 0 or more"))
}

fn remainder(argument: &Value<'_>) -> Result<Test, QueryError> {
    let wrong = |problem| QueryError::argument("$mod", problem);
    let Value::Array(items) = argument else {
        return Err(wrong("malformed mod, needs to be an array"));
    };
    let numbers: Vec<i64> = items
        .iter()
        .filter_map(|item| {
            item.as_float()
                .filter(|n| n.abs() < 9.0e18)
                .map(|n| n as i64)
        })
        .collect();
    match numbers[..] {
        [0, _] => Err(wrong("divisor cannot be 0")),
        [divisor, remainder] if items.len() == 2 => Ok(Test::Remainder { divisor, remainder }),
        _ => Err(wrong(
            "needs an array of two numbers: divisor and remainder",
        )),
    }
}

fn kinds(argument: &Value<'_>) -> Result<Vec<Kind>, QueryError> {
    match argument {
        Value::Array(items) if items.is_empty() => Err(QueryError::argument(
            "$type",
            "must match at least one type",
        )),
        Value::Array(items) => items.iter().map(kind).collect(),
        single => Ok(vec![kind(single)?]),
    }
}

fn kind(name: &Value<'_>) -> Result<Kind, QueryError> {
    let unknown = |problem: String| Err(QueryError::argument("$type", problem));
    Ok(match name {
        Value::Text(alias) => match &**alias {
            "double" => Kind::Double,
            "string" => Kind::Text,
            "object" => Kind::Object,
            "array" => Kind::Array,
            "objectId" => Kind::Id,
            "bool" => Kind::Bool,
            "null" => Kind::Null,
            "int" => Kind::Integer,
            "number" => Kind::Number,
            "binData"
            | "undefined"
            | "date"
            | "regex"
            | "dbPointer"
            | "javascript"
            | "symbol"
            | "javascriptWithScope"
            | "timestamp"
            | "long"
            | "decimal"
            | "minKey"
            | "maxKey" => Kind::Foreign,
            alias => return unknown(format!("Unknown type name alias: {alias}")),
        },
        number => match number.as_integer() {
            Some(1) => Kind::Double,
            Some(2) => Kind::Text,
            Some(3) => Kind::Object,
            Some(4) => Kind::Array,
            Some(7) => Kind::Id,
            Some(8) => Kind::Bool,
            Some(10) => Kind::Null,
            Some(16) => Kind::Integer,
            Some(5 | 6 | 9 | 11..=15 | 17..=19 | -1 | 127) => Kind::Foreign,
            _ => return unknown("must be the name or number of a type".to_owned()),
        },
    })
}
