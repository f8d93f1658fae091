//! Criteria as a tree, for those who evaluate it or translate it into their own language.

use crate::operand::Operand;
use crate::{Field, Pattern, QueryError, Value};

/// A condition on a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// All parts hold: `$and`, and the fields of one object. Without parts it always holds.
    All(Vec<Self>),
    /// At least one part holds: `$or`.
    Any(Vec<Self>),
    /// No part holds: `$nor`.
    Nor(Vec<Self>),
    /// A field passes a test.
    Field(Field, Test),
    /// A computed value is true: `$expr`.
    Computed(Computation),
    /// An operator that only a database knows, by its name.
    Foreign(String),
}

/// A value computed from a document, or why that cannot be done here.
#[derive(Clone, Debug, PartialEq)]
pub struct Computation(pub(crate) Result<Operand, QueryError>);

/// A test of a field.
///
/// A field may stand for several values, and an array for itself and each of its elements; unless
/// a test says otherwise it passes when one of them does.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// All tests pass.
    All(Vec<Self>),
    /// The test does not pass, `$ne` and `$nin` among them.
    Not(Box<Self>),
    /// The same value: `$eq`. Null is also what is missing.
    Equals(Value<'static>),
    /// One of several values: `$in`.
    In(Values),
    /// Less or greater, within the same kind of value.
    Compare(Comparison, Value<'static>),
    /// There is a value, be it null.
    Exists,
    /// A kind of value: `$type`.
    Type(Vec<Kind>),
    /// An array with this number of elements: `$size`.
    Size(usize),
    /// An array with an element that passes all of this: `$elemMatch`.
    Element(Box<ElementTest>),
    /// Text that matches: `$regex`.
    Matches(Pattern),
    /// A number that leaves this remainder: `$mod`. Fractions are cut off first.
    Remainder {
        /// What to divide by; not 0.
        divisor: i64,
        /// What must be left.
        remainder: i64,
    },
    /// Nothing passes: `$all` without values.
    Never,
    /// An operator that only a database knows, by its name.
    Foreign(String),
}

/// What an element of an array has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum ElementTest {
    /// An object that meets criteria; names are those of the element.
    Object(Expression),
    /// A value that passes a test.
    Value(Test),
}

/// Less or greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `$lt`.
    Less,
    /// `$lte`.
    LessOrEqual,
    /// `$gt`.
    Greater,
    /// `$gte`.
    GreaterOrEqual,
}

/// A kind of value as `$type` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number that is not a whole one of 32 bits.
    Double,
    /// Text.
    Text,
    /// An object.
    Object,
    /// An array.
    Array,
    /// The identity of an item.
    Id,
    /// True or false.
    Bool,
    /// Null.
    Null,
    /// A whole number of 32 bits.
    Integer,
    /// Any number.
    Number,
    /// A kind that JSON does not have.
    Foreign,
}

/// The values of `$in`, in the order in which values compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(Vec<Value<'static>>);

impl Values {
    pub(crate) fn new(mut values: Vec<Value<'static>>) -> Self {
        let simple = crate::Collation::default();
        values.sort_by(|left, right| simple.compare(left, right));
        Self(values)
    }

    /// The values, sorted.
    #[must_use]
    pub fn sorted(&self) -> &[Value<'static>] {
        &self.0
    }
}

impl Expression {
    /// Whether the condition is about more than the fields of the item itself.
    pub(crate) fn reads_data(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::Nor(parts) => {
                parts.iter().any(Self::reads_data)
            }
            Self::Field(field, _) => field.is_in_data(),
            Self::Computed(_) | Self::Foreign(_) => true,
        }
    }

    pub(crate) fn check_evaluable(&self) -> Result<(), QueryError> {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::Nor(parts) => {
                parts.iter().try_for_each(Self::check_evaluable)
            }
            Self::Field(_, test) => test.check_evaluable(),
            Self::Computed(Computation(operand)) => {
                operand.as_ref().map(drop).map_err(Clone::clone)
            }
            Self::Foreign(name) => Err(QueryError::Unsupported(name.clone())),
        }
    }
}

impl Test {
    fn check_evaluable(&self) -> Result<(), QueryError> {
        match self {
            Self::All(tests) => tests.iter().try_for_each(Self::check_evaluable),
            Self::Not(test) => test.check_evaluable(),
            Self::Element(element) => match &**element {
                ElementTest::Object(expression) => expression.check_evaluable(),
                ElementTest::Value(test) => test.check_evaluable(),
            },
            Self::Matches(pattern) => pattern.check_evaluable(),
            Self::Foreign(name) => Err(QueryError::Unsupported(name.clone())),
            _ => Ok(()),
        }
    }
}
