//! This machine's network interfaces, and which of their addresses a text names.

use std::net::IpAddr;

/// One address of one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The interface: `eth0`.
    pub interface: String,
    /// The address.
    pub address: IpAddr,
}

/// Every address of this machine, in the order of the system. Empty when the system does not say.
#[must_use]
pub fn interfaces() -> Vec<InterfaceAddress> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let address = |interface: if_addrs::Interface| InterfaceAddress {
        address: interface.ip(),
        interface: interface.name,
    };
    found.into_iter().map(address).collect()
}

/// The address that a text such as `eth0`, `eth0/ipv6` or `eth0/ipv4/1` names: the interface, the
/// family (IPv4 unless said), and which address of that family, from 0.
#[must_use]
pub(crate) fn named(text: &str, interfaces: &[InterfaceAddress]) -> Option<IpAddr> {
    let mut parts = text.split('/');
    let name = parts.next()?;
    let family = parts.next().unwrap_or("ipv4").to_ascii_lowercase();
    let number = match parts.next() {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        Some(_) => return None,
        None => 0,
    };
    let in_family = |address: &IpAddr| match family.as_str() {
        "ipv4" => address.is_ipv4(),
        "ipv6" => address.is_ipv6(),
        _ => false,
    };
    match parts.next() {
        Some(_) => None,
        None => of(name, interfaces).filter(in_family).nth(number),
    }
}

/// The addresses of an interface, of any family.
pub(crate) fn of<'i>(
    name: &'i str,
    interfaces: &'i [InterfaceAddress],
) -> impl Iterator<Item = IpAddr> + 'i {
    let of_it = move |it: &&InterfaceAddress| it.interface == name;
    interfaces.iter().filter(of_it).map(|it| it.address)
}

/// The names of the interfaces for a message, each once.
pub(crate) fn names(interfaces: &[InterfaceAddress]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for InterfaceAddress { interface, .. } in interfaces {
        if !names.contains(&interface.as_str()) {
            names.push(interface);
        }
    }
    match names.is_empty() {
        true => "none that is known".into(),
        false => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Vec<InterfaceAddress> {
        let address = |interface: &str, address: &str| InterfaceAddress {
            interface: interface.into(),
            address: address.parse().unwrap(),
        };
        vec![
            address("lo", "127.0.0.1"),
            address("eth0", "10.0.0.1"),
            address("eth0", "10.0.0.2"),
            address("lo", "::1"),
            address("eth0", "fe80::1"),
        ]
    }

    #[test]
    fn an_interface_family_and_number_name_an_address() {
        let check = |text: &str, expected: Option<&str>| {
            let found = named(text, &machine()).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("eth0", Some("10.0.0.1"));
        check("eth0/ipv4", Some("10.0.0.1"));
        check("eth0/IPv4/1", Some("10.0.0.2"));
        check("eth0/ipv6", Some("fe80::1"));
        check("lo/IPV6/0", Some("::1"));
        for nothing in [
            "eth1",
            "eth0/",
            "eth0/ipv4/2",
            "eth0/ipv6/1",
            "eth0/ipv5",
            "eth0/ipv4/x",
            "eth0/ipv4/",
            "eth0/ipv4/0/0",
            "",
            "ETH0",
        ] {
            check(nothing, None);
        }
    }

    #[test]
    fn names_are_told_once() {
        assert_eq!(names(&machine()), "lo, eth0");
        assert_eq!(names(&[]), "none that is known");
    }

    #[test]
    fn this_machine_has_a_loopback_interface() {
        let found = interfaces();
        assert!(found.iter().any(|it| it.address.is_loopback()), "{found:?}");
    }
}
