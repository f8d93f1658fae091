//! Where a server lives, and the request that upgrades a connection to it.

use std::fmt;

use crate::ClientError;

/// The port of a happn server that was not told another one.
pub(crate) const DEFAULT_PORT: u16 = 55_000;

/// The characters of the cache buster, 64 of them.
const ALPHABET: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/// Host and port, and the query that goes along with the upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Whom the certificate must be for; `None` without TLS.
    pub(crate) tls_name: Option<String>,
    query: Option<String>,
}

impl Address {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        // Name resolution may answer `localhost` with `::1` first; servers listen on IPv4.
        let host = match host {
            "" | "localhost" => "127.0.0.1",
            other => other,
        };
        Self {
            host: host.to_owned(),
            port,
            tls_name: None,
            query: None,
        }
    }

    /// Reads `http://host:port?query`, `ws://…` or plain `host:port`, and with TLS `https://…` or
    /// `wss://…`. A path is ignored, as the
    /// JavaScript client does: the upgrade always goes to `/primus`.
    pub(crate) fn parse(text: &str) -> Result<Self, ClientError> {
        let bad = |reason: &str| ClientError::Address {
            address: text.to_owned(),
            reason: reason.to_owned(),
        };
        let (rest, with_tls) = match text.split_once("://") {
            None => (text, false),
            Some(("http" | "ws", rest)) => (rest, false),
            Some(("https" | "wss", rest)) => (rest, true),
            Some((scheme, _)) => return Err(bad(&format!("unknown scheme {scheme}"))),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = split_port(authority).ok_or_else(|| bad("the port is no number"))?;
        if host.is_empty() {
            return Err(bad("no host"));
        }
        let mut address = Self::new(host, port);
        address.tls_name = with_tls.then(|| host.to_owned());
        address.query = query.filter(|query| !query.is_empty());
        Ok(address)
    }

    /// The target of the upgrade request; `nonce` keeps caches away.
    pub(crate) fn target(&self, nonce: u64) -> String {
        let mut target = String::from("/primus?");
        if let Some(query) = &self.query {
            target.push_str(query);
            target.push('&');
        }
        target.push_str("_primuscb=");
        for digit in 0..7 {
            let index = (nonce >> (digit * 6)) as usize & 63;
            target.push(char::from(ALPHABET[index]));
        }
        target
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Splits `host:port`, `[v6]:port` or a bare host.
fn split_port(authority: &str) -> Option<(&str, u16)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = rest.strip_prefix(':');
        return Some((host, port.map_or(Some(DEFAULT_PORT), |p| p.parse().ok())?));
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((authority, DEFAULT_PORT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, host: &str, port: u16) {
        let address = Address::parse(text).unwrap();
        assert_eq!(
            (address.host.as_str(), address.port),
            (host, port),
            "{text}"
        );
    }

    #[test]
    fn addresses_come_in_several_spellings() {
        check("127.0.0.2:21001", "127.0.0.2", 21001);
        check("http://localhost:57000", "127.0.0.1", 57000);
        check("ws://example.org/any/path", "example.org", 55000);
        check("http://user:secret@h:1", "h", 1);
        check("[::1]:57000", "::1", 57000);
    }

    #[test]
    fn what_cannot_work_is_refused_with_a_reason() {
        for (text, reason) in [
            ("ftp://h:1", "unknown scheme ftp"),
            ("h:port", "the port is no number"),
            ("http://:1", "no host"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.to_string(), format!("bad address {text}: {reason}"));
        }
    }

    #[test]
    fn the_query_of_the_url_comes_before_the_cache_buster() {
        let address = Address::parse("http://h:1?token=x").unwrap();
        assert_eq!(address.target(0), "/primus?token=x&_primuscb=0000000");
        assert_eq!(Address::new("h", 1).target(63), "/primus?_primuscb=_000000");
    }
}
