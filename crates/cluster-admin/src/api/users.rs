//! `/users`.

use std::collections::HashSet;

use happn_paths::StoreGlob;
use happn_security::directory::{
    Directory, GroupName, Listing, Password, PermissionSet, User, UserDraft, UserName,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::problem::Problem;
use super::route::{Outcome, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    password: Option<Password>,
    #[serde(rename = "publicKey")]
    public_key: Option<String>,
    groups: Option<Vec<String>>,
    permissions: Option<PermissionSet>,
    custom_data: Option<Value>,
}

impl Body {
    /// What is to be stored with the user itself; nothing when only groups are given.
    fn draft(&self, name: &str) -> Option<UserDraft> {
        let mut draft = UserDraft::new(name);
        let untouched = draft.clone();
        if let Some(password) = &self.password {
            draft = draft.password(password.clone());
        }
        if let Some(key) = &self.public_key {
            draft = draft.public_key(key);
        }
        if let Some(data) = &self.custom_data {
            draft = draft.custom_data(data.clone());
        }
        if let Some(permissions) = &self.permissions {
            draft = draft.permissions(permissions.clone());
        }
        (draft != untouched).then_some(draft)
    }
}

pub(super) async fn list(call: Call) -> Outcome {
    let page = call.query.page()?;
    let mask = call.query.text("name").unwrap_or("*");
    let directory = call.directory();
    let mut users = directory.list_users(mask, &Listing::default()).await?;
    // The directory takes a mask for the beginning of names.
    let mask = StoreGlob::new(mask);
    users.retain(|user| mask.matches(user.name().as_str()));
    let mut items = Vec::new();
    for user in users.iter().skip(page.skip).take(page.limit) {
        items.push(shown(&directory, user).await?);
    }
    Ok(Reply::list(items, users.len()))
}

pub(super) async fn show(call: Call) -> Outcome {
    let directory = call.directory();
    let user = directory.user(call.name(0)).await?;
    let user = user.ok_or_else(|| missing(call.name(0)))?;
    Ok(Reply::ok(shown(&directory, &user).await?))
}

/// Everything that can be wrong is looked for before anything is written.
pub(super) async fn put(call: Call) -> Outcome {
    let body: Body = call.body()?;
    let directory = call.directory();
    let name = directory.user_name(call.name(0))?;
    let groups = match &body.groups {
        Some(groups) => Some(existing(&directory, groups).await?),
        None => None,
    };
    let existed = directory.user(name.as_str()).await?.is_some();
    match body.draft(name.as_str()) {
        Some(draft) => drop(directory.upsert_user(draft, true).await?),
        None if existed => {}
        None => return Err(happn_security::directory::DirectoryError::NoCredentials.into()),
    }
    if let Some(groups) = groups {
        put_into(&directory, &name, &groups).await?;
    }
    let user = directory.user(name.as_str()).await?;
    let user = user.ok_or_else(|| missing(name.as_str()))?;
    Ok(Reply::stored(existed, shown(&directory, &user).await?))
}

pub(super) async fn remove(call: Call) -> Outcome {
    match call.directory().delete_user(call.name(0)).await? {
        true => Ok(Reply::done()),
        false => Err(missing(call.name(0))),
    }
}

pub(super) async fn join(call: Call) -> Outcome {
    let directory = call.directory();
    let name = directory.user_name(call.name(0))?;
    directory.link_group(&call.group(1)?, &name, None).await?;
    Ok(Reply::done())
}

pub(super) async fn leave(call: Call) -> Outcome {
    let directory = call.directory();
    let (name, group) = (directory.user_name(call.name(0))?, call.group(1)?);
    let is_member = directory.memberships(&name).await?.contains(group.as_str());
    match is_member && directory.unlink_group(&group, &name).await? {
        true => Ok(Reply::done()),
        false => Err(Problem::not_found(format!(
            "{name} is not in the group {group}"
        ))),
    }
}

/// The groups that `texts` name, all of which there must be.
async fn existing(directory: &Directory, texts: &[String]) -> Result<Vec<GroupName>, Problem> {
    let (mut groups, mut problems) = (Vec::new(), Vec::new());
    for text in texts {
        match GroupName::new(text) {
            Err(error) => problems.push(error.to_string()),
            Ok(group) => match directory.group(&group).await? {
                Some(_) => groups.push(group),
                None => problems.push(format!("there is no group {group}")),
            },
        }
    }
    match problems.is_empty() {
        true => Ok(groups),
        false => Err(Problem::listed(
            "the user cannot be in these groups",
            problems,
        )),
    }
}

/// In these groups, and in no others.
async fn put_into(
    directory: &Directory,
    name: &UserName,
    groups: &[GroupName],
) -> Result<(), Problem> {
    let memberships = directory.memberships(name).await?;
    let wanted: HashSet<&GroupName> = groups.iter().collect();
    for group in &wanted {
        if !memberships.contains(group.as_str()) {
            directory.link_group(group, name, None).await?;
        }
    }
    for group in memberships.groups().filter(|group| !wanted.contains(group)) {
        directory.unlink_group(group, name).await?;
    }
    Ok(())
}

pub(super) fn missing(name: &str) -> Problem {
    Problem::not_found(format!("there is no user {name}"))
}

/// A user without what nobody may see.
async fn shown(directory: &Directory, user: &User) -> Result<Value, Problem> {
    let memberships = directory.memberships(user.name()).await?;
    let groups: Vec<&str> = memberships.groups().map(GroupName::as_str).collect();
    let mut shown = Map::new();
    shown.insert("username".to_owned(), json!(user.name().as_str()));
    shown.insert("groups".to_owned(), json!(groups));
    let others = [
        ("publicKey", user.public_key().map(|key| json!(key))),
        ("custom_data", user.custom_data().cloned()),
        ("created", user.created().map(|at| json!(at))),
        ("modified", user.modified().map(|at| json!(at))),
    ];
    for (name, value) in others {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    }
    Ok(Value::Object(shown))
}
