//! What holds between keys.

use std::net::IpAddr;

use cluster_proxy::Target;
use serde_json::{Value, json};

use crate::address::{ListenHost, is_host_name};
use crate::config::key::Key;
use crate::config::keys::KEYS;
use crate::config::layers::{Layers, Origin, preset};
use crate::config::problem::Report;
use crate::network::{self, InterfaceAddress};

/// Completes derived defaults and checks what no single key can know.
pub(crate) fn apply(layers: &mut Layers, interfaces: &[InterfaceAddress], report: &mut Report) {
    dodge_the_inner_port(layers);
    complete_default_stores(layers, report);
    for key in [HOST, "services.proxy.config.host", "admin.host"] {
        resolve_host(layers, key, interfaces, report);
    }
    resolve_interface(layers, interfaces, report);
    check_announced(layers, report);
    check_security(layers, report);
    check_tls(layers, report);
    check_client_authorities(layers, report);
    check_target(layers, report);
    check_ports(layers, report);
    check_admin_port(layers, report);
    check_minimums(layers, report);
    check_timing(layers, report);
}

const HOST: &str = "host";
const ANNOUNCE_HOST: &str = "announceHost";
const INTERFACE_ID: &str = "network.interfaceId";
const INTERFACE: &str = "network.interface";
const PORT: &str = "port";
const PROXY_PORT: &str = "services.proxy.config.port";
const ADMIN_PORT: &str = "admin.port";
const STORES: &str = "services.data.config.datastores";
const FILENAME: &str = "services.data.config.filename";
const FSYNC: &str = "services.data.config.fsync";
const CLUSTER: &str = "services.orchestrator.config.cluster";
const SERVICE: &str = "services.orchestrator.config.serviceName";
const KEEP_ALIVE: &str = "services.orchestrator.config.timing.keepAlive";
const THRESHOLD: &str = "services.orchestrator.config.timing.keepAliveThreshold";

/// The proxy's default port is the inner server's favourite when that one has taken the proxy's.
fn dodge_the_inner_port(layers: &mut Layers) {
    if *layers.origin(PROXY_PORT) == Origin::Default && *layers.value(PORT) == json!(55_000) {
        layers.put(PROXY_PORT, json!(57_000), Origin::Default);
    }
}

/// Without a list there is one store, in the file that `filename` names if it does. The list goes
/// through the same door as one from a file.
fn complete_default_stores(layers: &mut Layers, report: &mut Report) {
    let implicit = implicit_store(layers);
    let listed = layers
        .value(STORES)
        .as_array()
        .is_some_and(|list| !list.is_empty());
    if listed && *layers.origin(STORES) != Origin::Default {
        if let Some((origin, _)) = implicit {
            report.warn(format!(
                "{origin}: {FILENAME} is only used without {STORES}"
            ));
        }
        return;
    }
    let (origin, list) = match implicit {
        Some(implicit) => implicit,
        None => (
            Origin::Default,
            Key::find(KEYS, STORES).map_or(Value::Null, |key| preset(key.default)),
        ),
    };
    let list = crate::config::stores::check(&list, STORES, &origin, report);
    layers.put(STORES, list, origin);
}

/// The list that `filename` stands for.
fn implicit_store(layers: &Layers) -> Option<(Origin, Value)> {
    let file = layers.value(FILENAME);
    let list = || crate::config::stores::implicit(file, layers.value(FSYNC));
    (!file.is_null()).then(|| (layers.origin(FILENAME).clone(), list()))
}

/// A host may be the name of an interface; from here on it is the address.
fn resolve_host(
    layers: &mut Layers,
    key: &'static str,
    interfaces: &[InterfaceAddress],
    report: &mut Report,
) {
    let host = layers.value(key).as_str().unwrap_or_default();
    let Err(error) = host.parse::<ListenHost>() else {
        return;
    };
    let origin = layers.origin(key).clone();
    match network::named(host, interfaces) {
        Some(address) => layers.put(key, json!(address.to_string()), origin),
        None => {
            let known = network::names(interfaces);
            let reason = format!(
                "{error}; it must be an IP address, a host name with a dot, localhost, or an \
                 interface such as eth0 or eth0/ipv4/0; interfaces here: {known}"
            );
            report.rule(&origin, key, reason);
        }
    }
}

/// The interface whose address is announced becomes that address; one that is not there is as if
/// it had not been named.
fn resolve_interface(layers: &mut Layers, interfaces: &[InterfaceAddress], report: &mut Report) {
    let asked = [INTERFACE_ID, INTERFACE].map(|key| *layers.origin(key) != Origin::Default);
    if asked == [false, false] {
        return;
    }
    let origin = match asked[0] {
        true => layers.origin(INTERFACE_ID).clone(),
        false => layers.origin(INTERFACE).clone(),
    };
    let name = layers.value(INTERFACE_ID).as_str().unwrap_or("eth0");
    let number = layers.value(INTERFACE).as_u64().unwrap_or_default();
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    let address = network::of(name, interfaces).nth(number);
    if let Some(IpAddr::V4(address)) = address {
        layers.put(INTERFACE_ID, json!(address.to_string()), origin);
        return;
    }
    let what = match address {
        Some(address) => format!("{address}, and peers cannot be told an IPv6 address"),
        None => format!("not there; interfaces here: {}", network::names(interfaces)),
    };
    report.warn(format!(
        "{origin}: address number {number} of interface {name} is {what}; the announced address \
         is made without it"
    ));
    layers.put(INTERFACE_ID, Value::Null, origin);
}

/// Endpoints are segments of happn paths, where the brackets of IPv6 addresses are illegal.
fn check_announced(layers: &Layers, report: &mut Report) {
    let key = match layers.value(ANNOUNCE_HOST).is_null() {
        true => HOST,
        false => ANNOUNCE_HOST,
    };
    let host = layers.value(key).as_str().unwrap_or_default();
    let reason = match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if key == ANNOUNCE_HOST || !address.is_unspecified() => {
            "peers cannot be told an IPv6 address; set announceHost to an IPv4 address or a name"
        }
        Err(_) if key == ANNOUNCE_HOST && !is_host_name(host) => {
            "it must be an IPv4 address or a host name, without a port"
        }
        _ => return,
    };
    report.rule(layers.origin(key), key, reason);
}

/// What only a secure node does must not be left undone in silence.
fn check_security(layers: &Layers, report: &mut Report) {
    if *layers.value("secure") != json!(true) && !layers.value(PROVISION).is_null() {
        let origin = layers.origin(PROVISION);
        report.warn(format!(
            "{origin}: {PROVISION} has no effect on a node that is not secure: it has no users"
        ));
    }
}

const PROVISION: &str = "provision";

const TRANSPORT_MODE: &str = "services.transport.config.mode";

/// Keys and certificates that only make sense together.
const PAIRS: [[&str; 2]; 4] = [
    ["admin.keyPath", "admin.certPath"],
    [
        "services.proxy.config.keyPath",
        "services.proxy.config.certPath",
    ],
    [
        "services.transport.config.keyPath",
        "services.transport.config.certPath",
    ],
    [
        "services.transport.config.key",
        "services.transport.config.cert",
    ],
];

fn check_tls(layers: &Layers, report: &mut Report) {
    for [one, other] in PAIRS {
        for (given, missing) in [(one, other), (other, one)] {
            if !layers.value(given).is_null() && layers.value(missing).is_null() {
                let reason = format!("{missing} must be given too");
                report.rule(layers.origin(given), given, reason);
            }
        }
    }
    let [_, _, [path, _], [text, _]] = PAIRS;
    let given = [path, text].map(|key| !layers.value(key).is_null());
    let https = *layers.value(TRANSPORT_MODE) == json!("https");
    match given {
        [false, false] if https => {
            let reason = format!("https needs {path} or {text}");
            report.rule(layers.origin(TRANSPORT_MODE), TRANSPORT_MODE, reason);
        }
        [true, true] => {
            let reason = format!("give either {path} or {text}");
            report.rule(layers.origin(text), text, reason);
        }
        [false, false] => {}
        _ if !https => report.warn(format!(
            "the inner server's key is of no use unless {TRANSPORT_MODE} is https"
        )),
        _ => {}
    }
}

/// Authorities of clients by section: what makes the section speak TLS, and in which words that is
/// missed.
const CLIENT_AUTHORITIES: [(&str, &str, &str); 2] = [
    (
        "services.proxy.config.clientCaPath",
        "services.proxy.config.requireClientCert",
        "clients show certificates only where services.proxy.config.keyPath is given",
    ),
    (
        "services.transport.config.clientCaPath",
        "services.transport.config.requireClientCert",
        "nobody shows certificates unless services.transport.config.mode is https",
    ),
];

/// Who believes that only certain clients get in must not be wrong.
fn check_client_authorities(layers: &Layers, report: &mut Report) {
    let speaks_tls = [
        !layers.value("services.proxy.config.keyPath").is_null(),
        *layers.value(TRANSPORT_MODE) == json!("https"),
    ];
    for ((authorities, requires, reason), speaks_tls) in CLIENT_AUTHORITIES.iter().zip(speaks_tls) {
        let given = !layers.value(authorities).is_null();
        let required = *layers.value(requires) == json!(true);
        if given && !speaks_tls {
            report.rule(
                layers.origin(authorities),
                authorities,
                (*reason).to_owned(),
            );
        } else if !given && required && *layers.origin(requires) != Origin::Default {
            let reason = format!("{authorities} must be given too");
            report.rule(layers.origin(requires), requires, reason);
        }
    }
}

const TARGET: &str = "services.proxy.config.target";

fn check_target(layers: &Layers, report: &mut Report) {
    let target = layers.value(TARGET).as_str().map(str::parse::<Target>);
    if let Some(Err(error)) = target {
        report.rule(layers.origin(TARGET), TARGET, error.to_string());
    }
}

fn check_ports(layers: &Layers, report: &mut Report) {
    let port = layers.value(PORT);
    if *port != json!(0) && port == layers.value(PROXY_PORT) {
        let origin = match layers.origin(PROXY_PORT) {
            Origin::Default => layers.origin(PORT),
            explicit => explicit,
        };
        report.rule(
            origin,
            PROXY_PORT,
            format!("{port} is also the inner server's port"),
        );
    }
}

/// Compared as if all hosts were one, because most listen on all of them.
fn check_admin_port(layers: &Layers, report: &mut Report) {
    let port = layers.value(ADMIN_PORT);
    let others = [(PORT, "the inner server's"), (PROXY_PORT, "the proxy's")];
    for (key, whose) in others {
        if !port.is_null() && *port != json!(0) && port == layers.value(key) {
            let reason = format!("{port} is also {whose} port");
            report.rule(layers.origin(ADMIN_PORT), ADMIN_PORT, reason);
        }
    }
}

/// A node that its own cluster does not list could never be stable.
fn check_minimums(layers: &Layers, report: &mut Report) {
    let Value::Object(cluster) = layers.value(CLUSTER) else {
        return;
    };
    let service = layers.value(SERVICE).as_str().unwrap_or_default();
    if !cluster.is_empty() && !cluster.contains_key(service) {
        let reason = format!("it must name the node's own service {service:?}");
        report.rule(layers.origin(CLUSTER), CLUSTER, reason);
    }
}

fn check_timing(layers: &Layers, report: &mut Report) {
    let beat = layers.value(KEEP_ALIVE).as_u64();
    let threshold = layers.value(THRESHOLD).as_u64();
    if threshold <= beat {
        let origin = match layers.origin(THRESHOLD) {
            Origin::Default => layers.origin(KEEP_ALIVE),
            explicit => explicit,
        };
        let reason = format!("it must be longer than {KEEP_ALIVE}, or living nodes look dead");
        report.rule(origin, THRESHOLD, reason);
    }
}
