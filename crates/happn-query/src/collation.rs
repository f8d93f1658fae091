//! How text compares.

use std::cmp::Ordering;
use std::sync::Arc;

use happn_protocol::Json;

use crate::{QueryError, Value};

/// How text compares: by code point, or as a language has it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Collation(Option<Arc<Settings>>);

#[derive(Debug)]
struct Settings {
    json: Json,
}

impl Collation {
    /// Reads the JSON of a `collation` option; `null` and the locale `simple` compare by code
    /// point.
    ///
    /// # Errors
    /// When it is not an object with a `locale`.
    pub fn parse(json: &str) -> Result<Self, QueryError> {
        let value = Value::parse(json);
        match &value {
            Value::Null => return Ok(Self::default()),
            Value::Object(_) => {}
            _ => return Err(QueryError::CollationType),
        }
        match value.member("locale") {
            Some(Value::Text(locale)) if locale == "simple" => Ok(Self::default()),
            Some(Value::Text(_)) => {
                let mut out = Vec::new();
                value.write(&mut out);
                let json = Json::from_trusted(out);
                Ok(Self(Some(Arc::new(Settings { json }))))
            }
            _ => Err(QueryError::Collation(
                "locale must be a string, such as \"en\" or \"simple\"".to_owned(),
            )),
        }
    }

    /// Whether text compares by code point.
    #[must_use]
    pub fn is_simple(&self) -> bool {
        self.0.is_none()
    }

    /// The settings as they were given, for a database that has collations itself; `None` when
    /// text compares by code point.
    #[must_use]
    pub fn settings(&self) -> Option<&Json> {
        self.0.as_deref().map(|settings| &settings.json)
    }

    /// Whether [`Collation::compare`](crate::Collation::compare) knows this collation.
    ///
    /// # Errors
    /// [`QueryError::Unsupported`] when it does not.
    pub fn check_evaluable(&self) -> Result<(), QueryError> {
        match self.is_simple() {
            true => Ok(()),
            false => Err(QueryError::Unsupported("collation".to_owned())),
        }
    }

    /// Compares two texts.
    #[must_use]
    pub fn compare_text(&self, left: &str, right: &str) -> Ordering {
        left.cmp(right)
    }
}
