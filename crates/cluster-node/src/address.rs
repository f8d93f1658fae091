//! Where a node listens, what it is called and where others find it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::str::FromStr;

use crate::config::Settings;

/// A host to listen on: an IP address, a host name with a dot, or `localhost`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenHost(String);

/// A host that is none: the name of an interface, or of nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such interface {0}")]
pub struct NoSuchInterface(String);

impl ListenHost {
    /// What to bind.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_everywhere(&self) -> bool {
        let address = self.0.parse::<IpAddr>();
        address.is_ok_and(|address| address.is_unspecified())
    }
}

impl FromStr for ListenHost {
    type Err = NoSuchInterface;

    /// `localhost` means 127.0.0.1, and only that: the name may also resolve to `::1`, and a peer
    /// must find the node at the address it announces.
    fn from_str(text: &str) -> Result<Self, NoSuchInterface> {
        match text {
            "" => Ok(Self("0.0.0.0".into())),
            "localhost" => Ok(Self("127.0.0.1".into())),
            _ if text.parse::<IpAddr>().is_ok() || is_dotted_name(text) => Ok(Self(text.into())),
            _ => Err(NoSuchInterface(text.into())),
        }
    }
}

impl fmt::Display for ListenHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_dotted_name(text: &str) -> bool {
    text.contains('.') && is_host_name(text)
}

/// Whether `text` could be a host name or an IPv4 address; what it stands for is not looked up.
pub(crate) fn is_host_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !text.is_empty() && text.bytes().all(plain)
}

/// Where peers connect: `host:port`, with the port that is really bound. Never an IPv6 address;
/// the rules of the configuration see to that.
#[must_use]
pub fn announced_endpoint(settings: &Settings, bound_port: u16) -> String {
    let host = match &settings.announce_host {
        Some(host) => host.clone(),
        None => reachable_host(settings),
    };
    format!("{host}:{bound_port}")
}

/// The node's name: as configured, else its address and port, dots as dashes: `10-0-0-1_57000`.
/// Where the port is not known yet, `unique` takes its place.
#[must_use]
pub fn node_name(settings: &Settings, unique: &str) -> String {
    match (&settings.name, settings.port) {
        (Some(name), _) => name.clone(),
        (None, 0) => default_name(settings, unique),
        (None, port) => default_name(settings, &port.to_string()),
    }
}

fn default_name(settings: &Settings, last: &str) -> String {
    let host = reachable_host(settings).replace(['.', ':'], "-");
    format!("{host}_{last}")
}

/// The interface that was asked for, else the listening host as others may reach it.
fn reachable_host(settings: &Settings) -> String {
    if let Some(address) = &settings.network.interface_id {
        return address.clone();
    }
    match settings.host.parse::<ListenHost>() {
        Ok(host) if !host.is_everywhere() => host.0,
        _ => first_external_address()
            .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
            .to_string(),
    }
}

/// This machine's address towards the outside, by the routing table. Sends nothing: connecting a
/// UDP socket only picks the interface.
fn first_external_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address reserved for documentation; any address beyond the machine will do.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    let external = !address.is_loopback() && !address.is_unspecified() && !is_link_local(address);
    external.then_some(address)
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_link_local())
}
