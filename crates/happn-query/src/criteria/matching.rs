//! Whether a document meets criteria.

use std::cmp::Ordering;

use super::expression::{Comparison, ElementTest, Expression, Kind, Test, Values};
use crate::compare::rank;
use crate::operand::Scope;
use crate::{Collation, Value};

impl Expression {
    /// Whether `document` meets the condition.
    #[must_use]
    pub fn matches(&self, document: &Value<'_>, collation: &Collation) -> bool {
        let holds = |part: &Self| part.matches(document, collation);
        match self {
            Self::All(parts) => parts.iter().all(holds),
            Self::Any(parts) => parts.iter().any(holds),
            Self::Nor(parts) => !parts.iter().any(holds),
            Self::Field(field, test) => test
                .passes(&mut |test| field.any(document, &mut |value| test.leaf(value, collation))),
            // What cannot be computed for a document does not hold for it.
            Self::Computed(computation) => computation.0.as_ref().is_ok_and(|operand| {
                let value = operand.evaluate(document, &Scope::new(collation));
                value.is_ok_and(|value| value.is_some_and(|value| value.is_truthy()))
            }),
            Self::Foreign(_) => false,
        }
    }
}

impl Test {
    /// Asks `single` about the parts that are about one value at a time. A negation is about all
    /// values of a field together.
    fn passes(&self, single: &mut dyn FnMut(&Self) -> bool) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.passes(single)),
            Self::Not(test) => !test.passes(single),
            test => single(test),
        }
    }

    /// A value where a field's name ends: an array also stands for its elements.
    fn leaf(&self, value: Option<&Value<'_>>, collation: &Collation) -> bool {
        if self.single(value, collation) {
            return true;
        }
        match (self, value) {
            (Self::Exists | Self::Size(_) | Self::Element(_), _) => false,
            (_, Some(Value::Array(items))) => {
                items.iter().any(|item| self.single(Some(item), collation))
            }
            _ => false,
        }
    }

    /// One value, as it is.
    fn single(&self, value: Option<&Value<'_>>, collation: &Collation) -> bool {
        match (self, value) {
            (Self::Equals(wanted), value) => collation.equal(wanted, value.unwrap_or(&Value::Null)),
            (Self::In(values), value) => values.contain(value.unwrap_or(&Value::Null), collation),
            (Self::Compare(comparison, bound), value) => {
                let value = value.unwrap_or(&Value::Null);
                rank(value) == rank(bound) && comparison.accepts(collation.compare(value, bound))
            }
            (Self::Exists, value) => value.is_some(),
            (Self::Type(kinds), Some(value)) => kinds.iter().any(|kind| kind.includes(value)),
            (Self::Size(size), Some(Value::Array(items))) => items.len() == *size,
            (Self::Element(test), Some(Value::Array(items))) => {
                items.iter().any(|item| test.accepts(item, collation))
            }
            (Self::Matches(pattern), Some(Value::Text(text))) => pattern.matches(text),
            (Self::Remainder { divisor, remainder }, Some(value)) => {
                let whole = value
                    .as_float()
                    .map(f64::trunc)
                    .filter(|n| n.abs() < 9.0e18);
                let whole = match value {
                    Value::Integer(number) => Some(*number),
                    _ => whole.map(|number| number as i64),
                };
                whole.is_some_and(|whole| whole.wrapping_rem(*divisor) == *remainder)
            }
            _ => false,
        }
    }
}

impl ElementTest {
    fn accepts(&self, item: &Value<'_>, collation: &Collation) -> bool {
        match self {
            Self::Object(expression) => {
                matches!(item, Value::Object(_) | Value::Array(_))
                    && expression.matches(item, collation)
            }
            Self::Value(test) => test.passes(&mut |test| test.single(Some(item), collation)),
        }
    }
}

impl Values {
    fn contain(&self, value: &Value<'_>, collation: &Collation) -> bool {
        match collation.is_simple() {
            true => self
                .sorted()
                .binary_search_by(|wanted| collation.compare(wanted, value))
                .is_ok(),
            false => self
                .sorted()
                .iter()
                .any(|wanted| collation.equal(wanted, value)),
        }
    }
}

impl Comparison {
    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Kind {
    fn includes(self, value: &Value<'_>) -> bool {
        // What JavaScript writes: whole numbers of 32 bits are integers, all others doubles.
        let is_small = || value.as_integer().is_some_and(|n| i32::try_from(n).is_ok());
        match (self, value) {
            (Self::Double, Value::Integer(_) | Value::Float(_)) => !is_small(),
            (Self::Integer, Value::Integer(_) | Value::Float(_)) => is_small(),
            (Self::Number, Value::Integer(_) | Value::Float(_)) => true,
            (Self::Text, Value::Text(_)) => true,
            (Self::Object, value) => rank(value) == rank(&Value::Object(Vec::new())),
            (Self::Array, value) => rank(value) == rank(&Value::Array(Vec::new())),
            (Self::Id, Value::Id(_)) => true,
            (Self::Bool, Value::Bool(_)) => true,
            (Self::Null, Value::Null) => true,
            _ => false,
        }
    }
}
