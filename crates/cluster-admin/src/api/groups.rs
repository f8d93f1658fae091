//! `/groups`.

use happn_paths::StoreGlob;
use happn_security::directory::{Directory, Group, GroupDraft, GroupName, Listing, PermissionSet};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::problem::Problem;
use super::route::{Outcome, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    permissions: Option<PermissionSet>,
    custom_data: Option<Value>,
}

pub(super) async fn list(call: Call) -> Outcome {
    let page = call.query.page()?;
    let mask = call.query.text("name").unwrap_or("*");
    let mut groups = call
        .directory()
        .list_groups(mask, &Listing::default())
        .await?;
    // The directory takes a mask for the beginning of names.
    let mask = StoreGlob::new(mask);
    groups.retain(|group| mask.matches(group.name().as_str()));
    let items = groups.iter().skip(page.skip).take(page.limit).map(shown);
    Ok(Reply::list(items.collect(), groups.len()))
}

pub(super) async fn show(call: Call) -> Outcome {
    let group = found(&call.directory(), &call.group(0)?).await?;
    Ok(Reply::ok(shown(&group)))
}

pub(super) async fn put(call: Call) -> Outcome {
    let body: Body = call.body()?;
    let (directory, name) = (call.directory(), call.group(0)?);
    let stored = directory.group(&name).await?;
    let mut draft = GroupDraft::new(name.as_str());
    // The data of a group is replaced as a whole.
    for (member, value) in stored.iter().flat_map(Group::members) {
        draft = draft.member(member, value.clone());
    }
    if let Some(data) = body.custom_data {
        draft = draft.custom_data(data);
    }
    if let Some(permissions) = body.permissions {
        draft = draft.permissions(permissions);
    }
    let group = directory.upsert_group(draft, true).await?;
    Ok(Reply::stored(stored.is_some(), shown(&group)))
}

pub(super) async fn remove(call: Call) -> Outcome {
    call.directory().delete_group(&call.group(0)?).await?;
    Ok(Reply::done())
}

pub(super) async fn found(directory: &Directory, name: &GroupName) -> Result<Group, Problem> {
    let group = directory.group(name).await?;
    group.ok_or_else(|| Problem::not_found(format!("there is no group {name}")))
}

fn shown(group: &Group) -> Value {
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(group.name().as_str()));
    let others = [
        ("custom_data", group.custom_data().cloned()),
        ("created", group.created().map(|at| json!(at))),
        ("modified", group.modified().map(|at| json!(at))),
    ];
    for (name, value) in others {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    }
    Value::Object(shown)
}
