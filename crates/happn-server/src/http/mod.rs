//! The HTTP side of the port: a few fixed routes, mounted ones, and the upgrade.

mod body;
mod door;
mod guard;
mod pages;
mod primus;
mod scripts;

use std::sync::Arc;
use std::time::Duration;

use happn_core::Arrival;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderValue, STRICT_TRANSPORT_SECURITY};
use hyper::{Request, StatusCode};

use self::body::Arriving;
use self::pages::{Page, not_found, page};
pub(crate) use self::scripts::Scripts;
use crate::listener::{Place, Shared};
use crate::{socket, upgrade};

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
        let rules = arrival.door.as_deref();
        if let Some(refusal) = rules.and_then(|it| door::refusal(it, is_primus, &request)) {
            return Ok(refusal);
        }
        return match is_primus {
            true => Ok(upgraded(&shared, &arrival, place, request)),
            false => silence(&shared).await,
        };
    }
    let is_last = is_last(request.headers());
    let mut response = match is_primus {
        true => primus::serve(&shared, &request),
        false => plain(&shared, arrival, request).await,
    };
    if !is_last {
        keep_alive(response.headers_mut(), shared.config.keep_alive);
    }
    Ok(response)
}

/// The reference never answers here. A forgotten connection still must not stay for ever.
async fn silence(shared: &Shared) -> Result<Page, NoAnswer> {
    tokio::select! {
        () = tokio::time::sleep(shared.config.silence) => {}
        () = shared.stopping.cancelled() => {}
    }
    Err(NoAnswer)
}

fn upgraded(
    shared: &Arc<Shared>,
    arrival: &Arrival,
    place: Place,
    mut request: Request<Incoming>,
) -> Page {
    match upgrade::accept(&request) {
        Ok(response) => {
            let upgrading = hyper::upgrade::on(&mut request);
            let connection = socket::connection_of(shared, &request, arrival);
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

/// In the order of the reference: files, then JSON bodies, then everything else.
async fn plain(shared: &Shared, arrival: Arrival, request: Request<Incoming>) -> Page {
    let path = request.uri().path();
    if let Some(file) = shared
        .scripts
        .file(request.method(), path, request.headers())
    {
        return file;
    }
    let encrypted = arrival.encrypted;
    let mut response = match body::read_json(request, shared.config.body_timeout).await {
        Ok(request) => answer(shared, arrival, request).await,
        Err(refused) => return refused,
    };
    if encrypted {
        let always = HeaderValue::from_static("max-age=15552000; includeSubDomains");
        response
            .headers_mut()
            .insert(STRICT_TRANSPORT_SECURITY, always);
    }
    response
}

async fn answer(shared: &Shared, arrival: Arrival, request: Request<Arriving>) -> Page {
    // The whole target is compared: with a query it is another resource.
    let target = request.uri().path_and_query();
    let target = target.map_or("/", |target| target.as_str());
    if let Some(script) = shared.scripts.made(target, request.headers()) {
        return script;
    }
    match target.to_ascii_lowercase().as_str() {
        "/version" => {
            let version = serde_json::Value::from(shared.config.version.as_str());
            let body = format!("{{\"version\":{version}}}");
            page(StatusCode::OK, "application/json", body)
        }
        "/ping" => page(StatusCode::OK, "text/plain", "pong"),
        _ => match guard::admit(shared, &arrival, request).await {
            Ok(request) => mounted(shared, arrival, request).await,
            Err(refused) => refused,
        },
    }
}

/// What the program around the server serves; nobody else does.
async fn mounted(shared: &Shared, arrival: Arrival, request: Request<Arriving>) -> Page {
    let (mut head, body) = request.into_parts();
    let Some(handler) = shared.mounts.find(head.uri.path()) else {
        return not_found(head.method.as_str(), head.uri.path());
    };
    let config = &shared.config;
    let body = body.all(config.message_bytes_max, config.body_timeout);
    let body = match body.await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    head.extensions.insert(arrival);
    let response = handler.handle(Request::from_parts(head, body)).await;
    response.map(Full::new)
}

/// Whether the client asks for nothing more on this connection.
fn is_last(headers: &HeaderMap) -> bool {
    let asked = headers.get(CONNECTION).map(HeaderValue::as_bytes);
    asked.is_some_and(|asked| asked.eq_ignore_ascii_case(b"close"))
}

fn keep_alive(headers: &mut HeaderMap, idle: Option<Duration>) {
    if headers.contains_key(CONNECTION) {
        return;
    }
    headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    let told = idle.map(|idle| HeaderValue::from_str(&format!("timeout={}", idle.as_secs())));
    if let Some(Ok(value)) = told {
        headers.insert("keep-alive", value);
    }
}
