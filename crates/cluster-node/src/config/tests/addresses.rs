//! Hosts, names and endpoints.

use super::*;

#[test]
fn the_proxy_moves_when_the_inner_server_takes_its_port() {
    let config = load("{port: 55000}").unwrap();
    assert_eq!(config.settings.services.proxy.port, 57_000);
}

#[test]
fn health_and_metrics_are_below_the_inner_server_unless_told_otherwise() {
    for (text, port) in [
        ("{}", 56_000),
        ("{port: 57001}", 56_001),
        // There the proxy is.
        ("{port: 56000}", 54_000),
        ("{port: 0}", 0),
        ("{port: 1500}", 0),
        ("{port: 57001, admin: {port: 9000}}", 9000),
        ("{port: 57001, admin: {port: 0}}", 0),
    ] {
        assert_eq!(load(text).unwrap().settings.admin_port(), port, "{text}");
    }
}

#[test]
fn health_and_metrics_have_a_port_of_their_own() {
    for (text, whose) in [
        ("{port: 1, admin: {port: 1}}", "the inner server's"),
        ("{admin: {port: 55000}}", "the proxy's"),
    ] {
        let [problem] = &problems(text)[..] else {
            panic!("one problem: {text}");
        };
        assert!(problem.starts_with("admin.port: "), "{problem}");
        assert!(
            problem.ends_with(&format!("is also {whose} port")),
            "{problem}"
        );
    }
}

#[test]
fn a_program_can_say_what_a_file_would() {
    let tree =
        serde_json::json!({"port": 4000, "services": {"proxy": {"config": {"defer": true}}}});
    let config = Config::from_tree(&tree).unwrap();
    assert_eq!(config.settings.port, 4000);
    assert!(config.settings.services.proxy.defer);
    let error = Config::from_tree(&serde_json::json!({"port": "many"})).unwrap_err();
    let expected = "program: port is \"many\", but must be a whole number from 0 to 65535";
    assert_eq!(error.problems[0].to_string(), expected);
}

#[test]
fn hosts_are_addresses_names_with_dots_or_localhost() {
    for host in ["127.0.0.1", "::", "localhost", "node.example.org", ""] {
        assert!(load(&format!("{{host: '{host}'}}")).is_ok(), "{host}");
    }
    for host in ["eth0", "eth0/ipv4/1", "some host.x", "eth0:1"] {
        assert_eq!(
            problems(&format!("{{host: '{host}'}}")),
            [format!(
                "host: no such interface {host}; it must be an IP address, a host name with a \
                 dot, localhost, or an interface such as eth0 or eth0/ipv4/0; interfaces here: \
                 none that is known"
            )]
        );
    }
}

/// A machine with one card: two addresses of IPv4 and one of IPv6.
fn on_a_machine(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let addresses = ["10.0.0.1", "10.0.0.2", "fd00::1"];
    let of_eth0 = |address: &str| InterfaceAddress {
        interface: "eth0".into(),
        address: address.parse().unwrap(),
    };
    Config::load(&Sources {
        environment: variables(environment),
        interfaces: addresses.map(of_eth0).into(),
        ..Sources::default()
    })
}

#[test]
fn a_host_may_be_an_interface() {
    use crate::address::{announced_endpoint, node_name};
    let config = on_a_machine(&[("HAPPN_HOST", "eth0/ipv4/1"), ("HAPPN_PROXY_HOST", "eth0")]);
    let settings = config.unwrap().settings;
    assert_eq!(settings.host, "10.0.0.2");
    assert_eq!(settings.services.proxy.host, "10.0.0.1");
    assert_eq!(announced_endpoint(&settings, 7), "10.0.0.2:7");
    assert_eq!(node_name(&settings, ""), "10-0-0-2_57000");
    let error = on_a_machine(&[("HAPPN_HOST", "eth1")]).unwrap_err();
    assert!(
        error.to_string().ends_with("interfaces here: eth0"),
        "{error}"
    );
    let error = on_a_machine(&[("HAPPN_HOST", "eth0/ipv6")]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("peers cannot be told an IPv6 address")
    );
}

#[test]
fn the_announced_address_is_that_of_the_interface_that_the_environment_names() {
    use crate::address::{announced_endpoint, node_name};
    for (environment, announced) in [
        (&[("NETWORK_INTERFACE_ID", "eth0")][..], "10.0.0.1:7"),
        (&[("NETWORK_INTERFACE", "1")], "10.0.0.2:7"),
        (
            &[
                ("NETWORK_INTERFACE_ID", "eth0"),
                ("HAPPN_ANNOUNCE_HOST", "out.side"),
            ],
            "out.side:7",
        ),
        (
            &[
                ("NETWORK_INTERFACE_ID", "eth0"),
                ("HAPPN_HOST", "127.0.0.1"),
            ],
            "10.0.0.1:7",
        ),
    ] {
        let config = on_a_machine(environment).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        assert_eq!(announced_endpoint(&config.settings, 7), announced);
    }
    let config = on_a_machine(&[("NETWORK_INTERFACE_ID", "eth0")]).unwrap();
    assert_eq!(node_name(&config.settings, ""), "10-0-0-1_57000");
}

#[test]
fn an_interface_that_is_not_there_is_a_warning_and_counts_as_not_named() {
    use crate::address::announced_endpoint;
    for (environment, warning) in [
        (
            &[
                ("NETWORK_INTERFACE_ID", "eth9"),
                ("HAPPN_HOST", "127.0.0.1"),
            ][..],
            "environment NETWORK_INTERFACE_ID: address number 0 of interface eth9 is not there; \
             interfaces here: eth0; the announced address is made without it",
        ),
        (
            &[("NETWORK_INTERFACE", "2"), ("HAPPN_HOST", "127.0.0.1")],
            "environment NETWORK_INTERFACE: address number 2 of interface eth0 is fd00::1, and \
             peers cannot be told an IPv6 address; the announced address is made without it",
        ),
    ] {
        let config = on_a_machine(environment).unwrap();
        assert_eq!(config.warnings, [warning]);
        assert_eq!(announced_endpoint(&config.settings, 7), "127.0.0.1:7");
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
