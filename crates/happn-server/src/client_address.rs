//! Where a client really is, as far as a proxy in front says so.

use std::net::{IpAddr, SocketAddr};

use happn_core::Arrival;
use hyper::HeaderMap;

/// Headers by which proxies pass on ip, port and protocol; the first family present decides.
const FAMILIES: [[&str; 3]; 5] = [
    ["fastly-client-ip", "fastly-client-port", "fastly-ssl"],
    ["x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"],
    ["z-forwarded-for", "z-forwarded-port", "z-forwarded-proto"],
    ["forwarded", "forwarded-port", "forwarded-proto"],
    ["x-real-ip", "x-real-port", "x-real-proto"],
];

/// Ip, port and whether TLS protects the stream, as the socket itself says.
pub(crate) fn direct_address(arrival: &Arrival) -> (String, u16, bool) {
    let socket = arrival.address;
    (socket.ip().to_string(), socket.port(), arrival.encrypted)
}

/// Ip, port and whether the client's side is protected.
pub(crate) fn client_address(headers: &HeaderMap, arrival: &Arrival) -> (String, u16, bool) {
    let direct = direct_address(arrival);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(family) = FAMILIES
        .iter()
        .find(|family| headers.contains_key(family[0]))
    else {
        return direct;
    };
    let entries: Vec<&str> = text(family[0])
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .collect();
    let parsed: Option<Vec<(IpAddr, u16)>> = entries.iter().map(|entry| address(entry)).collect();
    let Some(&(ip, suffix_port)) = parsed.as_deref().and_then(<[_]>::first) else {
        return direct;
    };
    let first = |name| {
        text(name)
            .and_then(|value| value.split(',').next())
            .map(str::trim)
    };
    let port = first(family[1])
        .and_then(|port| port.parse().ok())
        .unwrap_or(suffix_port);
    let secure = matches!(first(family[2]), Some("https" | "1"));
    (ip.to_string(), port, secure)
}

fn address(entry: &str) -> Option<(IpAddr, u16)> {
    if let Ok(ip) = entry.parse() {
        return Some((ip, 0));
    }
    entry
        .parse::<SocketAddr>()
        .ok()
        .map(|address| (address.ip(), address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &str)], expected: (&str, u16, bool)) {
        let map = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let (ip, port, secure) =
            client_address(&map, &Arrival::direct("127.0.0.1:5".parse().unwrap()));
        assert_eq!((ip.as_str(), port, secure), expected, "{headers:?}");
    }

    #[test]
    fn the_first_family_of_forwarding_headers_decides() {
        check(&[], ("127.0.0.1", 5, false));
        check(
            &[("x-forwarded-for", "1.2.3.4, 5.6.7.8")],
            ("1.2.3.4", 0, false),
        );
        check(
            &[
                ("x-forwarded-for", "1.2.3.4:77"),
                ("x-forwarded-proto", "https"),
            ],
            ("1.2.3.4", 77, true),
        );
        check(
            &[("x-forwarded-for", "1.2.3.4, nonsense")],
            ("127.0.0.1", 5, false),
        );
    }
}
