//! Where a request carries its token.

use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap};
use hyper::http::request::Parts;

use super::form::Form;

/// A token as it came, good or not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Presented {
    pub(super) token: String,
    /// Browsers send cookies whether the page that asks may know them or not.
    pub(super) in_cookie: bool,
}

/// The first token that is found counts: in the cookie called `cookie`, in that of the same name
/// for connections that are not protected, in the query, or in the `Authorization` header.
pub(super) fn find(head: &Parts, cookie: &str) -> Option<Presented> {
    let named = |name: &str| cookie_named(&head.headers, name);
    let plain = || cookie.strip_suffix("_https").and_then(named);
    let in_cookie = named(cookie).or_else(plain);
    if let Some(token) = in_cookie {
        return Some(Presented {
            token: token.to_owned(),
            in_cookie: true,
        });
    }
    let in_query = Form::parse(head.uri.query().unwrap_or_default()).first(&["happn_token"]);
    let token = in_query.or_else(|| bearer(&head.headers));
    token.map(|token| Presented {
        token,
        in_cookie: false,
    })
}

fn cookie_named<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let texts = headers.get_all(COOKIE).iter();
    let pairs = texts
        .filter_map(|text| text.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(other, _)| other.trim() == name);
    let (_, value) = values.next()?;
    let value = value.trim().trim_matches('"');
    (!value.is_empty()).then_some(value)
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.trim().split_once(' ')?;
    let token = token.trim();
    let fits = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
    fits.then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn presented(target: &str, headers: &[(&str, &str)], cookie: &str) -> Option<Presented> {
        let mut request = Request::get(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        find(&request.body(()).unwrap().into_parts().0, cookie)
    }

    fn check(target: &str, headers: &[(&str, &str)], expected: Option<(&str, bool)>) {
        let found = presented(target, headers, "happn_token");
        let found = found.as_ref().map(|it| (it.token.as_str(), it.in_cookie));
        assert_eq!(found, expected, "{target} {headers:?}");
    }

    #[test]
    fn a_token_is_taken_from_cookie_query_or_bearer_in_this_order() {
        let cookie = ("cookie", "a=b; happn_token=c; x=happn_token");
        let bearer = ("authorization", "bEARER  b");
        check("/?happn_token=q", &[cookie, bearer], Some(("c", true)));
        check("/?x=1&happn_token=q%2B", &[bearer], Some(("q+", false)));
        check("/?token=q", &[bearer], Some(("b", false)));
        check("/", &[("cookie", "happn_token=\"c\"")], Some(("c", true)));
        check(
            "/",
            &[("cookie", "a=b"), ("cookie", "happn_token=c")],
            Some(("c", true)),
        );
    }

    #[test]
    fn what_is_empty_or_called_otherwise_is_no_token() {
        check("/?happn_token=", &[("cookie", "happn_token=")], None);
        check(
            "/?token=q",
            &[("cookie", "other=c; happn_token_https=c")],
            None,
        );
        check("/", &[("authorization", "Basic b")], None);
        check("/", &[("authorization", "Bearer ")], None);
        check("/", &[("authorization", "Bearer")], None);
        check("/", &[("cookie", ";;=;happn_token")], None);
    }

    #[test]
    fn the_cookie_for_protected_connections_comes_before_the_plain_one() {
        let both = [("cookie", "t=plain; t_https=protected")];
        assert_eq!(presented("/", &both, "t_https").unwrap().token, "protected");
        let plain = [("cookie", "t=plain")];
        assert_eq!(presented("/", &plain, "t_https").unwrap().token, "plain");
    }

    proptest::proptest! {
        #[test]
        fn no_header_panics(cookie in r"[ -~]{0,40}", authorization in r"[ -~]{0,20}", query in r"[a-z_%&=+0-9]{0,40}") {
            let target = format!("/?{query}");
            let headers = [("cookie", cookie.as_str()), ("authorization", &authorization)];
            let _ = presented(&target, &headers, "t_https");
        }
    }
}
