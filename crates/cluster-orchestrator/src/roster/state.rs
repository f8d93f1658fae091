//! How stable the node is.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::member::View;
use crate::config::OrchestratorConfig;

/// The state of a node, by the names JavaScript nodes report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody else is known, or nothing is known yet.
    Isolated,
    /// Some nodes are known, too few of at least one service.
    ConnectingInsufficientPeers,
    /// Enough nodes are known; links are missing.
    Connecting,
    /// Every link that is waited for is up; subscriptions, or links in the other direction, are
    /// missing.
    Subscribing,
    /// There are enough peers of every service, and every known node is one.
    Stable,
}

/// What a [`State`] follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// By service; those of the configuration's `cluster`.
    pub services: BTreeMap<String, ServiceCounts>,
    /// Known nodes, this one excluded.
    pub others: u32,
    /// Nodes that hold this one back and are not connected; this node itself while its record
    /// is not in the table.
    pub unconnected: u32,
    /// Nodes that hold this one back although they are connected.
    pub unsubscribed: u32,
}

/// Nodes of one service; this node counts everywhere once its own record is in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceCounts {
    /// How many peers it takes.
    pub minimum: u32,
    /// Connected and subscribed, by distinct name.
    pub peers: u32,
    /// Connected.
    pub connected: u32,
    /// Known.
    pub found: u32,
}

impl State {
    /// The state a node with these counts is in.
    #[must_use]
    pub fn of(counts: &Counts) -> Self {
        let all = |number: fn(&ServiceCounts) -> u32| {
            counts
                .services
                .values()
                .all(|service| number(service) >= service.minimum)
        };
        let held_back = counts.unconnected > 0 || counts.unsubscribed > 0;
        if all(|service| service.peers) && !held_back {
            Self::Stable
        } else if all(|service| service.connected) && counts.unconnected == 0 {
            Self::Subscribing
        } else if all(|service| service.found) {
            Self::Connecting
        } else if counts.others > 0 {
            Self::ConnectingInsufficientPeers
        } else {
            Self::Isolated
        }
    }

    /// The name in logs and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Isolated => "ISOLATED",
            Self::ConnectingInsufficientPeers => "CONNECTING_INSUFFICIENT_PEERS",
            Self::Connecting => "CONNECTING",
            Self::Subscribing => "SUBSCRIBING",
            Self::Stable => "STABLE",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Counts {
    /// Counts of a node that knows nobody else. Until its own record is in the table others
    /// cannot find it, so that it does not count itself either.
    pub(super) fn new(config: &OrchestratorConfig, announced: bool) -> Self {
        let services = config.cluster.iter().map(|(service, &minimum)| {
            let own = u32::from(announced && *service == config.service_name);
            let counts = ServiceCounts {
                minimum,
                peers: own,
                connected: own,
                found: own,
            };
            (service.clone(), counts)
        });
        Self {
            services: services.collect(),
            others: 0,
            unconnected: u32::from(!announced),
            unsubscribed: 0,
        }
    }

    pub(super) fn add(&mut self, service: &str, member: &View, is_new_name: bool) {
        if let Some(service) = self.services.get_mut(service) {
            service.found += u32::from(member.listed);
            service.connected += u32::from(member.connected);
            service.peers += u32::from(member.peer && is_new_name);
        }
        self.others += u32::from(member.listed);
        self.unconnected += u32::from(member.blocking && !member.connected);
        self.unsubscribed += u32::from(member.blocking && member.connected);
    }
}
