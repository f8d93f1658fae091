//! The listening side.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use crate::{Identity, ServerStream, TlsError, provider};

/// How long a client may take to finish the handshake. A silent one must not hold a place.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// Accepts TLS with an identity that may be loaded again at any time.
///
/// Connections keep the certificate they began with; new ones get the newest.
#[derive(Clone)]
pub struct TlsServer {
    identity: Identity,
    current: Arc<Current>,
    acceptor: TlsAcceptor,
}

impl TlsServer {
    /// Loads the identity. TLS 1.2 and 1.3 are offered, and HTTP/1.1 as the protocol inside.
    ///
    /// # Errors
    /// When the key or the certificate cannot be read, is of no use, or does not fit the other.
    pub fn new(identity: Identity) -> Result<Self, TlsError> {
        let current = Arc::new(Current(RwLock::new(identity.load()?)));
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::Unusable {
                from: "TLS".to_owned(),
                source,
            })?;
        let mut config = builder
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            identity,
            current,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Loads the identity again, for connections accepted from now on.
    ///
    /// # Errors
    /// As [`TlsServer::new`]; the identity in use stays in use then.
    pub fn reload(&self) -> Result<(), TlsError> {
        let loaded = self.identity.load()?;
        *self
            .current
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Completes the handshake. Dropping the future drops the stream.
    ///
    /// # Errors
    /// When the client speaks no TLS, refuses the certificate, or takes more than 10 s.
    pub async fn accept<S>(&self, stream: S) -> io::Result<ServerStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match tokio::time::timeout(HANDSHAKE_MAX, self.acceptor.accept(stream)).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the TLS handshake took too long",
            )),
        }
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(current.clone())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}
