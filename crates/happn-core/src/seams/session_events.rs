//! Who is attached to the node.

use std::sync::Arc;

use tokio::sync::broadcast;

/// Tells who comes and goes. Only sessions of other nodes carry [`ClusterInfo`].
pub trait SessionEvents: Send + Sync + 'static {
    /// What happens from now on. A receiver that lags must start over from
    /// [`SessionEvents::peers`]: the channel is bounded.
    fn watch(&self) -> broadcast::Receiver<SessionEvent>;

    /// The sessions of other nodes that are logged in now.
    fn peers(&self) -> Vec<PeerSession>;

    /// Whoever holds this session is none of the nodes of the cluster, whatever it says. Where
    /// nodes have to log in, the session is ended.
    fn refuse(&self, session_id: &str) {
        let _ = session_id;
    }
}

/// A session that another node holds here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerSession {
    /// The session.
    pub session_id: Arc<str>,
    /// What it says of itself.
    pub info: ClusterInfo,
    /// It has subscribed to everything it wants: nothing published from now on is missed there.
    pub is_subscribed: bool,
}

/// Something that happened to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// A client connected.
    Attached {
        /// Its session.
        session_id: Arc<str>,
    },
    /// A client logged in.
    Authenticated {
        /// Its session.
        session_id: Arc<str>,
        /// Present when the client is a node of some cluster.
        cluster: Option<ClusterInfo>,
    },
    /// A node has subscribed here to everything it wants. A node that does not say how many masks
    /// that are counts as subscribed with its first.
    Subscribed {
        /// Its session.
        session_id: Arc<str>,
    },
    /// A client is gone.
    Detached {
        /// Its session.
        session_id: Arc<str>,
    },
}

/// What a node says of itself in the `info` block of its login. Never trusted beyond that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterInfo {
    /// The cluster it belongs to.
    pub cluster_name: String,
    /// Its group; absent when it did not say.
    pub service_name: Option<String>,
    /// `host:port` of its inner listener; absent when it did not say.
    pub endpoint: Option<String>,
    /// Its name; absent when it did not say.
    pub name: Option<String>,
    /// How many subscriptions it will make; nodes of the reference do not say.
    pub masks: Option<u32>,
}
