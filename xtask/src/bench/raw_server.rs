//! A plain websocket fan-out: the yardstick.
//!
//! What somebody would write who needs nothing but a broadcast: one task per connection, one
//! bounded queue, everything queued is fed to the library and flushed once. Connections say in
//! their URL which group they publish to (`/pub/GROUP`) or listen to (`/sub/GROUP`).
//!
//! A publisher at `/set/GROUP` speaks the protocol: the same server then parses, encodes events
//! and answers, and does nothing else: what the protocol asks of any server, done plainly.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anyhow::Context;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::envelope::Envelope;

/// More than the load ever has under way, so that nothing is dropped.
const QUEUE_MAX: usize = 65_536;

/// The listeners of one group.
#[derive(Debug, Default)]
struct Group {
    listeners: RwLock<Vec<mpsc::Sender<Utf8Bytes>>>,
}

impl Group {
    fn send(&self, text: &Utf8Bytes) {
        let listeners = self
            .listeners
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        for listener in listeners.iter() {
            let _ = listener.try_send(text.clone());
        }
    }
}

type Groups = Arc<Mutex<HashMap<String, Arc<Group>>>>;

/// Prints its address and serves until standard input closes.
pub(super) async fn run() -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    tokio::spawn(accept(listener, Groups::default()));
    until_stdin_closes().await
}

async fn accept(listener: TcpListener, groups: Groups) {
    while let Ok((stream, _)) = listener.accept().await {
        let groups = groups.clone();
        tokio::spawn(async move {
            // A client that leaves is no news.
            let _ = serve(stream, groups).await;
        });
    }
}

async fn serve(stream: TcpStream, groups: Groups) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut target = String::new();
    #[allow(clippy::result_large_err, reason = "the library's own signature")]
    let note_target = |request: &Request, response: Response| {
        target = request.uri().path().to_owned();
        Ok(response)
    };
    let socket = tokio_tungstenite::accept_hdr_async(stream, note_target).await?;
    let (_, role_and_group) = target.split_once('/').context("no role")?;
    let (role, group) = role_and_group.split_once('/').context("no group")?;
    let name = group;
    let group = {
        let mut groups = groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.entry(name.to_owned()).or_default().clone()
    };
    match role {
        "sub" => listen(socket, &group).await,
        "set" => answer(socket, name, &group).await,
        _ => publish(socket, &group).await,
    }
}

async fn publish(mut socket: WebSocketStream<TcpStream>, group: &Group) -> anyhow::Result<()> {
    socket.send(Message::text("ready")).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else {
            continue;
        };
        group.send(&text);
    }
    Ok(())
}

/// Publishes as the protocol demands; everything that has arrived is answered in one flush.
async fn answer(
    mut socket: WebSocketStream<TcpStream>,
    name: &str,
    group: &Group,
) -> anyhow::Result<()> {
    socket.send(Message::text("ready")).await?;
    let mut next = socket.next().await;
    while let Some(message) = next {
        if let Message::Text(text) = message? {
            let envelope = Envelope::decode(&text)?;
            group.send(&envelope.event(name).into());
            socket.feed(Message::text(envelope.answer())).await?;
        }
        next = match socket.next().now_or_never() {
            Some(next) => next,
            None => {
                socket.flush().await?;
                socket.next().await
            }
        };
    }
    Ok(())
}

async fn listen(mut socket: WebSocketStream<TcpStream>, group: &Group) -> anyhow::Result<()> {
    let (sender, mut queue) = mpsc::channel(QUEUE_MAX);
    {
        let mut listeners = group
            .listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| !listener.is_closed());
        listeners.push(sender);
    }
    socket.send(Message::text("ready")).await?;
    loop {
        tokio::select! {
            text = queue.recv() => {
                let mut next = text;
                while let Some(text) = next {
                    socket.feed(Message::Text(text)).await?;
                    next = queue.try_recv().ok();
                }
                socket.flush().await?;
            }
            message = socket.next() => {
                message.context("gone")??;
            }
        }
    }
}

/// So that a server never outlives the benchmark, however that one ends.
async fn until_stdin_closes() -> anyhow::Result<()> {
    let mut input = tokio::io::stdin();
    let mut ignored = [0; 64];
    while input.read(&mut ignored).await? > 0 {}
    Ok(())
}
