//! `admin permission`.

use clap::{ArgGroup, ArgMatches, Command};
use serde_json::{Map, Value, json};

use super::answer::{self, listing};
use super::arguments::{actions, list as listed, name, named, text, verbs};
use super::route::{route, with_query};
use super::task::Task;
use crate::table::{Cell, GREEN, Paint, RED, plain, styled};

const MEANING: &str = "\
Actions are get, set, remove and on, for HTTP on paths below /@HTTP also put, post, delete, head and
options; * is all of them. A prohibit wins over everything that allows. docs/permissions.md tells
what masks and templates cover.";

pub(super) fn command() -> Command {
    verbs("permission", "Permissions: what groups and users may do")
        .subcommand(of_holder(
            Command::new("list").about("Lists the permissions of a group, or those of a user alone"),
        ))
        .subcommand(of_holder(
            Command::new("add")
                .about("Allows or prohibits actions on a path, beside what is said there already")
                .after_help(MEANING)
                .arg(name("PATH", "A path or a mask, with * and {{templates}}"))
                .arg(actions("allow", "What is allowed there, separated by commas"))
                .arg(actions("prohibit", "What is prohibited there"))
                .group(ArgGroup::new("rule").args(["allow", "prohibit"]).required(true).multiple(true)),
        ))
        .subcommand(of_holder(
            Command::new("remove")
                .about("Takes a rule away, whether it allows or prohibits; sessions lose what they had by it")
                .arg(name("PATH", "The rule's path, as it was given"))
                .arg(actions("action", "Only of these actions [default: the whole rule]")),
        ))
}

fn of_holder(command: Command) -> Command {
    command
        .arg(named("user", "USER", "Of this user"))
        .arg(named("group", "GROUP", "Of this group"))
        .group(
            ArgGroup::new("holder")
                .args(["user", "group"])
                .required(true),
        )
}

pub(super) fn task(verb: &str, matches: &ArgMatches) -> Option<Task> {
    let (kind, segment, holder) = match text(matches, "user") {
        Some(user) => ("user", "users", user),
        None => ("group", "groups", text(matches, "group")?),
    };
    let route = route(&[segment, holder, "permissions"]);
    if verb == "list" {
        return Some(Task::get(route, list));
    }
    let path = text(matches, "PATH")?;
    let task = match verb {
        "add" => {
            let said = format!("{kind} {holder}: {path} has the rule");
            Task::put(route, rule(path, matches), said)
        }
        "remove" => {
            let mut parameters = vec![("path", Some(path))];
            let actions = listed(matches, "action");
            parameters.extend(
                actions
                    .iter()
                    .map(|action| ("action", Some(action.as_str()))),
            );
            let said = format!("{kind} {holder}: {path} has the rule no more");
            Task::delete(with_query(route, &parameters), said)
        }
        _ => return None,
    };
    Some(task)
}

fn rule(path: &str, matches: &ArgMatches) -> Value {
    let mut rule = Map::from_iter([("path".to_owned(), json!(path))]);
    for (option, member) in [("allow", "actions"), ("prohibit", "prohibit")] {
        let actions = listed(matches, option);
        if !actions.is_empty() {
            rule.insert(member.to_owned(), json!(actions));
        }
    }
    Value::Object(rule)
}

fn list(answer: &Value, paint: Paint) -> String {
    listing(
        answer,
        "permissions",
        &["PATH", "ALLOWED", "PROHIBITED"],
        row,
        paint,
    )
}

fn row(rule: &Value) -> Vec<Cell> {
    let coloured = |style, member| match answer::text(rule, member) {
        nothing if nothing == "-" => plain(nothing),
        actions => styled(style, actions),
    };
    vec![
        plain(answer::text(rule, "path")),
        coloured(GREEN, "actions"),
        coloured(RED, "prohibit"),
    ]
}
