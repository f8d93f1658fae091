//! The parts of a node, each made from its section of the configuration.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cluster_orchestrator::{
    InterestSource, KeepaliveDocuments, NodeRecord, Orchestrator, OrchestratorConfig, Timing,
};
use cluster_replicator::{Replicator, SecurityReplication};
use happn_client::{PeerDialer, PeerDialerConfig};
use happn_core::{
    Clock, ClusterRules, LinkLimits, Node, NodeConfig, PeerEvents, SearchBounds, SecurityChanges,
    UnconfiguredCleanup,
};
use happn_paths::{Mask, reduce};
use happn_server::{Server, ServerConfig};
use happn_tls::TlsServer;

use crate::address::ListenHost;
use crate::config::{CleanupSettings, Settings, WhenUnstable};
use crate::front_door::DoorPlan;
use crate::start_error::StartError;
use crate::{http_security, tls};

/// The core's configuration for a node called `name`.
pub(crate) fn core(settings: &Settings, name: String) -> NodeConfig {
    let services = &settings.services;
    let orchestrator = &services.orchestrator;
    NodeConfig {
        default_variable_depth: services
            .subscription
            .subscription_tree
            .default_variable_depth,
        acknowledge_timeout: services.publisher.publication_options.acknowledge_timeout,
        log_sessions: !services.session.disable_session_event_logging,
        unconfigured_cleanup: cleanup(&services.session.unconfigured_session_cleanup),
        search_bounds: SearchBounds {
            documents_max: services.data.search_limits.documents,
            bytes_max: services.data.search_limits.bytes,
        },
        search_time_max: services.data.search_limits.time,
        links: LinkLimits {
            events_max: orchestrator.links.keep_events,
            bytes_max: orchestrator.links.keep_bytes,
            retention: orchestrator.links.keep_for,
            ..LinkLimits::default()
        },
        cluster: Some(ClusterRules {
            name: orchestrator.cluster_name.clone(),
            open_system_paths: orchestrator.open_system_paths,
            interest_wait_max: orchestrator
                .interest
                .enabled
                .then_some(orchestrator.interest.confirm_within),
        }),
        ..NodeConfig::named(name)
    }
}

fn cleanup(settings: &CleanupSettings) -> Option<UnconfiguredCleanup> {
    let (interval, threshold) = settings.timing()?;
    Some(UnconfiguredCleanup {
        interval,
        threshold,
        is_logged: settings.verbose,
    })
}

/// The ways in and out, with the certificates for them: read before anything is started.
pub(crate) struct Ways {
    pub(crate) door: DoorPlan,
    pub(crate) dialer: PeerDialer,
    inner_tls: Option<TlsServer>,
}

impl Ways {
    pub(crate) fn prepare(settings: &Settings) -> Result<Self, StartError> {
        Ok(Self {
            door: door_plan(settings)?,
            dialer: dialer(settings)?,
            inner_tls: tls::server(&settings.services.transport)?,
        })
    }
}

/// Takes the inner port; peers may connect from here on.
pub(crate) async fn server(
    settings: &Settings,
    ways: &Ways,
    node: Arc<Node>,
) -> Result<Server, StartError> {
    let address = resolve(&settings.host, settings.port).await?;
    let config = server_config(settings, address, ways.inner_tls.clone())?;
    Ok(Server::bind(config, node).await?)
}

fn server_config(
    settings: &Settings,
    address: SocketAddr,
    tls: Option<TlsServer>,
) -> Result<ServerConfig, StartError> {
    let primus = &settings.services.session.primus_opts;
    Ok(ServerConfig {
        tls,
        message_bytes_max: primus.max_length,
        ping_interval: unless_zero(primus.ping_interval),
        keep_alive: unless_zero(settings.services.transport.keep_alive_timeout),
        skipped_beats_max: primus.allow_skipped_heart_beats,
        security: http_security::settings(&settings.services.connect.middleware.security)?,
        ..ServerConfig::on(address)
    })
}

fn unless_zero(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

async fn resolve(host: &str, port: u16) -> Result<SocketAddr, StartError> {
    let host = listen_host(host);
    let addresses = tokio::net::lookup_host((host.as_str(), port)).await;
    let first = addresses.and_then(|mut addresses| {
        let none = || io::Error::from(io::ErrorKind::NotFound);
        addresses.next().ok_or_else(none)
    });
    first.map_err(|source| StartError::UnknownHost { host, source })
}

/// The configuration has been checked; what is no host is left for the resolver to refuse.
pub(crate) fn listen_host(host: &str) -> String {
    let parsed = host.parse::<ListenHost>();
    parsed.map_or_else(|_| host.to_owned(), |host| host.as_str().to_owned())
}

/// Announces the node and starts looking for others.
pub(crate) fn orchestrator(
    settings: &Settings,
    endpoint: &str,
    node: &Arc<Node>,
    events: Arc<dyn PeerEvents>,
    dialer: PeerDialer,
    clock: &Arc<dyn Clock>,
) -> Result<Orchestrator, StartError> {
    let config = orchestrator_config(settings, endpoint, node);
    config.validate().map_err(StartError::Cluster)?;
    let record = NodeRecord {
        deployment: config.deployment.clone(),
        service: config.service_name.clone(),
        endpoint: config.endpoint.clone(),
        cluster_name: config.cluster_name.clone(),
        name: config.name.clone(),
        instance: config.instance.clone(),
    };
    let table = format!("/SYSTEM/DEPLOYMENT/{}/", record.deployment);
    let store = node.data().store_of(&format!("{table}{endpoint}"));
    let membership = KeepaliveDocuments::new(store, clock.clone(), &record).map_err(|source| {
        let endpoint = endpoint.to_owned();
        StartError::Announce { endpoint, source }
    })?;
    Ok(Orchestrator::start(
        config,
        Arc::new(membership),
        Arc::new(dialer),
        events,
        node.clone(),
        interest(settings, node),
        clock.clone(),
    ))
}

/// What clients of this node want, unless all that is replicated is asked for anyway.
fn interest(settings: &Settings, node: &Node) -> Option<InterestSource> {
    Some(InterestSource {
        local: node.interest()?,
        masks_max: settings.services.orchestrator.interest.max_masks,
    })
}

/// Starts telling the other nodes what changes in users and groups, and applying what they tell.
pub(crate) fn security_replication(
    settings: &Settings,
    replicator: &Arc<Replicator>,
    directory: Arc<dyn SecurityChanges>,
    clock: &Arc<dyn Clock>,
) -> SecurityReplication {
    let section = &settings.services.replicator;
    SecurityReplication::start(
        replicator.clone(),
        directory,
        clock.clone(),
        section.security_changeset_replicate_interval,
    )
}

/// What reaches other nodes.
fn dialer(settings: &Settings) -> Result<PeerDialer, StartError> {
    let dialer = PeerDialer::new(dialer_config(settings));
    Ok(match tls::peers(&settings.services.transport)? {
        Some(tls) => dialer.with_tls(tls),
        None => dialer,
    })
}

/// Bounds of links that fit what the peers, configured alike, will send.
fn dialer_config(settings: &Settings) -> PeerDialerConfig {
    let defaults = PeerDialerConfig::default();
    let primus = &settings.services.session.primus_opts;
    PeerDialerConfig {
        // A document grows by merges, so an event may be larger than any message of a client.
        max_message_bytes: defaults.max_message_bytes.max(4 * primus.max_length),
        ..defaults
    }
}

fn orchestrator_config(settings: &Settings, endpoint: &str, node: &Node) -> OrchestratorConfig {
    let section = &settings.services.orchestrator;
    let masks: Vec<Mask> = section.replicate.iter().map(|it| Mask::parse(it)).collect();
    OrchestratorConfig {
        cluster_name: section.cluster_name.clone(),
        service_name: section.service_name.clone(),
        deployment: section.deployment.clone(),
        cluster: section.minimums(),
        replicate: reduce(&masks),
        stabilise_timeout: section.stabilise_timeout(),
        timing: Timing {
            keep_alive: section.timing.keep_alive,
            keep_alive_threshold: section.timing.keep_alive_threshold,
            member_refresh: section.timing.member_refresh,
            health_report: section.timing.health_report,
        },
        name: node.name().to_owned(),
        endpoint: endpoint.to_owned(),
        instance: node.instance().to_owned(),
    }
}

/// Where and how the front door will open.
fn door_plan(settings: &Settings) -> Result<DoorPlan, StartError> {
    let section = &settings.services.proxy;
    let timing = &settings.services.orchestrator.timing;
    Ok(DoorPlan {
        proxy: tls::proxy(section, listen_host(&section.host))?,
        remote: tls::remote(section, &settings.services.transport)?,
        patience: match section.when_unstable {
            WhenUnstable::Serve => None,
            WhenUnstable::Refuse => Some(timing.keep_alive_threshold),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, FlagValue, Sources};

    fn settings(flags: &[(&str, &str)]) -> Settings {
        let flag = |(key, text): &(&str, &str)| FlagValue {
            flag: "test".into(),
            key: format!("services.{key}"),
            text: (*text).into(),
        };
        let sources = Sources {
            flags: flags.iter().map(flag).collect(),
            ..Sources::default()
        };
        Config::load(&sources).unwrap().settings
    }

    fn server_with(flags: &[(&str, &str)]) -> ServerConfig {
        server_config(&settings(flags), ([127, 0, 0, 1], 0).into(), None).unwrap()
    }

    #[test]
    fn what_is_not_configured_is_as_with_the_javascript_server() {
        let config = server_with(&[]);
        assert_eq!(config.message_bytes_max, 10 * 1024 * 1024);
        assert_eq!(config.ping_interval, Some(Duration::from_secs(30)));
        assert_eq!(config.keep_alive, Some(Duration::from_secs(120)));
        assert_eq!(config.skipped_beats_max, 1);
        let core = core(&settings(&[]), "n".into());
        assert!(core.log_sessions);
        assert_eq!(core.unconfigured_cleanup, None);
    }

    #[test]
    fn zero_switches_pings_and_the_idle_limit_off() {
        let config = server_with(&[
            ("session.config.primusOpts.pingInterval", "0"),
            ("transport.config.keepAliveTimeout", "0"),
        ]);
        assert_eq!((config.ping_interval, config.keep_alive), (None, None));
    }

    #[test]
    fn session_options_reach_the_core() {
        let section = "session.config";
        let cleanup = format!("{section}.unconfiguredSessionCleanup");
        let core = core(
            &settings(&[
                (&format!("{section}.disableSessionEventLogging"), "true"),
                (&format!("{cleanup}.threshold"), "700"),
                (&format!("{cleanup}.verbose"), "false"),
            ]),
            "n".into(),
        );
        assert!(!core.log_sessions);
        let expected = UnconfiguredCleanup {
            interval: Duration::from_secs(5),
            threshold: Duration::from_millis(700),
            is_logged: false,
        };
        assert_eq!(core.unconfigured_cleanup, Some(expected));
    }
}
