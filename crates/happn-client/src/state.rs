//! Whether the client is connected, and how it comes back when it is not.

use std::sync::Arc;
use std::time::Duration;

/// Where a client stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Connected and logged in, all subscriptions in place.
    Connected {
        /// The session; a new one after each reconnect.
        session_id: Arc<str>,
        /// How often the client has come back. 0 is the first connection; a higher number than
        /// before means that events may have been missed in between.
        reconnects: u64,
    },
    /// The connection was lost; the client is coming back.
    Disconnected {
        /// What happened, or why the latest attempt to come back failed.
        reason: String,
    },
    /// The server ended the session and does not want it back. Final.
    Ended {
        /// The server's reason, such as `token-revoked`.
        reason: String,
    },
    /// The client was closed on this side. Final.
    Closed,
}

impl ConnectionState {
    /// Whether requests can be made now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected { .. })
    }

    /// Whether the client will never be connected again.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::Closed)
    }

    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Connected { .. } => "not connected yet",
            Self::Disconnected { reason } | Self::Ended { reason } => reason,
            Self::Closed => "closed",
        }
    }
}

/// How long to wait before each attempt to come back: the bound doubles from `min` to `max`, and
/// the wait is drawn from its upper half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconnectPolicy {
    /// The shortest wait. Default 500 ms.
    pub min: Duration,
    /// The longest wait. Default 180 s.
    pub max: Duration,
    /// Seed of the jitter; without one each client draws its own.
    pub seed: Option<u64>,
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self {
            min: Duration::from_millis(500),
            max: Duration::from_secs(180),
            seed: None,
        }
    }
}
