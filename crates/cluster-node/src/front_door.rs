//! The front door: where it leads, and while what it is open.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cluster_orchestrator::State;
use cluster_proxy::{Proxy, ProxyConfig, ProxyError, Remote};
use happn_server::Server;
use happn_tls::TlsError;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Between two attempts to open the door again; somebody else may have taken its port.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// What a configuration says of the door.
pub(crate) struct DoorPlan {
    pub(crate) proxy: ProxyConfig,
    /// Where it leads, if not to this node.
    pub(crate) remote: Option<Remote>,
    /// How long the node may be unstable before the door closes to new clients; `None` is for
    /// ever.
    pub(crate) patience: Option<Duration>,
}

/// The proxy, and what opens and closes it.
pub(crate) struct FrontDoor {
    proxy: Arc<Proxy>,
    remote: Option<Arc<Remote>>,
    patience: Option<Duration>,
    stopping: CancellationToken,
    follower: Mutex<Option<JoinHandle<()>>>,
}

impl FrontDoor {
    /// A closed door.
    pub(crate) fn new(plan: DoorPlan, server: &Server) -> Self {
        let remote = plan.remote.map(Arc::new);
        let proxy = match remote.clone() {
            Some(remote) => Proxy::new(plan.proxy, remote),
            None => Proxy::new(plan.proxy, server.ingress()),
        };
        Self {
            proxy: Arc::new(proxy),
            remote,
            patience: plan.patience,
            stopping: CancellationToken::new(),
            follower: Mutex::new(None),
        }
    }

    pub(crate) fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Reads certificates again, for connections that begin from now on: its own, and those for
    /// the server that it leads to.
    pub(crate) fn reload_certificates(&self) -> [Result<(), TlsError>; 2] {
        let remote = self.remote.as_ref();
        [
            self.proxy.reload_certificate(),
            remote.map_or(Ok(()), |remote| remote.reload_certificates()),
        ]
    }

    /// Opens; from then on the door follows the state of the node, if it is to. Answers where
    /// clients connect. Cancel-safe.
    pub(crate) async fn open(
        &self,
        state: watch::Receiver<State>,
    ) -> Result<SocketAddr, ProxyError> {
        let address = self.proxy.start().await?;
        if let Some(patience) = self.patience {
            let (proxy, stopping) = (self.proxy.clone(), self.stopping.clone());
            let following = async move {
                tokio::select! {
                    () = stopping.cancelled() => {}
                    () = follow(&proxy, address.port(), state, patience) => {}
                }
            };
            let mut follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
            *follower = Some(tokio::spawn(following));
        }
        Ok(address)
    }

    /// Takes no new clients any more; those that are led elsewhere are given up within `deadline`.
    pub(crate) async fn close(&self, deadline: Duration) {
        self.stopping.cancel();
        let follower = self
            .follower
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(follower) = follower {
            // It was told to end; should it have failed, there is nothing left to do here.
            let _ = follower.await;
        }
        self.proxy.stop().await;
        if let Some(remote) = &self.remote {
            remote.stop(deadline).await;
        }
    }
}

/// Closes the door when the node was unstable for longer than `patience`, and opens it again when
/// it is stable. Ends with the orchestrator.
async fn follow(proxy: &Proxy, port: u16, mut state: watch::Receiver<State>, patience: Duration) {
    let stable = |state: &State| *state == State::Stable;
    loop {
        if state.wait_for(|state| !stable(state)).await.is_err() {
            return;
        }
        let recovered = tokio::time::timeout(patience, state.wait_for(stable)).await;
        match recovered.map(|state| state.is_ok()) {
            Ok(true) => continue,
            Ok(false) => return,
            Err(_) => {}
        }
        proxy.stop().await;
        tracing::warn!("the node is not stable any more: no new clients");
        if state.wait_for(stable).await.is_err() {
            return;
        }
        reopen(proxy, port).await;
    }
}

async fn reopen(proxy: &Proxy, port: u16) {
    loop {
        match proxy.start_on(port).await {
            Ok(address) => return tracing::info!(%address, "stable again: clients may connect"),
            // The program around the node was faster.
            Err(ProxyError::AlreadyOpen(_)) => return,
            Err(error) => tracing::warn!(%error, "the proxy cannot open again yet"),
        }
        tokio::time::sleep(REOPEN_PAUSE).await;
    }
}
