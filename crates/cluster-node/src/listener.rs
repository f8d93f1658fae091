//! Which admin listener a command asks.

use std::path::Path;

use cluster_admin::{FetchError, Target, TargetError};
use happn_tls::Trust;

use crate::config::Settings;

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// The url names no listener.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The configuration does not tell which port it is.
    #[error(
        "admin.port is 0, so that the system chose the port: the node's log and its first lines \
         say which; name it with --url"
    )]
    UnknownPort,
    /// The node has no admin listener.
    #[error(
        "admin.enabled is false: this node has no admin listener to ask; name another's with --url"
    )]
    SwitchedOff,
}

/// The listener at `url`, else the one of the configured node.
pub(crate) fn listener(settings: &Settings, url: Option<&str>) -> Result<Target, ListenerError> {
    if let Some(url) = url {
        return Ok(url.parse()?);
    }
    if !settings.admin.enabled {
        return Err(ListenerError::SwitchedOff);
    }
    let port = settings.admin_port();
    if port == 0 {
        return Err(ListenerError::UnknownPort);
    }
    let host = match settings.admin.host.as_str() {
        "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
        host => host.to_owned(),
    };
    let scheme = match settings.admin.key_path {
        Some(_) => "https",
        None => "http",
    };
    Ok(format!("{scheme}://{host}:{port}").parse()?)
}

/// Whose certificates are accepted: those that the authorities in a file vouch for, else those
/// that browsers accept.
pub(crate) fn trust(authorities: Option<&Path>) -> Trust {
    match authorities {
        Some(file) => Trust::file(file),
        None => Trust::Public,
    }
}

/// What may help whoever got no answer.
pub(crate) fn hint(error: &FetchError) -> &'static str {
    match error {
        FetchError::Unreachable { .. } => " (is the node running, and is this its admin listener?)",
        FetchError::Untrusted { .. } => {
            " (does it listen with https, and does --ca name who vouches for its certificate?)"
        }
        FetchError::NotHttp { target, .. } if !target.is_encrypted() => {
            " (does it listen with https?)"
        }
        _ => "",
    }
}
