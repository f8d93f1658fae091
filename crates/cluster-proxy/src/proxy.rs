//! Opening and closing the door.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use happn_core::{DoorRules, Ingress};
use happn_tls::{TlsError, TlsServer};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::accept::{Counters, Reception};
use crate::upgrade_rate::{UpgradeCounter, UpgradeRate};

/// How many connections a proxy takes unless told otherwise.
const CONNECTIONS_MAX: usize = 100_000;

/// Where a proxy listens and how much it takes.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// An IP address or a host name that resolves to one of this machine's addresses.
    pub host: String,
    /// The TCP port; 0 lets the system choose.
    pub port: u16,
    /// The most connections open at one time. Further ones are closed as they arrive.
    pub connections_max: usize,
    /// The identity that clients see; plain connections if `None`.
    pub tls: Option<TlsServer>,
    /// How long a connection may be without a request, if that is shorter than what the node allows.
    /// It does not apply to websockets.
    pub idle_max: Option<Duration>,
    /// Whether to believe what `X-Forwarded-For` and the like say about a client: only right
    /// behind a load balancer that sets them.
    pub trusts_forwarded: bool,
    /// How many websockets may begin in a while; `None` is as many as come.
    pub upgrade_rate: Option<UpgradeRate>,
}

impl ProxyConfig {
    /// Listens on `host` and `port` and takes up to 100 000 connections, without TLS.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            connections_max: CONNECTIONS_MAX,
            tls: None,
            idle_max: None,
            trusts_forwarded: false,
            upgrade_rate: None,
        }
    }

    pub(crate) fn rules(&self) -> DoorRules {
        DoorRules {
            idle_max: self.idle_max,
            trusts_forwarded: self.trusts_forwarded,
            upgrades: Arc::new(UpgradeCounter::new(self.upgrade_rate)),
        }
    }
}

/// Why a proxy could not open.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The address is taken, not this machine's, or not permitted.
    #[error("the proxy cannot listen on {host}:{port}")]
    Bind {
        /// The host as configured.
        host: String,
        /// The port as configured.
        port: u16,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is open already.
    #[error("the proxy already listens on {0}")]
    AlreadyOpen(SocketAddr),
}

/// A front door that is closed until [`Proxy::start`].
///
/// Dropping an open proxy closes it: its accept loop ends by itself soon after.
pub struct Proxy {
    config: ProxyConfig,
    reception: Arc<Reception>,
    open: Mutex<Option<Open>>,
}

/// An open door. The token ends the loop also when this is merely dropped.
struct Open {
    address: SocketAddr,
    stop: tokio_util::sync::DropGuard,
    serving: JoinHandle<()>,
}

impl Proxy {
    /// A closed proxy that will hand its clients to `ingress`. Nothing listens yet.
    #[must_use]
    pub fn new(config: ProxyConfig, ingress: Arc<dyn Ingress>) -> Self {
        let reception = Reception::new(ingress, &config);
        Self {
            config,
            reception,
            open: Mutex::new(None),
        }
    }

    /// Binds the port and begins to accept. Answers the address it really listens on.
    ///
    /// Cancel-safe: dropping the future leaves the proxy either open or closed.
    ///
    /// # Errors
    /// When the address cannot be bound, or the proxy is open already.
    pub async fn start(&self) -> Result<SocketAddr, ProxyError> {
        self.start_on(self.config.port).await
    }

    /// As [`Proxy::start`], on another port than configured: on the one it had before, say, where
    /// the system chose it.
    ///
    /// # Errors
    /// As [`Proxy::start`].
    pub async fn start_on(&self, port: u16) -> Result<SocketAddr, ProxyError> {
        let mut open = self.open.lock().await;
        if let Some(already) = &*open {
            return Err(ProxyError::AlreadyOpen(already.address));
        }
        let failed = |source| ProxyError::Bind {
            host: self.config.host.clone(),
            port,
            source,
        };
        let listener = TcpListener::bind((self.config.host.as_str(), port))
            .await
            .map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stop = CancellationToken::new();
        let serving = self.reception.clone().serve(listener, stop.clone());
        *open = Some(Open {
            address,
            stop: stop.drop_guard(),
            serving: tokio::spawn(serving),
        });
        Ok(address)
    }

    /// Stops accepting; the port is free when this completes. Connections that the node holds
    /// live on. Without effect on a closed proxy.
    ///
    /// Cancel-safe: once polled, the loop ends whether or not the future is dropped.
    pub async fn stop(&self) {
        let Some(open) = self.open.lock().await.take() else {
            return;
        };
        drop(open.stop);
        if let Err(error) = open.serving.await {
            tracing::error!(%error, "the proxy's accept loop failed");
        }
    }

    /// Where the proxy listens; `None` while it is closed.
    pub async fn address(&self) -> Option<SocketAddr> {
        self.open.lock().await.as_ref().map(|open| open.address)
    }

    /// Loads key, certificate and the authorities of clients again; connections accepted from now on get the new one. Without
    /// effect without TLS.
    ///
    /// # Errors
    /// When they are of no use; those in use stay in use then.
    pub fn reload_certificate(&self) -> Result<(), TlsError> {
        self.config.tls.as_ref().map_or(Ok(()), TlsServer::reload)
    }

    /// What came in so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.reception.counters()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("config", &self.config)
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
