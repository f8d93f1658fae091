//! Why a request was not answered by the target, and what the client gets instead.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};

use super::passing::Answering;

/// An answer to a client.
pub(super) type Answer = Response<Either<Answering, Full<Bytes>>>;

/// What went wrong behind the door.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody listens there, or the connection broke.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// No connection in time.
    #[error("it takes no connection in time")]
    Unconnected,
    /// No answer in time.
    #[error("it does not answer in time")]
    Silent,
}

impl Failure {
    pub(super) fn answer(&self) -> Answer {
        match self {
            Self::Unreachable(_) => page(
                StatusCode::BAD_GATEWAY,
                "the server behind this door cannot be reached",
            ),
            Self::Unconnected | Self::Silent => page(
                StatusCode::GATEWAY_TIMEOUT,
                "the server behind this door does not answer in time",
            ),
        }
    }
}

/// An upgrade on a path that is not the server's.
pub(super) fn no_such_upgrade() -> Answer {
    page(StatusCode::NOT_FOUND, "there is no websocket at this path")
}

/// One upgrade too many; the next attempt may be made after `wait_s`.
pub(super) fn too_many(wait_s: u128) -> Answer {
    let mut answer = page(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many connections, try again later",
    );
    if let Ok(value) = HeaderValue::from_str(&wait_s.to_string()) {
        answer.headers_mut().insert(RETRY_AFTER, value);
    }
    answer
}

/// The last answer on a connection.
fn page(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Either::Right(Full::from(text)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
