//! The listening side.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::identity::unusable;
use crate::{Clients, Identity, ServerStream, TlsError, provider};

/// How long a client may take to finish the handshake. A silent one must not hold a place.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// How long, and over how many bytes, a client that is not let in may take to notice.
const DISMISSAL_MAX: Duration = Duration::from_secs(1);
const DISMISSED_BYTES_MAX: u64 = 64 * 1024;

/// Accepts TLS with an identity that may be loaded again at any time.
///
/// Connections keep the certificate they began with; new ones get the newest.
#[derive(Clone)]
pub struct TlsServer {
    identity: Identity,
    clients: Clients,
    current: Arc<RwLock<TlsAcceptor>>,
}

impl TlsServer {
    /// A server that lets every client in. TLS 1.2 and 1.3 are offered, and HTTP/1.1 as the
    /// protocol inside.
    ///
    /// # Errors
    /// When the key or the certificate cannot be read, is of no use, or does not fit the other.
    pub fn new(identity: Identity) -> Result<Self, TlsError> {
        Self::admitting(identity, Clients::Anyone)
    }

    /// The same, for `clients` only. Who is not among them gets a TLS alert.
    ///
    /// # Errors
    /// As [`TlsServer::new`], and when the authorities of clients cannot be read or are none.
    pub fn admitting(identity: Identity, clients: Clients) -> Result<Self, TlsError> {
        let current = Arc::new(RwLock::new(acceptor(&identity, &clients)?));
        Ok(Self {
            identity,
            clients,
            current,
        })
    }

    /// Loads the identity and the authorities of clients again, for connections accepted from now
    /// on.
    ///
    /// # Errors
    /// As [`TlsServer::admitting`]; everything in use stays in use then.
    pub fn reload(&self) -> Result<(), TlsError> {
        let loaded = acceptor(&self.identity, &self.clients)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Completes the handshake. Dropping the future drops the stream.
    ///
    /// # Errors
    /// When the client speaks no TLS, refuses the certificate, shows none that will do where one is
    /// needed, or takes more than 10 s.
    pub async fn accept<S>(&self, stream: S) -> io::Result<ServerStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = self.current().clone();
        let accepting = async {
            match acceptor.accept(stream).into_fallible().await {
                Ok(stream) => Ok(stream),
                Err((error, stream)) => {
                    if self.clients != Clients::Anyone {
                        dismiss(stream).await;
                    }
                    Err(error)
                }
            }
        };
        // Boxed, because a handshake is large and every connection waits in one.
        match tokio::time::timeout(HANDSHAKE_MAX, Box::pin(accepting)).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the TLS handshake took too long",
            )),
        }
    }

    fn current(&self) -> std::sync::RwLockReadGuard<'_, TlsAcceptor> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a client read why it is not let in: it may have sent its first request already, and a
/// system that throws away what was not read throws away the alert with it.
async fn dismiss(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let reading = async {
        let _ = stream.shutdown().await;
        let mut rest = stream.take(DISMISSED_BYTES_MAX);
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    };
    // A client that does not go has had its chance.
    let _ = tokio::time::timeout(DISMISSAL_MAX, reading).await;
}

fn acceptor(identity: &Identity, clients: &Clients) -> Result<TlsAcceptor, TlsError> {
    let certified = identity.load()?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|source| unusable("TLS", source))?;
    let verifier = clients.verifier()?;
    let asks = verifier.is_some();
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if asks {
        // A resumed session would let a client in whose certificate has run out since.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer")
            .field("identity", &self.identity)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}
