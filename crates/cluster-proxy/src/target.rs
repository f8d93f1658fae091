//! Where another server is.

use std::fmt;
use std::str::FromStr;

/// The server that clients are led to, when it is not the node of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    encrypted: bool,
}

/// A text that names no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no server: {reason}; use http://host:port or https://host:port")]
pub struct TargetError {
    text: String,
    reason: &'static str,
}

impl Target {
    /// A host name or an IP address; of IPv6 without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it speaks https.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

/// Reads `http://host:port` or `https://host:port`; without a port it is 80 or 443.
impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |reason| {
            Err(TargetError {
                text: text.to_owned(),
                reason,
            })
        };
        let (rest, encrypted) = match text.split_once("://") {
            Some(("http", rest)) => (rest, false),
            Some(("https", rest)) => (rest, true),
            _ => return refuse("it starts neither with http:// nor with https://"),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@']) {
            return refuse("it holds more than host and port");
        }
        let default = if encrypted { "443" } else { "80" };
        let (host, port) = match authority.strip_prefix('[') {
            Some(inside) => match inside.split_once(']') {
                Some((host, "")) => (host, default),
                Some((host, port)) => (host, port.strip_prefix(':').unwrap_or_default()),
                None => return refuse("a bracket is not closed"),
            },
            None => authority.rsplit_once(':').unwrap_or((authority, default)),
        };
        let is_bare_v6 = !authority.starts_with('[') && host.contains(':');
        if host.is_empty() || host.contains(char::is_whitespace) || is_bare_v6 {
            return refuse("it has no host");
        }
        match port.parse() {
            Ok(0) | Err(_) => refuse("its port is no number from 1 to 65535"),
            Ok(port) => Ok(Self {
                host: host.to_owned(),
                port,
                encrypted,
            }),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "https" } else { "http" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_a_port() {
        for (text, expected) in [
            ("http://10.0.0.7:55001", "http://10.0.0.7:55001"),
            ("https://node.example/", "https://node.example:443"),
            ("http://node", "http://node:80"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://[::1]", "https://[::1]:443"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), expected);
        }
    }

    #[test]
    fn anything_else_is_an_error_that_says_what_to_write() {
        for (text, reason) in [
            ("node:1", "it starts neither with http:// nor with https://"),
            (
                "ws://node:1",
                "it starts neither with http:// nor with https://",
            ),
            ("http://", "it has no host"),
            ("http://:80", "it has no host"),
            ("http://::1:80", "it has no host"),
            ("http://node:99999", "its port is no number from 1 to 65535"),
            ("http://node:0", "its port is no number from 1 to 65535"),
            ("http://node:1/path", "it holds more than host and port"),
            (
                "http://user:pass@node:1",
                "it holds more than host and port",
            ),
            ("http://[::1", "a bracket is not closed"),
        ] {
            let error = text.parse::<Target>().unwrap_err();
            let expected = format!(
                "{text:?} names no server: {reason}; use http://host:port or https://host:port"
            );
            assert_eq!(error.to_string(), expected);
        }
    }
}
