//! Hosts, names and endpoints.

use super::*;

#[test]
fn the_proxy_moves_when_the_inner_server_takes_its_port() {
    let config = load("{port: 55000}").unwrap();
    assert_eq!(config.settings.services.proxy.port, 57_000);
}

#[test]
fn hosts_are_addresses_names_with_dots_or_localhost() {
    for host in ["127.0.0.1", "::", "localhost", "node.example.org", ""] {
        assert!(load(&format!("{{host: '{host}'}}")).is_ok(), "{host}");
    }
    for host in ["eth0", "eth0/ipv4/1", "some host.x"] {
        let problems = problems(&format!("{{host: '{host}'}}"));
        assert!(problems[0].starts_with(&format!("host: no such interface {host};")));
    }
}

#[test]
fn names_and_endpoints_are_made_of_the_host_and_the_bound_port() {
    use crate::address::{announced_endpoint, node_name};
    let settings = load("{host: 'localhost'}").unwrap().settings;
    assert_eq!(node_name(&settings, "any"), "127-0-0-1_57000");
    assert_eq!(announced_endpoint(&settings, 1234), "127.0.0.1:1234");
    let settings = load("{name: 'mine'}").unwrap().settings;
    assert_eq!(node_name(&settings, "any"), "mine");
    let settings = load("{host: 'localhost', port: 0}").unwrap().settings;
    assert_eq!(node_name(&settings, "any"), "127-0-0-1_any");
    let settings = load("{announceHost: 'outside.example.org'}")
        .unwrap()
        .settings;
    assert_eq!(announced_endpoint(&settings, 1), "outside.example.org:1");
    let settings = load("{}").unwrap().settings;
    let endpoint = announced_endpoint(&settings, 1);
    assert!(!endpoint.starts_with("0.0.0.0"), "{endpoint}");
}

#[test]
fn an_address_that_peers_cannot_be_told_is_refused() {
    let cannot =
        "peers cannot be told an IPv6 address; set announceHost to an IPv4 address or a name";
    assert_eq!(problems("{host: '::1'}"), [format!("host: {cannot}")]);
    assert_eq!(
        problems("{announceHost: '::1'}"),
        [format!("announceHost: {cannot}")]
    );
    assert_eq!(
        problems("{announceHost: 'outside:57000'}"),
        ["announceHost: it must be an IPv4 address or a host name, without a port"]
    );
    assert!(load("{host: '::1', announceHost: 'outside'}").is_ok());
}
