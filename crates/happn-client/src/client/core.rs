//! What a client's handles, its subscriptions and its tasks share.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use happn_core::Node;
use happn_protocol::{EventMessage, Json};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::connection::{Bounds, Call, Connection, Inbox, Reply, Socket};
use crate::dial::{self, Dialling};
use crate::local::LocalSocket;
use crate::login::{info_block, log_in, millis};
use crate::registry::{Off, Registry};
use crate::{ClientConfig, ClientError, ConnectionState, Event};

/// How the client reaches its node.
#[derive(Clone)]
pub(crate) enum Way {
    /// Over the network, to the address of the configuration.
    Network,
    /// Within this process.
    Local {
        /// The node.
        node: Arc<Node>,
        /// May everything.
        is_admin: bool,
    },
}

/// Enough for the small messages of most clients; large ones grow the buffer as needed.
const READ_BYTES: usize = 8 * 1024;

/// What a connection within the process may be silent for: nobody pings there.
const NEVER: Duration = Duration::from_secs(365 * 86_400);

pub(crate) struct Core {
    pub(crate) config: ClientConfig,
    way: Way,
    pub(crate) registry: Registry,
    pub(crate) state: watch::Sender<ConnectionState>,
    /// Stops the supervisor and with it everything else.
    pub(crate) cancel: CancellationToken,
    /// Present while requests can be made.
    connection: Mutex<Option<Connection>>,
    /// Subscriptions dropped where nobody could wait for the server. At most as many as there
    /// were subscriptions; emptied by the supervisor, void in the next session.
    offs: Mutex<Vec<Off>>,
    offs_added: Notify,
    event_ids: Arc<AtomicU64>,
}

impl Core {
    pub(crate) fn new(config: ClientConfig, way: Way) -> Arc<Self> {
        let reason = "not connected yet".to_owned();
        Arc::new(Self {
            config,
            way,
            registry: Registry::default(),
            state: watch::Sender::new(ConnectionState::Disconnected { reason }),
            cancel: CancellationToken::new(),
            connection: Mutex::new(None),
            offs: Mutex::new(Vec::new()),
            offs_added: Notify::new(),
            event_ids: Arc::new(AtomicU64::new(0)),
        })
    }

    /// Dials and logs in. Nobody else sees the connection yet.
    pub(crate) async fn establish(
        self: &Arc<Self>,
        nonce: u64,
        previous_session: Option<Arc<str>>,
    ) -> Result<(Connection, Arc<str>), ClientError> {
        let config = &self.config;
        let is_local = matches!(self.way, Way::Local { .. });
        let info = info_block(&config.info, is_local)?;
        let connection = match &self.way {
            Way::Network => {
                let address = config.address()?;
                let tls = config.tls(&address)?;
                let dialling = Dialling {
                    nonce,
                    timeout: config.connect_timeout,
                    max_message_bytes: config.max_message_bytes,
                    read_bytes: READ_BYTES,
                    // One attempt is enough.
                    retry_after: config.connect_timeout,
                    tls: tls.as_ref(),
                };
                let socket = dial::open(&address, &dialling).await?;
                self.take_over(socket, config.silence_limit, previous_session)
            }
            Way::Local { node, is_admin } => {
                let socket = LocalSocket::open(Arc::clone(node), *is_admin);
                self.take_over(socket, NEVER, previous_session)
            }
        };
        let credentials = config.credentials.as_ref();
        let session = log_in(&connection, &info, credentials, config.call_timeout).await?;
        Ok((connection, session.id))
    }

    fn take_over(
        self: &Arc<Self>,
        socket: impl Socket,
        silence: Duration,
        previous_session: Option<Arc<str>>,
    ) -> Connection {
        let bounds = Bounds {
            call: self.config.call_timeout,
            silence,
            write: self.config.write_timeout,
            queue: self.config.outbound_queue.max(1),
        };
        let inbox = ClientInbox {
            core: Arc::clone(self),
        };
        let event_ids = Arc::clone(&self.event_ids);
        Connection::spawn(socket, inbox, bounds, event_ids, previous_session)
    }

    /// The connection, if there is one.
    pub(crate) fn connection(&self) -> Result<Connection, ClientError> {
        let connection = self.current().clone();
        connection.ok_or_else(|| ClientError::Disconnected {
            reason: self.state.borrow().reason().to_owned(),
        })
    }

    pub(crate) fn set_connection(&self, connection: Option<Connection>) {
        let previous = std::mem::replace(&mut *self.current(), connection);
        drop(previous);
    }

    /// Ends a subscription on the server and waits for its confirmation.
    pub(crate) async fn take_back(&self, off: &Off) -> Result<(), ClientError> {
        let mut options = br#"{"referenceId":"#.to_vec();
        happn_protocol::write_string(&mut options, &off.reference);
        let timeout = millis(self.config.call_timeout);
        options.extend_from_slice(format!(r#","timeout":{timeout}}}"#).as_bytes());
        self.off(&off.channel, &Json::from_trusted(options)).await
    }

    pub(crate) async fn off(&self, channel: &str, options: &Json) -> Result<(), ClientError> {
        let call = Call {
            action: "off",
            path: Some(channel),
            data: Some(&Json::NULL),
            options: Some(options),
            timeout: None,
        };
        self.connection()?.call(call).await.map(drop)
    }

    /// Leaves it to the supervisor to end a subscription on the server.
    pub(crate) fn take_back_later(&self, off: Off) {
        self.dropped().push(off);
        self.offs_added.notify_one();
    }

    /// Waits for subscriptions to end on the server. Cancel-safe.
    pub(crate) async fn next_offs(&self) -> Vec<Off> {
        loop {
            let offs = std::mem::take(&mut *self.dropped());
            if !offs.is_empty() {
                return offs;
            }
            self.offs_added.notified().await;
        }
    }

    /// Forgets what is to be ended: its session is gone.
    pub(crate) fn forget_offs(&self) {
        self.dropped().clear();
    }

    pub(crate) fn timeout(&self, asked: Option<Duration>) -> Duration {
        asked.unwrap_or(self.config.call_timeout)
    }

    fn current(&self) -> MutexGuard<'_, Option<Connection>> {
        let connection = self.connection.lock();
        connection.unwrap_or_else(PoisonError::into_inner)
    }

    fn dropped(&self) -> MutexGuard<'_, Vec<Off>> {
        self.offs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands events to the subscriptions, without ever waiting for one of them.
struct ClientInbox {
    core: Arc<Core>,
}

impl Inbox for ClientInbox {
    async fn accept(&mut self, frame: &Bytes, message: &EventMessage<'_>) {
        let Some(event) = Event::from_frame(frame, message) else {
            tracing::warn!(channel = %message.channel, "an event cannot be read and is lost");
            return;
        };
        let depth = message.meta.get("depth");
        let depth = depth.and_then(|depth| depth.get().parse().ok());
        let offs = self.core.registry.dispatch(&message.channel, depth, &event);
        for off in offs {
            self.core.take_back_later(off);
        }
    }
}

/// The object of an answer, or an error for a list.
pub(crate) fn object(reply: Reply) -> Result<(Option<Json>, Json), ClientError> {
    match reply {
        Reply::Object { data, meta } => Ok((data, meta)),
        Reply::List(_) => Err(ClientError::decode("a list where one value was expected")),
    }
}
