//! Which certificates a node shows and whom it trusts, from its configuration.

use std::time::Duration;

use cluster_proxy::{ProxyConfig, Remote, RemoteConfig, UpgradeRate};
use happn_tls::{Identity, TlsServer, Trust};

use crate::config::{AdminSettings, ProxySettings, TransportMode, TransportSettings};
use crate::start_error::StartError;

/// What the inner server shows; `None` without TLS.
pub(crate) fn server(transport: &TransportSettings) -> Result<Option<TlsServer>, StartError> {
    let identity = match transport {
        TransportSettings {
            mode: TransportMode::Http,
            ..
        } => return Ok(None),
        TransportSettings {
            key: Some(key),
            cert: Some(certificate),
            ..
        } => Identity::inline(key, certificate),
        TransportSettings {
            key_path: Some(key),
            cert_path: Some(certificate),
            ..
        } => Identity::files(key, certificate),
        // The configuration has been checked; an embedding program may have changed it.
        _ => return Err(StartError::NoCertificate),
    };
    load(identity, "services.transport.config").map(Some)
}

/// Whose certificates the node accepts when it dials its peers; `None` without TLS.
pub(crate) fn peers(transport: &TransportSettings) -> Option<Trust> {
    (transport.mode == TransportMode::Https).then(|| match &transport.ca_path {
        Some(file) => Trust::Authorities(vec![file.clone()]),
        None => Trust::Public,
    })
}

/// The front door at `host`.
pub(crate) fn proxy(section: &ProxySettings, host: String) -> Result<ProxyConfig, StartError> {
    let tls = match (&section.key_path, &section.cert_path) {
        (Some(key), Some(certificate)) => {
            let identity = Identity::files(key, certificate);
            Some(load(identity, "services.proxy.config")?)
        }
        _ => None,
    };
    let limit = &section.rate_limit;
    let upgrade_rate = limit.allowed_connections.map(|allowed| UpgradeRate {
        allowed,
        interval: limit.interval,
        retry_after: limit.retry_after,
    });
    Ok(ProxyConfig {
        connections_max: section.connections_max,
        tls,
        idle_max: Some(section.timeout).filter(|limit| *limit > Duration::ZERO),
        trusts_forwarded: section.trust_forwarded,
        upgrade_rate,
        ..ProxyConfig::new(host, section.port)
    })
}

/// What the admin listener shows; `None` without TLS.
pub(crate) fn admin(section: &AdminSettings) -> Result<Option<TlsServer>, StartError> {
    match (&section.key_path, &section.cert_path) {
        (Some(key), Some(certificate)) => {
            load(Identity::files(key, certificate), "admin").map(Some)
        }
        _ => Ok(None),
    }
}

/// The way to the server that clients are led to, if it is not this node.
pub(crate) fn remote(
    section: &ProxySettings,
    transport: &TransportSettings,
) -> Result<Option<Remote>, StartError> {
    let Some(target) = section.target.clone() else {
        return Ok(None);
    };
    let trust = match (section.allow_self_signed_certs, &transport.ca_path) {
        (true, _) => Trust::Anyone,
        (false, Some(file)) => Trust::Authorities(vec![file.clone()]),
        (false, None) => Trust::Public,
    };
    let config = RemoteConfig {
        trust,
        answer_max: section.target_timeout,
        idle_max: Some(transport.keep_alive_timeout).filter(|limit| *limit > Duration::ZERO),
        ..RemoteConfig::to(target)
    };
    let remote = Remote::new(config).map_err(|source| StartError::Tls {
        section: "services.transport.config.caPath",
        source,
    })?;
    Ok(Some(remote))
}

fn load(identity: Identity, section: &'static str) -> Result<TlsServer, StartError> {
    TlsServer::new(identity).map_err(|source| StartError::Tls { section, source })
}
