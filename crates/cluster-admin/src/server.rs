//! The listener itself.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use happn_tls::{TlsError, TlsServer};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::Caller;
use crate::connections::{Place, Places};
use crate::pages::Site;

/// Where to listen, and how much to take.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// An IP address or a host name that resolves to one of this machine's addresses.
    pub host: String,
    /// The TCP port; 0 lets the system choose.
    pub port: u16,
    /// The most connections open at one time; further ones are closed as they arrive.
    pub connections_max: usize,
    /// The most of them from one address, or network of one customer.
    pub connections_of_one_max: usize,
    /// How long a client may take to send a request, also when it has sent one before.
    pub request_max: Duration,
    /// How long one connection may last; a client that reads slowly is cut off then. What it has
    /// asked of the API is answered first.
    pub connection_max: Duration,
    /// The key and certificate to show; without them the listener speaks plain HTTP.
    pub tls: Option<TlsServer>,
}

impl AdminConfig {
    /// 64 connections, half of them for one address, 5 s for a request, 60 s for a connection, no
    /// TLS.
    #[must_use]
    pub fn on(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            connections_max: 64,
            connections_of_one_max: 32,
            request_max: Duration::from_secs(5),
            connection_max: Duration::from_secs(60),
            tls: None,
        }
    }
}

/// The address is taken, not this machine's, or not permitted.
#[derive(Debug, thiserror::Error)]
#[error("the admin listener cannot listen on {host}:{port}")]
pub struct AdminError {
    /// The host as configured.
    pub host: String,
    /// The port as configured.
    pub port: u16,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl AdminError {
    /// Whether somebody else has the port.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

/// A listener that serves a site. Dropping it ends it, without waiting.
#[derive(Debug)]
pub struct AdminServer {
    address: SocketAddr,
    tls: Option<TlsServer>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl AdminServer {
    /// Takes the port and begins to serve `site`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(config: AdminConfig, site: Arc<Site>) -> Result<Self, AdminError> {
        let failed = |source| AdminError {
            host: config.host.clone(),
            port: config.port,
            source,
        };
        let listener = TcpListener::bind((config.host.as_str(), config.port)).await;
        let listener = listener.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let tls = config.tls.clone();
        let porter = Porter {
            places: Places::new(config.connections_max, config.connections_of_one_max),
            visit: Arc::new(Visit {
                site,
                config,
                stopping: stopping.clone(),
            }),
            tasks: tasks.clone(),
        };
        tasks.spawn(porter.listen(listener));
        Ok(Self {
            address,
            tls,
            stopping,
            tasks,
        })
    }

    /// Where it really listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether clients have to speak TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Reads the key and the certificate again, for connections that begin from now on.
    ///
    /// # Errors
    /// When they are of no use; those in use stay in use then.
    pub fn reload_certificate(&self) -> Result<(), TlsError> {
        self.tls.as_ref().map_or(Ok(()), TlsServer::reload)
    }

    /// Stops listening, lets answers under way be written for a moment, and ends. Cancel-safe.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for AdminServer {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

/// What an answer under way gets to be written when the listener stops.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// The pause after a failed accept: out of file handles, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Lets connections in.
struct Porter {
    places: Arc<Places>,
    visit: Arc<Visit>,
    tasks: TaskTracker,
}

impl Porter {
    async fn listen(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.visit.stopping.cancelled() => return,
            };
            match accepted {
                Ok((stream, address)) => self.admit(stream, address),
                Err(error) => {
                    tracing::warn!(%error, "the admin listener cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, address: SocketAddr) {
        let Some(place) = self.places.take(address.ip()) else {
            tracing::debug!(%address, "too many connections to the admin listener");
            return;
        };
        let visit = self.visit.clone();
        self.tasks.spawn(visit.run(stream, address, place));
    }
}

/// What every connection needs.
struct Visit {
    site: Arc<Site>,
    config: AdminConfig,
    stopping: CancellationToken,
}

impl Visit {
    async fn run(self: Arc<Self>, stream: TcpStream, address: SocketAddr, place: Place) {
        let encrypted = self.config.tls.is_some();
        let caller = Caller { address, encrypted };
        match &self.config.tls {
            None => self.clone().serve(stream, caller).await,
            Some(tls) => {
                let accepted = tokio::select! {
                    accepted = tls.accept(stream) => accepted,
                    () = self.stopping.cancelled() => return,
                };
                match accepted {
                    Ok(stream) => self.clone().serve(stream, caller).await,
                    Err(error) => tracing::debug!(%address, %error, "no TLS with a client"),
                }
            }
        }
        drop(place);
    }

    async fn serve(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin, caller: Caller) {
        let working = Arc::new(Semaphore::new(1));
        let (visit, held) = (self.clone(), working.clone());
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let (visit, held) = (visit.clone(), held.clone());
            async move {
                let path = request.uri().path();
                let answer = match visit.site.api_of(path) {
                    Some(api) => {
                        let _working = held.acquire().await;
                        api.serve(request, caller).await
                    }
                    None => visit.site.page(request.method(), path).await,
                };
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.config.request_max)
            .max_buf_size(16 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = self.over(&working) => return,
            () = self.stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                match tokio::time::timeout(STOP_GRACE, connection).await {
                    Ok(outcome) => outcome,
                    Err(_) => return,
                }
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, "a connection to the admin listener ended with an error");
        }
    }

    /// Waits until a connection has lasted long enough, and has no work under way.
    async fn over(&self, working: &Semaphore) {
        tokio::time::sleep(self.config.connection_max).await;
        if working.available_permits() == 0 {
            drop(working.acquire().await);
            // The answer still has to be written.
            tokio::time::sleep(self.config.request_max).await;
        }
    }
}
