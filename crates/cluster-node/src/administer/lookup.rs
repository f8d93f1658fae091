//! `admin lookup`.

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::answer::{self, listing};
use super::arguments::{actions, limit, list as listed, name, named, paged, skip, text, verbs};
use super::route::{route, with_query};
use super::task::{Expected, Task};
use crate::table::{Cell, Paint, clean, plain};

pub(super) fn command() -> Command {
    let table = || name("TABLE", "The table's name");
    let group = || named("group", "GROUP", "The group whose members ask it").required(true);
    let path = || name("PATH", "A path, without a mask");
    verbs("lookup", "Lookup tables: permissions by lists of paths")
        .after_help("docs/permissions.md tells how tables decide.")
        .subcommand(
            Command::new("list")
                .about("Lists tables")
                .args([limit(), skip()]),
        )
        .subcommand(
            Command::new("show")
                .about("Shows the paths of a table")
                .arg(table()),
        )
        .subcommand(
            Command::new("add")
                .about("Makes a table, which must not be there yet")
                .arg(table())
                .arg(path().required(false).num_args(0..)),
        )
        .subcommand(
            Command::new("remove")
                .about("Removes a table with its paths")
                .arg(table()),
        )
        .subcommand(
            Command::new("insert")
                .about("Puts a path into a table")
                .args([table(), path()]),
        )
        .subcommand(
            Command::new("delete")
                .about("Takes a path out of a table")
                .args([table(), path()]),
        )
        .subcommand(
            Command::new("grants")
                .about("Lists by which tables a group is allowed something")
                .arg(group()),
        )
        .subcommand(
            Command::new("grant")
                .about("Lets a group do what a table says")
                .args([table(), group()])
                .arg(
                    named(
                        "regex",
                        "REGEX",
                        "What the path of a request must match, such as ^/data/(.*)",
                    )
                    .required(true),
                )
                .arg(
                    named(
                        "path",
                        "PATH",
                        "What has to be in the table then, such as device/{{$1}}",
                    )
                    .required(true),
                )
                .arg(actions("allow", "What is allowed then, separated by commas").required(true)),
        )
        .subcommand(
            Command::new("revoke")
                .about("Takes such a permission away again, or all of the table")
                .args([table(), group()])
                .arg(named("regex", "REGEX", "Only the one with this expression"))
                .arg(named("path", "PATH", "Only the one with this path")),
        )
}

pub(super) fn task(verb: &str, matches: &ArgMatches) -> Option<Task> {
    match verb {
        "list" => return Some(Task::get(paged(route(&["lookup-tables"]), matches), list)),
        "grants" | "grant" | "revoke" => return of_group(verb, matches),
        _ => {}
    }
    let table = text(matches, "TABLE")?;
    let named = format!("lookup table {table}");
    let route_of_table = route(&["lookup-tables", table]);
    let task = match verb {
        "show" => Task::get(route_of_table, paths),
        "add" => {
            let paths = json!({ "paths": listed(matches, "PATH") });
            Task::put(route_of_table, paths, format!("{named}: added"))
                .expecting(Expected::Absent(named))
        }
        "remove" => Task::delete(route_of_table, format!("{named}: removed")),
        "insert" | "delete" => {
            let path = text(matches, "PATH")?;
            let route = route(&["lookup-tables", table, "paths"]);
            match verb {
                "insert" => Task::put(
                    route,
                    json!({ "path": path }),
                    format!("{named}: has {path}"),
                ),
                _ => {
                    let route = with_query(route, &[("path", Some(path))]);
                    Task::delete(route, format!("{named}: has {path} no more"))
                }
            }
        }
        _ => return None,
    };
    Some(task)
}

fn of_group(verb: &str, matches: &ArgMatches) -> Option<Task> {
    let group = text(matches, "group")?;
    let route = route(&["groups", group, "lookup-permissions"]);
    if verb == "grants" {
        return Some(Task::get(route, grants));
    }
    let table = text(matches, "TABLE")?;
    let (regex, path) = (text(matches, "regex"), text(matches, "path"));
    let task = match verb {
        "grant" => {
            let permission = json!({
                "table": table, "regex": regex, "actions": listed(matches, "allow"), "path": path,
            });
            Task::put(
                route,
                permission,
                format!("group {group}: asks table {table}"),
            )
        }
        _ => {
            let parameters = [("table", Some(table)), ("regex", regex), ("path", path)];
            let said = match (regex, path) {
                (None, None) => format!("group {group}: asks table {table} no more"),
                _ => format!("group {group}: asks table {table} so no more"),
            };
            Task::delete(with_query(route, &parameters), said)
        }
    };
    Some(task)
}

fn list(answer: &Value, paint: Paint) -> String {
    let row = |item: &Value| {
        let name = item
            .as_str()
            .map_or_else(|| answer::text(item, "name"), str::to_owned);
        vec![plain(name)]
    };
    listing(answer, "lookup tables", &["TABLE"], row, paint)
}

fn paths(answer: &Value, _paint: Paint) -> String {
    let paths = answer["paths"].as_array().map_or(&[][..], Vec::as_slice);
    let lines = paths.iter().filter_map(Value::as_str);
    lines.map(|path| format!("{}\n", clean(path))).collect()
}

fn grants(answer: &Value, paint: Paint) -> String {
    let titles = ["TABLE", "REGEX", "ALLOWED", "PATH"];
    listing(answer, "permissions by tables", &titles, row, paint)
}

fn row(permission: &Value) -> Vec<Cell> {
    ["table", "regex", "actions", "path"]
        .map(|member| plain(answer::text(permission, member)))
        .into()
}
