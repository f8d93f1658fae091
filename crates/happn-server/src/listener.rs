//! The port, and everything that is shared by its connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use happn_core::{Arrival, ByteStream, Ending, Ingress, Node};
use happn_tls::{TlsError, TlsServer};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::Scripts;
use crate::mount::{HttpHandler, MountError, Mounts};
use crate::{ServerConfig, http};

/// The port could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// Where we wanted to listen.
    pub address: SocketAddr,
    /// What the system said.
    pub source: std::io::Error,
}

/// A listening happn server.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// One of the places for connections; free again when its last holder is gone. An upgraded
/// connection outlives the HTTP side of it, and still takes its place.
pub(crate) type Place = Arc<OwnedSemaphorePermit>;

/// What every connection needs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) node: Arc<Node>,
    pub(crate) config: ServerConfig,
    /// No new connections.
    pub(crate) draining: CancellationToken,
    /// Plain HTTP connections end, too.
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// Counts heartbeats from the server's start, for all connections alike.
    pub(crate) beats: watch::Receiver<u64>,
    places: Arc<Semaphore>,
    pub(crate) scripts: Scripts,
    pub(crate) mounts: Mounts,
}

impl Server {
    /// Takes the port and starts serving. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(config: ServerConfig, node: Arc<Node>) -> Result<Self, BindError> {
        let bind_error = |source| BindError {
            address: config.address,
            source,
        };
        let listener = TcpListener::bind(config.address)
            .await
            .map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let stopping = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (beat, beats) = watch::channel(0);
        let interval = config.ping_interval;
        let places = Arc::new(Semaphore::new(config.connections_max));
        let shared = Arc::new(Shared {
            scripts: Scripts::new(&config.version),
            mounts: Mounts::default(),
            node,
            config,
            draining: CancellationToken::new(),
            stopping,
            tasks,
            beats,
            places,
        });
        if let Some(interval) = interval {
            shared
                .tasks
                .spawn(beat_until(shared.stopping.clone(), interval, beat));
        }
        if let Some(cleanup) = shared.node.config().unconfigured_cleanup {
            shared
                .tasks
                .spawn(clean_up_until_stopped(shared.clone(), cleanup.interval));
        }
        shared.tasks.spawn(listen(shared.clone(), listener));
        Ok(Self { shared, address })
    }

    /// Where the server really listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Loads key, certificate and the authorities of clients again; connections accepted from now on get the new ones. Without
    /// effect without TLS.
    ///
    /// # Errors
    /// When they are of no use; those in use stay in use then.
    pub fn reload_certificate(&self) -> Result<(), TlsError> {
        let tls = self.shared.config.tls.as_ref();
        tls.map_or(Ok(()), TlsServer::reload)
    }

    /// The way in for streams that somebody else accepted.
    #[must_use]
    pub fn ingress(&self) -> Arc<dyn Ingress> {
        Arc::new(Door(self.shared.clone()))
    }

    /// Lets `handler` answer the HTTP requests for `path` and everything below it, from now on.
    /// What the node serves itself comes first; of several handlers the one with the longest
    /// path decides.
    ///
    /// # Errors
    /// When `path` is none, is the node's own or is taken.
    pub fn mount(&self, path: &str, handler: impl HttpHandler) -> Result<(), MountError> {
        self.shared.mounts.add(path, Arc::new(handler))
    }

    /// Takes away what was mounted at exactly `path`; requests under way are still answered.
    /// Answers whether there was something.
    pub fn unmount(&self, path: &str) -> bool {
        self.shared.mounts.remove(path)
    }

    /// Admits nobody any more, ends the sessions of clients as `ending` says, and waits until they
    /// are gone, at most `deadline`. Other nodes stay connected. [`Server::stop`] does the rest.
    pub async fn drain(&self, ending: &Ending, deadline: Duration) {
        self.shared.draining.cancel();
        let node = &self.shared.node;
        node.end_clients(ending);
        let gone = tokio::time::timeout(deadline, node.without_clients()).await;
        if gone.is_err() {
            let left = node.session_count();
            tracing::warn!(left, "clients are still connected, going on");
        }
    }

    /// Ends every session as `ending` says, stops listening and waits for the connections, at
    /// most `deadline`; what is still open then is left to die with the runtime.
    pub async fn stop(&self, ending: Ending, deadline: Duration) {
        self.shared.draining.cancel();
        self.shared.stopping.cancel();
        self.shared.node.end_sessions(&ending);
        self.shared.tasks.close();
        if tokio::time::timeout(deadline, self.shared.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                open = self.shared.tasks.len(),
                "connections still open at the deadline"
            );
        }
    }
}

struct Door(Arc<Shared>);

impl Ingress for Door {
    fn accept(&self, stream: Box<dyn ByteStream>, arrival: Arrival) {
        admit(&self.0, stream, arrival, None);
    }
}

async fn beat_until(stopping: CancellationToken, interval: Duration, beat: watch::Sender<u64>) {
    let start = tokio::time::Instant::now() + interval;
    let mut timer = tokio::time::interval_at(start, interval);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = timer.tick() => beat.send_modify(|count| *count += 1),
            () = stopping.cancelled() => return,
        }
    }
}

async fn clean_up_until_stopped(shared: Arc<Shared>, interval: Duration) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(interval) => shared.node.end_unconfigured(),
            () = shared.stopping.cancelled() => return,
        }
    }
}

async fn listen(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.draining.cancelled() => return,
        };
        match accepted {
            Ok((stream, address)) => {
                // A small frame must not wait for the next one.
                let _ = stream.set_nodelay(true);
                let arrival = Arrival {
                    encrypted: shared.config.tls.is_some(),
                    ..Arrival::direct(address)
                };
                admit(
                    &shared,
                    Box::new(stream),
                    arrival,
                    shared.config.tls.clone(),
                );
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file handles, most likely: give others time to close theirs.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves the stream, after the TLS handshake if `tls` is given.
fn admit(
    shared: &Arc<Shared>,
    stream: Box<dyn ByteStream>,
    arrival: Arrival,
    tls: Option<TlsServer>,
) {
    let Ok(place) = shared.places.clone().try_acquire_owned() else {
        tracing::warn!(client = %arrival.address, "too many connections; this one is closed");
        return;
    };
    if shared.draining.is_cancelled() {
        return;
    }
    let shared = shared.clone();
    let tracker = shared.tasks.clone();
    tracker.spawn(async move {
        let stream = match tls {
            None => stream,
            Some(tls) => match encrypt(&shared, &tls, stream).await {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::debug!(client = %arrival.address, %error, "no TLS with a client");
                    return;
                }
            },
        };
        serve_http(&shared, stream, arrival, Arc::new(place)).await;
    });
}

async fn encrypt(
    shared: &Shared,
    tls: &TlsServer,
    stream: Box<dyn ByteStream>,
) -> io::Result<Box<dyn ByteStream>> {
    tokio::select! {
        accepted = tls.accept(stream) => Ok(Box::new(accepted?)),
        () = shared.stopping.cancelled() => Err(io::Error::other("the server stops")),
    }
}

/// What a request under way gets to be finished when the server stops.
const HTTP_GRACE: Duration = Duration::from_secs(1);

async fn serve_http(
    shared: &Arc<Shared>,
    stream: Box<dyn ByteStream>,
    arrival: Arrival,
    place: Place,
) {
    let address = arrival.address;
    let asked = arrival.door.as_ref().and_then(|door| door.idle_max);
    let idle_max = match (asked, shared.config.keep_alive) {
        (Some(asked), Some(own)) => Some(asked.min(own)),
        (asked, own) => asked.or(own),
    };
    let service = {
        let shared = shared.clone();
        service_fn(move |request| {
            http::serve(shared.clone(), arrival.clone(), place.clone(), request)
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Also what an idle connection gets until its next request.
        .header_read_timeout(idle_max)
        .keep_alive(true)
        .title_case_headers(true)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = shared.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            // Who has sent half a request must not hold up the stop.
            match tokio::time::timeout(HTTP_GRACE, connection).await {
                Ok(outcome) => outcome,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(client = %address, %error, "an HTTP connection ended with an error");
    }
}
