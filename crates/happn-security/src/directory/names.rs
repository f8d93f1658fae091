//! Names of users, groups and lookup tables: parsed once, safe as a part of a path.

use std::fmt;
use std::sync::Arc;

/// The user and the group that may do everything.
pub const ADMIN: &str = "_ADMIN";
/// The user of those who log in without a name.
pub const ANONYMOUS: &str = "_ANONYMOUS";

/// The most characters of a name.
const CHARACTERS_MAX: usize = 256;
/// What the name of a new group must not contain.
const RESERVED: [&str; 6] = [
    "_SYSTEM",
    "_GROUP",
    "_PERMISSION",
    "_USER_GROUP",
    ADMIN,
    ANONYMOUS,
];
/// Group names whose documents would be taken for something else.
const FOLDERS: [&str; 2] = ["_USER", "_LOOKUP"];

/// The name of a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(Arc<str>);

/// The name of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupName(Arc<str>);

/// The name of a lookup table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName(Arc<str>);

impl UserName {
    /// A name to look for; whether such a user exists is another question.
    ///
    /// # Errors
    /// When no user can have that name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::NoUserName);
        }
        if text.contains(":nogroups") {
            return Err(NameError::NoGroupsDirective);
        }
        check(text, "user")?;
        Ok(Self(text.into()))
    }

    /// A name that may be given to a user: not one of those the node keeps for itself.
    ///
    /// # Errors
    /// As [`UserName::new`], and for a reserved name.
    pub fn for_upsert(text: &str) -> Result<Self, NameError> {
        let name = Self::new(text)?;
        match name.is_reserved() {
            true => Err(NameError::ReservedUser(text.to_owned())),
            false => Ok(name),
        }
    }

    /// Whether it is the admin user or the anonymous one.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        [ADMIN, ANONYMOUS].contains(&&*self.0)
    }

    pub(super) fn known(text: &'static str) -> Self {
        Self(text.into())
    }
}

impl GroupName {
    /// A name to look for; whether such a group exists is another question.
    ///
    /// # Errors
    /// When no group can have that name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if FOLDERS.contains(&text) {
            return Err(NameError::Folder(text.to_owned()));
        }
        check(text, "group")?;
        Ok(Self(text.into()))
    }

    /// A name that may be given to a group.
    ///
    /// # Errors
    /// As [`GroupName::new`], and for a name that contains a reserved word.
    pub fn for_upsert(text: &str) -> Result<Self, NameError> {
        match RESERVED.iter().any(|word| text.contains(word)) {
            true => Err(NameError::Reserved("group")),
            false => Self::new(text),
        }
    }

    /// Whether it is the group of admins.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        &*self.0 == ADMIN
    }

    pub(super) fn known(text: &'static str) -> Self {
        Self(text.into())
    }
}

impl TableName {
    /// The name of a table.
    ///
    /// # Errors
    /// When no table can have that name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        check(text, "lookup table")?;
        Ok(Self(text.into()))
    }
}

/// What all names have in common: nothing that means something in a path, or in a terminal.
fn check(text: &str, what: &'static str) -> Result<(), NameError> {
    if text.contains('/') {
        return Err(NameError::Reserved(what));
    }
    if text.contains(|c: char| c == '*' || c.is_control() || is_line_separator(c)) {
        return Err(NameError::Character(what));
    }
    match text.chars().count() > CHARACTERS_MAX {
        true => Err(NameError::TooLong(what)),
        false => Ok(()),
    }
}

/// Line ends that are no control characters; a store's `*` stops at them.
pub(super) fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

macro_rules! name_in_prose {
    ($($name:ident)*) => {$(
        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for Arc<str> {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

name_in_prose! { UserName GroupName TableName }

/// Why a text is no name. The texts are those of JavaScript nodes, where they have one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No name at all.
    #[error("names cannot be empty")]
    Empty,
    /// No user name at all.
    #[error("validation failure: no username specified")]
    NoUserName,
    /// The reference gives this text a meaning.
    #[error("validation failure: username cannot contain the ':nogroups' directive")]
    NoGroupsDirective,
    /// The user is the node's own.
    #[error("validation failure: username cannot be reserved name {0}")]
    ReservedUser(String),
    /// A slash, or a word that documents of the directory are found by.
    #[error(
        "validation error: {0} names cannot contain the special _SYSTEM, _GROUP, _PERMISSION, \
         _USER_GROUP, _ADMIN, _ANONYMOUS segment or a forward slash /"
    )]
    Reserved(&'static str),
    /// The documents of such a group would be taken for something else.
    #[error("validation error: group names cannot be {0}")]
    Folder(String),
    /// A character that stands for others, or shows as something else.
    #[error("validation error: {0} names cannot contain * or control characters")]
    Character(&'static str),
    /// Longer than anybody needs.
    #[error("validation error: {0} names cannot be longer than {CHARACTERS_MAX} characters")]
    TooLong(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: fmt::Debug>(result: Result<T, NameError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn names_of_any_language_are_names() {
        for text in [
            "имя пользователя",
            "password.user@example.test",
            "with blank",
            "{{w}}",
        ] {
            assert_eq!(UserName::for_upsert(text).unwrap().as_str(), text);
            assert_eq!(GroupName::for_upsert(text).unwrap().as_str(), text);
            assert_eq!(TableName::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_means_something_in_a_path_is_refused() {
        for text in ["a*", "*", "a/b", "/", "a\nb", "a\u{2028}b", "\0"] {
            refusal(UserName::new(text));
            refusal(GroupName::new(text));
            refusal(TableName::new(text));
        }
        for folder in FOLDERS {
            refusal(GroupName::new(folder));
        }
        let long = "x".repeat(257);
        assert!(refusal(UserName::new(&long)).ends_with("longer than 256 characters"));
    }

    #[test]
    fn the_nodes_own_are_found_but_not_made() {
        assert!(UserName::new(ADMIN).is_ok() && GroupName::new(ADMIN).unwrap().is_admin());
        assert_eq!(
            refusal(UserName::for_upsert(ANONYMOUS)),
            "validation failure: username cannot be reserved name _ANONYMOUS"
        );
        assert_eq!(
            refusal(GroupName::for_upsert("MY_ADMINS")),
            "validation error: group names cannot contain the special _SYSTEM, _GROUP, \
             _PERMISSION, _USER_GROUP, _ADMIN, _ANONYMOUS segment or a forward slash /"
        );
    }

    #[test]
    fn refusals_have_the_texts_of_the_reference() {
        assert_eq!(refusal(GroupName::new("")), "names cannot be empty");
        assert_eq!(
            refusal(UserName::new("")),
            "validation failure: no username specified"
        );
        assert_eq!(
            refusal(UserName::new("x:nogroups")),
            "validation failure: username cannot contain the ':nogroups' directive"
        );
    }
}
