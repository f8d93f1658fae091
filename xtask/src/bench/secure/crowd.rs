//! Many clients of one node, in groups, each with subscriptions that its group allows.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use futures_util::StreamExt;
use futures_util::stream::{self, TryStreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::bench::client::{Socket, log_in_as, subscribe};

/// Clients with live subscriptions.
const SESSIONS: usize = 10_000;

/// Of them, in as many groups.
pub(super) const GROUPS: usize = 10;

/// File handles that something else may need.
const HANDLES_LEFT: usize = 500;

/// Clients that log in at a time; a node checks fewer logins of one address at a time.
const LOGGING_IN: usize = 8;

/// What a client has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Its rights have changed.
    Change,
    /// An event of the subscription that it may lose.
    Lost,
    /// An event of the one that it keeps.
    Kept,
}

#[derive(Clone, Copy, Debug)]
struct News {
    what: What,
    group: usize,
    at: Instant,
}

/// The clients. Dropped, they disconnect.
pub(super) struct Crowd {
    news: mpsc::Receiver<News>,
    clients: JoinSet<anyhow::Result<()>>,
    pub(super) sessions: usize,
}

/// What members of `group` have subscribed to, and may lose.
pub(super) fn lost(group: usize) -> String {
    format!("/bench/{group}/lost/*")
}

/// What members of `group` have subscribed to, and keep.
pub(super) fn kept(group: usize) -> String {
    format!("/bench/{group}/kept/*")
}

/// The user who is a member of `group`.
pub(super) fn member(group: usize) -> String {
    format!("member-{group}")
}

/// The data of a login as `user`.
pub(super) fn login_of(user: &str) -> String {
    format!(r#"{{"username":"{user}","password":"{user}","info":{{}}}}"#)
}

impl Crowd {
    /// Connects as many as wanted, or as file handles allow.
    pub(super) async fn gather(server: SocketAddr) -> anyhow::Result<Self> {
        let handles = handles()?;
        let sessions = SESSIONS.min(handles.saturating_sub(HANDLES_LEFT));
        if sessions < SESSIONS {
            println!("only {sessions} sessions: a process may have {handles} file handles");
        }
        let opening = (0..sessions).map(|number| open(server, number % GROUPS));
        let mut opened = stream::iter(opening).buffer_unordered(LOGGING_IN);
        // A client is told, and hears an event of each of its subscriptions.
        let (sender, news) = mpsc::channel(3 * SESSIONS);
        let mut clients = JoinSet::new();
        while let Some((socket, group)) = opened.try_next().await? {
            clients.spawn(listen(socket, group, sender.clone()));
        }
        Ok(Self {
            news,
            clients,
            sessions,
        })
    }

    /// Waits until every member of `group` has heard `what`; answers when the last one had.
    pub(super) async fn all_heard(&mut self, group: usize, what: What) -> anyhow::Result<Instant> {
        let members = (0..self.sessions).filter(|number| number % GROUPS == group);
        let mut last = Instant::now();
        for _ in members {
            let news = tokio::select! {
                news = self.news.recv() => news.context("all clients are gone")?,
                Some(ended) = self.clients.join_next() => {
                    ended??;
                    bail!("a client ended");
                }
            };
            ensure!(
                news.what == what && news.group == group,
                "{news:?} instead of {what:?} in group {group}"
            );
            last = last.max(news.at);
        }
        Ok(last)
    }
}

async fn open(server: SocketAddr, group: usize) -> anyhow::Result<(Socket, usize)> {
    let mut socket = log_in_as(server, &login_of(&member(group))).await?;
    subscribe(&mut socket, &lost(group)).await?;
    subscribe(&mut socket, &kept(group)).await?;
    Ok((socket, group))
}

async fn listen(mut socket: Socket, group: usize, news: mpsc::Sender<News>) -> anyhow::Result<()> {
    loop {
        let message = socket.next().await.context("the node left")??;
        let at = Instant::now();
        let Message::Text(text) = message else {
            continue;
        };
        let what = match text.as_str() {
            text if text.contains("security-data-changed") => What::Change,
            text if text.contains("/lost/") => What::Lost,
            text if text.contains("/kept/") => What::Kept,
            _ => continue,
        };
        news.send(News { what, group, at }).await?;
    }
}

/// How many files and sockets this process, and those that it starts, may have open.
fn handles() -> anyhow::Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").context("this needs Linux")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    let soft = soft.context("no limit of open files")?;
    Ok(soft.parse().unwrap_or(usize::MAX))
}
