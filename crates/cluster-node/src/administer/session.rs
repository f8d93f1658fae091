//! `admin session`.

use clap::{ArgMatches, Command};
use serde_json::Value;

use super::answer::{self, listing};
use super::arguments::{limit, name, named, paged, skip, text, verbs};
use super::route::{route, with_query};
use super::task::Task;
use crate::table::{Cell, Paint, plain, short};

pub(super) fn command() -> Command {
    verbs("session", "Sessions: who is connected")
        .subcommand(
            Command::new("list")
                .about("Lists the sessions of the node that is asked; other nodes have their own")
                .arg(named("user", "USER", "Only those of this user"))
                .args([limit(), skip()]),
        )
        .subcommand(
            Command::new("end")
                .about("Ends a session of that node and those that came of it; their token is of no use any more")
                .arg(name("ID", "The session's id, as list shows it")),
        )
}

pub(super) fn task(verb: &str, matches: &ArgMatches) -> Option<Task> {
    let task = match verb {
        "list" => {
            let user = [("user", text(matches, "user"))];
            let path = with_query(route(&["sessions"]), &user);
            Task::get(paged(path, matches), list)
        }
        "end" => {
            let id = text(matches, "ID")?;
            Task::delete(route(&["sessions", id]), format!("session {id}: ended"))
        }
        _ => return None,
    };
    Some(task)
}

fn list(answer: &Value, paint: Paint) -> String {
    let titles = [
        "ID", "USER", "LOGIN", "ADDRESS", "SINCE", "PROTOCOL", "INFO",
    ];
    listing(answer, "sessions", &titles, row, paint)
}

fn row(session: &Value) -> Vec<Cell> {
    let whole = ["id", "username", "authType", "address", "since", "protocol"];
    let mut row: Vec<Cell> = whole
        .map(|member| plain(answer::text(session, member)))
        .into();
    row.push(short(answer::text(session, "info")));
    row
}
