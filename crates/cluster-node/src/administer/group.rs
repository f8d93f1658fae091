//! `admin group`.

use clap::{ArgMatches, Command};
use serde_json::{Map, Value, json};

use super::answer::{self, facts, listing};
use super::arguments::{custom_data, limit, mask, name, paged, skip, text, verbs};
use super::route::{route, with_query};
use super::task::{Expected, Task};
use crate::table::{Cell, Paint, plain, short};

pub(super) fn command() -> Command {
    let group = || name("GROUP", "The group's name");
    verbs("group", "Groups: users with the same permissions")
        .subcommand(
            Command::new("list")
                .about("Lists groups")
                .arg(mask("Which names, with * for any letters"))
                .args([limit(), skip()]),
        )
        .subcommand(Command::new("show").about("Shows one group").arg(group()))
        .subcommand(
            Command::new("add")
                .about("Makes a group, which must not be there yet")
                .args([group(), custom_data()]),
        )
        .subcommand(
            Command::new("change")
                .about("Changes what applications keep with a group")
                .args([group(), custom_data().required(true)]),
        )
        .subcommand(
            Command::new("remove")
                .about("Removes a group with its permissions, and takes its members out of it")
                .arg(group()),
        )
}

pub(super) fn task(verb: &str, matches: &ArgMatches) -> Option<Task> {
    if verb == "list" {
        let name = [("name", text(matches, "MASK"))];
        let path = with_query(route(&["groups"]), &name);
        return Some(Task::get(paged(path, matches), list));
    }
    let group = text(matches, "GROUP")?;
    let path = route(&["groups", group]);
    let named = format!("group {group}");
    let task = match verb {
        "show" => Task::get(path, facts),
        "add" => Task::put(path, members(matches), format!("{named}: added"))
            .expecting(Expected::Absent(named)),
        "change" => Task::put(path, members(matches), format!("{named}: changed"))
            .expecting(Expected::Present(named)),
        "remove" => Task::delete(path, format!("{named}: removed")),
        _ => return None,
    };
    Some(task)
}

fn members(matches: &ArgMatches) -> Value {
    match matches.get_one::<Value>("custom-data") {
        Some(data) => json!({ "custom_data": data }),
        None => Value::Object(Map::new()),
    }
}

fn list(answer: &Value, paint: Paint) -> String {
    listing(answer, "groups", &["GROUP", "DATA", "MODIFIED"], row, paint)
}

fn row(group: &Value) -> Vec<Cell> {
    vec![
        plain(answer::text(group, "name")),
        short(answer::text(group, "custom_data")),
        plain(answer::text(group, "modified")),
    ]
}
