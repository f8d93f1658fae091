//! Reading PEM. The only file that knows the PEM library.

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls_pemfile::Item;

use crate::TlsError;

/// Every certificate in `text`, in order: the node's own first, then those that vouch for it.
pub(crate) fn certificates(
    text: &[u8],
    from: &str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let mut found = Vec::new();
    for item in sections(text) {
        if let Item::X509Certificate(certificate) = item.map_err(|error| not_pem(from, &error))? {
            found.push(certificate);
        }
    }
    match found.is_empty() {
        true => Err(TlsError::NoCertificate { from: from.into() }),
        false => Ok(found),
    }
}

/// The first private key in `text`.
pub(crate) fn private_key(text: &[u8], from: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    for item in sections(text) {
        match item.map_err(|error| not_pem(from, &error))? {
            Item::Pkcs1Key(key) => return Ok(key.into()),
            Item::Pkcs8Key(key) => return Ok(key.into()),
            Item::Sec1Key(key) => return Ok(key.into()),
            _ => {}
        }
    }
    let from = from.to_owned();
    // The library skips such a section without a word.
    let encrypted = text
        .windows(b"ENCRYPTED".len())
        .any(|window| window == b"ENCRYPTED");
    match encrypted {
        true => Err(TlsError::EncryptedKey { from }),
        false => Err(TlsError::NoKey { from }),
    }
}

fn sections(text: &[u8]) -> impl Iterator<Item = std::io::Result<Item>> {
    let mut rest = text;
    std::iter::from_fn(move || rustls_pemfile::read_one(&mut rest).transpose())
}

fn not_pem(from: &str, error: &std::io::Error) -> TlsError {
    TlsError::NotPem {
        from: from.to_owned(),
        reason: error.to_string(),
    }
}
