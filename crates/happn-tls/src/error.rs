//! What can be wrong with a certificate.

use std::io;

/// Why a key, a certificate or a trust store cannot be used.
///
/// `from` names the file, or the configuration key for inline text. No message ever holds any of
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
    #[error("{from} holds no private key; expected a PEM section PRIVATE KEY (RSA, EC or PKCS#8)")]
    NoKey {
        /// Where it came from.
        from: String,
    },
    /// The private key needs a pass phrase.
    #[error("the private key in {from} is encrypted; decrypt it first")]
    EncryptedKey {
        /// Where it came from.
        from: String,
    },
    /// There is PEM, but no certificate in it.
    #[error("{from} holds no certificate; expected PEM sections CERTIFICATE")]
    NoCertificate {
        /// Where it came from.
        from: String,
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
