//! The values, typed. The tree is that of the keys; what each means stands in the table of keys.

mod orchestrator;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use cluster_proxy::Target;
use serde::{Deserialize, Deserializer};

use crate::config::http::ConnectSettings;
use crate::config::layers::{Layers, Origin};
use crate::config::problem::Report;
use crate::config::security::SecuritySettings;
use crate::config::stores::{PatternRule, Provider, StoreSettings};

pub use orchestrator::{
    HealthReportSettings, InterestSettings, LinkSettings, OrchestratorSettings, ReportLines,
    ReportOutput, TimingSettings,
};

/// A complete configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// `name`; absent when it shall be made of address and port.
    pub name: Option<String>,
    /// `host`.
    pub host: String,
    /// `port`; 0 lets the system choose.
    pub port: u16,
    /// `announceHost`.
    pub announce_host: Option<String>,
    /// `secure`.
    pub secure: bool,
    /// `dev`.
    pub dev: bool,
    /// `provision`.
    pub provision: Option<PathBuf>,
    /// `allowNestedPermissions`.
    pub allow_nested_permissions: bool,
    /// `disableDefaultAdminNetworkConnections`.
    pub disable_default_admin_network_connections: bool,
    /// `network`.
    pub network: NetworkSettings,
    /// `log`.
    pub log: LogSettings,
    /// `admin`.
    pub admin: AdminSettings,
    /// `shutdown`.
    pub shutdown: ShutdownSettings,
    /// `services`.
    pub services: Services,
    /// `debug`.
    pub debug: DebugSettings,
}

impl Settings {
    /// Where the admin listener is: `admin.port`, else 1000 below `port` if that is not the
    /// proxy's; 0 lets the system choose.
    #[must_use]
    pub fn admin_port(&self) -> u16 {
        let derived = || {
            let below = [1000, 2000].map(|distance| self.port.saturating_sub(distance));
            let free = |port: &u16| *port != self.services.proxy.port;
            // What is below 1024 is not ours to take.
            let unprivileged = |port: &u16| *port >= 1024;
            let mut ports = below.into_iter().filter(unprivileged);
            ports.find(free).unwrap_or(0)
        };
        self.admin.port.unwrap_or_else(derived)
    }

    /// Reads the checked tree. Only a key table that disagrees with these types can fail here,
    /// which the tests rule out.
    pub(crate) fn from_layers(layers: &Layers, report: &mut Report) -> Option<Self> {
        let read = serde_json::from_value(layers.tree());
        read.map_err(|error| report.rule(&Origin::Default, "configuration", error.to_string()))
            .ok()
    }
}

/// `network`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkSettings {
    /// The IPv4 address that `interfaceId` and `interface` name; absent when they name none.
    pub interface_id: Option<String>,
}

/// `log`.
#[derive(Clone, Debug, Deserialize)]
pub struct LogSettings {
    /// A level or a list of filters.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `admin`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdminSettings {
    /// Whether there is a listener for health, metrics and administration.
    pub enabled: bool,
    /// Where it listens.
    pub host: String,
    /// Its port; absent when it shall be made from the inner server's. See
    /// [`Settings::admin_port`].
    pub port: Option<u16>,
    /// Its private key, a PEM file.
    pub key_path: Option<PathBuf>,
    /// Its certificate and those that vouch for it, a PEM file.
    pub cert_path: Option<PathBuf>,
    /// How long a login may be used.
    #[serde(deserialize_with = "interval")]
    pub token_ttl: Duration,
}

/// `shutdown`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ShutdownSettings {
    /// How long the node may take to stop.
    #[serde(deserialize_with = "interval")]
    pub timeout: Duration,
}

/// `services`, each without its `config` level.
#[derive(Clone, Debug, Deserialize)]
pub struct Services {
    /// `services.data.config`.
    #[serde(deserialize_with = "config")]
    pub data: DataSettings,
    /// `services.proxy.config`.
    #[serde(deserialize_with = "config")]
    pub proxy: ProxySettings,
    /// `services.orchestrator.config`.
    #[serde(deserialize_with = "config")]
    pub orchestrator: OrchestratorSettings,
    /// `services.session.config`.
    #[serde(deserialize_with = "config")]
    pub session: SessionSettings,
    /// `services.transport.config`.
    #[serde(deserialize_with = "config")]
    pub transport: TransportSettings,
    /// `services.replicator.config`.
    #[serde(deserialize_with = "config")]
    pub replicator: ReplicatorSettings,
    /// `services.publisher.config`.
    #[serde(deserialize_with = "config")]
    pub publisher: PublisherSettings,
    /// `services.subscription.config`.
    #[serde(deserialize_with = "config")]
    pub subscription: SubscriptionSettings,
    /// `services.connect.config`.
    #[serde(deserialize_with = "config")]
    pub connect: ConnectSettings,
    /// `services.security.config`.
    #[serde(deserialize_with = "config")]
    pub security: SecuritySettings,
}

/// `services.data.config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataSettings {
    /// `patternRule`.
    pub pattern_rule: PatternRule,
    /// `searchLimits`.
    pub search_limits: SearchLimits,
    /// `datastores`: never empty, exactly one is the default.
    pub datastores: Vec<Store>,
}

/// `services.data.config.searchLimits`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct SearchLimits {
    /// The most items.
    pub documents: u64,
    /// The most bytes of data.
    pub bytes: u64,
    /// How long a search may take.
    #[serde(deserialize_with = "interval")]
    pub time: Duration,
}

/// One entry of `datastores`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Store {
    /// Unique in the list.
    pub name: String,
    /// What keeps the documents.
    pub provider: Provider,
    /// Whether it takes the paths that no pattern names.
    pub is_default: bool,
    /// The paths it takes.
    pub patterns: Vec<String>,
    /// What the provider needs.
    pub settings: StoreSettings,
}

/// `services.proxy.config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxySettings {
    /// Where clients connect; 0 lets the system choose.
    pub port: u16,
    /// Where the proxy listens.
    pub host: String,
    /// Whether the proxy waits for the program around the node to start it.
    pub defer: bool,
    /// How long a client's HTTP connection may be idle; zero leaves it to the node.
    #[serde(deserialize_with = "interval")]
    pub timeout: Duration,
    /// The private key's file, when clients connect with https.
    pub key_path: Option<PathBuf>,
    /// The certificate's file; present when the key's is.
    pub cert_path: Option<PathBuf>,
    /// Who vouches for clients; they are asked for no certificate when absent.
    pub client_ca_path: Option<PathBuf>,
    /// Whether a client without a certificate is sent away, if they are asked.
    pub require_client_cert: bool,
    /// The most clients connected at one time.
    pub connections_max: usize,
    /// Whether forwarding headers are believed.
    pub trust_forwarded: bool,
    /// `rateLimit`.
    pub rate_limit: RateLimitSettings,
    /// The server that clients are led to instead of this node.
    #[serde(default, deserialize_with = "target")]
    pub target: Option<Target>,
    /// How long the target may keep a request without a sign.
    #[serde(deserialize_with = "interval")]
    pub target_timeout: Duration,
    /// Whether the target's certificate counts whoever vouches for it.
    pub allow_self_signed_certs: bool,
    /// What happens when stability is lost.
    pub when_unstable: WhenUnstable,
}

/// What the proxy does while the node is not stable any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenUnstable {
    /// It goes on.
    Serve,
    /// It takes no new clients.
    Refuse,
}

/// `services.proxy.config.rateLimit`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitSettings {
    /// How many websockets may begin in an interval; absent when there is no limit.
    pub allowed_connections: Option<u32>,
    /// How long the interval is.
    #[serde(deserialize_with = "interval")]
    pub interval: Duration,
    /// What clients over the limit are told to wait.
    #[serde(default, deserialize_with = "limit")]
    pub retry_after: Option<Duration>,
}

/// `services.transport.config`. Exactly one pair is present when the mode is https.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransportSettings {
    /// Whether the inner server speaks TLS.
    pub mode: TransportMode,
    /// The private key's file.
    pub key_path: Option<PathBuf>,
    /// The certificate's file.
    pub cert_path: Option<PathBuf>,
    /// The private key as text.
    pub key: Option<String>,
    /// The certificate as text.
    pub cert: Option<String>,
    /// Who vouches for the other nodes; the public authorities when absent.
    pub ca_path: Option<PathBuf>,
    /// Who vouches for those that connect; they are asked for no certificate when absent.
    pub client_ca_path: Option<PathBuf>,
    /// Whether one without a certificate is sent away, if they are asked.
    pub require_client_cert: bool,
    /// How long an idle HTTP connection is kept; zero is for ever.
    #[serde(deserialize_with = "interval")]
    pub keep_alive_timeout: Duration,
}

/// Never shows the key.
impl fmt::Debug for TransportSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportSettings")
            .field("mode", &self.mode)
            .field("key_path", &self.key_path)
            .field("cert_path", &self.cert_path)
            .field("ca_path", &self.ca_path)
            .field("client_ca_path", &self.client_ca_path)
            .field("require_client_cert", &self.require_client_cert)
            .finish_non_exhaustive()
    }
}

/// How peers connect to the inner server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportMode {
    /// In the clear.
    Http,
    /// With TLS.
    Https,
}

/// `debug`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DebugSettings {
    /// How far the node's clock runs ahead of the machine's.
    #[serde(deserialize_with = "interval")]
    pub clock_ahead: Duration,
}

/// `services.session.config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionSettings {
    /// `primusOpts`.
    pub primus_opts: PrimusSettings,
    /// Leaves sessions out of the log.
    pub disable_session_event_logging: bool,
    /// `unconfiguredSessionCleanup`.
    pub unconfigured_session_cleanup: CleanupSettings,
}

/// `services.session.config.unconfiguredSessionCleanup`.
#[derive(Clone, Debug, Deserialize)]
pub struct CleanupSettings {
    #[serde(default, deserialize_with = "limit")]
    threshold: Option<Duration>,
    #[serde(default, deserialize_with = "limit")]
    interval: Option<Duration>,
    /// Whether each round is logged.
    pub verbose: bool,
}

impl CleanupSettings {
    /// Interval and threshold, if either is set.
    #[must_use]
    pub fn timing(&self) -> Option<(Duration, Duration)> {
        let interval = self.interval.unwrap_or(Duration::from_secs(5));
        let threshold = self.threshold.unwrap_or(Duration::from_secs(30));
        let is_on = self.interval.is_some() || self.threshold.is_some();
        is_on.then_some((interval, threshold))
    }
}

/// `services.session.config.primusOpts`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrimusSettings {
    /// The largest message a client may send, in bytes.
    pub max_length: usize,
    /// Between two pings; zero is never.
    #[serde(deserialize_with = "interval")]
    pub ping_interval: Duration,
    /// How many pings a client may leave unanswered.
    pub allow_skipped_heart_beats: u32,
}

/// `services.replicator.config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicatorSettings {
    /// Between two batches of security changes.
    #[serde(deserialize_with = "interval")]
    pub security_changeset_replicate_interval: Duration,
}

/// `services.publisher.config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublisherSettings {
    /// `publicationOptions`.
    pub publication_options: PublicationSettings,
}

/// `services.publisher.config.publicationOptions`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicationSettings {
    /// How long to wait for an acknowledgement.
    #[serde(deserialize_with = "interval")]
    pub acknowledge_timeout: Duration,
}

/// `services.subscription.config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionSettings {
    /// `subscriptionTree`.
    pub subscription_tree: SubscriptionTreeSettings,
}

/// `services.subscription.config.subscriptionTree`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionTreeSettings {
    /// How many levels a mask ending in `**` reaches when its subscriber does not say.
    pub default_variable_depth: u8,
}

/// Opens the `config` level that every service has.
fn config<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    struct Level<T> {
        config: T,
    }
    Level::deserialize(deserializer).map(|level| level.config)
}

pub(super) fn interval<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

/// The rules have read it before.
fn target<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Target>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let target = text.map(|text| text.parse()).transpose();
    target.map_err(serde::de::Error::custom)
}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    interval(deserializer).map(Some)
}
