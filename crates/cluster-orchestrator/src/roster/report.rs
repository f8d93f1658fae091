//! The health report, in the shape monitoring of JavaScript nodes reads.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use super::interface::MemberSnapshot;
use super::state::{Counts, State};
use crate::config::OrchestratorConfig;

/// How the cluster looks from this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct HealthReport {
    /// The node's name.
    pub member_id: String,
    /// The node's endpoint.
    pub member_endpoint: String,
    /// Known nodes, this one included.
    pub total_cluster_members: usize,
    /// Distinct names of peers, this node included.
    pub total_cluster_peers: usize,
    /// Endpoints of members that are no peers.
    pub unhealthy_members: Vec<String>,
    /// The node's state.
    pub status: State,
    /// The node's group.
    #[serde(skip)]
    pub service: String,
    /// What each service has and needs.
    #[serde(skip)]
    pub services: Vec<ServiceHealth>,
}

/// Peers of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceHealth {
    /// The service.
    pub service: String,
    /// How many there are.
    pub peers: u32,
    /// How many it takes.
    pub required: u32,
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: i64,
    level: &'a str,
    tag: &'a str,
    data: &'a HealthReport,
}

impl HealthReport {
    /// The tag of the JSON line, by which log collectors find it.
    pub const TAG: &'static str = "happn-cluster-health";

    pub(super) fn new(
        config: &OrchestratorConfig,
        status: State,
        members: &[MemberSnapshot],
        counts: &Counts,
    ) -> Self {
        let others = members.iter().filter(|member| !member.is_self);
        let peers = others.clone().filter(|member| member.is_peer);
        let names: BTreeSet<_> = peers
            .filter_map(|peer| peer.name.as_deref())
            .chain([config.name.as_str()])
            .collect();
        let services = counts
            .services
            .iter()
            .map(|(service, counts)| ServiceHealth {
                service: service.clone(),
                peers: counts.peers,
                required: counts.minimum,
            });
        Self {
            member_id: config.name.clone(),
            member_endpoint: config.endpoint.clone(),
            total_cluster_members: members.len(),
            total_cluster_peers: names.len(),
            unhealthy_members: others
                .filter(|member| !member.is_peer)
                .map(|member| member.endpoint.clone())
                .collect(),
            status,
            service: config.service_name.clone(),
            services: services.collect(),
        }
    }

    /// `info` while the node is stable, else `warn`.
    #[must_use]
    pub fn level(&self) -> &'static str {
        match self.status {
            State::Stable => "info",
            _ => "warn",
        }
    }

    /// The JSON line, without a line break; `timestamp` in ms since 1970.
    #[must_use]
    pub fn json_line(&self, timestamp: i64) -> String {
        let line = Line {
            timestamp,
            level: self.level(),
            tag: Self::TAG,
            data: self,
        };
        // Texts and numbers only: there is nothing in it that could fail.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// One line about the node.
    #[must_use]
    pub fn member_line(&self) -> String {
        format!(
            "Member: name {}, endpoint: {}, service: {}, state: {}",
            self.member_id, self.member_endpoint, self.service, self.status
        )
    }

    /// A few lines about what each service has and needs.
    #[must_use]
    pub fn breakdown(&self) -> String {
        let mut text = format!("Node: {} breakdown: ", self.member_id);
        for service in &self.services {
            let (name, peers, required) = (&service.service, service.peers, service.required);
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n\tService {name} has {peers} peers of {required} required"
            );
        }
        text
    }
}
