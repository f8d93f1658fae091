//! Dialing another node and hearing its events.

use happn_paths::Mask;
use happn_protocol::Json;

use crate::{BoxFuture, ReplicatedEvent};

/// Dials nodes.
pub trait PeerConnector: Send + Sync + 'static {
    /// Connects to `endpoint` (`host:port`) and logs in. Bounded in time by the implementation.
    /// Dropping the future abandons the attempt and closes the socket.
    ///
    /// The connector remembers per endpoint how far an earlier link came, and resumes it there if
    /// the peer can.
    fn connect(
        &self,
        endpoint: String,
        login: PeerLogin,
    ) -> BoxFuture<'static, Result<Box<dyn PeerLink>, ConnectError>>;

    /// The node at `endpoint` is gone for good. Answers what is missing if its last link broke:
    /// what it may have published since then will never arrive.
    fn forget(&self, endpoint: &str) -> Option<Gap>;
}

/// What a node says of itself when it logs in to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerLogin {
    /// The `info` block: name, clusterName, serviceName, endpoint.
    pub info: Json,
    /// What a node of our kind is told beyond that; others ignore it.
    pub link: LinkLogin,
}

/// What nodes of our kind tell each other when one logs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkLogin {
    /// Differs with every start of this process.
    pub instance: String,
    /// How many masks will be subscribed to: with the last one the peer knows that we hear it.
    pub masks: u32,
}

/// A logged-in connection to a peer. It does not reconnect: a lost link is dialed anew.
pub trait PeerLink: Send + 'static {
    /// The peer's own name, from its login answer.
    fn peer_name(&self) -> &str;

    /// What tells the peer's process from an earlier one; nodes of the reference do not say.
    fn peer_instance(&self) -> Option<&str>;

    /// What is missing before the events that were received last or, before any was, will be
    /// received first. Each gap is told once.
    fn take_gap(&mut self) -> Option<Gap>;

    /// Subscribes to all events on `masks`; complete when the peer has confirmed every one.
    fn subscribe(&mut self, masks: Vec<Mask>) -> BoxFuture<'_, Result<(), LinkError>>;

    /// Whether the peer sends no more than it is asked for with [`PeerLink::change_interest`].
    fn takes_interest(&self) -> bool {
        false
    }

    /// Takes the place of [`PeerLink::subscribe`] at peers that take interest: tells what is
    /// wanted from now on. With the first call the peer knows that we hear it. Complete when the
    /// peer has confirmed the change; a link whose future was dropped before is of no use.
    fn change_interest(&mut self, _change: InterestChange) -> BoxFuture<'_, Result<(), LinkError>> {
        let reason = "this link takes no interest".to_owned();
        Box::pin(std::future::ready(Err(LinkError::Refused(reason))))
    }

    /// Waits until there is at least one event and moves all that are there into `events`, in
    /// order. May also complete without an event when there is a gap to be taken. The events of
    /// the call before count as delivered now. Cancel-safe: no event is lost when the future is
    /// dropped.
    fn receive<'a>(
        &'a mut self,
        events: &'a mut Vec<ReplicatedEvent>,
    ) -> BoxFuture<'a, Result<(), LinkError>>;

    /// Says good-bye and closes the socket, within a short bound. With `for_good` the peer is told
    /// that this node will not come back, so that it keeps nothing.
    fn close(self: Box<Self>, for_good: bool) -> BoxFuture<'static, ()>;
}

/// A change of what a node wants to hear of a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterestChange {
    /// Masks that are wanted from now on, as deep as there are paths.
    pub add: Vec<Mask>,
    /// Masks, out of earlier changes, that are not wanted any more.
    pub remove: Vec<Mask>,
}

impl InterestChange {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

/// Events of a peer that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many; `None` when nobody knows.
    pub lost: Option<u64>,
}

/// Takes a peer's events. The replicator implements it, the orchestrator's driver calls it.
pub trait PeerEvents: Send + Sync + 'static {
    /// Events of peer `peer`, in their order on the link. Must not block.
    fn deliver(&self, peer: &str, events: &[ReplicatedEvent]);

    /// Events of peer `peer` are missing before those delivered next.
    fn missed(&self, peer: &str, gap: Gap);
}

/// Why a peer could not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens there, or nobody answers in time. Worth a retry.
    #[error("{endpoint} cannot be reached: {reason}")]
    Unreachable {
        /// Where we dialed.
        endpoint: String,
        /// What the transport said.
        reason: String,
    },
    /// Whoever listens there does not speak the protocol.
    #[error("{endpoint} is no happn node: {reason}")]
    NotHappn {
        /// Where we dialed.
        endpoint: String,
        /// What was wrong.
        reason: String,
    },
    /// The peer refused our login. A retry will not help until someone changes a configuration.
    #[error("{endpoint} refused the login: {reason}")]
    Refused {
        /// Where we dialed.
        endpoint: String,
        /// The peer's words.
        reason: String,
    },
}

/// Why a link ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The connection is gone.
    #[error("the link was lost: {0}")]
    Lost(String),
    /// The peer ended the session on purpose.
    #[error("the peer ended the session: {0}")]
    Ended(String),
    /// The peer refused a subscription.
    #[error("the peer refused the subscription: {0}")]
    Refused(String),
}
