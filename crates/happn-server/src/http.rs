//! The HTTP side of the port: a few fixed routes and the upgrade.

use std::sync::Arc;
use std::time::Duration;

use happn_core::Arrival;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};

use crate::listener::{Place, Shared};
use crate::pages::{Page, error_page, not_found, page, upgrade_required};
use crate::{socket, upgrade};

/// The largest JSON body of a plain request.
const BODY_BYTES_MAX: usize = 100 * 1024;

/// How long an upgrade on a path that is not ours is left without an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer")]
pub(crate) struct NoAnswer;

/// Answers one request.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    arrival: Arrival,
    place: Place,
    request: Request<Incoming>,
) -> Result<Page, NoAnswer> {
    let is_primus = request.uri().path().starts_with("/primus");
    if upgrade::is_upgrade(&request) {
        return match is_primus {
            true => Ok(upgraded(&shared, arrival, place, request)),
            false => silence(&shared).await,
        };
    }
    let origin = request.headers().get(ORIGIN).cloned();
    let is_last = is_last(request.headers());
    let mut response = match is_primus {
        true => primus(&shared, &request),
        false => plain(&shared, request).await,
    };
    let headers = response.headers_mut();
    if is_primus && let Some(origin) = origin {
        headers.insert("access-control-allow-origin", origin);
        headers.insert("vary", HeaderValue::from_static("Origin"));
        headers.insert(
            "access-control-allow-credentials",
            HeaderValue::from_static("true"),
        );
    }
    if !is_last {
        keep_alive(headers, shared.config.keep_alive);
    }
    Ok(response)
}

/// The reference never answers here. A forgotten connection still must not stay for ever.
async fn silence(shared: &Shared) -> Result<Page, NoAnswer> {
    tokio::select! {
        () = tokio::time::sleep(SILENCE) => {}
        () = shared.stopping.cancelled() => {}
    }
    Err(NoAnswer)
}

fn upgraded(
    shared: &Arc<Shared>,
    arrival: Arrival,
    place: Place,
    mut request: Request<Incoming>,
) -> Page {
    match upgrade::accept(&request) {
        Ok(response) => {
            let upgrading = hyper::upgrade::on(&mut request);
            let connection = socket::connection_of(&request, arrival);
            let shared = shared.clone();
            let tracker = shared.tasks.clone();
            tracker.spawn(async move {
                let _place = place;
                match upgrading.await {
                    Ok(upgraded) => socket::serve(shared, upgraded, connection).await,
                    Err(error) => tracing::debug!(%error, "an upgrade was not completed"),
                }
            });
            response.map(|()| Full::default())
        }
        Err(refusal) => {
            let mut response = page(refusal.status, "text/html", refusal.text);
            let headers = response.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
            if refusal.names_versions {
                headers.insert("sec-websocket-version", HeaderValue::from_static("13, 8"));
            }
            response
        }
    }
}

fn primus<B>(shared: &Shared, request: &Request<B>) -> Page {
    let asked = request.headers().get("access-control-request-method");
    if request.method() == Method::OPTIONS && asked.is_some() {
        return preflight(request.headers());
    }
    if request.uri().path() != "/primus/spec" {
        let mut response = upgrade_required();
        let agent = request
            .headers()
            .get("user-agent")
            .and_then(|agent| agent.to_str().ok());
        let agent = agent.unwrap_or_default().to_ascii_lowercase();
        if agent.contains(";msie") || agent.contains("trident/") {
            response
                .headers_mut()
                .insert("x-xss-protection", HeaderValue::from_static("0"));
        }
        return response;
    }
    let interval = shared.config.ping_interval.unwrap_or_default().as_millis();
    let body = format!(
        r#"{{"pingInterval":{interval},"pathname":"/primus","version":"8.0.9","parser":"json","transformer":"websockets"}}"#
    );
    page(StatusCode::OK, "application/json", body)
}

fn preflight(headers: &HeaderMap) -> Page {
    let mut response = Response::new(Full::default());
    let answer = response.headers_mut();
    answer.insert(
        "access-control-max-age",
        HeaderValue::from_static("2592000"),
    );
    let methods = "GET, HEAD, PUT, POST, DELETE, OPTIONS";
    answer.insert(
        "access-control-allow-methods",
        HeaderValue::from_static(methods),
    );
    if let Some(asked) = headers.get("access-control-request-headers") {
        answer.insert("access-control-allow-headers", asked.clone());
    }
    response
}

async fn plain(shared: &Shared, request: Request<Incoming>) -> Page {
    let method = request.method().clone();
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str())
        .to_owned();
    let path = request.uri().path().to_owned();
    if let Err(refused) = check_body(request).await {
        return refused;
    }
    // The whole target is compared: with a query it is another resource.
    match target.to_ascii_lowercase().as_str() {
        "/version" => {
            let version = serde_json::Value::from(shared.config.version.as_str());
            page(
                StatusCode::OK,
                "application/json",
                format!("{{\"version\":{version}}}"),
            )
        }
        "/ping" => page(StatusCode::OK, "text/plain", "pong"),
        _ => not_found(method.as_str(), &path),
    }
}

/// A JSON body is read and must be JSON, whatever the path; others are ignored.
async fn check_body(request: Request<Incoming>) -> Result<(), Page> {
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|kind| kind.starts_with("application/json")) {
        return Ok(());
    }
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX)
        .collect()
        .await
        .map_err(|_| {
            error_page(
                StatusCode::PAYLOAD_TOO_LARGE,
                "PayloadTooLargeError: request entity too large",
            )
        })?;
    let body = body.to_bytes();
    if body.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok() {
        return Ok(());
    }
    Err(error_page(
        StatusCode::BAD_REQUEST,
        "SyntaxError: the request body is not valid JSON",
    ))
}

/// Whether the client asks for nothing more on this connection.
fn is_last(headers: &HeaderMap) -> bool {
    let asked = headers.get(CONNECTION).map(HeaderValue::as_bytes);
    asked.is_some_and(|asked| asked.eq_ignore_ascii_case(b"close"))
}

fn keep_alive(headers: &mut HeaderMap, idle: Duration) {
    if headers.contains_key(CONNECTION) {
        return;
    }
    headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    if let Ok(value) = HeaderValue::from_str(&format!("timeout={}", idle.as_secs())) {
        headers.insert("keep-alive", value);
    }
}
