//! `cluster-node admin`: users, groups, permissions, tables, sessions and tokens of a running
//! cluster, over the API of any of its nodes' admin listeners.
//!
//! A command line becomes a [`Task`] (pure); [`prepare`] finds the listener and the secrets, and
//! [`Prepared::perform`] logs in, asks, and makes text of the answer. One file per resource.

mod access;
mod answer;
mod arguments;
mod failure;
mod group;
mod lookup;
mod performance;
mod permission;
mod provision;
mod route;
mod secret;
mod session;
mod task;
mod terminal;
mod token;
mod user;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::Exit;

pub use access::Access;
pub use failure::{AdministerError, Refusal};
pub use performance::{Prepared, prepare};
pub use secret::{Secret, SecretError};
pub use terminal::{Person, Terminal};

pub(crate) use access::{arguments as access_arguments, listener_arguments};
use task::Task;

/// What `admin`, or `provision` with a url, is to do.
#[derive(Clone, Debug)]
pub struct AdminRequest {
    /// Whom to ask, and as who.
    pub access: Access,
    /// Prints what the server answers instead of a table.
    pub json: bool,
    task: Task,
}

impl AdminRequest {
    /// Applies a file of users, groups and tables to a running cluster.
    #[must_use]
    pub fn provision(access: Access, file: std::path::PathBuf, json: bool) -> Self {
        let task = provision::task(file);
        Self { access, json, task }
    }
}

/// One kind of thing that is looked after.
struct Resource {
    name: &'static str,
    command: fn() -> Command,
    /// What a verb and its arguments ask for; the definition has made sure of both.
    task: fn(&str, &ArgMatches) -> Option<Task>,
}

const RESOURCES: [Resource; 6] = [
    Resource {
        name: "user",
        command: user::command,
        task: user::task,
    },
    Resource {
        name: "group",
        command: group::command,
        task: group::task,
    },
    Resource {
        name: "permission",
        command: permission::command,
        task: permission::task,
    },
    Resource {
        name: "lookup",
        command: lookup::command,
        task: lookup::task,
    },
    Resource {
        name: "session",
        command: session::command,
        task: session::task,
    },
    Resource {
        name: "token",
        command: token::command,
        task: token::task,
    },
];

/// The definition of `admin`.
pub(crate) fn command() -> Command {
    let command = Command::new("admin")
        .about("Looks after users, permissions, sessions and tokens of a running secure cluster")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("RESOURCE")
        .subcommand_help_heading("Resources")
        .after_help(after_help())
        .args(access_arguments().map(|it| it.global(true)))
        .arg(json().global(true));
    RESOURCES
        .iter()
        .fold(command, |command, it| command.subcommand((it.command)()))
}

pub(crate) fn json() -> Arg {
    Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Prints what the server answers, as JSON")
}

/// What the arguments of `admin` ask for; `None` when the definition has changed and this has not.
pub(crate) fn request(matches: &ArgMatches) -> Option<AdminRequest> {
    let (name, resource) = matches.subcommand()?;
    let (verb, arguments) = resource.subcommand()?;
    let of = RESOURCES.iter().find(|it| it.name == name)?;
    Some(AdminRequest {
        access: Access::of(arguments),
        json: arguments.get_flag("json"),
        task: (of.task)(verb, arguments)?,
    })
}

const AFTER_HELP: &str = "\
Who asks: the first of these that there is
  --token-file FILE            a session token of an administrator
  --password-file FILE         the password of the user that --as names, _ADMIN without it
  HAPPN_ADMIN_TOKEN            a token, unless --as names a user
  HAPPN_ADMIN_PASSWORD         a password
  the terminal                 asks for the password, without showing it
Files may be - for standard input. Passwords and tokens are no arguments: every user of the machine
can read those. They are not sent in clear over a network either; use https, or run the command on
the machine of the node.

Which node: --url, else the admin listener of the node that configuration, environment and settings
describe, as for `cluster-node status`. All nodes of a cluster know the same users.

Examples:
  cluster-node admin user add ann --group STAFF
  cluster-node admin permission add --group STAFF '/staff/*' --allow get,set,on
  cluster-node admin permission list --user ann
  cluster-node admin session list --user ann
  cluster-node admin session end 2d0c7a52-8a52-4c0e-9d8b-0a3c1f1b7e55
  cluster-node admin token add _ADMIN --ttl '1 hour' >token
  cluster-node admin --token-file token --json user list

Exit codes:";

fn after_help() -> String {
    let ours = |exit: &&Exit| exit.concerns_administration();
    let codes = Exit::ALL.iter().filter(ours);
    let lines = codes.map(|exit| format!("\n  {}  {}", exit.code(), exit.meaning()));
    format!("{AFTER_HELP}{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests;
