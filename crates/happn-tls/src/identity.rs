//! A private key and the certificates that go with it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::sign::CertifiedKey;

use crate::{TlsError, pem, provider};

/// No key or certificate chain is anywhere near this size; a wrong file name may be.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where a private key and its certificate chain come from.
///
/// The chain starts with the node's own certificate; intermediate ones follow in the same file.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    key: Source,
    certificate: Source,
}

#[derive(Clone, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Text(String),
}

impl Identity {
    /// PEM files, read anew whenever the identity is loaded.
    #[must_use]
    pub fn files(key: impl Into<PathBuf>, certificate: impl Into<PathBuf>) -> Self {
        Self {
            key: Source::File(key.into()),
            certificate: Source::File(certificate.into()),
        }
    }

    /// PEM text out of the configuration.
    #[must_use]
    pub fn inline(key: impl Into<String>, certificate: impl Into<String>) -> Self {
        Self {
            key: Source::Text(key.into()),
            certificate: Source::Text(certificate.into()),
        }
    }

    /// Reads both and checks that they belong together.
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
            Ok(()) => Ok(Arc::new(certified)),
            Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
                Err(TlsError::Mismatch {
                    key: key_from,
                    certificate: certificate_from,
                })
            }
            Err(source) => Err(unusable(&certificate_from, source)),
        }
    }
}

/// Shows where the parts come from and never what they are.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("key", &self.key.name("key"))
            .field("certificate", &self.certificate.name("certificate"))
            .finish()
    }
}

impl Source {
    fn name(&self, what: &str) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Text(_) => format!("the inline {what}"),
        }
    }

    fn read(&self, from: &str) -> Result<Vec<u8>, TlsError> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::File(path) => read(path).map_err(|source| TlsError::Unreadable {
                from: from.to_owned(),
                source,
            }),
        }
    }
}

/// The bytes of a file that is small enough to be PEM.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if found.len() > FILE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "it has {} bytes; at most {FILE_BYTES_MAX} are expected",
            found.len()
        )));
    }
    std::fs::read(path)
}

fn unusable(from: &str, source: rustls::Error) -> TlsError {
    TlsError::Unusable {
        from: from.to_owned(),
        source,
    }
}
