//! Whether a page of a browser may ask.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

/// Whether the request comes from no page at all, or from one of this listener itself. There are
/// no cookies to abuse, so this only keeps strangers from trying.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|it| it.to_str().unwrap_or("?"));
    let Some(origin) = text(ORIGIN.as_str()) else {
        return text("sec-fetch-site").is_none_or(|site| site != "cross-site");
    };
    let (_, of_page) = origin.split_once("://").unwrap_or_default();
    let host = text(HOST.as_str()).filter(|host| !host.is_empty());
    host.is_some_and(|host| host.eq_ignore_ascii_case(of_page))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(headers: &[(&'static str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        is_own(&headers.collect())
    }

    #[test]
    fn programs_and_pages_of_the_listener_may_ask() {
        let host = ("host", "admin.example.com:56000");
        assert!(own(&[host]));
        assert!(own(&[host, ("origin", "https://Admin.example.com:56000")]));
        assert!(own(&[host, ("sec-fetch-site", "none")]));
    }

    #[test]
    fn pages_of_others_may_not() {
        let host = ("host", "admin.example.com:56000");
        assert!(!own(&[host, ("origin", "https://evil.example.com")]));
        assert!(!own(&[host, ("origin", "https://admin.example.com")]));
        assert!(!own(&[host, ("origin", "null")]));
        assert!(!own(&[host, ("origin", "\u{e9}")]));
        assert!(!own(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!own(&[("host", ""), ("origin", "")]));
        assert!(!own(&[("origin", "https://x")]));
    }
}
