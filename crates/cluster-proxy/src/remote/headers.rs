//! What of a message's headers goes on, and what is said about the client.

use happn_core::Arrival;
use hyper::HeaderMap;
use hyper::header::{
    CONNECTION, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Headers by which some server might believe where a client is.
const CLAIMS: [HeaderName; 15] = [
    FOR,
    PORT,
    PROTO,
    FORWARDED_HOST,
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("forwarded-port"),
    HeaderName::from_static("forwarded-proto"),
    HeaderName::from_static("z-forwarded-for"),
    HeaderName::from_static("z-forwarded-port"),
    HeaderName::from_static("z-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-real-port"),
    HeaderName::from_static("x-real-proto"),
    HeaderName::from_static("fastly-client-ip"),
    HeaderName::from_static("fastly-ssl"),
];

/// Whether the message names `token` in the list that is `name`.
pub(super) fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Takes out what concerns one connection only.
pub(super) fn end_to_end(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // Without it the request would be for nobody.
        .filter(|name| *name != HOST)
        .collect();
    let own = [
        CONNECTION,
        KEEP_ALIVE,
        PROXY_CONNECTION,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    for name in own.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Says where the client is. What it says itself is believed if `is_trusted`: then it is one more
/// proxy, else anybody.
pub(super) fn tell_client(headers: &mut HeaderMap, arrival: &Arrival, is_trusted: bool) {
    if !is_trusted {
        for name in &CLAIMS {
            headers.remove(name);
        }
    }
    let ip = arrival.address.ip().to_string();
    let before: Vec<String> = headers
        .get_all(FOR)
        .iter()
        .filter_map(|value| value.to_str().ok().map(str::to_owned))
        .collect();
    let chain = [before, vec![ip]].concat().join(", ");
    if let Ok(chain) = HeaderValue::from_str(&chain) {
        headers.insert(FOR, chain);
    }
    let proto = if arrival.encrypted { "https" } else { "http" };
    let host = headers.get(HOST).cloned();
    headers
        .entry(PROTO)
        .or_insert(HeaderValue::from_static(proto));
    headers
        .entry(PORT)
        .or_insert(HeaderValue::from(arrival.address.port()));
    if let Some(host) = host {
        headers.entry(FORWARDED_HOST).or_insert(host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        headers.iter().map(header).collect()
    }

    fn shown(headers: &HeaderMap) -> Vec<String> {
        let mut shown: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        shown.sort();
        shown
    }

    #[test]
    fn what_concerns_one_connection_does_not_go_on() {
        let mut headers = map(&[
            ("connection", "keep-alive, X-Own"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("x-own", "1"),
            ("cookie", "a=1"),
            ("host", "public.example"),
        ]);
        end_to_end(&mut headers);
        assert_eq!(shown(&headers), ["cookie: a=1", "host: public.example"]);
    }

    #[test]
    fn a_client_says_where_it_is_only_where_it_is_trusted() {
        let arrival = Arrival {
            encrypted: true,
            ..Arrival::direct("192.0.2.1:4000".parse().unwrap())
        };
        let claimed = map(&[
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "http"),
            ("x-real-ip", "203.0.113.9"),
            ("host", "public.example"),
        ]);
        let mut headers = claimed.clone();
        tell_client(&mut headers, &arrival, false);
        assert_eq!(
            shown(&headers),
            [
                "host: public.example",
                "x-forwarded-for: 192.0.2.1",
                "x-forwarded-host: public.example",
                "x-forwarded-port: 4000",
                "x-forwarded-proto: https",
            ]
        );
        let mut headers = claimed;
        tell_client(&mut headers, &arrival, true);
        assert_eq!(
            shown(&headers),
            [
                "host: public.example",
                "x-forwarded-for: 203.0.113.9, 192.0.2.1",
                "x-forwarded-host: public.example",
                "x-forwarded-port: 4000",
                "x-forwarded-proto: http",
                "x-real-ip: 203.0.113.9",
            ]
        );
    }
}
