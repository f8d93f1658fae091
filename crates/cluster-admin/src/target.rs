//! Which listener is meant.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;

/// Which listener to ask: `http://host:port`, `https://host:port`, or just `host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    is_encrypted: bool,
    /// `host:port`; brackets around an IPv6 address.
    authority: String,
    /// The length of the host in it.
    host: usize,
}

/// A text that names no listener.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no address of an admin listener: it must look like http://127.0.0.1:56000 or \
     https://node-1.example:56000"
)]
pub struct TargetError {
    text: String,
}

impl Target {
    /// Whether it is to be asked with TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// `host:port`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host: a name, or an IP address; brackets around an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.authority[..self.host]
    }

    /// Whether what is sent there stays within this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_local = |address: IpAddr| address.to_canonical().is_loopback();
        host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(is_local)
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError {
            text: text.to_owned(),
        };
        let url = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let url: Uri = url.parse().map_err(|_| wrong())?;
        let authority = url.authority().ok_or_else(wrong)?;
        let is_encrypted = match url.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let names_only_a_listener = !authority.as_str().contains('@')
            && !authority.host().is_empty()
            && url.query().is_none()
            && matches!(url.path(), "" | "/" | "/health" | "/health/");
        let port = authority.port_u16().filter(|port| *port > 0);
        match port {
            Some(_) if names_only_a_listener => Ok(Self {
                is_encrypted,
                host: authority.host().len(),
                authority: authority.to_string(),
            }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.is_encrypted {
            true => "https",
            false => "http",
        };
        write!(f, "{scheme}://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_and_a_port() {
        for text in [
            "http://127.0.0.1:56000",
            "127.0.0.1:56000",
            "http://127.0.0.1:56000/health",
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), "http://127.0.0.1:56000", "{text}");
            assert!(!target.is_encrypted());
        }
        let target: Target = "https://node-1.example:56000/".parse().unwrap();
        assert_eq!(target.to_string(), "https://node-1.example:56000");
        assert_eq!(target.host(), "node-1.example");
        let target: Target = "[::1]:56000".parse().unwrap();
        assert_eq!(target.host(), "[::1]");
        for text in [
            "",
            "127.0.0.1",
            "127.0.0.1:0",
            "127.0.0.1:99999",
            ":56000",
            "https://127.0.0.1",
            "ws://127.0.0.1:56000",
            "http://me@127.0.0.1:56000",
            "http://127.0.0.1:56000/metrics",
            "http://127.0.0.1:56000/?a",
            "a b:1",
        ] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains("must look like"), "{text}: {error}");
        }
    }

    #[test]
    fn loopback_is_told_by_the_address_alone() {
        let is_loopback = |host: &str| {
            let target: Target = format!("{host}:1").parse().unwrap();
            target.is_loopback()
        };
        for host in [
            "127.0.0.1",
            "127.9.9.9",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "10.0.0.1",
            "localhost.example",
            "127.0.0.1.example",
            "[::2]",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
