//! Which items are meant.

mod expression;
mod matching;
mod operators;
mod parse;

use std::sync::Arc;

use happn_protocol::Json;

pub use expression::{Comparison, Computation, ElementTest, Expression, Kind, Test, Values};
pub(crate) use parse::check_size;

use crate::rewrite::rewrite;
use crate::{Collation, QueryError, Value};

/// Which items are meant. Parsed once; cheap to clone. The default means all.
#[derive(Clone, Debug, Default)]
pub struct Criteria(Option<Arc<Parsed>>);

#[derive(Debug)]
struct Parsed {
    json: Json,
    expression: Expression,
}

impl Criteria {
    /// Reads the JSON of a `criteria` option; `null` and `{}` mean all items.
    ///
    /// Names are relative to an item's data and are rewritten to those of the stored document.
    ///
    /// # Errors
    /// When it is not an object, or holds operators or arguments that cannot be used.
    pub fn parse(json: &str) -> Result<Self, QueryError> {
        Self::of(&rewrite(Value::parse(json))?)
    }

    /// As [`Criteria::parse`], with names that are those of the stored document already.
    ///
    /// # Errors
    /// As [`Criteria::parse`].
    pub fn parse_stored_names(json: &str) -> Result<Self, QueryError> {
        Self::of(&Value::parse(json))
    }

    pub(crate) fn of(value: &Value<'_>) -> Result<Self, QueryError> {
        let expression = parse::criteria(value)?;
        if matches!(value, Value::Null) {
            return Ok(Self::default());
        }
        let json = text_of(value);
        Ok(Self(Some(Arc::new(Parsed { json, expression }))))
    }

    /// Whether all items are meant without looking at them.
    #[must_use]
    pub fn is_all(&self) -> bool {
        match self.expression() {
            None => true,
            Some(Expression::All(parts)) => parts.is_empty(),
            Some(_) => false,
        }
    }

    /// The criteria with rewritten names, and patterns as `$regex` and `$options`, for a database
    /// that evaluates them itself.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        self.0.as_deref().map(|parsed| &parsed.json)
    }

    /// The criteria as a tree; `None` means all items.
    #[must_use]
    pub fn expression(&self) -> Option<&Expression> {
        self.0.as_deref().map(|parsed| &parsed.expression)
    }

    /// Whether an item's data matters, or only the fields of the item itself.
    #[must_use]
    pub fn reads_data(&self) -> bool {
        self.expression().is_some_and(Expression::reads_data)
    }

    /// Whether [`Criteria::matches`] can tell. A database may know more operators.
    ///
    /// # Errors
    /// [`QueryError::Unsupported`], [`QueryError::RegexFeature`] or [`QueryError::TooComplex`],
    /// naming what cannot be evaluated.
    pub fn check_evaluable(&self) -> Result<(), QueryError> {
        self.expression()
            .map_or(Ok(()), Expression::check_evaluable)
    }

    /// Whether `document`, as [`Item::document`](crate::Item::document) makes it, is meant.
    #[must_use]
    pub fn matches(&self, document: &Value<'_>, collation: &Collation) -> bool {
        self.expression()
            .is_none_or(|expression| expression.matches(document, collation))
    }
}

/// The JSON of a value.
pub(crate) fn text_of(value: &Value<'_>) -> Json {
    let mut out = Vec::new();
    value.write(&mut out);
    Json::from_trusted(out)
}

/// Rewriting with all its checks, whatever the names are used for.
#[cfg(test)]
pub(crate) fn checked_rewrite(json: &str) -> Result<Json, QueryError> {
    let value = rewrite(Value::parse(json))?;
    parse::check_patterns(&value)?;
    Ok(text_of(&value))
}
