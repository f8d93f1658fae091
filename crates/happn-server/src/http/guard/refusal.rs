//! The pages of refused requests.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::ext::ReasonPhrase;
use hyper::header::{HeaderValue, WWW_AUTHENTICATE};
use hyper::http::request::Parts;

use super::RULE_PREFIX;
use crate::HttpSecurity;
use crate::http::pages::{Page, page};

/// What is said to whoever brings no token that is one.
pub(super) const NO_TOKEN: &str = "invalid token format or null token";

/// What is said to whoever has a token, but no right.
pub(super) fn no_access(head: &Parts) -> String {
    format!(
        "unauthorized access to path {RULE_PREFIX}{}",
        head.uri.path()
    )
}

pub(super) fn unauthorized(config: &HttpSecurity, text: &str) -> Page {
    let html = config.unauthorized_page.as_ref();
    let mut response = refusal(StatusCode::UNAUTHORIZED, html, text);
    let scheme = HeaderValue::from_static("happn-auth");
    response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    response
}

pub(super) fn forbidden(config: &HttpSecurity, text: &str) -> Page {
    refusal(StatusCode::FORBIDDEN, config.forbidden_page.as_ref(), text)
}

fn refusal(status: StatusCode, html: Option<&Bytes>, text: &str) -> Page {
    let mut response = match html {
        Some(html) => page(status, "text/html", html.clone()),
        None => page(status, "text/plain", text.to_owned()),
    };
    let reason = ReasonPhrase::from_static(b"unauthorized access");
    response.extensions_mut().insert(reason);
    response
}
