//! What is below `/primus` and no upgrade.

use hyper::header::{HeaderMap, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};

use super::pages::{Page, page, upgrade_required};
use crate::listener::Shared;

/// Answers a request whose path begins with `/primus`; pages of any origin may read the answer.
pub(crate) fn serve<B>(shared: &Shared, request: &Request<B>) -> Page {
    let mut response = answer(shared, request);
    if let Some(origin) = request.headers().get(ORIGIN) {
        let headers = response.headers_mut();
        headers.insert("access-control-allow-origin", origin.clone());
        headers.insert("vary", HeaderValue::from_static("Origin"));
        headers.insert(
            "access-control-allow-credentials",
            HeaderValue::from_static("true"),
        );
    }
    response
}

fn answer<B>(shared: &Shared, request: &Request<B>) -> Page {
    let headers = request.headers();
    let asks_first = headers.contains_key("access-control-request-method");
    if request.method() == Method::OPTIONS && asks_first {
        return preflight(headers);
    }
    match request.uri().path() {
        "/primus/spec" => spec(shared),
        "/primus/primus.js" => shared.scripts.primus(headers),
        _ => refusal(headers),
    }
}

fn spec(shared: &Shared) -> Page {
    let interval = shared.config.ping_interval.unwrap_or_default().as_millis();
    let body = format!(
        r#"{{"pingInterval":{interval},"pathname":"/primus","version":"8.0.9","parser":"json","transformer":"websockets"}}"#
    );
    page(StatusCode::OK, "application/json", body)
}

fn refusal(headers: &HeaderMap) -> Page {
    let mut response = upgrade_required();
    let agent = headers.get("user-agent").and_then(|it| it.to_str().ok());
    let agent = agent.unwrap_or_default().to_ascii_lowercase();
    if agent.contains(";msie") || agent.contains("trident/") {
        let off = HeaderValue::from_static("0");
        response.headers_mut().insert("x-xss-protection", off);
    }
    response
}

fn preflight(headers: &HeaderMap) -> Page {
    let mut response = Response::default();
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
