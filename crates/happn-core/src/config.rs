//! What a node can be told, with its defaults.

use std::time::Duration;

use crate::SearchBounds;

/// The configuration of a [`Node`](crate::Node).
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The node's name, as `describe` and the login answer tell it.
    pub name: String,
    /// How many levels a `**` subscription reaches when it does not say; 1 to 64.
    pub default_variable_depth: u8,
    /// How long a publication of consistency 3 waits for its acknowledgements.
    pub acknowledge_timeout: Duration,
    /// Whether sessions that come and go are logged, one JSON line each at debug level, target
    /// `happn-session`.
    pub log_sessions: bool,
    /// When connections that never log in are ended; `None` lets them be.
    pub unconfigured_cleanup: Option<UnconfiguredCleanup>,
    /// What one session may make the node hold.
    pub limits: SessionLimits,
    /// What one search of a client may gather and answer.
    pub search_bounds: SearchBounds,
    /// How long one search of a client may take, at most.
    pub search_time_max: Duration,
    /// Links of other nodes.
    pub links: LinkLimits,
    /// What being part of a cluster means for clients; `None` for a node alone.
    pub cluster: Option<ClusterRules>,
    /// Differs with every start of the process; made at random when left empty.
    pub instance: String,
}

/// What being part of a cluster means for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterRules {
    /// The cluster's name; nodes of another one get no events.
    pub name: String,
    /// Whether clients may write where only nodes have business: at `/__REPLICATE` and below
    /// `/SYSTEM/DEPLOYMENT`.
    pub open_system_paths: bool,
    /// How long a subscription to something new waits until the other nodes know of it; `None`
    /// when they send everything anyway, so that nobody keeps count of what clients want.
    pub interest_wait_max: Option<Duration>,
}

impl ClusterRules {
    /// Whether a client may not set or remove `path`, which may be a mask.
    pub(crate) fn reserves(&self, path: &str) -> bool {
        let path = path.trim_start_matches('/');
        let literal = path.split('*').next().unwrap_or_default();
        let below = |root: &str| {
            literal
                .strip_prefix(root)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                || (literal.len() < path.len() && !literal.is_empty() && root.starts_with(literal))
        };
        !self.open_system_paths && (below("__REPLICATE") || below("SYSTEM/DEPLOYMENT"))
    }
}

/// Bounds of the numbered links to other nodes.
#[derive(Clone, Copy, Debug)]
pub struct LinkLimits {
    /// Events that are kept for links that fell behind or are gone for a moment.
    pub events_max: usize,
    /// Bytes that are kept for them. One event alone may exceed it.
    pub bytes_max: usize,
    /// How long a node may stay away before nothing more is kept for it.
    pub retention: Duration,
    /// How long a node may be silent before its connection counts as broken; nodes beat every 2 s.
    pub silence: Duration,
}

/// When a connection that never logs in is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnconfiguredCleanup {
    /// How often the node looks.
    pub interval: Duration,
    /// How long a connection may stay without a login.
    pub threshold: Duration,
    /// Whether each round is logged, at debug level.
    pub is_logged: bool,
}

/// Bounds per session, so that one client cannot hurt the others.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Frames that may wait to be written.
    pub outbox_frames_max: usize,
    /// Bytes that may wait to be written. One frame alone may exceed it.
    pub outbox_bytes_max: usize,
    /// Subscriptions a session may hold.
    pub subscriptions_max: usize,
}

impl NodeConfig {
    /// The defaults for a node called `name`.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            default_variable_depth: 5,
            acknowledge_timeout: Duration::from_secs(60),
            log_sessions: true,
            unconfigured_cleanup: None,
            limits: SessionLimits::default(),
            search_bounds: SearchBounds {
                documents_max: 250_000,
                bytes_max: 128 * 1024 * 1024,
            },
            search_time_max: Duration::from_secs(60),
            links: LinkLimits::default(),
            cluster: None,
            instance: String::new(),
        }
    }
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            outbox_frames_max: 65_536,
            outbox_bytes_max: 64 * 1024 * 1024,
            subscriptions_max: 200_000,
        }
    }
}

impl Default for LinkLimits {
    fn default() -> Self {
        Self {
            events_max: 65_536,
            bytes_max: 64 * 1024 * 1024,
            retention: Duration::from_secs(120),
            silence: Duration::from_secs(6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_nodes_write_is_reserved_also_from_masks() {
        let mut rules = ClusterRules {
            name: "c".to_owned(),
            open_system_paths: false,
            interest_wait_max: None,
        };
        for path in [
            "/__REPLICATE",
            "__REPLICATE",
            "/__REPLICATE/x",
            "/__REP*",
            "/SYSTEM/DEPLOYMENT/d/s/h:1",
            "//SYSTEM/DEPLOYMENT",
            "/SYSTEM/*",
            "/SYSTEM/DEPLOYMENT*",
        ] {
            assert!(rules.reserves(path), "{path}");
        }
        for path in [
            "*",
            "/*",
            "/a/*",
            "/__REPLICATED",
            "/SYSTEM/DEPLOYMENTS/x",
            "/SYSTEM",
        ] {
            assert!(!rules.reserves(path), "{path}");
        }
        rules.open_system_paths = true;
        assert!(!rules.reserves("/__REPLICATE"));
    }
}
