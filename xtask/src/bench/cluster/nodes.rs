//! Several nodes on one database, each a process, with a relay before each that can be cut.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;

use crate::bench::process::ServerProcess;
use crate::run;
use testkit::{Line, Relay};

/// Nodes that are all stable. Dropped, they are killed and their files are removed.
pub(super) struct Nodes {
    pub(super) nodes: Vec<ServerProcess>,
    relays: Vec<Relay>,
    directory: PathBuf,
}

impl Nodes {
    /// Starts so many nodes at once, each stable when all are there.
    pub(super) async fn start(number: usize) -> anyhow::Result<Self> {
        let directory =
            run::target_directory().join(format!("bench-cluster-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let mut cluster = Self {
            nodes: Vec::new(),
            relays: Vec::new(),
            directory,
        };
        for _ in 0..number {
            cluster.add(number).await?;
        }
        for node in &cluster.nodes {
            node.serves().await?;
        }
        Ok(cluster)
    }

    /// Starts one more node, which is stable with `minimum` nodes; it may not be so yet.
    pub(super) async fn add(&mut self, minimum: usize) -> anyhow::Result<&ServerProcess> {
        let number = self.nodes.len() + 1;
        let announced = Ipv4Addr::new(127, 0, 9, u8::try_from(number)?);
        let orchestrator = json!({
            "deployment": "bench",
            "minimumPeers": minimum,
            "timing": {"keepAlive": 1000, "memberRefresh": 500, "keepAliveThreshold": 5000},
        });
        let node = ServerProcess::start_member(&self.directory, number, announced, &orchestrator)?;
        let at = SocketAddr::new(IpAddr::V4(announced), node.address().port());
        self.relays.push(Relay::start(at, node.address()).await?);
        self.nodes.push(node);
        self.nodes.last().context("it was just added")
    }

    /// What the network between all nodes does from now on.
    pub(super) fn lines(&self, line: Line) {
        self.relays.iter().for_each(|relay| relay.set(line));
    }

    /// Processor time of all nodes together, in seconds.
    pub(super) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        self.nodes.iter().map(ServerProcess::cpu_seconds).sum()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.nodes.clear();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
