//! A secure node in memory whose users and rules change while it runs:
//! `cargo run -p happn-security --example changing_rights -- 55000`.
//!
//! Each line of its standard input is a change, answered `ok` or with what is wrong:
//!
//! | line | change |
//! |---|---|
//! | `group NAME PATH …` | a group that may do everything on these paths |
//! | `user NAME GROUP` | a user of that group, whose password is its name |
//! | `forbid GROUP PATH` | the group's rules on exactly that path are taken away |
//!
//! Clients that are connected are told at once, and lose subscriptions that they may no longer
//! have. The node ends with its input.

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;
use std::time::Duration;

use happn_core::{Clock, DataService, Ending, MemoryStore, Node, SystemClock};
use happn_security::authority::{AuthorityConfig, SecurityAuthority};
use happn_security::credentials::{Passwords, TokenSecret};
use happn_security::directory::{
    Directory, GroupDraft, GroupName, HashingPool, Holder, NameFolding, Password, PermissionSet,
    StartUp, UserDraft, UserName,
};
use happn_server::{Server, ServerConfig};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let port = std::env::args().nth(1).map(|port| port.parse::<u16>());
    let port = port.transpose()?.unwrap_or(0);
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    // Passwords that are no secret need little work; leave it at the default otherwise.
    let hashing = HashingPool::new(Arc::new(Passwords::new(1)), 2, 1_000);
    let directory = Directory::new(data.clone(), clock.clone(), hashing, NameFolding::default());
    let started = directory.start(StartUp::default()).await?;
    let secret = TokenSecret::new(started.token_secret.reveal()).ok_or("no secret")?;
    let config = AuthorityConfig::of_node("example");
    let authority = SecurityAuthority::new(config, directory.clone(), secret, clock.clone());
    let node = Node::builder("example")
        .data(data)
        .authority(authority)
        .clock(clock)
        .build();
    let server = Server::bind(ServerConfig::on(([127, 0, 0, 1], port).into()), node).await?;
    println!("listening on {}", server.address());
    while let Some(line) = next_line().await? {
        match change(&directory, &line).await {
            Ok(()) => println!("ok"),
            Err(error) => println!("{error}"),
        }
    }
    server.stop(Ending::Reconnect, Duration::from_secs(5)).await;
    Ok(())
}

/// The next line of standard input; a thread waits for it.
async fn next_line() -> Outcome<Option<String>> {
    let read =
        || -> std::io::Result<Option<String>> { std::io::stdin().lines().next().transpose() };
    Ok(tokio::task::spawn_blocking(read).await??)
}

async fn change(directory: &Directory, line: &str) -> Outcome<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["group", name, paths @ ..] => {
            let allow = |rules: PermissionSet, path: &&str| rules.allow(path, &["*"]);
            let rules = paths.iter().fold(PermissionSet::new(), allow);
            let group = GroupDraft::new(name).permissions(rules);
            directory.upsert_group(group, true).await?;
        }
        ["user", name, group] => {
            let user = UserDraft::new(name).password(Password::new(name));
            directory.upsert_user(user, true).await?;
            let (group, user) = (GroupName::new(group)?, UserName::new(name)?);
            directory.link_group(&group, &user, None).await?;
        }
        ["forbid", group, path] => {
            let group = Holder::Group(GroupName::new(group)?);
            directory.remove_permission(&group, path, "*", true).await?;
        }
        _ => return Err("group NAME PATH …, user NAME GROUP, or forbid GROUP PATH".into()),
    }
    Ok(())
}
