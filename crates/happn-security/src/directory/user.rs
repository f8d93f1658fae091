//! Users and their links to groups.

use std::fmt;
use std::sync::Arc;

use happn_core::Document;
use happn_protocol::Json;
use serde_json::{Map, Value};

use super::error::DirectoryError;
use super::names::{GroupName, UserName};
use super::passwords::Password;
use super::paths;
use super::permission::PermissionSet;

/// A stored user. What other programs stored with it is kept; its password hash is apart from what
/// is shown.
#[derive(Clone, PartialEq)]
pub struct User {
    name: UserName,
    password_hash: Option<Arc<str>>,
    members: Map<String, Value>,
    created: Option<i64>,
    modified: Option<i64>,
}

impl User {
    pub(super) fn read(document: &Document) -> Result<Self, DirectoryError> {
        let malformed = |problem: &str| DirectoryError::Malformed {
            path: document.path.to_string(),
            problem: problem.to_owned(),
        };
        let name = paths::user_at(&document.path).ok_or_else(|| malformed("not a user's path"))?;
        let decoded = document.data.decode::<Map<String, Value>>();
        let mut members = decoded.map_err(|error| malformed(&error.to_string()))?;
        let password_hash = match members.shift_remove("password") {
            Some(Value::String(hash)) if !hash.is_empty() => Some(hash.into()),
            _ => None,
        };
        Ok(Self {
            name,
            password_hash,
            members,
            created: document.created,
            modified: document.modified,
        })
    }

    /// The user's name: that of the document, whatever the data says.
    #[must_use]
    pub fn name(&self) -> &UserName {
        &self.name
    }

    /// Tells apart two users of one name, of which the first was deleted.
    #[must_use]
    pub fn userid(&self) -> Option<&str> {
        self.text("userid")
    }

    /// The stored text of the password's hash; absent for users that log in otherwise.
    #[must_use]
    pub fn password_hash(&self) -> Option<&Arc<str>> {
        self.password_hash.as_ref()
    }

    /// The key for logins by digest, as text.
    #[must_use]
    pub fn public_key(&self) -> Option<&str> {
        self.text("publicKey")
    }

    /// Who is to check the user's logins.
    #[must_use]
    pub fn auth_type(&self) -> Option<&str> {
        self.text("authType")
    }

    /// What applications keep with the user.
    #[must_use]
    pub fn custom_data(&self) -> Option<&Value> {
        self.members.get("custom_data")
    }

    /// Everything that is stored with the user, but for the password.
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

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name)?.as_str()
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name.as_str())
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}

/// A user to make or change.
///
/// ```
/// use happn_security::directory::{Password, PermissionSet, UserDraft};
///
/// let draft = UserDraft::new("ann")
///     .password(Password::new("s3cret"))
///     .permissions(PermissionSet::new().allow("/ann/*", &["get", "set"]));
/// assert!(!format!("{draft:?}").contains("s3cret"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct UserDraft {
    pub(super) username: String,
    pub(super) password: Option<Password>,
    pub(super) permissions: Option<PermissionSet>,
    /// What else is to be stored, in order.
    pub(super) members: Map<String, Value>,
}

impl UserDraft {
    /// A user called `username`, of whom nothing else is said.
    #[must_use]
    pub fn new(username: &str) -> Self {
        Self {
            username: username.to_owned(),
            password: None,
            permissions: None,
            members: Map::new(),
        }
    }

    /// With a password; a user that exists gets a new one.
    #[must_use]
    pub fn password(self, password: Password) -> Self {
        Self {
            password: Some(password),
            ..self
        }
    }

    /// With a key for logins by digest.
    #[must_use]
    pub fn public_key(self, key: &str) -> Self {
        self.member("publicKey", key.into())
    }

    /// With what applications keep with the user; replaces what was there.
    #[must_use]
    pub fn custom_data(self, data: Value) -> Self {
        self.member("custom_data", data)
    }

    /// With rules of its own; they are added to those stored.
    #[must_use]
    pub fn permissions(self, permissions: PermissionSet) -> Self {
        Self {
            permissions: Some(permissions),
            ..self
        }
    }

    /// With any other member, which is kept. What the directory itself decides cannot be set this
    /// way: `username`, `password`, `userid` and `permissions` are left out.
    #[must_use]
    pub fn member(mut self, name: &str, value: Value) -> Self {
        if !["username", "password", "userid", "permissions", "_meta"].contains(&name) {
            self.members.insert(name.to_owned(), value);
        }
        self
    }
}

/// The groups of one user, by name, each with the data of the link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memberships(Vec<(GroupName, Json)>);

impl Memberships {
    pub(super) fn of(documents: &[Document]) -> Self {
        let linked = documents.iter().filter_map(|document| {
            let (_, group) = paths::linked(&document.path)?;
            Some((group, document.data.clone()))
        });
        Self(linked.collect())
    }

    /// Groups with the data of the link.
    pub fn iter(&self) -> impl Iterator<Item = (&GroupName, &Json)> {
        self.0.iter().map(|(group, data)| (group, data))
    }

    /// The groups.
    pub fn groups(&self) -> impl Iterator<Item = &GroupName> {
        self.0.iter().map(|(group, _)| group)
    }

    /// Whether the user is in `group`.
    #[must_use]
    pub fn contains(&self, group: &str) -> bool {
        self.groups().any(|known| known.as_str() == group)
    }
}
