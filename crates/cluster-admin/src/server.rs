//! The listener itself.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::pages::{Page, Pages};

/// Where to listen, and how much to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// An IP address or a host name that resolves to one of this machine's addresses.
    pub host: String,
    /// The TCP port; 0 lets the system choose.
    pub port: u16,
    /// The most connections open at one time; further ones are closed as they arrive.
    pub connections_max: usize,
    /// How long a client may take to send a request, also when it has sent one before.
    pub request_max: Duration,
    /// How long one connection may last; a client that reads slowly is cut off then.
    pub connection_max: Duration,
}

impl AdminConfig {
    /// 64 connections, 5 s for a request, 60 s for a connection.
    #[must_use]
    pub fn on(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            connections_max: 64,
            request_max: Duration::from_secs(5),
            connection_max: Duration::from_secs(60),
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

/// A listener that serves pages. Dropping it ends it, without waiting.
#[derive(Debug)]
pub struct AdminServer {
    address: SocketAddr,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl AdminServer {
    /// Takes the port and begins to serve `pages`, each at exactly its path. Must be called within
    /// a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(
        config: AdminConfig,
        pages: Vec<(&'static str, Box<dyn Page>)>,
    ) -> Result<Self, AdminError> {
        let failed = |source| AdminError {
            host: config.host.clone(),
            port: config.port,
            source,
        };
        let listener = TcpListener::bind((config.host.as_str(), config.port)).await;
        let listener = listener.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let desk = Desk {
            pages: Arc::new(Pages::new(pages)),
            places: Arc::new(Semaphore::new(config.connections_max)),
            config,
            stopping: stopping.clone(),
            tasks: tasks.clone(),
        };
        tasks.spawn(desk.listen(listener));
        Ok(Self {
            address,
            stopping,
            tasks,
        })
    }

    /// Where it really listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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

/// What every connection needs.
struct Desk {
    config: AdminConfig,
    pages: Arc<Pages>,
    places: Arc<Semaphore>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Desk {
    async fn listen(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stopping.cancelled() => return,
            };
            match accepted {
                Ok((stream, _)) => self.admit(stream),
                Err(error) => {
                    tracing::warn!(%error, "the admin listener cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream) {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            tracing::debug!("too many connections to the admin listener; this one is closed");
            return;
        };
        let serving = serve(
            stream,
            self.pages.clone(),
            self.config.clone(),
            self.stopping.clone(),
        );
        self.tasks.spawn(async move {
            serving.await;
            drop(place);
        });
    }
}

async fn serve(
    stream: TcpStream,
    pages: Arc<Pages>,
    config: AdminConfig,
    stopping: CancellationToken,
) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let pages = pages.clone();
        async move {
            let answer = pages.serve(request.method(), request.uri().path()).await;
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.request_max)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = tokio::time::sleep(config.connection_max) => return,
        () = stopping.cancelled() => {
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
