//! Groups.

use happn_core::Document;
use serde_json::{Map, Value};

use super::error::DirectoryError;
use super::names::GroupName;
use super::paths;
use super::permission::PermissionSet;

/// A stored group. What other programs stored with it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    name: GroupName,
    members: Map<String, Value>,
    created: Option<i64>,
    modified: Option<i64>,
}

impl Group {
    pub(super) fn read(document: &Document) -> Result<Self, DirectoryError> {
        let malformed = |problem: &str| DirectoryError::Malformed {
            path: document.path.to_string(),
            problem: problem.to_owned(),
        };
        let name = paths::group_at(&document.path);
        let name = name.ok_or_else(|| malformed("not a group's path"))?;
        let members = document.data.decode::<Map<String, Value>>();
        Ok(Self {
            name,
            members: members.map_err(|error| malformed(&error.to_string()))?,
            created: document.created,
            modified: document.modified,
        })
    }

    /// The group's name: that of the document, whatever the data says.
    #[must_use]
    pub fn name(&self) -> &GroupName {
        &self.name
    }

    /// What applications keep with the group.
    #[must_use]
    pub fn custom_data(&self) -> Option<&Value> {
        self.members.get("custom_data")
    }

    /// Everything that is stored with the group; rules are stored apart.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// When it was stored first, ms since 1970 by the clock of the node that did it.
    #[must_use]
    pub fn created(&self) -> Option<i64> {
        self.created
    }

    /// When it was stored last, likewise.
    #[must_use]
    pub fn modified(&self) -> Option<i64> {
        self.modified
    }
}

/// A group to make or change. Its data replaces what is stored, its rules are added.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupDraft {
    pub(super) name: String,
    pub(super) permissions: Option<PermissionSet>,
    /// What else is to be stored, in order.
    pub(super) members: Map<String, Value>,
}

impl GroupDraft {
    /// A group called `name`, of which nothing else is said.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            permissions: None,
            members: Map::new(),
        }
    }

    /// With rules: added to those stored, or taken away where they say `remove`.
    #[must_use]
    pub fn permissions(self, permissions: PermissionSet) -> Self {
        Self {
            permissions: Some(permissions),
            ..self
        }
    }

    /// With what applications keep with the group.
    #[must_use]
    pub fn custom_data(self, data: Value) -> Self {
        self.member("custom_data", data)
    }

    /// With any other member, which is kept. `name` and `permissions` cannot be set this way.
    #[must_use]
    pub fn member(mut self, name: &str, value: Value) -> Self {
        if !["name", "permissions", "_meta"].contains(&name) {
            self.members.insert(name.to_owned(), value);
        }
        self
    }
}
