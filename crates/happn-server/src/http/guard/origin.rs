//! Whether a page may use a cookie that its browser sends along.

use hyper::Method;
use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::http::request::Parts;

/// Whether the request changes nothing, or comes from a page of the node's own origin or one of
/// `allowed`, or from no page at all.
pub(super) fn is_own(head: &Parts, allowed: &[String]) -> bool {
    let safe = matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if safe && head.uri.path() != "/auth/logout" {
        return true;
    }
    let Some(origin) = text(&head.headers, ORIGIN.as_str()) else {
        // Browsers that send no origin with it say at least whether the page is a stranger.
        return text(&head.headers, "sec-fetch-site").is_none_or(|site| site != "cross-site");
    };
    let host = text(&head.headers, HOST.as_str());
    let host = host.or_else(|| head.uri.authority().map(|authority| authority.as_str()));
    let (_, of_page) = origin.split_once("://").unwrap_or_default();
    let own = host.is_some_and(|host| !host.is_empty() && host.eq_ignore_ascii_case(of_page));
    own || allowed
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(origin))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn own(method: &str, path: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let head = request.body(()).unwrap().into_parts().0;
        is_own(&head, &["https://app.example.com".to_owned()])
    }

    #[test]
    fn pages_of_other_origins_may_read_but_not_change() {
        let host = ("host", "node.example.com:8080");
        let stranger = ("origin", "https://evil.example.com");
        assert!(own("GET", "/a", &[host, stranger]));
        assert!(!own("POST", "/a", &[host, stranger]));
        assert!(!own("DELETE", "/a", &[host, ("origin", "null")]));
        assert!(!own("POST", "/a", &[("origin", "https://x")]));
        assert!(!own("POST", "/a", &[("host", ""), ("origin", "")]));
        assert!(!own("GET", "/auth/logout", &[host, stranger]));
    }

    #[test]
    fn the_own_origin_and_those_that_are_allowed_may_change() {
        let host = ("host", "node.example.com:8080");
        assert!(own(
            "POST",
            "/a",
            &[host, ("origin", "https://Node.example.com:8080")]
        ));
        assert!(own(
            "POST",
            "/a",
            &[host, ("origin", "https://app.example.com")]
        ));
    }

    #[test]
    fn who_is_no_page_may_change() {
        assert!(own("POST", "/a", &[]));
        assert!(own("POST", "/a", &[("sec-fetch-site", "same-origin")]));
        assert!(!own("POST", "/a", &[("sec-fetch-site", "cross-site")]));
        assert!(!own(
            "GET",
            "/auth/logout",
            &[("sec-fetch-site", "cross-site")]
        ));
    }
}
