//! The dialling side.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::authorities::roots;
use crate::identity::unusable;
use crate::{ClientStream, Identity, PemSource, TlsError, provider};

/// Whose certificates a client accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The public authorities that browsers trust.
    #[default]
    Public,
    /// Only these authorities: what a private network uses. A self-signed certificate counts as
    /// its own authority.
    Authorities(Vec<PemSource>),
    /// Anyone. The stream is encrypted, but whoever sits in between can read it. Only for a hop
    /// within one machine.
    Anyone,
}

impl Trust {
    /// Only the authorities in the PEM file at `path`.
    #[must_use]
    pub fn file(path: impl Into<std::path::PathBuf>) -> Self {
        Self::Authorities(vec![PemSource::file(path)])
    }
}

/// Dials with TLS. Clones reload together.
#[derive(Clone)]
pub struct TlsClient {
    trust: Trust,
    identity: Option<Identity>,
    current: Arc<RwLock<TlsConnector>>,
}

impl TlsClient {
    /// A client that trusts as `trust` says, and shows nobody a certificate.
    ///
    /// # Errors
    /// When an authority's file cannot be read or holds no usable certificate.
    pub fn new(trust: &Trust) -> Result<Self, TlsError> {
        Self::showing(trust, None)
    }

    /// The same, showing `identity` to servers that ask for it.
    ///
    /// # Errors
    /// As [`TlsClient::new`], and when the identity cannot be read or is of no use.
    pub fn showing(trust: &Trust, identity: Option<Identity>) -> Result<Self, TlsError> {
        let current = connector(trust, identity.as_ref())?;
        Ok(Self {
            trust: trust.clone(),
            identity,
            current: Arc::new(RwLock::new(current)),
        })
    }

    /// Reads authorities and identity again, for connections that begin from now on.
    ///
    /// # Errors
    /// As [`TlsClient::showing`]; everything in use stays in use then.
    pub fn reload(&self) -> Result<(), TlsError> {
        let loaded = connector(&self.trust, self.identity.as_ref())?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Completes the handshake with the server called `host`, a host name or an IP address.
    /// Dropping the future drops the stream.
    ///
    /// A server that wants another certificate than it was shown may say so only afterwards, to
    /// whoever reads from the stream first.
    ///
    /// # Errors
    /// When `host` is no name, the server speaks no TLS, or its certificate is not trusted.
    pub async fn connect<S>(&self, host: &str, stream: S) -> io::Result<ClientStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                TlsError::BadName(host.to_owned()),
            )
        })?;
        let connector = self.current().clone();
        connector.connect(name, stream).await
    }

    fn current(&self) -> std::sync::RwLockReadGuard<'_, TlsConnector> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient")
            .field("trust", &self.trust)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

fn connector(trust: &Trust, identity: Option<&Identity>) -> Result<TlsConnector, TlsError> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|source| unusable("TLS", source))?;
    let builder = match trust {
        Trust::Public => {
            let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
            builder.with_root_certificates(RootCertStore { roots })
        }
        Trust::Authorities(sources) => builder.with_root_certificates(roots(sources)?),
        Trust::Anyone => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAnyone(provider))),
    };
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let shown = SingleCertAndKey::from(identity.load()?);
            builder.with_client_cert_resolver(Arc::new(shown))
        }
    };
    // Connections are few and long, and each is to be judged by what is trusted now.
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Checks that the server holds the key of its certificate, and nothing else.
struct AcceptAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for AcceptAnyone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcceptAnyone")
    }
}
