//! The node's health as JSON.

use std::time::Duration;

use cluster_orchestrator::MemberSnapshot;
use serde::{Deserialize, Serialize};

use crate::parts::Parts;

/// How a node and its cluster are, as the node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The node's name.
    pub name: String,
    /// `host:port` at which peers reach it.
    pub endpoint: String,
    /// The group it belongs to.
    pub service: String,
    /// Its cluster.
    pub cluster_name: String,
    /// Its deployment.
    pub deployment: String,
    /// The version of the program.
    pub version: String,
    /// How long it has been running.
    pub uptime_seconds: u64,
    /// Its state, by the reference's name.
    pub state: String,
    /// Clients may be sent to it.
    pub ready: bool,
    /// Why not; empty when it is ready.
    pub obstacles: Vec<String>,
    /// What does not work as it should although the node goes on.
    pub degraded: Vec<String>,
    /// Where clients connect; absent while the proxy is closed.
    pub clients: Option<String>,
    /// Who is connected.
    pub sessions: SessionsHealth,
    /// What went through it since its start.
    pub traffic: TrafficHealth,
    /// Known nodes: this one first, the others by endpoint.
    pub members: Vec<MemberHealth>,
    /// The names of those that are peers, this node's own included.
    pub peers: Vec<String>,
    /// The numbered links of other nodes to this one.
    pub links: Vec<LinkHealth>,
}

/// Who is connected to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionsHealth {
    /// Clients.
    pub clients: usize,
    /// Other nodes.
    pub nodes: usize,
    /// Subscriptions of all of them.
    pub subscriptions: usize,
    /// Bytes that wait to be written to them.
    pub queue_bytes: usize,
}

/// Events since the node's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficHealth {
    /// Published here.
    pub published: u64,
    /// Of other nodes, published again here.
    pub replicated: u64,
    /// Frames handed to sessions.
    pub delivered: u64,
    /// Events of other nodes that are known to be lost.
    pub lost: u64,
    /// Frames that clients lost because they were too slow.
    pub refused: u64,
}

/// One node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberHealth {
    /// `host:port`.
    pub endpoint: String,
    /// Its group.
    pub service: String,
    /// Its name, once known.
    pub name: Option<String>,
    /// It is the node that answers.
    pub is_self: bool,
    /// Connected and subscribed.
    pub is_peer: bool,
    /// This node is logged in there.
    pub connected_to: bool,
    /// It is logged in here.
    pub connected_from: bool,
    /// What is published here reaches it.
    pub subscribed_from: bool,
    /// How far its clock is ahead of this node's for certain; absent while nothing is known.
    pub clock_skew_ms: Option<i64>,
    /// What this node asked it for; absent where it sends everything that is replicated, asked or
    /// not.
    #[serde(default)]
    pub asked: Option<AskedHealth>,
}

/// What a node was asked for, as far as it has confirmed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedHealth {
    /// How many masks.
    pub masks: usize,
    /// They are everything that is replicated: clients want too much to ask for each mask.
    pub everything: bool,
}

/// One numbered link of another node to this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkHealth {
    /// The node at its other end.
    pub peer: String,
    /// It is connected; otherwise it is waited for.
    pub connected: bool,
    /// Events that its connection has not taken yet.
    pub lag_events: u64,
    /// The age of the oldest event that it has not confirmed; 0 when there is none.
    #[serde(default)]
    pub lag_ms: u64,
    /// The same in bytes.
    pub queue_bytes: usize,
    /// Masks it asked this node for.
    #[serde(default)]
    pub masks: usize,
    /// Events published here since the link was opened that it did not ask for.
    #[serde(default)]
    pub withheld: u64,
}

impl Health {
    pub(crate) async fn of(parts: &Parts) -> Self {
        let obstacles = parts.obstacles().await;
        let clients = parts.door.proxy().address().await;
        let view = parts.orchestrator.view().borrow().clone();
        let identity = &parts.identity;
        let peers = view.members.iter().filter(|member| member.is_peer);
        Self {
            name: parts.core.name().to_owned(),
            endpoint: identity.endpoint.clone(),
            service: identity.service.clone(),
            cluster_name: identity.cluster_name.clone(),
            deployment: identity.deployment.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: parts.started.elapsed().as_secs(),
            state: view.state.to_string(),
            ready: obstacles.is_empty(),
            obstacles,
            degraded: view.degraded.iter().cloned().collect(),
            clients: clients.map(|address| address.to_string()),
            sessions: sessions(parts),
            traffic: traffic(parts),
            members: members(parts, &view.members),
            peers: peers.filter_map(|peer| peer.name.clone()).collect(),
            links: links(parts),
        }
    }
}

fn sessions(parts: &Parts) -> SessionsHealth {
    let load = parts.core.load();
    SessionsHealth {
        clients: load.clients,
        nodes: load.nodes,
        subscriptions: load.subscriptions,
        queue_bytes: load.waiting_bytes,
    }
}

fn traffic(parts: &Parts) -> TrafficHealth {
    let traffic = parts.core.traffic();
    let classes = [traffic.data, traffic.system, traffic.messages];
    TrafficHealth {
        published: classes.iter().map(|class| class.published).sum(),
        replicated: classes.iter().map(|class| class.replicated).sum(),
        delivered: classes.iter().map(|class| class.delivered).sum(),
        lost: parts.replicator.counters().lost,
        refused: parts.core.refused_frames(),
    }
}

fn members(parts: &Parts, members: &[MemberSnapshot]) -> Vec<MemberHealth> {
    let skews = parts.orchestrator.clock_skews();
    let asked = parts.orchestrator.asked_of_peers();
    let member = |member: &MemberSnapshot| {
        let skew = skews.iter().find(|skew| skew.endpoint == member.endpoint);
        let skew = skew.filter(|_| !member.is_self);
        let asked = asked.iter().find(|it| it.endpoint == member.endpoint);
        MemberHealth {
            endpoint: member.endpoint.clone(),
            service: member.service.clone(),
            name: member.name.clone(),
            is_self: member.is_self,
            is_peer: member.is_peer,
            connected_to: member.connected_to,
            connected_from: member.connected_from,
            subscribed_from: member.subscribed_from,
            clock_skew_ms: skew.map(cluster_orchestrator::ClockSkew::certain_ms),
            asked: asked.map(|it| AskedHealth {
                masks: it.masks,
                everything: it.is_everything,
            }),
        }
    };
    members.iter().map(member).collect()
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn links(parts: &Parts) -> Vec<LinkHealth> {
    let links = parts.core.links().into_iter();
    let link = |link: happn_core::LinkStatus| LinkHealth {
        peer: link.peer,
        connected: link.is_attached,
        lag_events: link.waiting,
        lag_ms: link.lag.map_or(0, whole_ms),
        queue_bytes: link.waiting_bytes,
        masks: link.masks,
        withheld: link.withheld,
    };
    links.map(link).collect()
}
