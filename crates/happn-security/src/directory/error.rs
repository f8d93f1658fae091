//! Why the directory did not do what it was asked.

use std::fmt;

use happn_core::StoreError;

use super::lookup::LookupError;
use super::names::NameError;
use super::passwords::PasswordError;
use super::permission::PermissionError;

/// What something in the directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// Somebody who can log in.
    User,
    /// Rules that users share.
    Group,
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Group => "group",
        })
    }
}

/// Why a request to the directory failed. The texts are those of JavaScript nodes, where they have
/// one, because applications compare them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// A name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Rules cannot be stored.
    #[error(transparent)]
    Permission(#[from] PermissionError),
    /// A lookup table or permission cannot be stored.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// A password cannot be hashed or checked.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The name is taken, and nothing was to be overwritten.
    #[error("validation failure: {what} by the name {name} already exists")]
    AlreadyExists {
        /// Of which kind.
        what: Entity,
        /// The name.
        name: String,
    },
    /// What is to be linked, or to get rules, is not there.
    #[error("validation error: {0} does not exist or has not been saved")]
    NotSaved(Entity),
    /// The group to delete is not there.
    #[error("group you are deleting does not exist")]
    NoSuchGroup,
    /// The user is not there.
    #[error("{0} does not exist in the system")]
    NoSuchUser(String),
    /// A new user could never log in.
    #[error("validation failure: no password or publicKey specified for a new user")]
    NoCredentials,
    /// The user is the node's own.
    #[error("unable to delete a user with the reserved name: {0}")]
    ReservedUser(String),
    /// The group of admins stays as it is.
    #[error("the group _ADMIN cannot be changed or deleted, and its user _ADMIN cannot leave it")]
    AdminGroup,
    /// The admin user does not change passwords this way.
    #[error("updates to the _ADMIN user are forbidden")]
    AdminUser,
    /// The present password is another.
    #[error("Invalid old password")]
    OldPassword,
    /// The node does not admit anonymous users.
    #[error("Anonymous access is not configured")]
    AnonymousNotConfigured,
    /// A group and a table of one name would read each other's documents.
    #[error("a group and a lookup table cannot both be called {0}")]
    SharedName(String),
    /// The configured password is not the one of the stored admin user.
    #[error(
        "the configured admin password (services.security.config.adminUser.password) does not \
         match the one stored for user _ADMIN: the password in the configuration is used only when \
         the user is made. Configure the stored one, or none; to set another one, stop all nodes, \
         remove /_SYSTEM/_SECURITY/_USER/_ADMIN and \
         /_SYSTEM/_SECURITY/_USER/_ADMIN/_USER_GROUP/_ADMIN, and start with the new one"
    )]
    AdminPassword,
    /// More tokens are revoked than can be remembered.
    #[error("too many tokens are revoked; give tokens a ttl, or change sessionTokenSecret")]
    TooManyRevoked,
    /// A document of the directory cannot be understood.
    #[error("the document at {path} cannot be read: {problem}")]
    Malformed {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
