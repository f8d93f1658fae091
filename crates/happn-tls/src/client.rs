//! The dialling side.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::{ClientStream, TlsError, identity, pem, provider};

/// Whose certificates a client accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The public authorities that browsers trust.
    #[default]
    Public,
    /// Only the authorities in these PEM files: what a private network uses. A self-signed
    /// certificate counts as its own authority.
    Authorities(Vec<PathBuf>),
    /// Anyone. The stream is encrypted, but whoever sits in between can read it. Only for a hop
    /// within one machine.
    Anyone,
}

/// Dials with TLS.
#[derive(Clone)]
pub struct TlsClient {
    connector: TlsConnector,
}

impl TlsClient {
    /// A client that trusts as `trust` says.
    ///
    /// # Errors
    /// When an authority's file cannot be read or holds no usable certificate.
    pub fn new(trust: &Trust) -> Result<Self, TlsError> {
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::Unusable {
                from: "TLS".to_owned(),
                source,
            })?;
        let config = match trust {
            Trust::Public => {
                let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
                builder
                    .with_root_certificates(RootCertStore { roots })
                    .with_no_client_auth()
            }
            Trust::Authorities(files) => builder
                .with_root_certificates(authorities(files)?)
                .with_no_client_auth(),
            Trust::Anyone => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptAnyone(provider)))
                .with_no_client_auth(),
        };
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Completes the handshake with the server called `host`, a host name or an IP address.
    /// Dropping the future drops the stream.
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
        self.connector.connect(name, stream).await
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").finish_non_exhaustive()
    }
}

fn authorities(files: &[PathBuf]) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for path in files {
        let from = path.display().to_string();
        let text = identity::read(path).map_err(|source| TlsError::Unreadable {
            from: from.clone(),
            source,
        })?;
        for certificate in pem::certificates(&text, &from)? {
            store
                .add(certificate)
                .map_err(|source| TlsError::Unusable {
                    from: from.clone(),
                    source,
                })?;
        }
    }
    Ok(store)
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
