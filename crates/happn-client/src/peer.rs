//! What a node uses to reach its peers: a connection that does not reconnect.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use happn_core::{
    BoxFuture, ConnectError, LinkError, LinkLogin, PeerConnector, PeerLink, PeerLogin,
    ReplicatedEvent,
};
use happn_paths::{Depth, Mask};
use happn_protocol::{EventMessage, Json};
use tokio::sync::mpsc;

use crate::address::Address;
use crate::backoff::fresh_seed;
use crate::connection::{Bounds, Call, Connection, ConnectionEnd, Inbox};
use crate::login::{info_block, log_in, millis};
use crate::replicated::replicated;
use crate::{ClientError, ServerError, dial};

/// How many events may wait while the masks are being confirmed and nobody receives yet.
const BACKLOG_MAX: usize = 65_536;

/// Bounds of the links to peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerDialerConfig {
    /// How long TCP and the upgrade may take together.
    pub connect_timeout: Duration,
    /// How long each request may wait for its answer.
    pub call_timeout: Duration,
    /// How long a peer may be silent; peers send a heartbeat every 30 s.
    pub silence_limit: Duration,
    /// How long a peer may refuse to take bytes.
    pub write_timeout: Duration,
    /// The largest message accepted from a peer, in bytes.
    pub max_message_bytes: usize,
    /// How many received events may wait for [`PeerLink::receive`]. When they are that many, the
    /// socket is not read any more, so that TCP slows the peer down and nothing is lost.
    pub event_buffer: usize,
}

impl Default for PeerDialerConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(60),
            silence_limit: Duration::from_secs(45),
            write_timeout: Duration::from_secs(30),
            max_message_bytes: 64 * 1024 * 1024,
            event_buffer: 4096,
        }
    }
}

/// Dials peers over websockets, the way every node and client connects.
#[derive(Clone, Debug, Default)]
pub struct PeerDialer {
    config: PeerDialerConfig,
}

impl PeerDialer {
    /// A dialer with these bounds.
    #[must_use]
    pub fn new(config: PeerDialerConfig) -> Self {
        Self { config }
    }
}

impl PeerConnector for PeerDialer {
    fn connect(
        &self,
        endpoint: String,
        login: PeerLogin,
    ) -> BoxFuture<'static, Result<Box<dyn PeerLink>, ConnectError>> {
        let config = self.config.clone();
        Box::pin(async move {
            match connect(&endpoint, &login, &config).await {
                Ok(link) => Ok(Box::new(link) as Box<dyn PeerLink>),
                Err(error) => Err(connect_error(endpoint, &error)),
            }
        })
    }
}

async fn connect(
    endpoint: &str,
    login: &PeerLogin,
    config: &PeerDialerConfig,
) -> Result<WebsocketLink, ClientError> {
    let info = info_block(&with_link(&login.info, &login.link)?, false)?;
    let address = Address::parse(endpoint)?;
    let socket = dial::open(
        &address,
        fresh_seed(),
        config.connect_timeout,
        config.max_message_bytes,
    )
    .await?;
    let (sender, events) = mpsc::channel(config.event_buffer.max(1));
    let bounds = Bounds {
        call: config.call_timeout,
        silence: config.silence_limit,
        write: config.write_timeout,
        queue: 256,
    };
    let inbox = PeerInbox { sender };
    let event_ids = Arc::new(AtomicU64::new(0));
    let connection = Connection::spawn(socket, inbox, bounds, event_ids, None);
    let logged_in = log_in(&connection, &info, None, config.call_timeout).await;
    let name = match logged_in {
        Ok(session) => session.node_name,
        Err(error) => return Err(told_apart(&connection, error).await),
    };
    Ok(WebsocketLink {
        name: name.ok_or_else(|| ClientError::decode("the login answer names no node"))?,
        connection,
        events,
        backlog: Vec::new(),
        call_timeout: config.call_timeout,
    })
}

/// The block with what nodes of our kind add to it; others ignore the member.
fn with_link(info: &Json, link: &LinkLogin) -> Result<Json, ClientError> {
    if link.masks == 0 || !info.is_object() {
        return Ok(info.clone());
    }
    let mut members: serde_json::Map<String, serde_json::Value> =
        info.decode().map_err(ClientError::encode)?;
    let link = serde_json::json!({"version": 1, "masks": link.masks});
    members.insert("link".to_owned(), link);
    Json::encode(&members).map_err(ClientError::encode)
}

/// A peer may refuse by ending the session instead of answering.
async fn told_apart(connection: &Connection, error: ClientError) -> ClientError {
    if !matches!(error, ClientError::Disconnected { .. }) {
        return error;
    }
    match connection.ended().await {
        ConnectionEnd::Ended(reason) => ClientError::Server(ServerError {
            name: "Error".to_owned(),
            code: None,
            message: reason,
            object: Json::NULL,
        }),
        _ => error,
    }
}

fn connect_error(endpoint: String, error: &ClientError) -> ConnectError {
    let reason = match error {
        ClientError::Unreachable { reason, .. }
        | ClientError::NotHappn { reason, .. }
        | ClientError::Disconnected { reason } => reason.clone(),
        ClientError::Server(error) => error.message.clone(),
        other => other.to_string(),
    };
    match error {
        ClientError::Server(_) => ConnectError::Refused { endpoint, reason },
        ClientError::NotHappn { .. } | ClientError::Decode(_) => {
            ConnectError::NotHappn { endpoint, reason }
        }
        _ => ConnectError::Unreachable { endpoint, reason },
    }
}

/// Turns frames into events and hands them over, waiting when the receiver is slow.
struct PeerInbox {
    sender: mpsc::Sender<ReplicatedEvent>,
}

impl Inbox for PeerInbox {
    async fn accept(&mut self, frame: &Bytes, event: &EventMessage<'_>) {
        match replicated(frame, event) {
            // Fails only when the link is being dropped.
            Some(event) => drop(self.sender.send(event).await),
            None => tracing::warn!(
                channel = %event.channel,
                meta = event.meta_text.get(),
                "an event of a peer cannot be read and is lost"
            ),
        }
    }
}

struct WebsocketLink {
    name: String,
    connection: Connection,
    events: mpsc::Receiver<ReplicatedEvent>,
    /// Events that came in before they were asked for.
    backlog: Vec<ReplicatedEvent>,
    call_timeout: Duration,
}

impl WebsocketLink {
    /// Waits for `answers` and keeps receiving meanwhile: a busy peer fills the buffer between the
    /// first and the last confirmation, and the answers sit behind the events.
    async fn settle<T>(&mut self, answers: impl Future<Output = T>) -> T {
        tokio::pin!(answers);
        loop {
            let room = self.backlog.len() < BACKLOG_MAX;
            tokio::select! {
                answers = &mut answers => return answers,
                Some(event) = self.events.recv(), if room => self.backlog.push(event),
            }
        }
    }

    async fn lost(&self) -> LinkError {
        match self.connection.ended().await {
            ConnectionEnd::Ended(reason) => LinkError::Ended(reason),
            end => LinkError::Lost(end.reason().to_owned()),
        }
    }

    async fn link_error(&self, error: ClientError) -> LinkError {
        match error {
            ClientError::Server(error) => LinkError::Refused(error.message),
            ClientError::Disconnected { .. } => self.lost().await,
            other => LinkError::Lost(other.to_string()),
        }
    }
}

impl PeerLink for WebsocketLink {
    fn peer_name(&self) -> &str {
        &self.name
    }

    fn subscribe(&mut self, masks: Vec<Mask>) -> BoxFuture<'_, Result<(), LinkError>> {
        Box::pin(async move {
            let connection = self.connection.clone();
            let timeout = self.call_timeout;
            let subscribing = async move {
                for mask in &masks {
                    subscribe(&connection, mask, timeout).await?;
                }
                Ok(())
            };
            match self.settle(subscribing).await {
                Ok(()) => Ok(()),
                Err(error) => Err(self.link_error(error).await),
            }
        })
    }

    fn receive<'a>(
        &'a mut self,
        events: &'a mut Vec<ReplicatedEvent>,
    ) -> BoxFuture<'a, Result<(), LinkError>> {
        Box::pin(async move {
            if !self.backlog.is_empty() {
                events.append(&mut self.backlog);
                return Ok(());
            }
            // Cancel-safe: either nothing was taken, or it is all in the caller's vector.
            match self.events.recv_many(events, usize::MAX).await {
                0 => Err(self.lost().await),
                _ => Ok(()),
            }
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // A reader that waits for room in the buffer would never see the wish to stop.
            let Self {
                connection, events, ..
            } = *self;
            drop(events);
            connection.close().await;
        })
    }
}

async fn subscribe(
    connection: &Connection,
    mask: &Mask,
    timeout: Duration,
) -> Result<(), ClientError> {
    let options = subscription_options(mask, timeout);
    let path = format!("/ALL@{mask}");
    let call = Call {
        action: "on",
        path: Some(&path),
        data: Some(&Json::NULL),
        options: Some(&options),
        timeout: Some(timeout),
    };
    connection.call(call).await.map(drop)
}

fn subscription_options(mask: &Mask, timeout: Duration) -> Json {
    let depth = match mask.is_deep() {
        true => format!(r#""depth":{},"#, Depth::DEFAULT.levels()),
        false => String::new(),
    };
    let timeout = millis(timeout);
    let text = format!(r#"{{"event_type":"all","count":0,{depth}"timeout":{timeout}}}"#);
    Json::from_trusted(text.into_bytes())
}
