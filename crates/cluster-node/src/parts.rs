//! Everything of a node that runs, shared by the node and by those who look at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cluster_orchestrator::{Orchestrator, State};
use cluster_replicator::{Replicator, SecurityReplication};
use happn_client::PeerDialer;
use tokio::time::Instant;

use crate::front_door::FrontDoor;

/// The running parts.
pub(crate) struct Parts {
    pub(crate) core: Arc<happn_core::Node>,
    pub(crate) orchestrator: Orchestrator,
    pub(crate) replicator: Arc<Replicator>,
    pub(crate) security: Arc<SecurityReplication>,
    pub(crate) door: FrontDoor,
    pub(crate) dialer: PeerDialer,
    pub(crate) identity: Identity,
    pub(crate) started: Instant,
    /// The proxy stays closed until the program around the node opens it.
    pub(crate) deferred: bool,
    stopping: AtomicBool,
}

/// Who the node is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) endpoint: String,
    pub(crate) cluster_name: String,
    pub(crate) deployment: String,
    pub(crate) service: String,
}

impl Parts {
    pub(crate) fn new(
        core: Arc<happn_core::Node>,
        orchestrator: Orchestrator,
        (replicator, security): (Arc<Replicator>, Arc<SecurityReplication>),
        (door, deferred): (FrontDoor, bool),
        dialer: PeerDialer,
        identity: Identity,
    ) -> Self {
        Self {
            core,
            orchestrator,
            replicator,
            security,
            door,
            dialer,
            identity,
            started: Instant::now(),
            deferred,
            stopping: AtomicBool::new(false),
        }
    }

    /// From now on the node says that it is not ready.
    pub(crate) fn begin_to_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// What keeps the node from serving clients as it should, in words; nothing when it is ready.
    pub(crate) async fn obstacles(&self) -> Vec<String> {
        let view = self.orchestrator.view().borrow().clone();
        let closed = !self.deferred && self.door.proxy().address().await.is_none();
        let obstacles = [
            self.is_stopping()
                .then(|| "the node is stopping".to_owned()),
            (view.state != State::Stable).then(|| format!("the state is {}", view.state)),
            closed.then(|| "the proxy is closed".to_owned()),
        ];
        let degraded = view.degraded.iter().map(|why| format!("degraded: {why}"));
        obstacles.into_iter().flatten().chain(degraded).collect()
    }
}
