//! What can go wrong between a client and its server.

use std::time::Duration;

use happn_paths::PathError;
use happn_protocol::Json;
use serde::Deserialize;

/// Why a call did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address cannot be used; a retry will not help.
    #[error("bad address {address}: {reason}")]
    Address {
        /// What was configured.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The authorities to trust, or the certificate to show, cannot be read or are of no use; a
    /// retry will not help.
    #[error("no TLS without certificates: {0}")]
    Certificates(String),
    /// Nobody listens there, or nobody answers in time. Worth a retry.
    #[error("{address} cannot be reached: {reason}")]
    Unreachable {
        /// Where we dialed.
        address: String,
        /// What the transport said.
        reason: String,
    },
    /// Whoever listens there does not speak the protocol.
    #[error("{address} is no happn server: {reason}")]
    NotHappn {
        /// Where we dialed.
        address: String,
        /// What was wrong.
        reason: String,
    },
    /// There is no connection right now. A client that lost its connection is already
    /// reconnecting; requests are not queued meanwhile. When a connection breaks while a request
    /// waits for its answer, whether the server carried it out is unknown.
    #[error("client is disconnected: {reason}")]
    Disconnected {
        /// Why the connection ended.
        reason: String,
    },
    /// No answer came in time; whether the server carried the request out is unknown.
    #[error("api request timed out path: {path} action: {action}")]
    Timeout {
        /// The request's path; empty when it has none.
        path: String,
        /// The request's verb.
        action: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The server refused or failed.
    #[error(transparent)]
    Server(ServerError),
    /// The path may not be used for this.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The value or the options cannot be written as JSON.
    #[error("cannot encode: {0}")]
    Encode(String),
    /// The answer does not have the expected type.
    #[error("cannot decode: {0}")]
    Decode(String),
    /// The connection lives, but the publication's end was not reported in time, or failed.
    #[error("{0}")]
    Publication(String),
}

impl ClientError {
    pub(crate) fn encode(error: impl std::fmt::Display) -> Self {
        Self::Encode(error.to_string())
    }

    pub(crate) fn decode(error: impl std::fmt::Display) -> Self {
        Self::Decode(error.to_string())
    }

    /// Whether the server refused for lack of rights or wrong credentials.
    #[must_use]
    pub fn is_access_denied(&self) -> bool {
        matches!(self, Self::Server(error) if matches!(error.code, Some(401 | 403)))
    }
}

/// An error as the server sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct ServerError {
    /// `Error`, `AccessDenied`, `SystemError` …
    pub name: String,
    /// 401, 403, 404 or 500; plain errors have none.
    pub code: Option<u16>,
    /// Text for people.
    pub message: String,
    /// The whole error object.
    pub object: Json,
}

impl ServerError {
    /// Reads an error object; what is missing or of another type stays empty.
    pub(crate) fn from_json(object: Json) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Known {
            name: serde_json::Value,
            code: serde_json::Value,
            message: serde_json::Value,
        }
        let known: Known = object.decode().unwrap_or_default();
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        };
        let code = known.code.as_u64().and_then(|code| code.try_into().ok());
        Self {
            name: text(known.name),
            code,
            message: text(known.message),
            object,
        }
    }
}
