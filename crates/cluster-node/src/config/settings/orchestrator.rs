//! `services.orchestrator.config`, typed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::{interval, limit};

/// `services.orchestrator.config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrchestratorSettings {
    /// The cluster's name.
    pub cluster_name: String,
    /// The group this node belongs to.
    pub service_name: String,
    /// Nodes see only nodes of the same deployment.
    pub deployment: String,
    /// The masks of what crosses the cluster.
    pub replicate: Vec<String>,
    /// Minimum number of nodes by service.
    #[serde(default)]
    pub cluster: BTreeMap<String, u32>,
    /// Used when `cluster` is empty.
    pub minimum_peers: u32,
    #[serde(default, deserialize_with = "limit")]
    stabilise_timeout: Option<Duration>,
    /// `timing`.
    pub timing: TimingSettings,
    /// `healthReport`.
    pub health_report: HealthReportSettings,
    /// Whether clients may write where only nodes have business.
    pub open_system_paths: bool,
    /// `links`.
    pub links: LinkSettings,
    /// `interest`.
    pub interest: InterestSettings,
}

/// `services.orchestrator.config.healthReport`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct HealthReportSettings {
    /// Where the JSON line goes.
    pub json: ReportOutput,
    /// When the lines for people are logged.
    pub lines: ReportLines,
}

/// Where the JSON line of a health report goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportOutput {
    /// To standard output, alone on its line.
    Stdout,
    /// To the log, with the target `happn-cluster-health`.
    Log,
    /// Nowhere.
    Off,
}

/// When the lines of a health report are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportLines {
    /// At every interval.
    Always,
    /// When state or unhealthy members have changed.
    Change,
    /// Never.
    Off,
}

/// `services.orchestrator.config.links`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkSettings {
    /// How many events are kept for other nodes.
    pub keep_events: usize,
    /// How many bytes they may be together.
    pub keep_bytes: usize,
    /// How long a node may stay away.
    #[serde(deserialize_with = "interval")]
    pub keep_for: Duration,
}

/// `services.orchestrator.config.interest`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InterestSettings {
    /// Whether other nodes are asked only for what clients want.
    pub enabled: bool,
    /// How many masks they are asked for before it is everything.
    pub max_masks: usize,
    /// How long a subscription waits for them.
    #[serde(deserialize_with = "interval")]
    pub confirm_within: Duration,
}

impl OrchestratorSettings {
    /// The minimums that apply: `cluster`, else `minimumPeers` for the own service.
    #[must_use]
    pub fn minimums(&self) -> BTreeMap<String, u32> {
        match self.cluster.is_empty() {
            true => BTreeMap::from([(self.service_name.clone(), self.minimum_peers)]),
            false => self.cluster.clone(),
        }
    }

    /// How long a starting node waits for stability; `None` is for ever.
    #[must_use]
    pub fn stabilise_timeout(&self) -> Option<Duration> {
        let given = self.stabilise_timeout.or(self.timing.stabilise_timeout);
        given.filter(|limit| !limit.is_zero())
    }
}

/// `services.orchestrator.config.timing`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimingSettings {
    /// Between two signs of life.
    #[serde(deserialize_with = "interval")]
    pub keep_alive: Duration,
    /// After this long without a new sign of life a node is gone.
    #[serde(deserialize_with = "interval")]
    pub keep_alive_threshold: Duration,
    /// Between two looks at who is there.
    #[serde(deserialize_with = "interval")]
    pub member_refresh: Duration,
    /// Between two health reports.
    #[serde(deserialize_with = "interval")]
    pub health_report: Duration,
    #[serde(default, deserialize_with = "limit")]
    stabilise_timeout: Option<Duration>,
}
