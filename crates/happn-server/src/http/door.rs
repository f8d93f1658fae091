//! Upgrades through a front door: how many, and where to.

use std::time::Duration;

use happn_core::DoorRules;
use hyper::header::{CONNECTION, HeaderValue, RETRY_AFTER};
use hyper::{Request, StatusCode};

use super::pages::{Page, error_page, not_found};

/// The answer to an upgrade that the door does not let through; `None` if it may go on.
pub(super) fn refusal<B>(rules: &DoorRules, is_primus: bool, request: &Request<B>) -> Option<Page> {
    if !is_primus {
        let page = not_found(request.method().as_str(), request.uri().path());
        return Some(closing(page));
    }
    rules.upgrades.admit().err().map(too_many)
}

fn too_many(wait: Duration) -> Page {
    let mut response = error_page(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many connections, try again later",
    );
    // Whole seconds, and never so few that the next attempt comes too early.
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    closing(response)
}

fn closing(mut response: Page) -> Page {
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
