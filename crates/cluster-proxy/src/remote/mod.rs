//! Clients of another server: a door in front of a happn that is not in this process.

mod dial;
mod failure;
mod headers;
mod passing;
mod request;
mod tunnel;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use happn_core::{Arrival, ByteStream, Ingress};
use happn_tls::{Identity, TlsClient, TlsError, Trust};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Target;
use request::Visit;

/// What a request under way gets to be finished when the remote door closes.
const HTTP_GRACE: Duration = Duration::from_secs(1);
/// The longest head of a request, in bytes.
const HEAD_MAX: usize = 64 * 1024;

/// Where clients are led to, and what may take how long.
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    /// The server.
    pub target: Target,
    /// Whose certificates will do, if the target speaks https.
    pub trust: Trust,
    /// What the target is shown if it speaks https and asks for a certificate.
    pub identity: Option<Identity>,
    /// How long to try to reach the target; then clients get 504.
    pub connect_max: Duration,
    /// How long the target may keep a request without a sign; then clients get 504.
    pub answer_max: Duration,
    /// How long a client's connection may be without a request, if the door does not say less;
    /// `None` is for ever. It does not apply to websockets.
    pub idle_max: Option<Duration>,
}

impl RemoteConfig {
    /// Leads to `target`, trusting public authorities, within 5 s to connect and 60 s to answer.
    #[must_use]
    pub fn to(target: Target) -> Self {
        Self {
            target,
            trust: Trust::Public,
            identity: None,
            connect_max: Duration::from_secs(5),
            answer_max: Duration::from_secs(60),
            idle_max: Some(Duration::from_secs(120)),
        }
    }
}

/// Leads clients to another server, over http or https.
///
/// Requests keep path, query, headers and body; connections of clients and to the target are kept
/// alive. `X-Forwarded-For`, `-Proto`, `-Port` and `-Host` say where a client is; what it says of
/// itself there only counts where the door trusts it. Upgrades go to `/primus` only. A target that
/// cannot be reached is answered with 502, one that is silent with 504.
pub struct Remote(Arc<Shared>);

/// What every connection needs.
struct Shared {
    config: RemoteConfig,
    tls: Option<TlsClient>,
    /// Whether the target was found unusable; said once, not for every request.
    is_down: AtomicBool,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Remote {
    /// A way to the target; nothing is dialled yet.
    ///
    /// # Errors
    /// When the authorities to trust, or the identity to show, cannot be read.
    pub fn new(config: RemoteConfig) -> Result<Self, TlsError> {
        let tls = match config.target.is_encrypted() {
            true => Some(TlsClient::showing(&config.trust, config.identity.clone())?),
            false => None,
        };
        Ok(Self(Arc::new(Shared {
            config,
            tls,
            is_down: AtomicBool::new(false),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })))
    }

    /// Reads again whom to trust and what to show, for connections to the target that begin from
    /// now on. Without effect without https.
    ///
    /// # Errors
    /// When something of it is of no use; what is in use stays in use then.
    pub fn reload_certificates(&self) -> Result<(), TlsError> {
        self.0.tls.as_ref().map_or(Ok(()), TlsClient::reload)
    }

    /// Takes no further clients, ends websockets, and waits for the requests under way, at most
    /// `deadline`. Dropping the future leaves them to end by themselves.
    pub async fn stop(&self, deadline: Duration) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(deadline, self.0.tasks.wait())
            .await
            .is_err()
        {
            let open = self.0.tasks.len();
            tracing::warn!(
                open,
                "clients of the remote door still there at the deadline"
            );
        }
    }
}

impl Ingress for Remote {
    fn accept(&self, stream: Box<dyn ByteStream>, arrival: Arrival) {
        if !self.0.stopping.is_cancelled() {
            self.0.tasks.spawn(serve(self.0.clone(), stream, arrival));
        }
    }
}

impl Shared {
    /// Notes whether the target works.
    fn found(&self, failure: Option<&failure::Failure>) {
        let target = &self.config.target;
        match (
            failure,
            self.is_down.swap(failure.is_some(), Ordering::Relaxed),
        ) {
            (Some(failure), false) => tracing::warn!(%target, %failure, "clients are turned away"),
            (None, true) => tracing::info!(%target, "clients are served again"),
            _ => {}
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: Box<dyn ByteStream>, arrival: Arrival) {
    let client = arrival.address;
    let asked = arrival.door.as_ref().and_then(|door| door.idle_max);
    let idle_max = match (asked, shared.config.idle_max) {
        (Some(asked), Some(own)) => Some(asked.min(own)),
        (asked, own) => asked.or(own),
    };
    let visit = Arc::new(Visit::new(shared.clone(), arrival));
    let service = service_fn(move |request| {
        let visit = visit.clone();
        async move { Ok::<_, Infallible>(visit.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Also what an idle connection gets until its next request.
        .header_read_timeout(idle_max)
        .max_buf_size(HEAD_MAX)
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
        tracing::debug!(%client, %error, "an HTTP connection ended with an error");
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("config", &self.0.config)
            .field("open", &self.0.tasks.len())
            .finish_non_exhaustive()
    }
}
