//! The client: one logical connection that comes back by itself.

mod core;
mod data;
mod subscribe;
mod supervisor;
mod write;

use std::sync::Arc;

use happn_core::Node;
use tokio::sync::watch;
use tokio_util::sync::DropGuard;

pub(crate) use self::core::{Core, Way};
use crate::backoff::{Backoff, fresh_seed};
use crate::{ClientConfig, ClientError, ConnectionState};

pub use self::data::Removed;
pub use self::write::{Publication, Written};

/// A connected client. Cheap to clone; the last clone dropped closes the connection and ends all
/// subscriptions.
///
/// ```no_run
/// use happn_client::{Client, ClientConfig, SubscribeOptions};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Order {
///     state: String,
/// }
///
/// # async fn run() -> Result<(), happn_client::ClientError> {
/// let client = Client::connect(ClientConfig::new("localhost", 55000)).await?;
/// let mut orders = client.on("/orders/*", SubscribeOptions::default()).await?;
/// let order = Order { state: "new".into() };
/// client.set("/orders/7", &order).await?;
/// if let Some(event) = orders.next().await {
///     let order: Order = event.data()?;
///     assert_eq!((event.path(), order.state.as_str()), ("/orders/7", "new"));
/// }
/// client.disconnect().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) core: Arc<Core>,
    _close_on_drop: Arc<DropGuard>,
}

impl Client {
    /// Connects and logs in. Must be called inside a tokio runtime. Dropping the future abandons
    /// the attempt.
    ///
    /// # Errors
    /// The first attempt is the only one: [`ClientError::Unreachable`], [`ClientError::NotHappn`],
    /// [`ClientError::Server`] for a refused login. Once connected, the client comes back by
    /// itself.
    pub async fn connect(config: ClientConfig) -> Result<Self, ClientError> {
        Self::start(config, Way::Network).await
    }

    /// A client of a node in this process: the same verbs without a socket in between. The
    /// address of `config` means nothing then. Its queues are bounded as those of others, and it
    /// too is ended when it takes its events too slowly.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use happn_client::{Client, ClientConfig};
    /// use happn_core::Node;
    ///
    /// let node = Node::builder("example").build();
    /// let client = Client::local(node, ClientConfig::default()).await?;
    /// client.set("/greeting", "hello").await?;
    /// assert_eq!(client.count("*").await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ClientError::Server`] for a refused login.
    pub async fn local(node: Arc<Node>, config: ClientConfig) -> Result<Self, ClientError> {
        let is_admin = false;
        Self::start(config, Way::Local { node, is_admin }).await
    }

    /// A client of a node in this process that may do everything there, also on a secure node,
    /// and needs no credentials. For the program around the node, never for its users.
    ///
    /// # Errors
    /// As [`Client::local`].
    pub async fn admin(node: Arc<Node>, config: ClientConfig) -> Result<Self, ClientError> {
        let is_admin = true;
        Self::start(config, Way::Local { node, is_admin }).await
    }

    async fn start(config: ClientConfig, way: Way) -> Result<Self, ClientError> {
        let policy = config.reconnect;
        let seed = policy.seed.unwrap_or_else(fresh_seed);
        let mut backoff = Backoff::new(policy.min, policy.max, seed);
        let core = Core::new(config, way);
        let guard = Arc::new(core.cancel.clone().drop_guard());
        let (connection, session_id) = core.establish(backoff.nonce(), None).await?;
        core.set_connection(Some(connection.clone()));
        core.state.send_replace(ConnectionState::Connected {
            session_id,
            reconnects: 0,
        });
        tokio::spawn(supervisor::supervise(
            Arc::clone(&core),
            connection,
            backoff,
        ));
        Ok(Self {
            core,
            _close_on_drop: guard,
        })
    }

    /// Where the client stands, and every change of it. A slow watcher sees the latest state only;
    /// `reconnects` tells whether something happened in between.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<ConnectionState> {
        self.core.state.subscribe()
    }

    /// The current session, while connected.
    #[must_use]
    pub fn session_id(&self) -> Option<Arc<str>> {
        match &*self.core.state.borrow() {
            ConnectionState::Connected { session_id, .. } => Some(Arc::clone(session_id)),
            _ => None,
        }
    }

    /// Writes what is queued, says good-bye and closes, within a few seconds. All subscriptions
    /// end, all clones are closed too.
    pub async fn disconnect(self) {
        self.core.cancel.cancel();
        let mut state = self.state();
        let _ = state.wait_for(ConnectionState::is_final).await;
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.core.config.url)
            .field("state", &*self.core.state.borrow())
            .finish_non_exhaustive()
    }
}
