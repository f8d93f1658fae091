//! A path that passed validation.

use std::fmt;
use std::sync::Arc;

use crate::validation::{Action, PathError, validate};

/// The path of an item, checked for the action it came with.
///
/// Inner layers take a `Path` and need not check again. The text is kept as
/// written: stores treat `a/b` and `/a/b` as two items, subscriptions do not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Arc<str>);

impl Path {
    /// A path for any action.
    ///
    /// # Errors
    /// As [`validate`].
    pub fn new(text: &str, action: Action) -> Result<Self, PathError> {
        validate(text, action)?;
        Ok(Self(text.into()))
    }

    /// A path to write or publish to; it holds no `*`.
    ///
    /// # Errors
    /// As [`validate`] with [`Action::Set`].
    pub fn for_set(text: &str) -> Result<Self, PathError> {
        Self::new(text, Action::Set)
    }

    /// A path to remove; with `*` it removes all items it matches.
    ///
    /// # Errors
    /// As [`validate`] with [`Action::Remove`].
    pub fn for_remove(text: &str) -> Result<Self, PathError> {
        Self::new(text, Action::Remove)
    }

    /// The path of an item that the node keeps for itself, such as a user: any text, because
    /// names of users are. Not for what a client sent as a path.
    #[must_use]
    pub fn for_own_item(text: &str) -> Self {
        Self(text.into())
    }

    /// The path as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Path {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Path> for Arc<str> {
    fn from(path: Path) -> Self {
        path.0
    }
}
