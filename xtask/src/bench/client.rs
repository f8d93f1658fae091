//! The load: websocket clients that do as little as they can.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

pub(super) type Socket = WebSocketStream<TcpStream>;

/// Bytes of every published payload, as JSON.
pub(super) const PAYLOAD_BYTES: usize = 256;

/// Frames taken from a socket before the permits for them are given back.
const FRAMES_PER_TURN: usize = 512;

/// Which server a client talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    Happn,
    /// A node on which clients log in.
    Secure,
    /// The plain server.
    Raw,
    /// The plain server, doing what the protocol demands of any server.
    Protocol,
}

impl Flavour {
    /// A client that will publish to `group`.
    pub(super) async fn publisher(self, server: SocketAddr, group: &str) -> anyhow::Result<Socket> {
        match self {
            Self::Happn => log_in(server).await,
            Self::Secure => log_in_as(server, &password_login()).await,
            Self::Raw => ready(connect(server, &format!("/pub/{group}")).await?).await,
            Self::Protocol => ready(connect(server, &format!("/set/{group}")).await?).await,
        }
    }

    /// A client that gets what is published to `group` from now on.
    pub(super) async fn listener(self, server: SocketAddr, group: &str) -> anyhow::Result<Socket> {
        match self {
            Self::Happn | Self::Secure => {
                let mut socket = self.publisher(server, group).await?;
                subscribe(&mut socket, &format!("{group}/*")).await?;
                Ok(socket)
            }
            Self::Raw | Self::Protocol => {
                ready(connect(server, &format!("/sub/{group}")).await?).await
            }
        }
    }

    /// What a publisher of `group` sends.
    pub(super) fn publication(self, group: &str) -> Message {
        match self {
            Self::Happn | Self::Secure | Self::Protocol => {
                set(&format!("{group}/item"), r#","noStore":true"#)
            }
            Self::Raw => Message::text(payload()),
        }
    }
}

/// Who logs in on secure nodes: good for nothing but the nodes of a benchmark.
pub(super) const USERNAME: &str = "bench";
pub(super) const PASSWORD: &str = "of the benchmark";

/// The data of a login with the user's password.
pub(super) fn password_login() -> String {
    format!(r#"{{"username":"{USERNAME}","password":"{PASSWORD}","info":{{}}}}"#)
}

/// A logged-in happn client.
pub(super) async fn log_in(server: SocketAddr) -> anyhow::Result<Socket> {
    log_in_as(server, r#"{"info":{}}"#).await
}

/// A happn client that logged in with `data`.
pub(super) async fn log_in_as(server: SocketAddr, data: &str) -> anyhow::Result<Socket> {
    Ok(session(server, data).await?.0)
}

/// A logged-in client and the login's answer.
pub(super) async fn session(server: SocketAddr, data: &str) -> anyhow::Result<(Socket, Utf8Bytes)> {
    let mut socket = connect(server, "/primus").await?;
    let configure = r#"{"action":"configure-session","eventId":1,"data":{"protocol":"happn_4","version":"13.12.1","browser":false}}"#;
    request(&mut socket, configure).await?;
    let login = format!(r#"{{"action":"login","eventId":2,"data":{data}}}"#);
    let answer = request(&mut socket, &login).await?;
    Ok((socket, answer))
}

/// Subscribes a happn client to sets on `mask`, which may begin with a slash.
pub(super) async fn subscribe(socket: &mut Socket, mask: &str) -> anyhow::Result<()> {
    request(socket, &subscription(mask)).await?;
    Ok(())
}

/// The request that [`subscribe`] sends.
pub(super) fn subscription(mask: &str) -> String {
    let mask = mask.trim_start_matches('/');
    format!(
        r#"{{"action":"on","eventId":3,"path":"/SET@/{mask}","data":null,"options":{{"event_type":"set","meta":null,"merge":false}}}}"#
    )
}

/// A `set` of the usual payload, as the JavaScript client writes it; `options` begin with a comma.
pub(super) fn set(path: &str, options: &str) -> Message {
    set_of(path, &payload(), options)
}

/// A `set` of `data`, which is JSON.
pub(super) fn set_of(path: &str, data: &str, options: &str) -> Message {
    let path = path.trim_start_matches('/');
    Message::text(format!(
        r#"{{"path":"/{path}","action":"set","eventId":1234,"data":{data},"protocol":"happn_4","sessionId":"2ea2b1b5-a1ab-44ad-8a3d-1aae3a2dd9e1","options":{{"timeout":30000{options}}}}}"#
    ))
}

/// Waits for at least one data frame and takes whatever else is there. Answers how many.
pub(super) async fn frames(
    socket: &mut (impl StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin),
) -> anyhow::Result<usize> {
    let mut count = 0;
    let mut next = socket.next().await;
    loop {
        let message = next.context("the server closed the connection")??;
        count += usize::from(is_data(&message));
        if count == FRAMES_PER_TURN {
            return Ok(count);
        }
        match socket.next().now_or_never() {
            Some(message) => next = message,
            None => return Ok(count),
        }
    }
}

/// Heartbeats are JSON strings; what is counted is an object, or the raw server's payload.
fn is_data(message: &Message) -> bool {
    matches!(message, Message::Text(text) if text.as_bytes().first() == Some(&b'{'))
}

async fn connect(server: SocketAddr, target: &str) -> anyhow::Result<Socket> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = tokio_tungstenite::client_async_with_config(
        format!("ws://{server}{target}"),
        stream,
        Some(
            WebSocketConfig::default()
                .max_message_size(None)
                .max_frame_size(None),
        ),
    )
    .await?;
    Ok(socket)
}

async fn ready(mut socket: Socket) -> anyhow::Result<Socket> {
    socket.next().await.context("the server left")??;
    Ok(socket)
}

async fn request(socket: &mut Socket, text: &str) -> anyhow::Result<Utf8Bytes> {
    socket.send(Message::text(text)).await?;
    loop {
        let message = socket.next().await.context("the server left")??;
        let Message::Text(answer) = message else {
            bail!("an answer that is no text");
        };
        if is_data(&Message::Text(answer.clone())) {
            check(text, &answer)?;
            return Ok(answer);
        }
    }
}

fn check(request: &str, answer: &Utf8Bytes) -> anyhow::Result<()> {
    ensure!(
        answer.contains(r#""status":"ok""#),
        "{request} was answered {answer}"
    );
    Ok(())
}

fn payload() -> String {
    let frame = r#"{"value":""}"#.len();
    format!(r#"{{"value":"{}"}}"#, "x".repeat(PAYLOAD_BYTES - frame))
}
