//! Why a request was not done, as clients are told.

use std::time::Duration;

use happn_core::Refusal;
use happn_security::directory::{
    DirectoryError, LookupError, NameError, PasswordError, PermissionError,
};
use happn_security::provision::ProvisionError;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// An answer that says no. Its texts are for strangers: no secrets, nothing of the inside.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    kind: &'static str,
    pub(super) message: String,
    problems: Vec<String>,
    pub(super) header: Option<Box<(HeaderName, HeaderValue)>>,
}

/// Every kind that clients can tell apart.
pub(super) const KINDS: [&str; 8] = [
    "not-found",
    "invalid",
    "unauthorized",
    "forbidden",
    "conflict",
    "too-many-requests",
    "unavailable",
    "not-secure",
];

impl Problem {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
            problems: Vec::new(),
            header: None,
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    /// Several things are wrong at once.
    pub(super) fn listed(message: impl Into<String>, problems: Vec<String>) -> Self {
        Self {
            problems,
            ..Self::invalid(message)
        }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", message)
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self {
            header: with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            ..Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
        }
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    pub(super) fn not_secure() -> Self {
        let message = "this node is not secure, so it has no users; `secure: true` makes it so";
        Self::new(StatusCode::CONFLICT, "not-secure", message)
    }

    /// Whoever asked has to wait.
    pub(super) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let message = format!("too many requests from this address; come back in {seconds} s");
        Self {
            header: with(RETRY_AFTER, HeaderValue::from(seconds.max(1))),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", message)
        }
    }

    /// The path is known, the verb is not; `allowed` as in the header.
    pub(super) fn verb(allowed: &str) -> Self {
        let message = format!("only {allowed} may be asked here");
        Self {
            header: HeaderValue::from_str(allowed)
                .ok()
                .and_then(|allowed| with(ALLOW, allowed)),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "invalid", message)
        }
    }

    pub(super) fn media_type() -> Self {
        let message = "the body must have the content-type application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid", message)
    }

    pub(super) fn too_large(bytes_max: usize) -> Self {
        let message = format!("the body must not be larger than {bytes_max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid", message)
    }

    pub(super) fn too_slow() -> Self {
        let message = "the body took too long to arrive";
        Self::new(StatusCode::REQUEST_TIMEOUT, "invalid", message)
    }

    /// The store, or what is in it; the log tells the rest.
    fn store(error: &DirectoryError) -> Self {
        tracing::warn!(%error, "a request of administration failed");
        Self::unavailable("users and groups cannot be read or written now; the node's log says why")
    }

    pub(super) fn json(&self) -> Value {
        let mut error = json!({ "kind": self.kind, "message": self.message });
        if !self.problems.is_empty() {
            error["problems"] = json!(self.problems);
        }
        json!({ "error": error })
    }
}

/// One more header of an answer.
fn with(name: HeaderName, value: HeaderValue) -> Option<Box<(HeaderName, HeaderValue)>> {
    Some(Box::new((name, value)))
}

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        let text = error.to_string();
        match error {
            DirectoryError::Name(_)
            | DirectoryError::Lookup(_)
            | DirectoryError::NoCredentials
            | DirectoryError::OldPassword
            | DirectoryError::Password(PasswordError::Unusable(_)) => Self::invalid(text),
            DirectoryError::Permission(error) => error.into(),
            DirectoryError::NotSaved(what) => Self::not_found(format!("there is no such {what}")),
            DirectoryError::NoSuchGroup => Self::not_found("there is no such group"),
            DirectoryError::NoSuchUser(_) => Self::not_found(text),
            DirectoryError::AlreadyExists { .. }
            | DirectoryError::SharedName(_)
            | DirectoryError::ReservedUser(_)
            | DirectoryError::AdminGroup
            | DirectoryError::AdminUser
            | DirectoryError::AnonymousNotConfigured
            | DirectoryError::TooManyRevoked => Self::conflict(text),
            DirectoryError::Password(PasswordError::Overloaded) => Self::unavailable(text),
            DirectoryError::AdminPassword
            | DirectoryError::Malformed { .. }
            | DirectoryError::Store(_) => Self::store(&error),
        }
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<LookupError> for Problem {
    fn from(error: LookupError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<PermissionError> for Problem {
    fn from(error: PermissionError) -> Self {
        match error {
            PermissionError::Invalid { problems, .. } => {
                Self::listed("the permissions are not valid", problems)
            }
            other => Self::invalid(other.to_string()),
        }
    }
}

impl From<ProvisionError> for Problem {
    fn from(error: ProvisionError) -> Self {
        match error {
            ProvisionError::Invalid(problems) => {
                let problems = problems.iter().map(ToString::to_string).collect();
                Self::listed("nothing was changed, the file is not valid", problems)
            }
            ProvisionError::Directory { done, source } => {
                let problem = Self::from(source);
                let message = format!("after {} changes: {}", done.len(), problem.message);
                Self { message, ..problem }
            }
        }
    }
}

/// What the authority refuses that is not about who asks.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal.error.code {
            Some(500) => {
                tracing::warn!(%refusal, "a request of administration failed");
                Self::unavailable("the node cannot do that now; its log says why")
            }
            _ => Self::conflict(refusal.error.message),
        }
    }
}
