//! The order of values, as MongoDB has it.

use std::cmp::Ordering;

use crate::{Collation, Value};

/// Values of different kinds are ordered by kind.
pub(crate) fn rank(value: &Value<'_>) -> u8 {
    match value {
        Value::Null => 1,
        Value::Integer(_) | Value::Float(_) => 2,
        Value::Text(_) => 3,
        Value::Object(_) => 4,
        Value::Array(_) => 5,
        Value::Id(_) => 6,
        Value::Bool(_) => 7,
        Value::Opaque(text) if text.trim_start().starts_with('[') => 5,
        Value::Opaque(_) => 4,
    }
}

impl Collation {
    /// Compares two values: by kind, then by value. Numbers compare exactly, whole or not; objects
    /// member by member in their order; text as the collation says.
    #[must_use]
    pub fn compare(&self, left: &Value<'_>, right: &Value<'_>) -> Ordering {
        match (left, right) {
            (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
            (Value::Integer(left), Value::Float(right)) => integer_to_float(*left, *right),
            (Value::Float(left), Value::Integer(right)) => {
                integer_to_float(*right, *left).reverse()
            }
            (Value::Float(left), Value::Float(right)) => floats(*left, *right),
            (Value::Text(left), Value::Text(right)) => self.compare_text(left, right),
            (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
            (Value::Id(left), Value::Id(right)) => left.cmp(right),
            (Value::Array(left), Value::Array(right)) => self.compare_lists(left, right),
            (Value::Object(left), Value::Object(right)) => {
                let members = left.iter().zip(right);
                members
                    .map(|((name, value), (other_name, other))| {
                        rank(value)
                            .cmp(&rank(other))
                            .then_with(|| name.cmp(other_name))
                            .then_with(|| self.compare(value, other))
                    })
                    .find(|order| order.is_ne())
                    .unwrap_or_else(|| left.len().cmp(&right.len()))
            }
            (Value::Opaque(left), Value::Opaque(right)) => left.cmp(right),
            // What is too deep to look into comes behind what is not.
            (left, right) => rank(left).cmp(&rank(right)).then_with(|| {
                let is_opaque = |value: &Value<'_>| matches!(value, Value::Opaque(_));
                is_opaque(left).cmp(&is_opaque(right))
            }),
        }
    }

    /// Whether two values are the same in a search.
    #[must_use]
    pub fn equal(&self, left: &Value<'_>, right: &Value<'_>) -> bool {
        rank(left) == rank(right) && self.compare(left, right).is_eq()
    }

    fn compare_lists(&self, left: &[Value<'_>], right: &[Value<'_>]) -> Ordering {
        let items = left.iter().zip(right);
        items
            .map(|(item, other)| self.compare(item, other))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len()))
    }
}

/// Not a number comes before all numbers.
fn floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right)
        .unwrap_or_else(|| right.is_nan().cmp(&left.is_nan()))
}

fn integer_to_float(integer: i64, float: f64) -> Ordering {
    /// 2^63, the first float above all integers.
    const ABOVE: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() || float < -ABOVE {
        return Ordering::Greater;
    }
    if float >= ABOVE {
        return Ordering::Less;
    }
    let whole = float.trunc();
    integer
        .cmp(&(whole as i64))
        .then_with(|| floats(0.0, float - whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_come_before_values() {
        let ordered = [
            "null",
            "-1.5",
            "0",
            "5",
            "\"\"",
            "\"5\"",
            "\"B\"",
            "\"a\"",
            "{}",
            r#"{"a":1}"#,
            r#"{"b":1}"#,
            r#"{"b":1,"a":1}"#,
            r#"{"a":"x"}"#,
            "[]",
            "[1]",
            "[1,2]",
            "[2]",
            "false",
            "true",
        ];
        let values: Vec<_> = ordered.iter().map(|text| Value::parse(text)).collect();
        for (at, left) in values.iter().enumerate() {
            for (other, right) in values.iter().enumerate() {
                let order = Collation::default().compare(left, right);
                assert_eq!(order, at.cmp(&other), "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn what_is_too_deep_equals_its_own_text_only() {
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        let document = Value::parse(&deep);
        let collation = Collation::default();
        assert!(collation.equal(&document, &Value::parse(&deep)));
        assert!(!collation.equal(&document, &Value::parse("[]")));
        let opaque = Value::Opaque("{}".into());
        assert!(!collation.equal(&opaque, &Value::parse("{}")));
    }

    #[test]
    fn numbers_compare_by_value_and_exactly() {
        let order = |left: &str, right: &str| {
            Collation::default().compare(&Value::parse(left), &Value::parse(right))
        };
        assert_eq!(order("25", "25.0"), Ordering::Equal);
        assert_eq!(order("0", "-0.0"), Ordering::Equal);
        assert_eq!(
            order("9007199254740993", "9007199254740992.0"),
            Ordering::Greater
        );
        assert_eq!(
            order("9223372036854775807", "9223372036854775808"),
            Ordering::Less
        );
        assert_eq!(order("-9223372036854775808", "-9.3e18"), Ordering::Greater);
        assert_eq!(order("-1", "-1.5"), Ordering::Greater);
        assert_eq!(order("1", "1.5"), Ordering::Less);
    }
}
