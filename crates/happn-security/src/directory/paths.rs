//! Where each document of the directory lives. Pure.

use super::names::{GroupName, TableName, UserName};
use super::permission::Holder;

pub(super) const TOKEN_SECRET: &str = "/_SYSTEM/_SECURITY/SESSION_TOKEN_SECRET";
/// Counts the changes that nodes of this kind made; JavaScript nodes do not know it.
pub(super) const VERSION: &str = "/_SYSTEM/_SECURITY/DIRECTORY_VERSION";
pub(super) const USERS: &str = "/_SYSTEM/_SECURITY/_USER/";
pub(super) const GROUPS: &str = "/_SYSTEM/_SECURITY/_GROUP/";
pub(super) const REVOKED_TOKENS: &str = "/_SYSTEM/_CACHE/cache_revoked_tokens/";
/// What each session did last.
pub(super) const SESSION_ACTIVITY: &str = "/_SYSTEM/_CACHE/cache_session_activity/";
const PERMISSIONS: &str = "/_SYSTEM/_SECURITY/_PERMISSIONS/";
const LOOKUP_PERMISSIONS: &str = "/_SYSTEM/_SECURITY/_PERMISSIONS/_LOOKUP/";
pub(super) const TABLES: &str = "/_SYSTEM/_SECURITY/_LOOKUP/";
/// Between the user and the group of a link.
const LINKED: &str = "/_USER_GROUP/";
/// What stands for a `*` in the path of a rule's document.
pub(super) const ESCAPED_STAR: &str = "{{w}}";

pub(super) fn user(name: &UserName) -> String {
    format!("{USERS}{name}")
}

/// What the paths of a user's links start with.
pub(super) fn links_of(user: &UserName) -> String {
    format!("{USERS}{user}{LINKED}")
}

pub(super) fn link(user: &UserName, group: &GroupName) -> String {
    format!("{}{group}", links_of(user))
}

/// A mask of the links of all users to one group.
pub(super) fn links_to(group: &GroupName) -> String {
    format!("{USERS}*{LINKED}{group}")
}

/// The user and the group of a link.
pub(super) fn linked(path: &str) -> Option<(UserName, GroupName)> {
    let (user, group) = path.strip_prefix(USERS)?.split_once(LINKED)?;
    Some((UserName::new(user).ok()?, GroupName::new(group).ok()?))
}

/// The user whose own document lives at `path`.
pub(super) fn user_at(path: &str) -> Option<UserName> {
    UserName::new(path.strip_prefix(USERS)?).ok()
}

pub(super) fn group(name: &GroupName) -> String {
    format!("{GROUPS}{name}")
}

/// The group whose own document lives at `path`.
pub(super) fn group_at(path: &str) -> Option<GroupName> {
    GroupName::new(path.strip_prefix(GROUPS)?).ok()
}

/// What the paths of the rules of `holder` start with.
pub(super) fn permissions_of(holder: &Holder) -> String {
    match holder {
        Holder::Group(name) => format!("{PERMISSIONS}{name}/"),
        Holder::User(name) => format!("{PERMISSIONS}_USER/{name}/"),
    }
}

pub(super) fn permission(holder: &Holder, action: &str, path: &str) -> String {
    let escaped = path.replace('*', ESCAPED_STAR);
    format!("{}{action}/{escaped}", permissions_of(holder))
}

/// What the paths of a table's entries start with.
pub(super) fn entries_of(table: &TableName) -> String {
    format!("{TABLES}{table}/")
}

/// The table that the entry at `path` belongs to.
pub(super) fn table_of(path: &str) -> Option<TableName> {
    let (table, _) = path.strip_prefix(TABLES)?.split_once('/')?;
    TableName::new(table).ok()
}

/// The path of an entry; slashes in front do not count.
pub(super) fn entry(table: &TableName, path: &str) -> String {
    format!("{}{}", entries_of(table), path.trim_start_matches('/'))
}

/// What the paths of a group's lookup permissions start with, or of the groups that use a table.
pub(super) fn lookups_of(group_or_table: &str) -> String {
    format!("{LOOKUP_PERMISSIONS}{group_or_table}/")
}

pub(super) fn lookup(group: &GroupName, table: &TableName) -> String {
    format!("{LOOKUP_PERMISSIONS}{group}/{table}")
}

/// The reverse of [`lookup`]: who uses the table.
pub(super) fn table_use(table: &TableName, group: &GroupName) -> String {
    format!("{LOOKUP_PERMISSIONS}{table}/{group}")
}

pub(super) fn revoked(token: &str) -> String {
    format!("{REVOKED_TOKENS}{token}")
}

pub(super) fn activity_of(session_id: &str) -> String {
    format!("{SESSION_ACTIVITY}{session_id}")
}
