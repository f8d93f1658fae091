//! Who may do what.

use happn_protocol::Json;

use crate::BoxFuture;

/// Decides about logins and requests.
pub trait Authority: Send + Sync + 'static {
    /// What `describe` tells clients as `secure`.
    fn is_secure(&self) -> bool;

    /// Checks a login. On success the answer holds further members for the session object, in
    /// order, as a JSON object; the open authority adds none.
    fn login(&self, request: LoginRequest) -> BoxFuture<'static, Result<Json, AccessDenied>>;

    /// Whether session `session_id` may do `operation` on `path`. Answers at once when it can:
    /// the publish path calls this for every message.
    fn authorise(&self, session_id: &str, operation: Operation, path: &str) -> Authorisation;
}

/// A login as a client sent it.
#[derive(Clone, Debug)]
pub struct LoginRequest {
    /// The session that logs in.
    pub session_id: String,
    /// The request's `data`, unopened.
    pub data: Json,
}

/// What a request wants to do with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Store or publish.
    Set,
    /// Read.
    Get,
    /// Remove.
    Remove,
    /// Subscribe.
    On,
}

/// A decision, or the promise of one.
pub enum Authorisation {
    /// Go ahead.
    Allowed,
    /// Refused; the client gets the error.
    Denied(AccessDenied),
    /// The decision needs to look something up first.
    Pending(BoxFuture<'static, Result<(), AccessDenied>>),
}

/// A refusal as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AccessDenied {
    /// 401 for credentials, 403 for rights.
    pub code: u16,
    /// Text that clients match.
    pub message: String,
}

/// Lets everybody do everything: a node without security.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenAuthority;

impl Authority for OpenAuthority {
    fn is_secure(&self) -> bool {
        false
    }

    fn login(&self, _request: LoginRequest) -> BoxFuture<'static, Result<Json, AccessDenied>> {
        Box::pin(std::future::ready(Ok(Json::EMPTY_OBJECT)))
    }

    fn authorise(&self, _session_id: &str, _operation: Operation, _path: &str) -> Authorisation {
        Authorisation::Allowed
    }
}
