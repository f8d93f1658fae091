//! The rules of users and groups.

use happn_security::directory::{Directory, Holder, PathPermissions, Permission, PermissionSet};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::problem::Problem;
use super::route::{Outcome, Reply};
use super::{groups, users};

/// Whose rules a route is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    Group,
    User,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    path: String,
    #[serde(default)]
    actions: Vec<String>,
    #[serde(default)]
    prohibit: Vec<String>,
}

pub(super) async fn list(call: Call, whose: Whose) -> Outcome {
    let directory = call.directory();
    let holder = holder(&call, &directory, whose).await?;
    let stored = directory.permissions(&holder).await?;
    let rules = PermissionSet::of(&stored);
    let mut rules: Vec<_> = rules.iter().collect();
    rules.sort_by_key(|(path, _)| *path);
    let items: Vec<Value> = rules.into_iter().map(shown).collect();
    Ok(Reply::ok(json!({ "items": items })))
}

fn shown((path, rule): (&str, &PathPermissions)) -> Value {
    let list = |actions: &Option<Vec<String>>| json!(actions.as_deref().unwrap_or_default());
    json!({ "path": path, "actions": list(&rule.actions), "prohibit": list(&rule.prohibit) })
}

/// One change for each action, so that the record tells each of them.
pub(super) async fn put(call: Call, whose: Whose) -> Outcome {
    let Body {
        path,
        actions,
        prohibit,
    } = call.body()?;
    if actions.is_empty() && prohibit.is_empty() {
        let text = "actions or prohibit must name at least one action";
        return Err(Problem::invalid(text));
    }
    let allowed: Vec<&str> = actions.iter().map(String::as_str).collect();
    let prohibited: Vec<&str> = prohibit.iter().map(String::as_str).collect();
    let rules = PermissionSet::new().allow(&path, &allowed);
    let problems = rules.prohibit(&path, &prohibited).problems();
    if !problems.is_empty() {
        return Err(Problem::listed("the rule is not valid", problems));
    }
    let directory = call.directory();
    let holder = holder(&call, &directory, whose).await?;
    let allowed = allowed.into_iter().map(|action| (action, true));
    let prohibited = prohibited.into_iter().map(|action| (action, false));
    for (action, authorized) in allowed.chain(prohibited) {
        let upserted = directory.upsert_permission(&holder, &path, action, authorized);
        upserted.await?;
    }
    Ok(Reply::done())
}

/// The named actions of the rule, or without any the whole rule.
pub(super) async fn remove(call: Call, whose: Whose) -> Outcome {
    let path = call.query.needed("path")?;
    let actions: Vec<&str> = call.query.all("action").collect();
    let directory = call.directory();
    let holder = holder(&call, &directory, whose).await?;
    let stored = directory.permissions(&holder).await?;
    let is_meant = |rule: &&Permission| {
        *rule.path == *path && (actions.is_empty() || actions.contains(&&*rule.action))
    };
    let meant: Vec<Permission> = stored.iter().filter(is_meant).cloned().collect();
    if meant.is_empty() {
        return Err(Problem::not_found(format!(
            "there is no such rule on {path}"
        )));
    }
    for rule in &meant {
        remove_one(&directory, &holder, rule).await?;
    }
    Ok(Reply::done())
}

async fn remove_one(
    directory: &Directory,
    holder: &Holder,
    rule: &Permission,
) -> Result<(), Problem> {
    if &*rule.action != "*" {
        let removed =
            directory.remove_permission(holder, &rule.path, &rule.action, rule.authorized);
        removed.await?;
        return Ok(());
    }
    // To the directory a `*` is every action; this is only about the rule that says so.
    let list = match rule.authorized {
        true => "actions",
        false => "prohibit",
    };
    let set = json!({ (&*rule.path): { (list): ["*"], "remove": true } });
    let set = serde_json::from_value(set).map_err(|error| Problem::invalid(error.to_string()))?;
    directory.upsert_permissions(holder, set).await?;
    Ok(())
}

async fn holder(call: &Call, directory: &Directory, whose: Whose) -> Result<Holder, Problem> {
    match whose {
        Whose::Group => {
            let name = call.group(0)?;
            groups::found(directory, &name).await?;
            Ok(Holder::Group(name))
        }
        Whose::User => {
            let name = directory.user_name(call.name(0))?;
            let user = directory.user(name.as_str()).await?;
            user.ok_or_else(|| users::missing(name.as_str()))?;
            Ok(Holder::User(name))
        }
    }
}
