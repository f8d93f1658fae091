//! A private key and the certificates that go with it.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, RootCertStore};

use crate::{PemSource, TlsError, pem, provider};

/// Where a private key and its certificate chain come from.
///
/// The chain starts with the node's own certificate; intermediate ones follow in the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    key: PemSource,
    certificate: PemSource,
}

impl Identity {
    /// The key in one source and the chain in another, or in the same.
    #[must_use]
    pub fn new(key: PemSource, certificate: PemSource) -> Self {
        Self { key, certificate }
    }

    /// PEM files, read anew whenever the identity is loaded.
    #[must_use]
    pub fn files(key: impl Into<PathBuf>, certificate: impl Into<PathBuf>) -> Self {
        Self::new(PemSource::file(key), PemSource::file(certificate))
    }

    /// PEM text out of the configuration.
    #[must_use]
    pub fn inline(key: impl Into<String>, certificate: impl Into<String>) -> Self {
        Self::new(PemSource::text(key), PemSource::text(certificate))
    }

    /// Reads both and checks that they belong together and that somebody may accept them today.
    pub(crate) fn load(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        let (key_from, certificate_from) =
            (self.key.name("key"), self.certificate.name("certificate"));
        let key = pem::private_key(&self.key.read(&key_from)?, &key_from)?;
        let chain = pem::certificates(
            &self.certificate.read(&certificate_from)?,
            &certificate_from,
        )?;
        let provider = provider();
        let signing = provider.key_provider.load_private_key(key);
        let signing = signing.map_err(|source| unusable(&key_from, source))?;
        let certified = CertifiedKey::new(chain, signing);
        match certified.keys_match() {
            Ok(()) => {}
            Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
                return Err(TlsError::Mismatch {
                    key: key_from,
                    certificate: certificate_from,
                });
            }
            Err(source) => return Err(unusable(&certificate_from, source)),
        }
        check_time(certified.end_entity_cert(), &certificate_from)?;
        Ok(Arc::new(certified))
    }

    /// How complaints name the certificate.
    pub(crate) fn certificate_name(&self) -> String {
        self.certificate.name("certificate")
    }
}

/// A certificate of another time would be refused by every peer, each in its own words.
fn check_time(
    certificate: Result<&CertificateDer<'_>, rustls::Error>,
    from: &str,
) -> Result<(), TlsError> {
    let parsed = certificate.and_then(ParsedCertificate::try_from);
    let parsed = parsed.map_err(|source| unusable(from, source))?;
    // The time is judged before anybody asks who has signed it, and that nobody has is no matter.
    let judged = verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &RootCertStore::empty(),
        &[],
        UnixTime::now(),
        provider().signature_verification_algorithms.all,
    );
    match judged {
        Err(rustls::Error::InvalidCertificate(
            error @ (CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }),
        )) => Err(TlsError::OutOfTime {
            from: from.to_owned(),
            reason: error.to_string(),
        }),
        _ => Ok(()),
    }
}

pub(crate) fn unusable(from: &str, source: rustls::Error) -> TlsError {
    TlsError::Unusable {
        from: from.to_owned(),
        source,
    }
}
