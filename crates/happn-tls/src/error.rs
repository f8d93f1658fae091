//! What can be wrong with a certificate.

use std::io;

/// Why a key, a certificate or a trust store cannot be used.
///
/// `from` names the file and the setting that it was given with. No message ever holds any of
/// the key's text.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file is missing or may not be read.
    #[error("cannot read {from}: {source}")]
    Unreadable {
        /// Where it should have come from.
        from: String,
        /// What the system said.
        source: io::Error,
    },
    /// The text is not PEM.
    #[error("{from} is not valid PEM: {reason}")]
    NotPem {
        /// Where it came from.
        from: String,
        /// What the parser stumbled over.
        reason: String,
    },
    /// There is PEM, but no private key in it.
    #[error(
        "{from} holds no private key: {found}; expected a PEM section PRIVATE KEY (RSA, EC or PKCS#8)"
    )]
    NoKey {
        /// Where it came from.
        from: String,
        /// What is there, by the names of the PEM sections.
        found: String,
    },
    /// The private key needs a pass phrase.
    #[error("the private key in {from} is encrypted; decrypt it first")]
    EncryptedKey {
        /// Where it came from.
        from: String,
    },
    /// There is PEM, but no certificate in it.
    #[error("{from} holds no certificate: {found}; expected PEM sections CERTIFICATE")]
    NoCertificate {
        /// Where it came from.
        from: String,
        /// What is there, by the names of the PEM sections.
        found: String,
    },
    /// The certificate has run out, or is for later.
    #[error("the certificate in {from} cannot be used today: {reason}")]
    OutOfTime {
        /// Where it came from.
        from: String,
        /// When it could be used.
        reason: String,
    },
    /// The certificate is for another key.
    #[error("the private key in {key} does not belong to the certificate in {certificate}")]
    Mismatch {
        /// Where the key came from.
        key: String,
        /// Where the certificate came from.
        certificate: String,
    },
    /// Well-formed, and yet of no use: an unknown kind of key, a broken certificate.
    #[error("{from} cannot be used: {source}")]
    Unusable {
        /// Where it came from.
        from: String,
        /// What the TLS library said.
        source: rustls::Error,
    },
    /// The name to dial is neither a host name nor an IP address.
    #[error("{0} is no host name that a certificate could be for")]
    BadName(String),
}
