//! What goes into the roster and what comes out.

use std::sync::Arc;

use happn_core::{Beat, ClusterInfo, ConnectError, PeerSession};

use super::member::{Member, View};
use super::report::HealthReport;
use super::state::State;
use crate::config::OrchestratorConfig;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The whole table was read.
    Beats(Vec<Beat>),
    /// A dial succeeded and the login was accepted.
    Connected {
        /// Whom was dialed.
        endpoint: String,
        /// The name it answered with.
        name: String,
        /// What tells its process from others; nodes of the reference do not say.
        instance: Option<String>,
    },
    /// The peer has confirmed every subscription.
    Subscribed {
        /// The peer.
        endpoint: String,
    },
    /// A dial failed.
    ConnectFailed {
        /// Who was dialed.
        endpoint: String,
        /// Why.
        error: ConnectError,
    },
    /// A link that was up is gone.
    LinkLost {
        /// The peer.
        endpoint: String,
    },
    /// A node logged in here.
    PeerArrived {
        /// Its session.
        session_id: Arc<str>,
        /// What it says of itself.
        info: ClusterInfo,
    },
    /// A node that is logged in here has made all its subscriptions: it hears us from now on.
    PeerSubscribed {
        /// Its session.
        session_id: Arc<str>,
    },
    /// A session here ended; not necessarily a node's.
    SessionEnded {
        /// The session.
        session_id: Arc<str>,
    },
    /// All nodes that are logged in here, replacing what was known of them.
    Sessions(Vec<PeerSession>),
    /// Time passed.
    Tick,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Connect and log in to `endpoint`.
    Dial {
        /// From the table, never this node's own.
        endpoint: String,
    },
    /// Subscribe to the replicate masks over the link that was just connected.
    Subscribe {
        /// The peer.
        endpoint: String,
    },
    /// Close the link; nothing more is expected from it.
    Drop {
        /// The peer.
        endpoint: String,
        /// For the log.
        reason: DropReason,
    },
    /// Read the table now instead of at the next interval.
    RefreshMembers,
    /// The node's state changed.
    StateChanged {
        /// The old one.
        from: State,
        /// The new one.
        to: State,
    },
    /// There is a new peer.
    PeerAdded {
        /// Where it is.
        endpoint: String,
        /// Its name.
        name: String,
    },
    /// A peer is gone.
    PeerRemoved {
        /// Where it was.
        endpoint: String,
        /// Its name.
        name: String,
    },
    /// Remove a record that has not moved for a long while.
    Sweep(Beat),
    /// This node must not start: another one has its name or its endpoint.
    Refuse(Refusal),
    /// A session says that it is a node of this cluster, and no such node is in the table.
    Stranger {
        /// The session.
        session_id: Arc<str>,
    },
    /// Nothing is left of a node: neither a record nor a link.
    Forgotten {
        /// Where it was.
        endpoint: String,
        /// Its name, if it was ever connected.
        name: Option<String>,
    },
    /// The first of a series of dials failed; for the log.
    Unreachable {
        /// Who was dialed.
        endpoint: String,
        /// What the dialer said.
        reason: String,
    },
    /// The health report is due.
    Report {
        /// The report.
        report: HealthReport,
        /// Status or unhealthy members differ from the last report.
        changed: bool,
    },
}

/// Why a starting node gives up: another one is there already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Two nodes of one name cannot be told apart.
    #[error("the name {name} is taken by the node at {endpoint}")]
    DuplicateName {
        /// The name.
        name: String,
        /// Where its holder is.
        endpoint: String,
    },
    /// Two nodes of one endpoint would be taken for one.
    #[error("the endpoint {endpoint} is taken by the node {holder}")]
    DuplicateEndpoint {
        /// The endpoint.
        endpoint: String,
        /// The name of its holder.
        holder: String,
    },
}

/// Why a working link is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DropReason {
    /// Whoever answered has this node's own name.
    #[error("it has this node's own name")]
    OwnName,
    /// It belongs to another cluster.
    #[error("it belongs to another cluster")]
    ForeignCluster,
    /// The same node is a peer under the endpoint its record now states.
    #[error("its node is a peer under another endpoint")]
    Superseded,
}

/// One node in the table of nodes a user sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberSnapshot {
    /// `host:port`.
    pub endpoint: String,
    /// Its group.
    pub service: String,
    /// Known once it answered a login.
    pub name: Option<String>,
    /// It is this node.
    pub is_self: bool,
    /// We are logged in there.
    pub connected_to: bool,
    /// It is logged in here.
    pub connected_from: bool,
    /// It has subscribed here: what is published here reaches it.
    pub subscribed_from: bool,
    /// Connected and subscribed.
    pub is_peer: bool,
}

impl MemberSnapshot {
    pub(super) fn of_self(config: &OrchestratorConfig, announced: bool) -> Self {
        Self {
            endpoint: config.endpoint.clone(),
            service: config.service_name.clone(),
            name: Some(config.name.clone()),
            is_self: true,
            connected_to: announced,
            connected_from: announced,
            subscribed_from: announced,
            is_peer: announced,
        }
    }

    pub(super) fn of_member(endpoint: &str, member: &Member, view: &View) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            service: member.service.clone(),
            name: member.name().map(str::to_owned),
            is_self: false,
            connected_to: view.connected,
            connected_from: view.inbound,
            subscribed_from: view.hears,
            is_peer: view.peer,
        }
    }
}
