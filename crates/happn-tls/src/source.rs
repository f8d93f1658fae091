//! Where PEM text comes from.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::TlsError;

/// No key or certificate chain is anywhere near this size; a wrong file name may be.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// PEM: a file that is read anew whenever it is loaded, or text out of a configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct PemSource {
    place: Place,
    setting: Option<&'static str>,
}

#[derive(Clone, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Text(String),
}

impl PemSource {
    /// The file at `path`.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::new(Place::File(path.into()))
    }

    /// The text itself.
    #[must_use]
    pub fn text(pem: impl Into<String>) -> Self {
        Self::new(Place::Text(pem.into()))
    }

    /// The same source; complaints about it name the setting that it was given with.
    #[must_use]
    pub fn configured_as(self, setting: &'static str) -> Self {
        Self {
            setting: Some(setting),
            ..self
        }
    }

    fn new(place: Place) -> Self {
        Self {
            place,
            setting: None,
        }
    }

    /// How complaints name it, as the `what` that it should hold; never any of the text.
    pub(crate) fn name(&self, what: &str) -> String {
        match (&self.place, self.setting) {
            (Place::File(path), None) => path.display().to_string(),
            (Place::File(path), Some(setting)) => format!("{} ({setting})", path.display()),
            (Place::Text(_), None) => format!("the inline {what}"),
            (Place::Text(_), Some(setting)) => setting.to_owned(),
        }
    }

    /// The PEM, complained about as `from`.
    pub(crate) fn read(&self, from: &str) -> Result<Vec<u8>, TlsError> {
        match &self.place {
            Place::Text(text) => Ok(text.clone().into_bytes()),
            Place::File(path) => read(path).map_err(|source| TlsError::Unreadable {
                from: from.to_owned(),
                source,
            }),
        }
    }
}

impl From<PathBuf> for PemSource {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

impl From<&Path> for PemSource {
    fn from(path: &Path) -> Self {
        Self::file(path)
    }
}

/// Shows where it is and never what is there.
impl fmt::Debug for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name("PEM"))
    }
}

/// The bytes of a file that is small enough to be PEM.
fn read(path: &Path) -> io::Result<Vec<u8>> {
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
