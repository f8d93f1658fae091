//! One JSON value, unopened.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::members::text_of;

/// A valid JSON value as it lies in the text it came with, without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// `text` must be valid.
    pub(crate) fn trusted(text: &'a str) -> Self {
        Self(text)
    }

    /// The value as it was written.
    #[must_use]
    pub fn get(self) -> &'a str {
        self.0
    }

    /// The text, when the value is a string.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        text_of(self.0)
    }

    /// Nothing in the place of a `null`.
    pub(crate) fn unless_null(self) -> Option<Self> {
        (self.0 != "null").then_some(self)
    }
}

impl<'a> From<&'a RawValue> for Raw<'a> {
    fn from(value: &'a RawValue) -> Self {
        Self(value.get())
    }
}
