//! Lookup tables, and the permissions of groups that ask them.

use happn_security::directory::{LookupPermission, LookupTable, TableName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::groups;
use super::problem::Problem;
use super::route::{Outcome, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paths {
    paths: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnePath {
    path: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    table: String,
    regex: String,
    actions: Vec<String>,
    path: String,
}

pub(super) async fn list(call: Call) -> Outcome {
    let page = call.query.page()?;
    let tables = call.directory().list_lookup_tables().await?;
    let names = tables.iter().skip(page.skip).take(page.limit);
    let names = names.map(|name| json!(name.as_str()));
    Ok(Reply::list(names.collect(), tables.len()))
}

pub(super) async fn show(call: Call) -> Outcome {
    let table = call.table()?;
    let paths = call.directory().lookup_table(&table).await?;
    match paths.is_empty() {
        true => Err(missing(&table)),
        false => Ok(Reply::ok(shown(&table, &paths))),
    }
}

pub(super) async fn put(call: Call) -> Outcome {
    let Paths { paths } = call.body()?;
    if paths.is_empty() {
        return Err(Problem::invalid(
            "a table without paths is none: paths must name some",
        ));
    }
    let (directory, name) = (call.directory(), call.table()?);
    let existed = !directory.lookup_table(&name).await?.is_empty();
    let table = LookupTable {
        name: name.clone(),
        paths,
    };
    directory.upsert_lookup_table(table).await?;
    let paths = directory.lookup_table(&name).await?;
    Ok(Reply::stored(existed, shown(&name, &paths)))
}

pub(super) async fn remove(call: Call) -> Outcome {
    let (directory, table) = (call.directory(), call.table()?);
    let is_there = !directory.lookup_table(&table).await?.is_empty();
    match is_there && directory.delete_lookup_table(&table).await? > 0 {
        true => Ok(Reply::done()),
        false => Err(missing(&table)),
    }
}

pub(super) async fn add_path(call: Call) -> Outcome {
    let OnePath { path } = call.body()?;
    let added = call.directory();
    added.insert_lookup_path(&call.table()?, &path).await?;
    Ok(Reply::done())
}

pub(super) async fn remove_path(call: Call) -> Outcome {
    let (directory, table) = (call.directory(), call.table()?);
    let path = call.query.needed("path")?;
    let is_there = directory.is_in_table(&table, path).await?;
    match is_there && directory.remove_lookup_path(&table, path).await? {
        true => Ok(Reply::done()),
        false => Err(Problem::not_found(format!(
            "{path} is not in the table {table}"
        ))),
    }
}

pub(super) async fn permissions(call: Call) -> Outcome {
    let (directory, group) = (call.directory(), call.group(0)?);
    groups::found(&directory, &group).await?;
    let permissions = directory.lookup_permissions(&group).await?;
    let items = permissions.iter().map(|it| {
        json!({ "table": it.table.as_str(), "regex": it.regex, "actions": it.actions, "path": it.path })
    });
    let items: Vec<Value> = items.collect();
    Ok(Reply::ok(json!({ "items": items })))
}

pub(super) async fn grant(call: Call) -> Outcome {
    let body: Body = call.body()?;
    let permission = LookupPermission {
        regex: body.regex,
        actions: body.actions,
        table: TableName::new(&body.table)?,
        path: body.path,
    };
    let (directory, group) = (call.directory(), call.group(0)?);
    let granted = directory.upsert_lookup_permission(&group, permission);
    granted.await?;
    Ok(Reply::done())
}

/// Those on a table with this regex and this path, or all on the table.
pub(super) async fn revoke(call: Call) -> Outcome {
    let (directory, group) = (call.directory(), call.group(0)?);
    let table = TableName::new(call.query.needed("table")?)?;
    let (regex, path) = (call.query.text("regex"), call.query.text("path"));
    groups::found(&directory, &group).await?;
    let stored = directory.lookup_permissions(&group).await?;
    let is_meant = |it: &&LookupPermission| {
        it.table == table
            && regex.is_none_or(|regex| it.regex == regex)
            && path.is_none_or(|path| it.path == path)
    };
    let meant: Vec<LookupPermission> = stored.iter().filter(is_meant).cloned().collect();
    if meant.is_empty() {
        let text = format!("{group} has no such permission on the table {table}");
        return Err(Problem::not_found(text));
    }
    for permission in &meant {
        directory
            .remove_lookup_permission(&group, permission)
            .await?;
    }
    Ok(Reply::done())
}

fn missing(table: &TableName) -> Problem {
    Problem::not_found(format!("there is no lookup table {table}"))
}

fn shown(table: &TableName, paths: &[String]) -> Value {
    json!({ "name": table.as_str(), "paths": paths })
}
