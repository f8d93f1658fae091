//! Rules as documents, and sets of rules as people write them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use happn_core::Document;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::names::{GroupName, UserName, is_line_separator};
use super::paths::ESCAPED_STAR;
use crate::rules::{ACTIONS, Rule};

/// The most bytes of a rule's path.
const PATH_BYTES_MAX: usize = 4096;

/// Whose rules they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A group's, and so of all its members.
    Group(GroupName),
    /// A single user's.
    User(UserName),
}

impl Holder {
    /// As error texts of the reference call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Group(_) => "group",
            Self::User(_) => "user",
        }
    }
}

/// One stored rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Permission {
    /// What it is about; `*` is everything.
    #[serde(serialize_with = "text")]
    pub action: Arc<str>,
    /// True allows, false prohibits.
    pub authorized: bool,
    /// Where; may hold `*` and templates.
    #[serde(serialize_with = "text")]
    pub path: Arc<str>,
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

#[derive(Deserialize)]
struct Stored {
    action: String,
    /// A rule that does not say that it allows prohibits.
    #[serde(default)]
    authorized: bool,
    path: String,
}

impl Permission {
    /// Reads a rule; one that cannot be understood is logged and left out, because it would be in
    /// the way of every decision.
    pub(super) fn read(document: &Document) -> Option<Self> {
        match document.data.decode::<Stored>() {
            Ok(stored) => Some(Self {
                action: stored.action.into(),
                authorized: stored.authorized,
                path: stored.path.into(),
            }),
            Err(error) => {
                tracing::warn!(path = %document.path, %error, "a rule cannot be read");
                None
            }
        }
    }
}

/// Rules by path, as people write and read them:
/// `{"/a/*": {"actions": ["get"], "prohibit": ["set"]}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet {
    list: Vec<(String, PathPermissions)>,
    places: HashMap<String, usize>,
}

/// What is allowed and prohibited on one path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathPermissions {
    /// What is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<String>>,
    /// What is prohibited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prohibit: Option<Vec<String>>,
    /// The listed rules are to be taken away, not added.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove: bool,
}

impl PermissionSet {
    /// No rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, and `actions` are allowed on `path`.
    #[must_use]
    pub fn allow(mut self, path: &str, actions: &[&str]) -> Self {
        let list = self.at(path).actions.get_or_insert_default();
        list.extend(actions.iter().map(|action| (*action).to_owned()));
        self
    }

    /// The same, and `actions` are prohibited on `path`.
    #[must_use]
    pub fn prohibit(mut self, path: &str, actions: &[&str]) -> Self {
        let list = self.at(path).prohibit.get_or_insert_default();
        list.extend(actions.iter().map(|action| (*action).to_owned()));
        self
    }

    /// Stored rules, put together by path in their order.
    #[must_use]
    pub fn of(permissions: &[Permission]) -> Self {
        let mut set = Self::default();
        for permission in permissions {
            let entry = set.at(&permission.path);
            let list = match permission.authorized {
                true => &mut entry.actions,
                false => &mut entry.prohibit,
            };
            list.get_or_insert_default()
                .push(permission.action.to_string());
        }
        set
    }

    /// The rules in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PathPermissions)> {
        self.list.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// Whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The rules as decisions take them; what is to be removed is left out.
    #[must_use]
    pub fn to_rules(&self) -> Vec<Rule> {
        let kept = self.list.iter().filter(|(_, entry)| !entry.remove);
        kept.map(|(path, entry)| Rule {
            path: path.clone(),
            actions: entry.actions.clone().unwrap_or_default(),
            prohibit: entry.prohibit.clone().unwrap_or_default(),
        })
        .collect()
    }

    /// What of it is not so in `stored`: rules that are not there, and rules to be removed that are.
    #[must_use]
    pub fn missing_in(&self, stored: &[Permission]) -> Self {
        let stored: HashSet<&Permission> = stored.iter().collect();
        let mut missing = Self::default();
        for (permission, remove) in self.changes() {
            if stored.contains(&permission) == remove {
                let entry = missing.at(&permission.path);
                entry.remove = remove;
                let list = match permission.authorized {
                    true => &mut entry.actions,
                    false => &mut entry.prohibit,
                };
                list.get_or_insert_default()
                    .push(permission.action.to_string());
            }
        }
        missing
    }

    /// Every rule of it, one by one, and whether it is to be removed.
    pub(super) fn changes(&self) -> impl Iterator<Item = (Permission, bool)> {
        self.list.iter().flat_map(|(path, entry)| {
            let one = move |authorized| {
                move |action: &String| {
                    let permission = Permission {
                        action: action.as_str().into(),
                        authorized,
                        path: path.as_str().into(),
                    };
                    (permission, entry.remove)
                }
            };
            let allowed = entry.actions.iter().flatten().map(one(true));
            allowed.chain(entry.prohibit.iter().flatten().map(one(false)))
        })
    }

    /// Everything that is wrong with it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (path, entry) in &self.list {
            if let Err(error) = check_path(path) {
                problems.push(error.to_string());
            }
            if entry.actions.is_none() && entry.prohibit.is_none() {
                problems.push(format!("missing allowed actions or prohibit rules: {path}"));
            }
            for action in unknown(entry.actions.as_ref()) {
                problems.push(format!("unknown action: {action} for path: {path}"));
            }
            for action in unknown(entry.prohibit.as_ref()) {
                problems.push(format!(
                    "unknown prohibit action: {action} for path: {path}"
                ));
            }
        }
        problems
    }

    pub(super) fn check(&self, holder: &Holder) -> Result<(), PermissionError> {
        match self.problems() {
            problems if problems.is_empty() => Ok(()),
            problems => Err(PermissionError::Invalid {
                kind: holder.kind(),
                problems,
            }),
        }
    }

    fn at(&mut self, path: &str) -> &mut PathPermissions {
        let at = match self.places.get(path) {
            Some(at) => *at,
            None => {
                self.places.insert(path.to_owned(), self.list.len());
                self.list
                    .push((path.to_owned(), PathPermissions::default()));
                self.list.len() - 1
            }
        };
        &mut self.list[at].1
    }
}

fn unknown(actions: Option<&Vec<String>>) -> impl Iterator<Item = &String> {
    let actions = actions.into_iter().flatten();
    actions.filter(|action| !ACTIONS.contains(&action.as_str()))
}

/// Whether `path` can be the path of a rule.
///
/// # Errors
/// When it cannot be told apart from another one, or nothing could match it.
pub(super) fn check_path(path: &str) -> Result<(), PermissionError> {
    if path.is_empty() {
        return Err(PermissionError::NoPath);
    }
    if path.contains(ESCAPED_STAR) {
        return Err(PermissionError::EscapedStar);
    }
    if path.contains(|c: char| c.is_control() || is_line_separator(c)) {
        return Err(PermissionError::Character(path.escape_debug().to_string()));
    }
    match path.len() > PATH_BYTES_MAX {
        true => Err(PermissionError::TooLong),
        false => Ok(()),
    }
}

/// Whether a rule may be about `action`.
///
/// # Errors
/// When it may not.
pub(super) fn check_action(
    holder: &Holder,
    action: &str,
    path: &str,
) -> Result<(), PermissionError> {
    match ACTIONS.contains(&action) {
        true => Ok(()),
        false => Err(PermissionError::Invalid {
            kind: holder.kind(),
            problems: vec![format!("unknown action: {action} for path: {path}")],
        }),
    }
}

/// Why rules cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    /// Something in a set is wrong; all of it is listed.
    #[error("{kind} permissions invalid: {}", problems.join(","))]
    Invalid {
        /// Whose they are: `group` or `user`.
        kind: &'static str,
        /// What is wrong.
        problems: Vec<String>,
    },
    /// There is no path.
    #[error("permission path is null")]
    NoPath,
    /// The path holds what stands for `*` in documents.
    #[error("invalid permission path, cannot contain special string {{{{w}}}}")]
    EscapedStar,
    /// The path holds a line break or another control character.
    #[error("invalid permission path, cannot contain control characters: {0}")]
    Character(String),
    /// The path is longer than anybody needs.
    #[error("invalid permission path, cannot be longer than {PATH_BYTES_MAX} bytes")]
    TooLong,
}

impl Serialize for PermissionSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.list.len()))?;
        for (path, entry) in &self.list {
            map.serialize_entry(path, entry)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for PermissionSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SetVisitor)
    }
}

struct SetVisitor;

impl<'de> Visitor<'de> for SetVisitor {
    type Value = PermissionSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of paths, each with `actions` or `prohibit`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PermissionSet, A::Error> {
        let mut set = PermissionSet::default();
        while let Some((path, entry)) = map.next_entry::<String, PathPermissions>()? {
            // Of two members of one name the later wins, as in JavaScript.
            *set.at(&path) = entry;
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Holder {
        Holder::Group(GroupName::new("G").unwrap())
    }

    fn set(json: &str) -> PermissionSet {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_set_is_written_as_it_was_read() {
        let json = r#"{"/b":{"prohibit":["on"]},"/a/*":{"actions":["get","on"],"remove":true}}"#;
        assert_eq!(serde_json::to_string(&set(json)).unwrap(), json);
        assert_eq!(serde_json::to_string(&PermissionSet::new()).unwrap(), "{}");
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_in_the_words_of_the_reference() {
        let error = set(r#"{"/a":{"actions":["fly","get"]},"/b":{},"/c":{"prohibit":["swim"]}}"#)
            .check(&group())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "group permissions invalid: unknown action: fly for path: /a,missing allowed actions \
             or prohibit rules: /b,unknown prohibit action: swim for path: /c"
        );
    }

    #[test]
    fn paths_that_would_be_mistaken_for_another_are_refused() {
        assert_eq!(
            check_path("/a/{{w}}").unwrap_err().to_string(),
            "invalid permission path, cannot contain special string {{w}}"
        );
        assert_eq!(
            check_path("").unwrap_err().to_string(),
            "permission path is null"
        );
        assert!(check_path("/a\nb").is_err() && check_path(&"x".repeat(5000)).is_err());
        assert!(check_path("/users/{{user.username}}/*").is_ok());
    }

    #[test]
    fn stored_rules_are_put_together_by_path_in_their_order() {
        let rule = |action: &str, path: &str, authorized| Permission {
            action: action.into(),
            authorized,
            path: path.into(),
        };
        let stored = [
            rule("get", "/r/extra", false),
            rule("get", "/r/*", true),
            rule("remove", "/r/*", false),
        ];
        assert_eq!(
            serde_json::to_string(&PermissionSet::of(&stored)).unwrap(),
            r#"{"/r/extra":{"prohibit":["get"]},"/r/*":{"actions":["get"],"prohibit":["remove"]}}"#
        );
    }
}
