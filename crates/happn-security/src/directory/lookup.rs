//! Lookup tables, and the permissions that ask them.

use happn_core::Document;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::names::{TableName, is_line_separator};
use crate::rules::{self, ACTIONS, Lookup};

/// The most bytes of a table's path, and of a permission's path or pattern.
const TEXT_BYTES_MAX: usize = 4096;

/// A table of paths that are authorised when a lookup permission leads to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupTable {
    /// Its name.
    pub name: TableName,
    /// Its paths, without slash in front.
    pub paths: Vec<String>,
}

/// Says which paths of a table authorise a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupPermission {
    /// What the path of the request must match; its captures can be used in `path`.
    pub regex: String,
    /// Which actions.
    pub actions: Vec<String>,
    /// The table to look into.
    pub table: TableName,
    /// What to look for: a path with `{{$1}}` for captures and templates of the session.
    pub path: String,
}

#[derive(Deserialize)]
struct Stored {
    permissions: Vec<Value>,
}

impl LookupPermission {
    /// The permissions in a group's document; one that cannot be read allows nothing.
    pub(super) fn read_all(document: &Document) -> Vec<Self> {
        // Documents of the reverse index, in a table of the group's name, hold none.
        let stored = document.data.decode::<Stored>();
        let entries = stored.map(|stored| stored.permissions).unwrap_or_default();
        let read = |entry: Value| match serde_json::from_value(entry) {
            Ok(permission) => Some(permission),
            Err(error) => {
                tracing::warn!(path = %document.path, %error, "a lookup permission cannot be read");
                None
            }
        };
        entries.into_iter().filter_map(read).collect()
    }

    /// The permission as the rules take it.
    #[must_use]
    pub fn to_rule(&self) -> rules::LookupPermission {
        rules::LookupPermission {
            regex: self.regex.clone(),
            actions: self.actions.clone(),
            table: self.table.to_string(),
            path: self.path.clone(),
        }
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// When its pattern is no regular expression that is matched in linear time, or the rest could
    /// never authorise anything.
    pub fn check(&self) -> Result<(), LookupError> {
        let is_unknown = |action: &&String| !ACTIONS.contains(&action.as_str());
        if let Some(action) = self.actions.iter().find(is_unknown) {
            return Err(LookupError::Action(action.clone()));
        }
        check_path(&self.path)?;
        if self.regex.len() > TEXT_BYTES_MAX {
            return Err(LookupError::TooLong);
        }
        let compiled = Lookup::compile(&self.to_rule());
        compiled
            .map(drop)
            .map_err(|error| LookupError::Invalid(error.to_string()))
    }
}

/// Whether `path` can be looked for, or be an entry.
///
/// # Errors
/// When it is empty, too long or holds control characters.
pub(crate) fn check_path(path: &str) -> Result<(), LookupError> {
    if path.trim_start_matches('/').is_empty() {
        return Err(LookupError::NoPath);
    }
    if path.contains(|c: char| c.is_control() || is_line_separator(c)) {
        return Err(LookupError::Character(path.escape_debug().to_string()));
    }
    match path.len() > TEXT_BYTES_MAX {
        true => Err(LookupError::TooLong),
        false => Ok(()),
    }
}

/// Why a lookup table or permission cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The pattern is none, or one whose matching could take very long; or its captures are not
    /// those that the path asks for.
    #[error("lookup permission invalid: {0}")]
    Invalid(String),
    /// An action nobody asks for.
    #[error("lookup permission invalid: unknown action: {0}")]
    Action(String),
    /// No path.
    #[error("lookup path is empty")]
    NoPath,
    /// A line break or another control character.
    #[error("lookup path cannot contain control characters: {0}")]
    Character(String),
    /// Longer than anybody needs.
    #[error("lookup paths and patterns cannot be longer than {TEXT_BYTES_MAX} bytes")]
    TooLong,
}
