//! `admin user`.

use std::path::PathBuf;

use clap::{ArgMatches, Command};
use serde_json::{Map, Value, json};

use super::answer::{self, facts, listing};
use super::arguments::{custom_data, file, limit, mask, name, names, paged, skip, text, verbs};
use super::route::{route, with_query};
use super::task::{Expected, Source, Task};
use crate::table::{Cell, Paint, plain, short};

pub(super) fn command() -> Command {
    let new_password = || {
        file(
            "new-password-file",
            "The new password, - for standard input; else HAPPN_NEW_PASSWORD, else asked twice",
        )
    };
    let public_key = || {
        file(
            "public-key",
            "The user's public key for logins by signature, PEM or base64",
        )
    };
    let user = || name("USER", "The user's name");
    verbs("user", "Users: who can log in")
        .subcommand(
            Command::new("list")
                .about("Lists users")
                .arg(mask("Which names, with * for any letters"))
                .args([limit(), skip()]),
        )
        .subcommand(Command::new("show").about("Shows one user").arg(user()))
        .subcommand(
            Command::new("add")
                .about("Makes a user, who must not be there yet")
                .after_help("The password is asked for twice on the terminal, unless a file or a variable has it. With --public-key alone the user has none.")
                .arg(user())
                .arg(names("group", "GROUP", "A group of the user; may be repeated"))
                .args([new_password(), public_key(), custom_data()]),
        )
        .subcommand(
            Command::new("change")
                .about("Changes the key of a user, or what applications keep with him")
                .arg(user())
                .args([public_key(), custom_data()])
                .group(clap::ArgGroup::new("change").args(["public-key", "custom-data"]).required(true).multiple(true)),
        )
        .subcommand(
            Command::new("password")
                .about("Gives a user another password")
                .arg(user())
                .arg(new_password()),
        )
        .subcommand(
            Command::new("remove")
                .about("Removes a user, and ends his sessions")
                .arg(user()),
        )
        .subcommand(
            Command::new("join")
                .about("Puts a user into a group")
                .args([user(), name("GROUP", "The group's name")]),
        )
        .subcommand(
            Command::new("leave")
                .about("Takes a user out of a group")
                .args([user(), name("GROUP", "The group's name")]),
        )
}

pub(super) fn task(verb: &str, matches: &ArgMatches) -> Option<Task> {
    if verb == "list" {
        let name = [("name", text(matches, "MASK"))];
        let path = with_query(route(&["users"]), &name);
        return Some(Task::get(paged(path, matches), list));
    }
    let user = text(matches, "USER")?;
    let path = route(&["users", user]);
    let task = match verb {
        "show" => Task::get(path, facts),
        "add" => add(user, path, matches),
        "change" => {
            let said = format!("user {user}: changed");
            let task = Task::put(path, Value::Object(members(matches)), said);
            keyed(task, matches).expecting(Expected::Present(format!("user {user}")))
        }
        "password" => Task::put(
            path,
            json!({}),
            format!("user {user}: has another password"),
        )
        .with("password", new_password(user, matches))
        .expecting(Expected::Present(format!("user {user}"))),
        "remove" => Task::delete(path, format!("user {user}: removed")),
        "join" | "leave" => {
            let group = text(matches, "GROUP")?;
            let path = route(&["users", user, "groups", group]);
            match verb {
                "join" => Task::put(
                    path,
                    Value::Null,
                    format!("user {user}: is in group {group}"),
                ),
                _ => Task::delete(path, format!("user {user}: is no more in group {group}")),
            }
        }
        _ => return None,
    };
    Some(task)
}

fn add(user: &str, path: String, matches: &ArgMatches) -> Task {
    let mut members = members(matches);
    let groups: Vec<&String> = matches.get_many("group").into_iter().flatten().collect();
    if !groups.is_empty() {
        members.insert("groups".to_owned(), json!(groups));
    }
    let task = Task::put(path, Value::Object(members), format!("user {user}: added"));
    let task = task.expecting(Expected::Absent(format!("user {user}")));
    let has_key = matches.contains_id("public-key");
    let task = match has_key && !matches.contains_id("new-password-file") {
        true => task,
        false => task.with("password", new_password(user, matches)),
    };
    keyed(task, matches)
}

fn members(matches: &ArgMatches) -> Map<String, Value> {
    let custom_data = matches.get_one::<Value>("custom-data").cloned();
    let named = |data| ("custom_data".to_owned(), data);
    custom_data.map(named).into_iter().collect()
}

fn keyed(task: Task, matches: &ArgMatches) -> Task {
    match matches.get_one::<PathBuf>("public-key") {
        Some(file) => task.with("publicKey", Source::Text(file.clone())),
        None => task,
    }
}

fn new_password(user: &str, matches: &ArgMatches) -> Source {
    Source::NewPassword {
        user: user.to_owned(),
        file: matches.get_one::<PathBuf>("new-password-file").cloned(),
    }
}

fn list(answer: &Value, paint: Paint) -> String {
    listing(
        answer,
        "users",
        &["USER", "GROUPS", "KEY", "MODIFIED"],
        row,
        paint,
    )
}

fn row(user: &Value) -> Vec<Cell> {
    let key = match user["publicKey"].is_string() {
        true => "yes",
        false => "-",
    };
    vec![
        plain(answer::text(user, "username")),
        short(answer::text(user, "groups")),
        plain(key),
        plain(answer::text(user, "modified")),
    ]
}
