//! What a node uses to reach its peers: a connection that does not reconnect.

mod link;
mod position;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use happn_core::{BoxFuture, ConnectError, Gap, LinkLogin, PeerConnector, PeerLink, PeerLogin};
use happn_protocol::Json;
use happn_protocol::link::{LINK_FRAME_MAX, LINK_VERSION, LinkOffer, LinkPosition};
use happn_tls::{TlsClient, TlsError};
use tokio::time::Instant;

use crate::address::Address;
use crate::backoff::fresh_seed;
use crate::connection::{Bounds, Connection, ConnectionEnd};
use crate::dial::{self, Dialling};
use crate::login::{Credentials, info_block, log_in};
use crate::{ClientError, ServerError};
use link::{PeerInbox, WebsocketLink};
use position::Positions;

/// Peers send much at once.
const READ_BYTES: usize = 32 * 1024;

/// A peer that is reachable again is to be a peer again within a second.
const RETRY_AFTER: Duration = Duration::from_millis(400);

/// Bounds of the links to peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerDialerConfig {
    /// How long TCP and the upgrade may take together.
    pub connect_timeout: Duration,
    /// How long each request may wait for its answer.
    pub call_timeout: Duration,
    /// How often a peer is made to answer.
    pub beat_interval: Duration,
    /// How long a peer of our kind may be silent. Nothing is lost when it counts as gone too
    /// early, because the next link resumes where this one stopped.
    pub silence_limit: Duration,
    /// How long a peer that does not number its events may be silent.
    pub unnumbered_silence_limit: Duration,
    /// How long a peer may refuse to take bytes.
    pub write_timeout: Duration,
    /// The largest message accepted from a peer, in bytes. Peers of our kind send none that is
    /// larger than the default, and a link on which one does begins anew behind it.
    pub max_message_bytes: usize,
    /// How many received events may wait for [`PeerLink::receive`], and as many again on their
    /// way there. When they are that many, the socket is not read any more, so that TCP slows the
    /// peer down and nothing is lost.
    pub event_buffer: usize,
}

impl Default for PeerDialerConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(60),
            beat_interval: Duration::from_secs(2),
            silence_limit: Duration::from_secs(6),
            unnumbered_silence_limit: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            max_message_bytes: LINK_FRAME_MAX,
            event_buffer: 4096,
        }
    }
}

/// Says as whom a node logs in to its peers, anew for each login.
pub trait PeerCredentials: std::fmt::Debug + Send + Sync + 'static {
    /// The credentials of a login that begins now; `None` where none are needed.
    fn fresh(&self) -> Option<Credentials>;
}

/// Dials peers over websockets, the way every node and client connects.
#[derive(Clone, Debug, Default)]
pub struct PeerDialer {
    config: PeerDialerConfig,
    tls: Option<TlsClient>,
    credentials: Option<Arc<dyn PeerCredentials>>,
    positions: Arc<Mutex<Positions>>,
    counts: Arc<LiveCounts>,
}

/// What became of the links that a dialer opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DialCounts {
    /// Links that were opened, resumed ones included.
    pub opened: u64,
    /// Links that went on where they had stopped.
    pub resumed: u64,
    /// Numbered events that had been there before and were dropped.
    pub repeated: u64,
}

#[derive(Debug, Default)]
struct LiveCounts {
    opened: AtomicU64,
    resumed: AtomicU64,
    repeated: AtomicU64,
}

impl PeerDialer {
    /// A dialer with these bounds.
    #[must_use]
    pub fn new(config: PeerDialerConfig) -> Self {
        Self {
            config,
            tls: None,
            credentials: None,
            positions: Arc::default(),
            counts: Arc::default(),
        }
    }

    /// The same dialer, logging in as `credentials` say.
    #[must_use]
    pub fn with_credentials(self, credentials: Arc<dyn PeerCredentials>) -> Self {
        Self {
            credentials: Some(credentials),
            ..self
        }
    }

    /// The same dialer, for peers that speak TLS.
    #[must_use]
    pub fn with_tls(self, tls: TlsClient) -> Self {
        Self {
            tls: Some(tls),
            ..self
        }
    }

    /// Reads again whom to trust and what to show, for links that begin from now on. Without effect
    /// without TLS.
    ///
    /// # Errors
    /// When something of it is of no use; what is in use stays in use then.
    pub fn reload_certificates(&self) -> Result<(), TlsError> {
        self.tls.as_ref().map_or(Ok(()), TlsClient::reload)
    }

    /// What became of the links so far. Clones of a dialer count together.
    #[must_use]
    pub fn counts(&self) -> DialCounts {
        DialCounts {
            opened: self.counts.opened.load(Ordering::Relaxed),
            resumed: self.counts.resumed.load(Ordering::Relaxed),
            repeated: self.counts.repeated.load(Ordering::Relaxed),
        }
    }

    fn positions(&self) -> MutexGuard<'_, Positions> {
        self.positions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl PeerConnector for PeerDialer {
    fn connect(
        &self,
        endpoint: String,
        login: PeerLogin,
    ) -> BoxFuture<'static, Result<Box<dyn PeerLink>, ConnectError>> {
        let dialer = self.clone();
        Box::pin(async move {
            match dialer.link_to(&endpoint, &login).await {
                Ok(link) => Ok(Box::new(link) as Box<dyn PeerLink>),
                Err(error) => Err(connect_error(endpoint, &error)),
            }
        })
    }

    fn forget(&self, endpoint: &str) -> Option<Gap> {
        self.positions().forget(endpoint)
    }
}

impl PeerDialer {
    /// Connects, logs in, and resumes the earlier link if the peer can.
    async fn link_to(
        &self,
        endpoint: &str,
        login: &PeerLogin,
    ) -> Result<WebsocketLink, ClientError> {
        let config = &self.config;
        let resume = self.positions().offer(endpoint);
        let info = info_block(&with_link(&login.info, &login.link, resume)?, false)?;
        let address = match &self.tls {
            None => Address::parse(endpoint)?,
            Some(_) => Address::parse(&format!("https://{endpoint}"))?,
        };
        let dialling = Dialling {
            nonce: fresh_seed(),
            timeout: config.connect_timeout,
            max_message_bytes: config.max_message_bytes,
            read_bytes: READ_BYTES,
            retry_after: RETRY_AFTER,
            tls: self.tls.as_ref(),
        };
        let socket = dial::open(&address, &dialling).await?;
        let (inbox, arrivals) = PeerInbox::new(config.event_buffer);
        let bounds = Bounds {
            call: config.call_timeout,
            silence: config.unnumbered_silence_limit,
            write: config.write_timeout,
            queue: 256,
        };
        let event_ids = Arc::new(AtomicU64::new(0));
        let connection = Connection::spawn(socket, inbox, bounds, event_ids, None);
        let credentials = self.credentials.as_ref().and_then(|it| it.fresh());
        let login = log_in(
            &connection,
            &info,
            credentials.as_ref(),
            config.call_timeout,
        );
        let session = match login.await {
            Ok(session) => session,
            Err(error) => return Err(told_apart(&connection, error).await),
        };
        let name = session
            .node_name
            .ok_or_else(|| ClientError::decode("the login answer names no node"))?;
        let answer = session.link.filter(|link| link.version == LINK_VERSION);
        let (position, gap) = self.positions().open(endpoint, answer.as_ref());
        self.counts.opened.fetch_add(1, Ordering::Relaxed);
        let resumed = answer.as_ref().is_some_and(|answer| answer.resumed);
        self.counts
            .resumed
            .fetch_add(u64::from(resumed), Ordering::Relaxed);
        if position.is_numbered() {
            connection.set_silence_limit(config.silence_limit);
        }
        Ok(WebsocketLink {
            name,
            endpoint: endpoint.to_owned(),
            takes_interest: answer.as_ref().is_some_and(|answer| answer.interest),
            instance: answer.map(|answer| answer.instance),
            connection,
            arrivals,
            backlog: VecDeque::new(),
            position,
            positions: Arc::clone(&self.positions),
            counts: Arc::clone(&self.counts),
            gap,
            owed: Vec::new(),
            unconfirmed: 0,
            last_beat: Instant::now(),
            next_beat: Instant::now() + config.beat_interval,
            config: config.clone(),
        })
    }
}

/// The block with what nodes of our kind add to it; others ignore the member.
fn with_link(
    info: &Json,
    link: &LinkLogin,
    resume: Option<LinkPosition>,
) -> Result<Json, ClientError> {
    if link.masks == 0 || !info.is_object() {
        return Ok(info.clone());
    }
    let mut members: serde_json::Map<String, serde_json::Value> =
        info.decode().map_err(ClientError::encode)?;
    let offer = LinkOffer {
        version: LINK_VERSION,
        masks: link.masks,
        instance: Some(link.instance.clone()),
        resume,
    };
    let offer = serde_json::to_value(offer).map_err(ClientError::encode)?;
    members.insert("link".to_owned(), offer);
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
