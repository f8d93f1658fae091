//! How a client connects and how patient it is.

use std::time::Duration;

use happn_protocol::Json;
use happn_tls::{Identity, TlsClient, Trust};

use crate::Credentials;
use crate::address::{Address, DEFAULT_PORT};
use crate::{ClientError, ReconnectPolicy};

/// Where to connect, who to be, and the bounds of everything.
///
/// ```
/// use happn_client::ClientConfig;
///
/// let config = ClientConfig::url("http://10.0.0.5:55000");
/// let config = ClientConfig {
///     call_timeout: std::time::Duration::from_secs(10),
///     ..config
/// };
/// ```
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// `host:port`, `http://host:port` or `ws://host:port`; with TLS `https://…` or `wss://…`.
    pub url: String,
    /// Whose certificates are accepted, with TLS. Default: the public authorities.
    pub trust: Trust,
    /// What is shown to a server that asks for a certificate. It is read anew whenever the client
    /// connects, and so are the files of `trust`.
    pub identity: Option<Identity>,
    /// Who logs in; servers without users need nobody.
    pub credentials: Option<Credentials>,
    /// What the session tells the server about itself.
    pub info: Json,
    /// How long TCP and the upgrade may take together. Default 30 s.
    pub connect_timeout: Duration,
    /// How long a request waits for its answer. Default 60 s.
    pub call_timeout: Duration,
    /// How long to wait for the end of a publication of consistency 1 or 3. Default 60 s.
    pub publication_timeout: Duration,
    /// How long the server may be silent before the connection counts as lost. Servers send a
    /// heartbeat every 30 s. Default 45 s.
    pub silence_limit: Duration,
    /// How long the server may take no bytes before the connection counts as lost. Default 30 s.
    pub write_timeout: Duration,
    /// The largest message accepted from the server, in bytes. Default 64 MiB.
    pub max_message_bytes: usize,
    /// How many messages may wait to be written; more make callers wait. Default 1024.
    pub outbound_queue: usize,
    /// How to come back after a loss.
    pub reconnect: ReconnectPolicy,
}

impl ClientConfig {
    /// The defaults for a server at `host` and `port`.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        Self::url(Address::new(host, port).to_string())
    }

    /// The defaults for a server at `url`.
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            trust: Trust::default(),
            identity: None,
            credentials: None,
            info: Json::EMPTY_OBJECT,
            connect_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_secs(60),
            publication_timeout: Duration::from_secs(60),
            silence_limit: Duration::from_secs(45),
            write_timeout: Duration::from_secs(30),
            max_message_bytes: 64 * 1024 * 1024,
            outbound_queue: 1024,
            reconnect: ReconnectPolicy::default(),
        }
    }

    pub(crate) fn address(&self) -> Result<Address, ClientError> {
        Address::parse(&self.url)
    }

    /// What to dial `address` with, if it asks for TLS.
    pub(crate) fn tls(&self, address: &Address) -> Result<Option<TlsClient>, ClientError> {
        let dialled = address.tls_name.as_ref();
        let tls = dialled.map(|_| TlsClient::showing(&self.trust, self.identity.clone()));
        let tls = tls.transpose();
        tls.map_err(|error| ClientError::Certificates(error.to_string()))
    }
}

impl Default for ClientConfig {
    /// A server on this machine, at the default port.
    fn default() -> Self {
        Self::new("localhost", DEFAULT_PORT)
    }
}
