//! The fixed answers of the HTTP side.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

pub(crate) type Page = Response<Full<Bytes>>;

/// An answer with a body of a given type.
pub(crate) fn page(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Page {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The error page of a request nobody serves; `target` is the request's path.
pub(crate) fn not_found(method: &str, path: &str) -> Page {
    error_page(
        StatusCode::NOT_FOUND,
        &format!("Cannot {method} {}", encode_percent(path)),
    )
}

/// An error page with `text`, which is escaped.
pub(crate) fn error_page(status: StatusCode, text: &str) -> Page {
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <title>Error</title>\n</head>\n<body>\n<pre>{}</pre>\n</body>\n</html>\n",
        escape_html(text)
    );
    let mut response = page(status, "text/html; charset=utf-8", body);
    let headers = response.headers_mut();
    headers.insert(
        "content-security-policy",
        HeaderValue::from_static("default-src 'none'"),
    );
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// A request under `/primus` that should have been an upgrade.
pub(crate) fn upgrade_required() -> Page {
    let mut response = page(
        StatusCode::UPGRADE_REQUIRED,
        "text/plain",
        "Upgrade Required",
    );
    let headers = response.headers_mut();
    let no_store = "no-store, no-cache, must-revalidate, max-age=0";
    headers.insert("cache-control", HeaderValue::from_static(no_store));
    headers.insert("pragma", HeaderValue::from_static("no-cache"));
    response
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A `%` that begins no escape is encoded, as browsers would.
fn encode_percent(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(path.len());
    for (at, character) in path.char_indices() {
        let escape = bytes.get(at + 1..at + 3);
        let valid = escape.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        if character == '%' && !valid {
            out.push_str("%25");
        } else {
            out.push(character);
        }
    }
    out
}
