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
        true => Err(TlsError::NoCertificate {
            from: from.into(),
            found: contents(text),
        }),
        false => Ok(found),
    }
}

/// The first private key in `text`.
pub(crate) fn private_key(text: &[u8], from: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    let from = from.to_owned();
    // The library skips such a section without a word, or stumbles over its headers.
    if is_encrypted(text) {
        return Err(TlsError::EncryptedKey { from });
    }
    for item in sections(text) {
        match item.map_err(|error| not_pem(&from, &error))? {
            Item::Pkcs1Key(key) => return Ok(key.into()),
            Item::Pkcs8Key(key) => return Ok(key.into()),
            Item::Sec1Key(key) => return Ok(key.into()),
            _ => {}
        }
    }
    let found = contents(text);
    Err(TlsError::NoKey { from, found })
}

/// Whether the first private key needs a pass phrase: PKCS#8 says so in the name of the section,
/// older formats in its first line.
fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines();
    let key = lines.find(|line| line.starts_with("-----BEGIN ") && line.contains("PRIVATE KEY"));
    key.is_some_and(|line| line.contains("ENCRYPTED"))
        || key.is_some() && lines.next().is_some_and(|line| line.contains("ENCRYPTED"))
}

/// What is in a file that should hold something else: the names of its sections, never more.
fn contents(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let label = |line: &str| {
        let label = line.strip_prefix("-----BEGIN ")?;
        Some(label.trim_end_matches('-').chars().take(40).collect())
    };
    let mut labels: Vec<String> = text.lines().filter_map(label).collect();
    labels.dedup();
    labels.truncate(8);
    match (text.trim().is_empty(), labels.is_empty()) {
        (true, _) => "it is empty".to_owned(),
        (false, true) => "it has no PEM section".to_owned(),
        (false, false) => format!("it has {}", labels.join(", ")),
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
