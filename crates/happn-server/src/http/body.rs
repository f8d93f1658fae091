//! The bodies of plain requests, bounded in size and time.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{Request, StatusCode};

use super::pages::{Page, error_page};

/// The largest JSON body of a plain request.
const JSON_BYTES_MAX: usize = 100 * 1024;

/// A JSON body is read and must be JSON, whatever the path; others stay where they are.
pub(crate) async fn read_json(
    request: Request<Incoming>,
    timeout: Duration,
) -> Result<Request<Arriving>, Page> {
    if !is_json(request.headers()) {
        return Ok(request.map(Arriving::Unread));
    }
    let (head, body) = request.into_parts();
    let body = read(body, JSON_BYTES_MAX, timeout).await?;
    let valid = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
    if !body.is_empty() && !valid {
        return Err(error_page(
            StatusCode::BAD_REQUEST,
            "SyntaxError: the request body is not valid JSON",
        ));
    }
    Ok(Request::from_parts(head, Arriving::Read(body)))
}

/// A body, read or not.
pub(crate) enum Arriving {
    Read(Bytes),
    Unread(Incoming),
}

impl Arriving {
    /// All of it, or the page that refuses more than `bytes_max` or what takes too long.
    pub(crate) async fn all(self, bytes_max: usize, timeout: Duration) -> Result<Bytes, Page> {
        match self {
            Self::Read(body) => Ok(body),
            Self::Unread(body) => read(body, bytes_max, timeout).await,
        }
    }
}

async fn read(body: Incoming, bytes_max: usize, timeout: Duration) -> Result<Bytes, Page> {
    // What is announced as too large is not read at all.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    let reading = Limited::new(body, bytes_max).collect();
    let Ok(read) = tokio::time::timeout(timeout, reading).await else {
        return Err(error_page(
            StatusCode::REQUEST_TIMEOUT,
            "RequestTimeoutError: the request body took too long",
        ));
    };
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Err(_) => Err(error_page(
            StatusCode::BAD_REQUEST,
            "BadRequestError: the request body broke off",
        )),
    }
}

fn too_large() -> Page {
    error_page(
        StatusCode::PAYLOAD_TOO_LARGE,
        "PayloadTooLargeError: request entity too large",
    )
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media_type = content_type.and_then(|it| it.split(';').next());
    media_type.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"))
}
