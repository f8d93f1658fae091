//! The node that a recording is played against.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use happn_core::{
    DataService, MemoryStore, Node, NodeConfig, OpenAuthority, SystemClock, UnconfiguredCleanup,
};
use happn_server::{Server, ServerConfig};

use super::secure::{Scenario, Security};

/// How the node of one recording is configured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setup {
    /// The node's name, where it is not the usual one.
    pub name: Option<&'static str>,
    /// What `/version` answers, where it is not the usual one.
    pub version: Option<&'static str>,
    /// Interval and threshold.
    pub unconfigured_cleanup_ms: Option<(u64, u64)>,
    pub acknowledge_timeout_ms: Option<u64>,
    pub ping_interval_ms: Option<u64>,
    pub message_bytes_max: Option<usize>,
    /// Recorded on a secure server, with these users.
    pub secure: Option<Scenario>,
    /// Recorded on a server of the newer generation.
    pub is_newer: bool,
    /// The only lines to play, first and last; the others need another server.
    pub lines: Option<(usize, usize)>,
}

/// Starts it on `address`; every session has `policy`, where that matters.
pub(super) async fn start(
    setup: Setup,
    policy: Option<&serde_json::Value>,
    address: SocketAddr,
) -> (Server, Arc<Node>, Option<Security>) {
    let mut node = NodeConfig::named(setup.name.unwrap_or("happn_ref"));
    let mut config = ServerConfig::on(address);
    config.version = setup.version.unwrap_or("13.12.1").to_owned();
    if let Some((interval, threshold)) = setup.unconfigured_cleanup_ms {
        node.unconfigured_cleanup = Some(UnconfiguredCleanup {
            interval: Duration::from_millis(interval),
            threshold: Duration::from_millis(threshold),
            is_logged: true,
        });
    }
    if let Some(ms) = setup.acknowledge_timeout_ms {
        node.acknowledge_timeout = Duration::from_millis(ms);
    }
    if let Some(ms) = setup.ping_interval_ms {
        config.ping_interval = Some(Duration::from_millis(ms));
    }
    if let Some(bytes) = setup.message_bytes_max {
        config.message_bytes_max = bytes;
    }
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let security = match setup.secure {
        Some(scenario) => {
            let recorded = (scenario, setup.is_newer);
            Some(Security::start(recorded, policy, &data, &node.name).await)
        }
        None => None,
    };
    let node = match &security {
        Some(security) => Node::new(
            node,
            data,
            security.authority.clone(),
            security.clock.clone(),
        ),
        None => Node::new(
            node,
            data,
            Arc::new(OpenAuthority),
            Arc::new(SystemClock::new()),
        ),
    };
    let server = Server::bind(config, node.clone()).await.unwrap();
    (server, node, security)
}
