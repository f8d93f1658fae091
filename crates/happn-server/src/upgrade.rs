//! Which upgrade requests become websockets.

use hyper::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Method, Request, Response, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Upgrade headers that clients may see in their session object.
const VISIBLE_HEADERS: [&str; 7] = [
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-for",
    "host",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-version",
];

/// Why an upgrade is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) text: &'static str,
    /// Tells the client which versions there are.
    pub(crate) names_versions: bool,
}

/// Whether the request asks for a websocket at all.
pub(crate) fn is_upgrade<B>(request: &Request<B>) -> bool {
    let has = |name, wanted: &str| {
        let text = request
            .headers()
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok());
        text.is_some_and(|text| {
            text.split(',')
                .any(|part| part.trim().eq_ignore_ascii_case(wanted))
        })
    };
    has(CONNECTION, "upgrade") && has(UPGRADE, "websocket")
}

/// The answer that turns the connection into a websocket.
pub(crate) fn accept<B>(request: &Request<B>) -> Result<Response<()>, Refusal> {
    let headers = request.headers();
    let refuse = |status, text| Refusal {
        status,
        text,
        names_versions: false,
    };
    if request.method() != Method::GET {
        return Err(refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "Invalid HTTP method",
        ));
    }
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .filter(|key| is_key(key.as_bytes()));
    let Some(key) = key else {
        let text = "Missing or invalid Sec-WebSocket-Key header";
        return Err(refuse(StatusCode::BAD_REQUEST, text));
    };
    if !matches!(
        headers
            .get(SEC_WEBSOCKET_VERSION)
            .map(HeaderValue::as_bytes),
        Some(b"13" | b"8")
    ) {
        let text = "Missing or invalid Sec-WebSocket-Version header";
        return Err(Refusal {
            names_versions: true,
            ..refuse(StatusCode::BAD_REQUEST, text)
        });
    }
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        answer.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(protocol) = first_protocol(headers) {
        answer.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Ok(response)
}

/// The headers of the upgrade that clients may see, lower-cased, in order of arrival.
pub(crate) fn visible_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| VISIBLE_HEADERS.contains(&name.as_str()))
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into(),
            )
        })
        .collect()
}

/// 16 bytes in base64: 22 characters and two equals signs.
fn is_key(key: &[u8]) -> bool {
    let body = key.strip_suffix(b"==").unwrap_or_default();
    body.len() == 22
        && body
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

fn first_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    HeaderValue::from_str(offered.split(',').next()?.trim()).ok()
}
