//! What the sockets can be told.

use std::net::SocketAddr;
use std::time::Duration;

use happn_tls::TlsServer;

use crate::HttpSecurity;

/// The configuration of a [`Server`](crate::Server).
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// The identity that clients see on the server's own port; plain connections if `None`.
    pub tls: Option<TlsServer>,
    /// The largest message a client may send, in bytes.
    pub message_bytes_max: usize,
    /// Time between heartbeats; `None` switches them off.
    pub ping_interval: Option<Duration>,
    /// How many unanswered beats may pass before the connection is closed.
    pub skipped_beats_max: u32,
    /// How long an idle HTTP connection is kept, and how long a request's head may take; `None` is
    /// for ever.
    pub keep_alive: Option<Duration>,
    /// How long the body of an HTTP request may take.
    pub body_timeout: Duration,
    /// How long an upgrade on a path that is not the node's is left without an answer.
    pub silence: Duration,
    /// How long a client may take no bytes at all before its connection is given up.
    pub write_timeout: Duration,
    /// Connections served at once; more are closed right after they are accepted.
    pub connections_max: usize,
    /// What `/version` answers.
    pub version: String,
    /// How HTTP requests of a secure node are checked.
    pub security: HttpSecurity,
}

impl ServerConfig {
    /// The defaults, listening on `address`.
    #[must_use]
    pub fn on(address: SocketAddr) -> Self {
        Self {
            address,
            tls: None,
            message_bytes_max: 10 * 1024 * 1024,
            ping_interval: Some(Duration::from_secs(30)),
            skipped_beats_max: 1,
            keep_alive: Some(Duration::from_secs(120)),
            body_timeout: Duration::from_secs(300),
            silence: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            connections_max: 100_000,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            security: HttpSecurity::default(),
        }
    }
}
