//! Which certificates a node shows, whom it trusts and whom it lets in, from its configuration.

use std::path::PathBuf;
use std::time::Duration;

use cluster_proxy::{ProxyConfig, Remote, RemoteConfig, UpgradeRate};
use happn_tls::{Clients, Identity, PemSource, TlsClient, TlsServer, Trust};

use crate::config::{AdminSettings, ProxySettings, TransportMode, TransportSettings};
use crate::start_error::StartError;

const TRANSPORT_CA: &str = "services.transport.config.caPath";
const TRANSPORT_CLIENT_CA: &str = "services.transport.config.clientCaPath";
const PROXY_CLIENT_CA: &str = "services.proxy.config.clientCaPath";

/// What the inner server shows and whom it lets in; `None` without TLS.
pub(crate) fn server(transport: &TransportSettings) -> Result<Option<TlsServer>, StartError> {
    let Some(identity) = identity(transport)? else {
        return Ok(None);
    };
    let clients = clients(
        transport.client_ca_path.as_ref(),
        transport.require_client_cert,
        TRANSPORT_CLIENT_CA,
    );
    let server = TlsServer::admitting(identity.clone(), clients.clone())?;
    if let Err(error) = clients.check(&identity) {
        tracing::warn!(%error, "nodes with the same {TRANSPORT_CLIENT_CA} will not let this node in");
    }
    Ok(Some(server))
}

/// The node's own key and certificate: what it shows to its peers, on whichever side it is.
fn identity(transport: &TransportSettings) -> Result<Option<Identity>, StartError> {
    let (key, certificate) = match transport {
        TransportSettings {
            mode: TransportMode::Http,
            ..
        } => return Ok(None),
        TransportSettings {
            key: Some(key),
            cert: Some(certificate),
            ..
        } => (
            PemSource::text(key).configured_as("services.transport.config.key"),
            PemSource::text(certificate).configured_as("services.transport.config.cert"),
        ),
        TransportSettings {
            key_path: Some(key),
            cert_path: Some(certificate),
            ..
        } => (
            PemSource::file(key).configured_as("services.transport.config.keyPath"),
            PemSource::file(certificate).configured_as("services.transport.config.certPath"),
        ),
        // The configuration has been checked; an embedding program may have changed it.
        _ => return Err(StartError::NoCertificate),
    };
    Ok(Some(Identity::new(key, certificate)))
}

fn clients(authorities: Option<&PathBuf>, must_show: bool, setting: &'static str) -> Clients {
    let source = |file: &PathBuf| vec![PemSource::file(file).configured_as(setting)];
    match authorities {
        None => Clients::Anyone,
        Some(file) if must_show => Clients::MustShow(source(file)),
        Some(file) => Clients::MayShow(source(file)),
    }
}

/// With what the node dials its peers; `None` without TLS.
pub(crate) fn peers(transport: &TransportSettings) -> Result<Option<TlsClient>, StartError> {
    let Some(identity) = identity(transport)? else {
        return Ok(None);
    };
    Ok(Some(TlsClient::showing(&trust(transport), Some(identity))?))
}

/// Whose certificates count.
fn trust(transport: &TransportSettings) -> Trust {
    match &transport.ca_path {
        Some(file) => Trust::Authorities(vec![PemSource::file(file).configured_as(TRANSPORT_CA)]),
        None => Trust::Public,
    }
}

/// The front door at `host`.
pub(crate) fn proxy(section: &ProxySettings, host: String) -> Result<ProxyConfig, StartError> {
    let tls = match (&section.key_path, &section.cert_path) {
        (Some(key), Some(certificate)) => Some(TlsServer::admitting(
            Identity::new(
                PemSource::file(key).configured_as("services.proxy.config.keyPath"),
                PemSource::file(certificate).configured_as("services.proxy.config.certPath"),
            ),
            clients(
                section.client_ca_path.as_ref(),
                section.require_client_cert,
                PROXY_CLIENT_CA,
            ),
        )?),
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
        (Some(key), Some(certificate)) => Ok(Some(TlsServer::new(Identity::new(
            PemSource::file(key).configured_as("admin.keyPath"),
            PemSource::file(certificate).configured_as("admin.certPath"),
        ))?)),
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
    let config = RemoteConfig {
        trust: match section.allow_self_signed_certs {
            true => Trust::Anyone,
            false => trust(transport),
        },
        identity: identity(transport)?,
        answer_max: section.target_timeout,
        idle_max: Some(transport.keep_alive_timeout).filter(|limit| *limit > Duration::ZERO),
        ..RemoteConfig::to(target)
    };
    Ok(Some(Remote::new(config)?))
}
