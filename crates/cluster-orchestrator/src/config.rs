//! What the orchestrator is told.

use std::collections::BTreeMap;
use std::time::Duration;

use happn_paths::{Action, Mask, validate};

/// How one node takes part in its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrchestratorConfig {
    /// The cluster; nodes of another one are not connected to.
    pub cluster_name: String,
    /// The group this node belongs to; a key of `cluster`.
    pub service_name: String,
    /// The table of nodes to share; nodes of another deployment do not see each other.
    pub deployment: String,
    /// How many peers of which service make the node stable, this node included. Services that
    /// are not listed are not connected to. See [`OrchestratorConfig::minimum_peers`].
    pub cluster: BTreeMap<String, u32>,
    /// What to subscribe to at every peer, already reduced with [`happn_paths::reduce`].
    pub replicate: Vec<Mask>,
    /// How long [`Orchestrator::stabilised`](crate::Orchestrator::stabilised) waits; without it,
    /// for ever.
    pub stabilise_timeout: Option<Duration>,
    /// Intervals.
    pub timing: Timing,
    /// This node's name, unique in the cluster.
    pub name: String,
    /// `host:port` at which peers reach this node.
    pub endpoint: String,
    /// Differs with every start of the process; greater than that of processes started earlier.
    pub instance: String,
}

/// The orchestrator's intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The own record is written this often.
    pub keep_alive: Duration,
    /// A record that did not change for this long belongs to a dead node. Must exceed both
    /// `keep_alive` and the time a write takes.
    pub keep_alive_threshold: Duration,
    /// The table is read this often.
    pub member_refresh: Duration,
    /// A health report is made this often.
    pub health_report: Duration,
}

impl Timing {
    /// What the JavaScript nodes use: 5 s, 6 s, 5 s and 10 s.
    pub const DEFAULT: Self = Self {
        keep_alive: Duration::from_secs(5),
        keep_alive_threshold: Duration::from_secs(6),
        member_refresh: Duration::from_secs(5),
        health_report: Duration::from_secs(10),
    };
}

impl Default for Timing {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A configuration that cannot work. `key` is the key below `services.orchestrator.config`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The node would never count itself.
    #[error("cluster does not list this node's own serviceName {service}")]
    OwnServiceNotListed {
        /// The node's service.
        service: String,
    },
    /// A text that must not be empty is.
    #[error("{key} must not be empty")]
    Empty {
        /// The key.
        key: &'static str,
    },
    /// A text becomes part of a path and holds what a path segment cannot.
    #[error("{key} {value:?} cannot be a path segment: no /, no *, only characters legal in paths")]
    NotASegment {
        /// The key.
        key: &'static str,
        /// What it said.
        value: String,
    },
    /// The endpoint is not `host:port` with a port peers can dial.
    #[error("endpoint {value:?} is not host:port with a port from 1 to 65535")]
    Endpoint {
        /// What it said.
        value: String,
    },
    /// An interval of zero.
    #[error("{key} must be more than 0 ms")]
    NotPositive {
        /// The key.
        key: &'static str,
    },
    /// Every node would look dead between two of its beats.
    #[error("timing.keepAliveThreshold must be longer than timing.keepAlive")]
    ThresholdTooShort,
}

impl OrchestratorConfig {
    /// The `cluster` of a node that only states how many nodes of its own service it needs.
    #[must_use]
    pub fn minimum_peers(service_name: &str, minimum: u32) -> BTreeMap<String, u32> {
        BTreeMap::from([(service_name.to_owned(), minimum)])
    }

    /// Checks what the types cannot. [`Orchestrator::start`](crate::Orchestrator::start) expects
    /// a configuration that passed.
    ///
    /// # Errors
    /// The first problem found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.timing.validate()?;
        if self.stabilise_timeout == Some(Duration::ZERO) {
            return Err(ConfigError::NotPositive {
                key: "stabiliseTimeout",
            });
        }
        check_not_empty("clusterName", &self.cluster_name)?;
        check_not_empty("name", &self.name)?;
        check_segment("deployment", &self.deployment)?;
        check_segment("serviceName", &self.service_name)?;
        check_endpoint(&self.endpoint)?;
        if !self.cluster.contains_key(&self.service_name) {
            let service = self.service_name.clone();
            return Err(ConfigError::OwnServiceNotListed { service });
        }
        Ok(())
    }
}

impl Timing {
    fn validate(&self) -> Result<(), ConfigError> {
        let intervals = [
            ("timing.keepAlive", self.keep_alive),
            ("timing.keepAliveThreshold", self.keep_alive_threshold),
            ("timing.memberRefresh", self.member_refresh),
            ("timing.healthReport", self.health_report),
        ];
        if let Some((key, _)) = intervals.iter().find(|(_, interval)| interval.is_zero()) {
            return Err(ConfigError::NotPositive { key });
        }
        if self.keep_alive_threshold <= self.keep_alive {
            return Err(ConfigError::ThresholdTooShort);
        }
        Ok(())
    }
}

fn check_not_empty(key: &'static str, value: &str) -> Result<(), ConfigError> {
    if value.is_empty() {
        return Err(ConfigError::Empty { key });
    }
    Ok(())
}

fn check_segment(key: &'static str, value: &str) -> Result<(), ConfigError> {
    check_not_empty(key, value)?;
    if value.contains('/') || validate(value, Action::Set).is_err() {
        let value = value.to_owned();
        return Err(ConfigError::NotASegment { key, value });
    }
    Ok(())
}

fn check_endpoint(value: &str) -> Result<(), ConfigError> {
    let valid = value.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !valid {
        let value = value.to_owned();
        return Err(ConfigError::Endpoint { value });
    }
    check_segment("endpoint", value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid() -> OrchestratorConfig {
        OrchestratorConfig {
            cluster_name: "happn-cluster".to_owned(),
            service_name: "happn-cluster-node".to_owned(),
            deployment: "Test-Deploy".to_owned(),
            cluster: OrchestratorConfig::minimum_peers("happn-cluster-node", 1),
            replicate: vec![Mask::parse("*")],
            stabilise_timeout: None,
            timing: Timing::DEFAULT,
            name: "127-0-0-1_57000".to_owned(),
            endpoint: "127.0.0.1:57000".to_owned(),
            instance: "instance".to_owned(),
        }
    }

    fn check(change: impl FnOnce(&mut OrchestratorConfig), message: &str) {
        let mut config = valid();
        change(&mut config);
        assert_eq!(config.validate().unwrap_err().to_string(), message);
    }

    #[test]
    fn the_defaults_of_the_reference_are_valid() {
        assert_eq!(valid().validate(), Ok(()));
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_key_that_is_wrong() {
        check(
            |config| config.service_name = "other".to_owned(),
            "cluster does not list this node's own serviceName other",
        );
        check(
            |config| config.timing.keep_alive = Duration::ZERO,
            "timing.keepAlive must be more than 0 ms",
        );
        check(
            |config| config.timing.keep_alive_threshold = config.timing.keep_alive,
            "timing.keepAliveThreshold must be longer than timing.keepAlive",
        );
        check(
            |config| config.stabilise_timeout = Some(Duration::ZERO),
            "stabiliseTimeout must be more than 0 ms",
        );
        check(
            |config| config.deployment = "a*".to_owned(),
            "deployment \"a*\" cannot be a path segment: no /, no *, only characters legal in paths",
        );
        check(
            |config| config.endpoint = "10.0.0.1:0".to_owned(),
            "endpoint \"10.0.0.1:0\" is not host:port with a port from 1 to 65535",
        );
        check(|config| config.name.clear(), "name must not be empty");
    }
}
