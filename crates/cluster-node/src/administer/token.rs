//! `admin token`.

use std::path::PathBuf;

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::answer::{self, facts, listing};
use super::arguments::{duration, file, limit, name, named, paged, skip, text, verbs};
use super::route::route;
use super::task::{Show, Source, Task};
use crate::table::{Cell, Paint, plain, short};

pub(super) fn command() -> Command {
    let token = || {
        file(
            "file",
            "The token, - for standard input [default: asked for]",
        )
    };
    verbs("token", "Tokens: logins without a password")
        .subcommand(
            Command::new("add")
                .about("Makes a token with which a user logs in, and prints it")
                .arg(name("USER", "The user's name"))
                .arg(duration(
                    "ttl",
                    "How long it is of use, such as '15 minutes' or '7 days'",
                )),
        )
        .subcommand(
            Command::new("show")
                .about("Shows whose a token is, and how long it is of use")
                .arg(token()),
        )
        .subcommand(
            Command::new("list")
                .about("Lists revoked tokens")
                .args([limit(), skip()]),
        )
        .subcommand(
            Command::new("revoke")
                .about("Makes a token useless on all nodes, and ends what was logged in with it")
                .arg(token())
                .arg(named("reason", "TEXT", "Why, for those who ask later")),
        )
        .subcommand(
            Command::new("restore")
                .about("Makes a revoked token useful again")
                .arg(name("ID", "Its id, as list shows it").required(false))
                .arg(token().conflicts_with("ID")),
        )
}

pub(super) fn task(verb: &str, matches: &ArgMatches) -> Option<Task> {
    let revoked = || route(&["tokens", "revoked"]);
    let token = || Source::Token(matches.get_one::<PathBuf>("file").cloned());
    let task = match verb {
        "add" => {
            let mut wanted = json!({ "username": text(matches, "USER")? });
            if let Some(ttl) = matches.get_one::<u64>("ttl") {
                wanted["ttl"] = json!(ttl);
            }
            Task::post(route(&["tokens"]), wanted, Show::Answer(made))
        }
        "show" => {
            let path = route(&["tokens", "inspect"]);
            Task::post(path, json!({}), Show::Answer(facts)).with("token", token())
        }
        "list" => Task::get(paged(revoked(), matches), list),
        "revoke" => {
            let reason = text(matches, "reason");
            let members = reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
            let said = Show::Said("the token is revoked".to_owned());
            Task::post(revoked(), members, said).with("token", token())
        }
        "restore" => {
            let task = Task::delete(revoked(), "the token is of use again".to_owned());
            match text(matches, "ID") {
                Some(id) => task.with("id", Source::Known(id.to_owned())),
                None => task.with("token", token()),
            }
        }
        _ => return None,
    };
    Some(task)
}

/// The token alone, so that it can be sent to a file.
fn made(answer: &Value, _paint: Paint) -> String {
    format!("{}\n", answer::text(answer, "token"))
}

fn list(answer: &Value, paint: Paint) -> String {
    let titles = ["ID", "USER", "REVOKED", "FORGOTTEN", "REASON"];
    listing(answer, "revoked tokens", &titles, row, paint)
}

fn row(token: &Value) -> Vec<Cell> {
    let whole = ["id", "username", "revoked", "until"];
    let mut row: Vec<Cell> = whole
        .map(|member| plain(answer::text(token, member)))
        .into();
    row.push(short(answer::text(token, "reason")));
    row
}
